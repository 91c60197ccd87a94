/**
 * The core for other programs, `push-gateway/core`: text in, page out. No sockets, no threads, no timers; runs in
 * Node.js, Deno, Bun and browsers. What the gateway does with the lines is what the daemon does with them.
 */
import {
  BAD_REASONS,
  type Cache as Core,
  type CacheOptions as CoreOptions,
  type CounterName,
  createConnectionState,
  createCache as createCore,
  type GaugeName,
  type PageFormat,
} from "./core.js";

export { BAD_REASONS, CacheError, COUNTERS, type CounterName, GAUGES, type GaugeName } from "./core.js";

export type { Cache, Connection };

/** Why a line is bad. */
export type BadReason = (typeof BAD_REASONS)[number];

/** How a cache is made. */
export interface CacheOptions extends CoreOptions {
  /** A clock in milliseconds; only differences count, and it may not run backwards. `performance.now` by default. */
  now?: () => number;
}

/** How a push is taken. */
export interface PushOptions {
  /** Time to live of its samples in milliseconds; 0: never expires. That of the cache by default. */
  ttlMs?: number;
}

/** A line that was skipped. */
export interface BadLine {
  reason: BadReason;
  text: string;
}

/** A page is text 0.0.4 with escaped names unless it is asked for otherwise. */
export type Format = Partial<PageFormat>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Makes a cache.
 * @param options see CacheOptions; 10 KiB and a minute by default
 * @returns an empty cache in a WebAssembly memory of its own
 * @throws CacheError if an option is out of range, or the module does not fit
 */
export function createCache(options: CacheOptions = {}): Cache {
  return new Cache(createCore(options), options.now ?? (() => performance.now()));
}

/** A cache of fixed size. Metrics are pushed in, expire, are evicted when it is full, and are rendered as a page. */
class Cache {
  readonly #core: Core;
  readonly #now: () => number;

  /** @internal */
  constructor(core: Core, now: () => number) {
    this.#core = core;
    this.#now = now;
  }

  /**
   * Takes a whole push: lines of text 0.0.4 or OpenMetrics. Bad lines are skipped and counted, the others are kept.
   * @param input each line of it ends in a line feed; the rest is an incomplete line, and dropped
   * @param options its time to live
   * @returns the first bad line, or undefined
   */
  push(input: string | Uint8Array, options: PushOptions = {}): BadLine | undefined {
    const connection = this.connect();
    if (options.ttlMs !== undefined) connection.write(ttlLine(options.ttlMs));
    const bad = connection.write(input);
    const incomplete = connection.end();
    return bad ?? incomplete;
  }

  /** Begins a stream of lines that comes in pieces. Any number may be open. */
  connect(): Connection {
    return new Connection(this.#core, this.#now);
  }

  /**
   * Renders the page.
   * @returns all of it
   * @throws RangeError if eight other pages are open
   */
  render(format?: Format): string {
    const stream = new TextDecoder();
    let page = "";
    for (const chunk of this.chunks(format)) page += stream.decode(chunk, { stream: true });
    return page;
  }

  /**
   * Renders the page in pieces: for a page that is sent while it is made, and never stands in memory as a whole. Between
   * pieces anything may happen to the cache; a metric that lives through it is in the page once.
   * @returns the pieces, whole lines each. Eight pages may be open; one is until its last piece, or its `return`
   * @throws RangeError if eight other pages are open
   */
  chunks(format: Format = {}): IterableIterator<Uint8Array> {
    const core = this.#core;
    const now = this.#now;
    const handle = core.openRender({ openMetrics: format.openMetrics ?? false, utf8: format.utf8 ?? false }, now());
    if (handle < 0) throw new RangeError("eight pages are open");
    let done = false;
    const end = (): IteratorReturnResult<undefined> => {
      done = true;
      return { done, value: undefined };
    };
    return {
      next: () => {
        const piece = done ? undefined : core.nextPiece(handle, now());
        return piece === undefined ? end() : { done: false, value: piece.slice() };
      },
      return: () => {
        if (!done) core.closeRender(handle);
        return end();
      },
      [Symbol.iterator]() {
        return this;
      },
    };
  }

  /** Removes what has expired. Nothing needs it but the gauges: the expired is never rendered, and its room is usable. */
  expire(): void {
    while (this.#core.expire(this.#now()));
  }

  /** How often something happened since the cache was made. */
  counter(name: CounterName): number {
    return this.#core.counter(name);
  }

  /** What is now. What expired is counted until it is removed: see expire. */
  gauge(name: GaugeName): number {
    return this.#core.gauge(name);
  }

  /** How many lines were bad, for a reason or for any. */
  badLines(reason?: BadReason): number {
    if (reason !== undefined) return this.#core.badLines(BAD_REASONS.indexOf(reason));
    return BAD_REASONS.reduce((sum, _, index) => sum + this.#core.badLines(index), 0);
  }

  /**
   * The cache itself, all that depends on what was pushed: the same pushes at the same times make the same bytes, in
   * every runtime. A view; copied over that of another cache with the same options and no open pages, it makes that one
   * the same.
   */
  state(): Uint8Array {
    return this.#core.state();
  }

  /** Bytes of WebAssembly memory, all of it. It never grows. */
  get memoryBytes(): number {
    return this.#core.memoryBytes;
  }
}

/** A stream of lines, cut anywhere: what one connection sends. */
class Connection {
  readonly #core: Core;
  readonly #now: () => number;
  readonly #state = createConnectionState();
  #tail: Uint8Array = new Uint8Array(0);

  /** @internal */
  constructor(core: Core, now: () => number) {
    this.#core = core;
    this.#now = now;
  }

  /**
   * Takes the next bytes. A line counts when its line feed comes.
   * @returns the first bad line that ended in them, or undefined
   */
  write(input: string | Uint8Array): BadLine | undefined {
    const bytes = typeof input === "string" ? encoder.encode(input) : input;
    const room = this.#core.input.length - this.#core.readOffset;
    let first: BadLine | undefined;
    for (let at = 0; at < bytes.length; at += room) {
      const bad = this.#take(bytes.subarray(at, at + room));
      first ??= bad;
    }
    return first;
  }

  /**
   * Ends the push: a histogram that it began shows. What is written afterwards begins another.
   * @returns the line that was left without its line feed, which is dropped and counted; or undefined
   */
  end(): BadLine | undefined {
    const tail = this.#tail;
    this.#core.finish(this.#state, tail.length, this.#now());
    this.#tail = new Uint8Array(0);
    return tail.length > 0 ? { reason: "incomplete", text: decoder.decode(tail) } : undefined;
  }

  #take(bytes: Uint8Array): BadLine | undefined {
    const core = this.#core;
    const start = core.readOffset - this.#tail.length;
    const end = core.readOffset + bytes.length;
    core.input.set(this.#tail, start);
    core.input.set(bytes, core.readOffset);
    const consumed = core.ingest(this.#state, start, end - start, this.#now());
    this.#tail = core.input.slice(start + consumed, end);
    const bad = core.badLine();
    return bad && { reason: BAD_REASONS[bad.reason]!, text: decoder.decode(bad.bytes) };
  }
}

/** The line that sets a time to live, in whole milliseconds. */
function ttlLine(ttlMs: number): string {
  if (!(ttlMs >= 0 && ttlMs <= 4_294_967_294)) throw new RangeError(`a TTL of ${ttlMs} ms`);
  return `# TTL ${ttlMs === 0 ? "never" : `${Math.ceil(ttlMs)}ms`}\n`;
}
