/**
 * The push side: bytes of many connections into the one module.
 *
 * All connections read into the same region of the module's input window: the kernel's bytes land where the module
 * parses them, and each callback ingests before it returns. What a connection owns is 16 opaque bytes, and a buffer
 * for an incomplete last line once it had one.
 */
import type { Socket } from "node:net";
import { BAD_REASONS, type Cache, type ConnectionState, createConnectionState } from "./core.js";
import { excerptOf, type Log } from "./log.js";
import type { Options } from "./options.js";
import { HTTP, METRICS, methodOf, sniff } from "./sniff.js";
import { type Handle, openSource, refuse, type Source } from "./source.js";

/** What of the options concerns pushes. */
export type IngestOptions = Pick<Options, "maxConnections" | "idleTimeoutMs" | "headerTimeoutMs" | "maxBodyBytes">;

const TAIL_LEAST_BYTES = 128;
/** What a drain has of the processor at least, in microseconds: enough for all that a listening socket lets wait. */
const DRAIN_LEAST_CPU_US = 50_000;
const INCOMPLETE = BAD_REASONS.indexOf("incomplete");
const HTTP_BODY = "HTTP is not served on this socket: push metrics as a plain stream of lines\n";

/** How often limits were hit, and what came besides metrics. */
export interface IngestCounts {
  connections: number;
  refused: number;
  idle: number;
  http: number;
}

/** Takes push connections and feeds the cache. */
export class Ingest {
  readonly counts: IngestCounts = { connections: 0, refused: 0, idle: 0, http: 0 };
  readonly options: IngestOptions;
  readonly cache: Cache;
  /** The input window. */
  readonly input: Buffer;
  /** The region of the window that all connections read into. */
  readonly region: Buffer;
  /** Connections and reads so far, to tell when there is nothing more to take. */
  activityCount = 0;
  readonly #log: Log;
  readonly #open = new Set<PushConnection>();

  constructor(cache: Cache, options: IngestOptions, log: Log) {
    this.cache = cache;
    this.options = options;
    this.input = Buffer.from(cache.input.buffer, cache.input.byteOffset, cache.input.length);
    this.region = this.input.subarray(cache.readOffset);
    this.#log = log;
  }

  /** Connections open now. */
  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Takes a new connection, or refuses it if too many are open.
   * @param connection a handle, or a paused socket, as a server with pauseOnConnect and allowHalfOpen gives it
   */
  connect(connection: Socket | Handle): void {
    if (this.#open.size >= this.options.maxConnections) {
      this.counts.refused++;
      refuse(connection);
      this.#log.warn("refused", performance.now(), "push connection refused: too many are open", {
        limit: this.options.maxConnections,
      });
      return;
    }
    this.counts.connections++;
    this.activityCount++;
    this.#open.add(new PushConnection(this, connection));
  }

  /** Forgets a connection that is over. */
  forget(connection: PushConnection): void {
    this.#open.delete(connection);
  }

  /** Logs the first bad line of the last ingest, if it met one. */
  reportBadLine(): void {
    const bad = this.cache.badLine();
    if (bad !== undefined) this.reportBad(bad.reason, bad.bytes);
  }

  /** Logs a bad line, unless one of its kind was logged lately. */
  reportBad(reason: number, bytes: Uint8Array): void {
    const fields = () => ({ reason: BAD_REASONS[reason] ?? reason, line: excerptOf(bytes) });
    this.#log.warn(`bad line ${reason}`, performance.now(), "bad line skipped", fields);
  }

  /** Logs a connection that spoke HTTP. */
  reportHttp(method: string): void {
    this.counts.http++;
    const fields = () => ({ method: excerptOf(Buffer.from(method)) });
    this.#log.warn("http", performance.now(), "HTTP request on the push socket answered with 501", fields);
  }

  /**
   * Takes what the kernel already holds: connections that wait, and what the open ones have written.
   * @param untilMs monotonic time at which to give up, for pushers that never pause; but on a machine so busy that this
   * process hardly ran until then, not before it had its share of the processor: Node accepts one connection a turn
   */
  async drain(untilMs: number): Promise<void> {
    const began = process.cpuUsage();
    await turn();
    for (let seen = -1; seen !== this.activityCount; ) {
      const { user, system } = process.cpuUsage(began);
      if (performance.now() >= untilMs && user + system >= DRAIN_LEAST_CPU_US) return;
      seen = this.activityCount;
      await turn();
    }
  }

  /** Ends all connections: their pushes count as ended where they are. */
  close(): void {
    for (const connection of [...this.#open]) connection.close();
  }
}

/** One turn of the event loop, with a look at every socket in it. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** One connection on a push socket. */
class PushConnection {
  readonly #owner: Ingest;
  readonly #source: Source;
  readonly #state: ConnectionState = createConnectionState();
  /** What closes it when it says nothing, or does not end. */
  #timer: NodeJS.Timeout | undefined;
  #tail: Buffer | undefined;
  #tailLength = 0;
  #undecided = true;
  #http = false;
  #discardedBytes = 0;
  #over = false;

  constructor(owner: Ingest, connection: Socket | Handle) {
    this.#owner = owner;
    this.#source = openSource(connection, owner.region, {
      take: (length) => this.#take(length),
      end: () => {
        this.#finish();
        owner.forget(this);
      },
    });
    const { idleTimeoutMs } = owner.options;
    if (idleTimeoutMs > 0) this.#timer = setTimeout(() => this.#idle(), idleTimeoutMs);
  }

  /** Ends the push where it is, and the connection with it. */
  close(): void {
    this.#finish();
    this.#source.close();
  }

  /** Takes bytes that were read into the region. */
  #take(length: number): void {
    const { cache } = this.#owner;
    this.#owner.activityCount++;
    if (!this.#http) this.#timer?.refresh();
    let start = cache.readOffset;
    const tailLength = this.#tailLength;
    if (tailLength > 0) {
      start -= tailLength;
      cache.input.set(this.#tail!.subarray(0, tailLength), start);
    }
    const total = tailLength + length;
    if (this.#undecided && !this.#decide(start, total)) return;
    const consumed = cache.ingest(this.#state, start, total, performance.now());
    this.#owner.reportBadLine();
    this.#keep(start + consumed, total - consumed);
  }

  /** Keeps the bytes of an incomplete line until the next read. */
  #keep(offset: number, length: number): void {
    this.#tailLength = length;
    if (length === 0) return;
    if (this.#tail === undefined || this.#tail.length < length) this.#tail = this.#createTail(length);
    this.#tail.set(this.#owner.cache.input.subarray(offset, offset + length));
  }

  #createTail(length: number): Buffer {
    const { tailLimitBytes } = this.#owner.cache;
    if (length > tailLimitBytes)
      throw new RangeError(`a tail of ${length} bytes: the module promised ${tailLimitBytes}`);
    let size = TAIL_LEAST_BYTES;
    while (size < length) size *= 2;
    return Buffer.allocUnsafeSlow(Math.min(size, tailLimitBytes));
  }

  /** Looks at the first bytes. True: they are metrics, from now on. */
  #decide(start: number, total: number): boolean {
    if (this.#http) {
      this.#discard(total);
      return false;
    }
    const { cache, input } = this.#owner;
    const verdict = sniff(input, start, start + total);
    if (verdict === HTTP) {
      this.#tailLength = 0;
      this.#answer(methodOf(input, start, start + total));
      return false;
    }
    if (verdict === METRICS || total > cache.tailLimitBytes) {
      this.#undecided = false;
      return true;
    }
    this.#keep(start, total);
    return false;
  }

  /** Answers HTTP, and reads on for a while so that the client gets to see it. */
  #answer(method: string): void {
    this.#http = true;
    this.#owner.reportHttp(method);
    const body = method === "HEAD" ? "" : HTTP_BODY;
    this.#source.answer(
      "HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n" +
        `Content-Length: ${HTTP_BODY.length}\r\n\r\n${body}`,
    );
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), this.#owner.options.headerTimeoutMs);
  }

  #discard(length: number): void {
    this.#discardedBytes += length;
    if (this.#discardedBytes > this.#owner.options.maxBodyBytes) this.close();
  }

  #idle(): void {
    this.#owner.counts.idle++;
    this.close();
  }

  /** The end of what the connection sends, however it came. */
  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#http) return;
    if (this.#tailLength > 0) this.#owner.reportBad(INCOMPLETE, this.#tail!.subarray(0, this.#tailLength));
    this.#owner.cache.finish(this.#state, this.#tailLength, performance.now());
    this.#tailLength = 0;
  }
}
