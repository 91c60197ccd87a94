// A host in the fewest lines that docs/ABI.md allows: no dependency on host/, so that the artefacts are tested by the ABI
// alone. Every range that the ABI lets a host overwrite is overwritten after each call, so hidden state would show.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { COUNTERS, GAUGES } from "./names.js";

export type Api = {
  readonly abiVersion: () => number;
  readonly memoryPages: (cacheBytes: number) => number;
  readonly init: (cacheBytes: number, ttlMs: number, flags: number, maxLine: number) => number;
  readonly inputAddress: () => number;
  readonly inputBytes: () => number;
  readonly inputTail: () => number;
  readonly outputAddress: () => number;
  readonly outputBytes: () => number;
  readonly connectionAddress: () => number;
  readonly cacheAddress: () => number;
  readonly cacheBytes: () => number;
  readonly ingest: (offset: number, length: number, nowMs: number) => number;
  readonly finish: (tailBytes: number, nowMs: number) => number;
  readonly expire: (nowMs: number) => number;
  readonly renderOpen: (flags: number, nowMs: number) => number;
  readonly renderNext: (handle: number, nowMs: number) => number;
  readonly renderClose: (handle: number) => number;
  readonly counter: (index: number) => number;
  readonly gauge: (index: number) => number;
  readonly badReason: () => number;
  readonly badOffset: () => number;
  readonly badLength: () => number;
};

export interface Artefact {
  readonly name: string;
  readonly imported: boolean;
  readonly debug: boolean;
}

export interface Options {
  readonly cacheBytes?: number;
  readonly ttlMs?: number;
  readonly flags?: number;
  readonly maxLine?: number;
}

/** What a host keeps of a connection: the ABI's sixteen bytes, and the tail that was not consumed. */
export interface Connection {
  state: Uint8Array;
  tail: Uint8Array;
}

export const ARTEFACTS: readonly Artefact[] = [
  { name: "push-gateway.wasm", imported: false, debug: false },
  { name: "push-gateway.imported.wasm", imported: true, debug: false },
  { name: "push-gateway.debug.wasm", imported: false, debug: true },
  { name: "push-gateway.imported.debug.wasm", imported: true, debug: true },
];
export const RELEASES: readonly Artefact[] = ARTEFACTS.filter((artefact) => !artefact.debug);

export const PAGE_BYTES = 65_536;
export const REJECT = 1;
export const KEEP = 2;
export const OPENMETRICS = 1;
export const UTF8 = 2;

const CONNECTION_BYTES = 16;
const POISON = 0xa5;
const DEFAULTS = { cacheBytes: 10_240, ttlMs: 60_000, flags: 0, maxLine: 4096 };
const compiled = new Map<string, WebAssembly.Module>();
const encoder = new TextEncoder();

/** The checkout: the nearest folder with a package.json and tests/cases, from this file upwards or from the working folder. */
export const ROOT = findRoot(dirname(fileURLToPath(import.meta.url))) ?? findRoot(process.cwd()) ?? ".";

function findRoot(start: string): string | undefined {
  let folder = start;
  while (!existsSync(join(folder, "package.json")) || !existsSync(join(folder, "tests/cases"))) {
    if (dirname(folder) === folder) return undefined;
    folder = dirname(folder);
  }
  return folder;
}

export function artefactBytes(artefact: Artefact): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(ROOT, "build", artefact.name)));
}

export function compile(artefact: Artefact): WebAssembly.Module {
  const known = compiled.get(artefact.name);
  if (known !== undefined) return known;
  const module = new WebAssembly.Module(artefactBytes(artefact));
  compiled.set(artefact.name, module);
  return module;
}

export function pagesFor(artefact: Artefact, cacheBytes: number): number {
  return artefact.imported ? Math.ceil((196_608 + cacheBytes) / PAGE_BYTES) : 1;
}

/** An instance before `init`: the raw exports and the memory. */
export function instantiate(
  artefact: Artefact,
  cacheBytes = DEFAULTS.cacheBytes,
): { api: Api; memory: WebAssembly.Memory } {
  const pages = pagesFor(artefact, cacheBytes);
  const own = artefact.imported ? new WebAssembly.Memory({ initial: pages, maximum: pages }) : undefined;
  const instance = new WebAssembly.Instance(compile(artefact), own === undefined ? {} : { env: { memory: own } });
  const exports = instance.exports as unknown as Api & { memory: WebAssembly.Memory };
  return { api: exports, memory: own ?? exports.memory };
}

export function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? encoder.encode(text) : text;
}

export class Module {
  readonly api: Api;
  readonly memory: WebAssembly.Memory;
  readonly heap: Uint8Array;
  readonly maxLine: number;
  readonly room: number;
  readonly #settings: Required<Options>;
  readonly #input: number;
  readonly #tail: number;
  readonly #connection: number;
  readonly #output: number;
  readonly #outputBytes: number;

  constructor(artefact: Artefact, options: Options = {}) {
    const settings = { ...DEFAULTS, ...options };
    const { api, memory } = instantiate(artefact, settings.cacheBytes);
    this.api = api;
    this.memory = memory;
    this.maxLine = Math.min(settings.maxLine, api.inputTail());
    this.#settings = settings;
    this.init();
    this.heap = new Uint8Array(memory.buffer);
    this.#input = api.inputAddress();
    this.#tail = api.inputTail();
    this.#connection = api.connectionAddress();
    this.#output = api.outputAddress();
    this.#outputBytes = api.outputBytes();
    this.room = api.inputBytes() - this.#tail;
  }

  /** Starts afresh with the same settings. */
  init(): void {
    const { cacheBytes, ttlMs, flags } = this.#settings;
    const status = this.api.init(cacheBytes, ttlMs, flags, this.maxLine);
    assert.equal(status, 0, `init(${JSON.stringify(this.#settings)}) answers 0`);
  }

  connect(): Connection {
    return { state: new Uint8Array(CONNECTION_BYTES), tail: new Uint8Array(0) };
  }

  /** Bytes that arrive on a connection, in reads of at most `chunk` bytes. */
  send(connection: Connection, text: string | Uint8Array, nowMs: number, chunk = this.room): void {
    const bytes = bytesOf(text);
    for (let at = 0; at < bytes.length; at += chunk) {
      this.#read(connection, bytes.subarray(at, Math.min(at + chunk, bytes.length)), nowMs);
    }
  }

  #read(connection: Connection, bytes: Uint8Array, nowMs: number): void {
    const start = this.#tail - connection.tail.length;
    const length = connection.tail.length + bytes.length;
    this.heap.set(connection.tail, this.#input + start);
    this.heap.set(bytes, this.#input + this.#tail);
    this.heap.set(connection.state, this.#connection);
    const consumed = this.api.ingest(start, length, nowMs);
    assert.ok(consumed >= 0 && consumed <= length, `ingest consumed ${consumed} of ${length} bytes`);
    assert.ok(length - consumed <= this.maxLine + 1, `a tail of ${length - consumed} bytes is longer than maxLine + 1`);
    const end = this.#input + start + length;
    connection.tail = this.heap.slice(end - (length - consumed), end);
    this.#takeConnection(connection);
    this.heap.fill(POISON, this.#input + start, end);
  }

  #takeConnection(connection: Connection): void {
    connection.state = this.heap.slice(this.#connection, this.#connection + CONNECTION_BYTES);
    this.heap.fill(POISON, this.#connection, this.#connection + CONNECTION_BYTES);
  }

  /** The end of a connection. */
  finish(connection: Connection, nowMs: number): void {
    this.heap.set(connection.state, this.#connection);
    assert.equal(this.api.finish(connection.tail.length, nowMs), 0, "finish answers 0");
    this.#takeConnection(connection);
    assert.ok(
      connection.state.every((byte) => byte === 0),
      "finish clears the connection's bytes",
    );
    connection.tail = new Uint8Array(0);
  }

  /** A whole push on a connection of its own. */
  push(text: string | Uint8Array, nowMs: number, chunk = this.room): void {
    const connection = this.connect();
    this.send(connection, text, nowMs, chunk);
    this.finish(connection, nowMs);
  }

  open(flags: number, nowMs: number): number {
    const handle = this.api.renderOpen(flags, nowMs);
    assert.ok(handle >= 0 && handle < 8, `renderOpen(${flags}) answers ${handle}`);
    return handle;
  }

  /** The next piece of a page; undefined when the page is complete. */
  next(handle: number, nowMs: number): Uint8Array | undefined {
    this.heap.fill(POISON, this.#output, this.#output + Math.min(this.#outputBytes, 64));
    const length = this.api.renderNext(handle, nowMs);
    assert.ok(length >= 0 && length <= this.#outputBytes, `renderNext answers ${length}`);
    if (length === 0) return undefined;
    const piece = this.heap.slice(this.#output, this.#output + length);
    assert.equal(piece.at(-1), 10, "a piece is whole lines");
    return piece;
  }

  page(flags: number, nowMs: number): Uint8Array {
    const handle = this.open(flags, nowMs);
    const pieces: Uint8Array[] = [];
    for (let piece = this.next(handle, nowMs); piece !== undefined; piece = this.next(handle, nowMs))
      pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** The gauges are current only after the expired are gone. */
  expire(nowMs: number): void {
    while (this.api.expire(nowMs) === 1);
  }

  counter(name: string): number {
    return this.api.counter(indexOf(COUNTERS, name));
  }

  gauge(name: string): number {
    return this.api.gauge(indexOf(GAUGES, name));
  }

  /** All bad lines, whatever their reason. */
  bad(): number {
    let sum = 0;
    for (let index = 16; index < 32; index++) sum += this.api.counter(index);
    return sum;
  }

  counters(): number[] {
    return Array.from({ length: 32 }, (_, index) => this.api.counter(index));
  }

  /** SHA-256 of the cache's state, as the ABI defines it. */
  state(): string {
    const start = this.api.cacheAddress();
    return createHash("sha256")
      .update(this.heap.subarray(start, start + this.api.cacheBytes()))
      .digest("hex");
  }
}

function indexOf(names: Readonly<Record<string, number>>, name: string): number {
  const index = names[name];
  if (index === undefined) throw new Error(`no counter or gauge is called "${name}"`);
  return index;
}
