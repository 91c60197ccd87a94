/**
 * The core: the WebAssembly module behind a typed object. The only file that knows WebAssembly.
 * docs/ABI.md says what each export does; nothing here knows sockets, logs or the daemon, and nothing needs Node.js but
 * the reading of the artefact where none is given.
 */
import { instantiateSync } from "@assemblyscript/loader";

/** The version of docs/ABI.md that this file was written for. */
const ABI_VERSION = 1;
const PAGE_BYTES = 65_536;
/** Largest cache of the one-page artefact. */
export const ONE_PAGE_CACHE_LIMIT_BYTES = 16_320;
/** What the imported-memory artefact needs besides the cache. */
const IMPORTED_FIXED_BYTES = 196_608;

const INIT_REJECT = 1;
const INIT_KEEP_TIMESTAMPS = 2;
const RENDER_OPENMETRICS = 1;
const RENDER_UTF8 = 2;

/**
 * The module's exports, as docs/ABI.md lists them.
 * @internal
 */
type Exports = {
  memory?: WebAssembly.Memory;
  abiVersion(): number;
  memoryPages(cacheBytes: number): number;
  inputAddress(): number;
  inputBytes(): number;
  inputTail(): number;
  outputAddress(): number;
  outputBytes(): number;
  connectionAddress(): number;
  cacheAddress(): number;
  cacheBytes(): number;
  init(cacheBytes: number, ttlMs: number, flags: number, maxLineBytes: number): number;
  ingest(offset: number, length: number, nowMs: number): number;
  finish(tailBytes: number, nowMs: number): number;
  expire(nowMs: number): number;
  renderOpen(flags: number, nowMs: number): number;
  renderNext(handle: number, nowMs: number): number;
  renderClose(handle: number): number;
  counter(index: number): number;
  gauge(index: number): number;
  badReason(): number;
  badOffset(): number;
  badLength(): number;
};

/** How a cache is made. */
export interface CacheOptions {
  /** All bytes that grow with data; 10 KiB by default. */
  cacheBytes?: number;
  /** Time to live of a metric whose push sets none, in milliseconds; 0: never expires. 1 minute by default. */
  ttlMs?: number;
  /** What a newcomer does to a full cache; "evict" by default. */
  whenFull?: "evict" | "reject";
  /** Whether timestamps of samples are kept; "drop" by default. */
  timestamps?: "drop" | "keep";
  /** Longest line in bytes, its LF not counted; 4,096 by default. */
  maxLineBytes?: number;
  /**
   * The bytes of push-gateway.wasm, or of push-gateway.imported.wasm for a cache of more than 16,320 bytes. Read from this
   * package if not given, which needs Node.js, Deno or Bun.
   */
  module?: Uint8Array | ArrayBuffer;
}

/** How a page is rendered. */
export interface PageFormat {
  /** OpenMetrics 1.0, else text 0.0.4. */
  openMetrics: boolean;
  /** Names beyond the classic alphabet raw in quotes, else in the `U__` escaping. */
  utf8: boolean;
}

/** Indexes of the module's counters. */
export const COUNTERS = {
  samples: 0,
  metadataLines: 1,
  pushes: 2,
  metricsCreated: 3,
  metricsExpired: 4,
  metricsEvicted: 5,
  refusedFamily: 6,
  refusedFull: 7,
  helpDropped: 8,
  typeClashes: 9,
  unitsDropped: 10,
  badTtlLines: 11,
  samplesDropped: 12,
} as const;
export type CounterName = keyof typeof COUNTERS;

/** Indexes of the module's gauges. */
export const GAUGES = {
  series: 0,
  metrics: 1,
  families: 2,
  cacheBytes: 3,
  usedBytes: 4,
  freeBytes: 5,
  indexBytes: 6,
  nameBytes: 7,
  labelBytes: 8,
  metricBytes: 9,
  helpBytes: 10,
  openRenders: 11,
} as const;
export type GaugeName = keyof typeof GAUGES;

/** Why a line is bad; the position is the module's reason, and its counter is 16 more. */
export const BAD_REASONS = [
  "syntax",
  "not UTF-8",
  "NUL byte",
  "bad metric name",
  "bad label name",
  "duplicate label",
  "bad escape",
  "bad value",
  "bad timestamp",
  "bad exemplar",
  "too long",
  "incomplete",
  "series too big",
  "too many labels",
  "bad metadata",
  "sample does not fit its family",
] as const;
const BAD_COUNTERS = 16;

/** The first bad line of an ingest. */
export interface BadLine {
  /** Position in BAD_REASONS. */
  reason: number;
  /** Its bytes in the input window, valid until that is written to. */
  bytes: Uint8Array;
}

/** A mistake in the arguments of createCache, or a module that does not fit this host. */
export class CacheError extends Error {
  /** The argument at fault; undefined if it is the module. */
  readonly option: keyof CacheOptions | undefined;

  constructor(message: string, option?: keyof CacheOptions) {
    super(message);
    this.name = "CacheError";
    this.option = option;
  }
}

/** What a connection has with the module: 16 opaque bytes, zero at first. */
export type ConnectionState = Uint32Array;

/**
 * Makes the state of a new connection.
 * @returns 16 zero bytes, to be handed in with each call for this connection
 */
export function createConnectionState(): ConnectionState {
  return new Uint32Array(4);
}

/** One instance of the module with its cache. Its memory never grows, so the views stay valid. */
export class Cache {
  /** The input window. The host's between calls. */
  readonly input: Uint8Array;
  /** Offset in the window where bytes that were read belong; a tail goes directly before it. */
  readonly readOffset: number;
  /** Most bytes that a connection's tail can have. */
  readonly tailLimitBytes: number;
  readonly #exports: Exports;
  readonly #memory: WebAssembly.Memory;
  readonly #connection: Uint32Array;
  readonly #output: Uint8Array;

  /**
   * Use createCache.
   * @internal
   */
  constructor(exports: Exports, memory: WebAssembly.Memory, maxLineBytes: number) {
    this.#exports = exports;
    this.#memory = memory;
    this.input = new Uint8Array(memory.buffer, exports.inputAddress(), exports.inputBytes());
    this.tailLimitBytes = maxLineBytes + 1;
    this.readOffset = Math.max(exports.inputTail(), this.tailLimitBytes);
    this.#connection = new Uint32Array(memory.buffer, exports.connectionAddress(), 4);
    this.#output = new Uint8Array(memory.buffer, exports.outputAddress(), exports.outputBytes());
  }

  /**
   * Takes bytes of the input window as the next ones of a connection.
   * @param state the connection's, updated
   * @param offset where they begin in the window
   * @param length how many bytes
   * @param nowMs monotonic time
   * @returns how many were consumed; the rest is the tail, to be put before the next bytes. -1: not in the window
   */
  ingest(state: ConnectionState, offset: number, length: number, nowMs: number): number {
    this.#connection.set(state);
    const consumed = this.#exports.ingest(offset, length, nowMs);
    state.set(this.#connection);
    return consumed;
  }

  /**
   * Ends a push.
   * @param state the connection's, cleared
   * @param tailBytes length of the tail that was left
   * @param nowMs monotonic time
   */
  finish(state: ConnectionState, tailBytes: number, nowMs: number): void {
    this.#connection.set(state);
    this.#exports.finish(tailBytes, nowMs);
    state.set(this.#connection);
  }

  /** The first bad line of the last ingest; undefined if it met none. */
  badLine(): BadLine | undefined {
    const reason = this.#exports.badReason();
    if (reason < 0) return undefined;
    const offset = this.#exports.badOffset();
    return { reason, bytes: this.input.subarray(offset, offset + this.#exports.badLength()) };
  }

  /**
   * Removes expired metrics, in bounded work.
   * @returns whether there may be more
   */
  expire(nowMs: number): boolean {
    return this.#exports.expire(nowMs) === 1;
  }

  /**
   * Begins a page.
   * @returns a handle, or -1 if all are taken
   */
  openRender(format: PageFormat, nowMs: number): number {
    const flags = (format.openMetrics ? RENDER_OPENMETRICS : 0) | (format.utf8 ? RENDER_UTF8 : 0);
    return this.#exports.renderOpen(flags, nowMs);
  }

  /**
   * Renders a page's next piece.
   * @returns whole lines in the output window, valid until the next call; undefined: the page is complete and closed
   */
  nextPiece(handle: number, nowMs: number): Uint8Array | undefined {
    const length = this.#exports.renderNext(handle, nowMs);
    return length > 0 ? this.#output.subarray(0, length) : undefined;
  }

  /** Ends a page early. A handle that is not open does no harm. */
  closeRender(handle: number): void {
    this.#exports.renderClose(handle);
  }

  /** Largest piece of a page, in bytes. */
  get pieceLimitBytes(): number {
    return this.#output.length;
  }

  /** How often something happened since the cache was made. */
  counter(name: CounterName): number {
    return this.#exports.counter(COUNTERS[name]);
  }

  /** How many lines were bad for a reason, a position in BAD_REASONS. */
  badLines(reason: number): number {
    return this.#exports.counter(BAD_COUNTERS + reason);
  }

  /** What is now. */
  gauge(name: GaugeName): number {
    return this.#exports.gauge(GAUGES[name]);
  }

  /** The bytes whose hash is the cache's state. Read only. */
  state(): Uint8Array {
    return new Uint8Array(this.#memory.buffer, this.#exports.cacheAddress(), this.#exports.cacheBytes());
  }

  /** Bytes of WebAssembly memory, all of it. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }
}

/**
 * Makes a cache: picks the artefact that fits, instantiates it and checks that it is the one this host knows.
 * @throws CacheError if an option is out of range or the module does not fit
 */
export function createCache(options: CacheOptions = {}): Cache {
  const { cacheBytes = 10_240, ttlMs = 60_000, maxLineBytes = 4096 } = options;
  const { exports, memory } = instantiate(options.module ?? readArtefact(cacheBytes), cacheBytes);
  const pages = exports.memoryPages(cacheBytes);
  if (pages === 0) throw new CacheError(`a cache of ${cacheBytes} bytes is out of range`, "cacheBytes");
  if (pages * PAGE_BYTES > memory.buffer.byteLength)
    throw new CacheError(`the module asks for ${pages} pages of memory`);
  let flags = 0;
  if (options.whenFull === "reject") flags |= INIT_REJECT;
  if (options.timestamps === "keep") flags |= INIT_KEEP_TIMESTAMPS;
  checkInit(exports, exports.init(cacheBytes, ttlMs, flags, maxLineBytes));
  return new Cache(exports, memory, maxLineBytes);
}

/** Makes an instance with a memory of exactly the pages that it needs. */
function instantiate(
  bytes: Uint8Array | ArrayBuffer,
  cacheBytes: number,
): { exports: Exports; memory: WebAssembly.Memory } {
  const module = compile(bytes);
  if (WebAssembly.Module.imports(module).length === 0) {
    const { instance } = instantiateSync<Exports>(module);
    const exports = checkVersion(instance.exports as Exports);
    if (exports.memory === undefined) throw new CacheError("the module has no memory");
    return { exports, memory: exports.memory };
  }
  const memory = createMemory(Math.ceil((IMPORTED_FIXED_BYTES + cacheBytes) / PAGE_BYTES));
  const { instance } = instantiateSync<Exports>(module, { env: { memory } });
  return { exports: checkVersion(instance.exports as Exports), memory };
}

function compile(bytes: Uint8Array | ArrayBuffer): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes as BufferSource);
  } catch (error) {
    throw new CacheError(`this is no WebAssembly module: ${(error as Error).message}`, "module");
  }
}

function createMemory(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    throw new CacheError(`no memory for a cache of ${pages} pages`, "cacheBytes");
  }
}

/** Reads the artefact of this package for a cache size. */
function readArtefact(cacheBytes: number): Uint8Array {
  // Asked for instead of imported, so that a browser can load this file.
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  if (fs === undefined) throw new CacheError("there are no files here: give the module's bytes", "module");
  const name = cacheBytes <= ONE_PAGE_CACHE_LIMIT_BYTES ? "push-gateway.wasm" : "push-gateway.imported.wasm";
  const path = new URL(`../${name}`, import.meta.url);
  try {
    return fs.readFileSync(path);
  } catch {
    throw new CacheError(`cannot read ${path.pathname} (npm run build makes it)`);
  }
}

function checkVersion(exports: Exports): Exports {
  const found = typeof exports.abiVersion === "function" ? exports.abiVersion() : undefined;
  if (found !== ABI_VERSION) throw new CacheError(`the module speaks ABI ${found}, this host ${ABI_VERSION}`);
  return exports;
}

function checkInit(exports: Exports, status: number): void {
  if (status === 0) return;
  if (status === 1) throw new CacheError("the cache size is out of range", "cacheBytes");
  if (status === 2) throw new CacheError("the TTL is out of range", "ttlMs");
  if (status === 3)
    throw new CacheError(`the line length is out of range (16 to ${exports.inputTail() - 16})`, "maxLineBytes");
  throw new CacheError(`the module refused to start (status ${status})`);
}
