// Reads a WebAssembly binary: its sections, and every opcode of its code, to hold that an artefact is MVP only. The opcodes
// and their immediates are those of the core specification, version 1.0; any other is refused.

export interface Memory {
  readonly initial: number;
  readonly maximum: number | undefined;
}

export interface Binary {
  readonly imports: readonly { readonly module: string; readonly name: string; readonly memory: Memory }[];
  readonly memories: readonly Memory[];
  readonly functions: number;
  readonly opcodes: ReadonlySet<number>;
  readonly mutableGlobalExports: number;
}

const SECTION = { custom: 0, import: 2, memory: 5, global: 6, export: 7, code: 10, data: 11, dataCount: 12 };
const VALUE_TYPES = new Set([0x7f, 0x7e, 0x7d, 0x7c]);
const EMPTY_BLOCK = 0x40;

class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error("the binary ends too early");
    return byte;
  }

  /** LEB128; the sign is of no interest here, so signed numbers are only skipped with it. */
  number(): number {
    let result = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      result += (byte & 127) * scale;
      if (byte < 128) return result;
    }
  }

  text(): string {
    const length = this.number();
    this.at += length;
    return Buffer.from(this.bytes.subarray(this.at - length, this.at)).toString();
  }

  limits(): Memory {
    const flags = this.byte();
    if (flags > 1) throw new Error(`memory flags ${flags} are not MVP`);
    const initial = this.number();
    return { initial, maximum: flags === 1 ? this.number() : undefined };
  }
}

function valueType(reader: Reader): void {
  const type = reader.byte();
  if (!VALUE_TYPES.has(type)) throw new Error(`value type ${type.toString(16)} is not MVP`);
}

/** What follows an opcode, or an error for an opcode that MVP does not have. */
function skipImmediates(opcode: number, reader: Reader): void {
  if (opcode >= 0x02 && opcode <= 0x04) {
    if (reader.bytes[reader.at] === EMPTY_BLOCK) reader.at++;
    else valueType(reader);
  } else if (opcode === 0x0c || opcode === 0x0d || opcode === 0x10 || (opcode >= 0x20 && opcode <= 0x24)) {
    reader.number();
  } else if (opcode === 0x0e) {
    for (let count = reader.number() + 1; count > 0; count--) reader.number();
  } else if (opcode === 0x11 || (opcode >= 0x28 && opcode <= 0x3e)) {
    reader.number();
    reader.number();
  } else if (opcode === 0x3f || opcode === 0x40) {
    if (reader.byte() !== 0) throw new Error("a second memory is not MVP");
  } else if (opcode === 0x41 || opcode === 0x42) {
    reader.number();
  } else if (opcode === 0x43 || opcode === 0x44) {
    reader.at += opcode === 0x43 ? 4 : 8;
  } else if (!isPlain(opcode)) {
    throw new Error(`opcode 0x${opcode.toString(16)} is not MVP`);
  }
}

function isPlain(opcode: number): boolean {
  const control = opcode <= 0x01 || opcode === 0x05 || opcode === 0x0b || opcode === 0x0f;
  return control || opcode === 0x1a || opcode === 0x1b || (opcode >= 0x45 && opcode <= 0xbf);
}

function readCode(reader: Reader, opcodes: Set<number>): number {
  const count = reader.number();
  for (let index = 0; index < count; index++) {
    const size = reader.number();
    const end = reader.at + size;
    for (let groups = reader.number(); groups > 0; groups--) {
      reader.number();
      valueType(reader);
    }
    while (reader.at < end) {
      const opcode = reader.byte();
      opcodes.add(opcode);
      skipImmediates(opcode, reader);
    }
    if (reader.at !== end) throw new Error(`function ${index} does not end where it says`);
  }
  return count;
}

function readImports(reader: Reader): Binary["imports"] {
  return Array.from({ length: reader.number() }, () => {
    const module = reader.text();
    const name = reader.text();
    if (reader.byte() !== 2) throw new Error(`${module}.${name} is imported and is no memory`);
    return { module, name, memory: reader.limits() };
  });
}

function readGlobals(reader: Reader): boolean[] {
  return Array.from({ length: reader.number() }, () => {
    valueType(reader);
    const mutable = reader.byte() === 1;
    for (let opcode = reader.byte(); opcode !== 0x0b; opcode = reader.byte()) skipImmediates(opcode, reader);
    return mutable;
  });
}

function countMutableExports(reader: Reader, mutable: readonly boolean[]): number {
  let count = 0;
  for (let left = reader.number(); left > 0; left--) {
    reader.text();
    const kind = reader.byte();
    const index = reader.number();
    if (kind === 3 && mutable[index] === true) count++;
  }
  return count;
}

export function readBinary(bytes: Uint8Array): Binary {
  const opcodes = new Set<number>();
  const binary = { imports: [] as Binary["imports"], memories: [] as Memory[], functions: 0, mutableGlobalExports: 0 };
  let globals: boolean[] = [];
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.length) {
    const section = reader.byte();
    const size = reader.number();
    const inner = new Reader(bytes, reader.at);
    reader.at += size;
    if (section >= SECTION.dataCount) throw new Error(`section ${section} is not MVP`);
    if (section === SECTION.import) binary.imports = readImports(inner);
    else if (section === SECTION.memory) binary.memories = Array.from({ length: inner.number() }, () => inner.limits());
    else if (section === SECTION.global) globals = readGlobals(inner);
    else if (section === SECTION.export) binary.mutableGlobalExports = countMutableExports(inner, globals);
    else if (section === SECTION.code) binary.functions = readCode(inner, opcodes);
  }
  return { ...binary, opcodes };
}
