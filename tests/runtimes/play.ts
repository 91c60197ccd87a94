// Plays recorded calls with the package's core, in any JavaScript runtime: this file and what it imports need no Node.js.

import { BAD_REASONS, type Cache, COUNTERS, type Connection, createCache, GAUGES } from "../../host/cache.js";

const OPENMETRICS = 1;
const UTF8 = 2;
const REJECT = 1;
const KEEP_TIMESTAMPS = 2;

const encoder = new TextEncoder();

/**
 * Plays a script.
 * @param script the calls, in the form that tests/runtimes/README.md describes
 * @param module the bytes of an artefact
 * @returns what it writes
 */
export function play(script: string, module: Uint8Array): Uint8Array {
  const player = new Player(module);
  for (const line of script.split("\n").slice(0, -1)) {
    if (!line.startsWith("#")) player.call(line);
  }
  return join(player.written);
}

class Player {
  readonly written: Uint8Array[] = [];
  readonly #module: Uint8Array;
  readonly #connections = new Map<string, Connection>();
  readonly #pages = new Map<string, IterableIterator<Uint8Array>>();
  #cache: Cache;
  #nowMs = 0;

  constructor(module: Uint8Array) {
    this.#module = module;
    this.#cache = createCache({ module });
  }

  call(line: string): void {
    const [call = "", first = "", second = "", third = ""] = line.split(" ", 5);
    if (call === "init") this.#init(line.split(" ").slice(1).map(Number));
    else if (call === "push") this.#push(first, Number(second), line.slice(`push ${first} ${second} `.length));
    else if (call === "finish") this.#at(second).#connection(first).end();
    else if (call === "expire") this.#at(first).#cache.expire();
    else if (call === "open") this.#open(first, Number(second), Number(third));
    else if (call === "next") this.#write(call, this.#at(second).#page(first).next().value ?? new Uint8Array(0));
    else if (call === "rest") this.#write(call, join([...this.#at(second).#page(first)]));
    else if (call === "close") this.#page(first).return?.();
    else if (call === "numbers") this.#write(call, encoder.encode(this.#numbers().join(" ")));
    else if (call === "state") this.#write(call, this.#cache.state().slice());
    else throw new Error(`unknown call "${line}"`);
  }

  #init([cacheBytes, ttlMs, flags = 0, maxLineBytes]: number[]): void {
    this.#connections.clear();
    this.#pages.clear();
    this.#cache = createCache({
      module: this.#module,
      cacheBytes: cacheBytes!,
      ttlMs: ttlMs!,
      maxLineBytes: maxLineBytes!,
      whenFull: flags & REJECT ? "reject" : "evict",
      timestamps: flags & KEEP_TIMESTAMPS ? "keep" : "drop",
      now: () => this.#nowMs,
    });
  }

  /** Sets the clock. */
  #at(nowMs: number | string): this {
    this.#nowMs = Number(nowMs);
    return this;
  }

  #push(connection: string, nowMs: number, text: string): void {
    this.#at(nowMs).#connection(connection).write(unescaped(text));
  }

  #page(name: string): IterableIterator<Uint8Array> {
    const page = this.#pages.get(name);
    if (page === undefined) throw new Error(`page ${name} was never opened`);
    return page;
  }

  #connection(name: string): Connection {
    const connection = this.#connections.get(name) ?? this.#cache.connect();
    this.#connections.set(name, connection);
    return connection;
  }

  #open(page: string, flags: number, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#pages.set(page, this.#cache.chunks({ openMetrics: (flags & OPENMETRICS) !== 0, utf8: (flags & UTF8) !== 0 }));
  }

  #numbers(): number[] {
    return [
      ...namesOf(COUNTERS).map((name) => this.#cache.counter(name)),
      ...BAD_REASONS.map((reason) => this.#cache.badLines(reason)),
      ...namesOf(GAUGES).map((name) => this.#cache.gauge(name)),
    ];
  }

  #write(call: string, bytes: Uint8Array): void {
    this.written.push(encoder.encode(`${call} ${bytes.length}\n`), bytes);
  }
}

/** The names of a table, by index. */
function namesOf<Name extends string>(table: Readonly<Record<Name, number>>): Name[] {
  return (Object.keys(table) as Name[]).sort((one, other) => table[one] - table[other]);
}

function unescaped(text: string): Uint8Array {
  const plain = text.replace(/%(..)/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
