/**
 * Pages on their way to scrapers.
 *
 * A small page is rendered at once and sent whole. A large one is pulled from the module piece by piece, as its
 * scraper reads: what is in memory for it is one batch, whatever the scraper does. The module has eight places for
 * pages under way; a page that finds none waits for one, and takes that of the scraper that has stalled longest.
 */
import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import type { Cache, PageFormat } from "./core.js";
import type { Log } from "./log.js";

/**
 * A batch ends with the piece that reaches this size: with that piece, it is what is held for one scraper. A write costs
 * Node as much as tens of kilobytes of a page cost the module, whatever its size.
 */
export const BATCH_BYTES = 131_072;
/** Batch buffers that are kept for the next page. */
const SPARE_BUFFERS = 2;
/** Below this gzip is not worth it. */
const GZIP_LEAST_BYTES = 1024;
const GZIP_OPTIONS = { level: 1 };
/** A scraper that has not read for so long may lose its place to another. */
export const STALL_GRACE_MS = 250;
const STALL_CHECK_MS = 50;
/** What the log says of a client that did not read for the stall timeout. */
export const STALLED = "scraper cut off: it stalled";

/** How often limits were hit. */
export interface PageCounts {
  pages: number;
  refused: number;
  /** Cut off in favour of another. */
  cut: number;
  /** Cut off because they did not read for the stall timeout. */
  stalled: number;
}

/** What a page is made of. */
export interface PageRequest {
  response: ServerResponse;
  format: PageFormat;
  gzip: boolean;
}

/** All pages under way. */
export class Pages {
  readonly counts: PageCounts = { pages: 0, refused: 0, cut: 0, stalled: 0 };
  readonly cache: Cache;
  readonly #limit: number;
  readonly #stallTimeoutMs: number;
  readonly #log: Log;
  readonly #spare: Buffer[] = [];
  readonly #open = new Set<Page>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param cache what is rendered
   * @param limit most pages under way, those that wait for a place included
   * @param stallTimeoutMs how long a scraper may not read
   * @param log where those that are cut off are named
   */
  constructor(cache: Cache, limit: number, stallTimeoutMs: number, log: Log) {
    this.cache = cache;
    this.#log = log;
    this.#limit = limit;
    this.#stallTimeoutMs = stallTimeoutMs;
  }

  /** Pages under way. */
  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Begins to send a page. The response's status and headers are set, but for length and encoding.
   * @returns false if too many are under way and none of them has stalled: nothing was sent
   */
  send(request: PageRequest): boolean {
    if (this.#open.size >= this.#limit && !this.#cutOne(() => true)) {
      this.counts.refused++;
      return false;
    }
    this.counts.pages++;
    const page = new Page(this, request);
    this.#open.add(page);
    request.response.once("close", () => this.#close(page));
    if (!page.start()) this.#makePlace();
    this.#timer ??= setInterval(() => this.#check(), STALL_CHECK_MS).unref();
    return true;
  }

  /** Cuts off every page under way. */
  cutAll(): void {
    for (const page of [...this.#open]) this.#cut(page);
  }

  /** A place may have become free: the page that has waited longest gets it. */
  placeFreed(): void {
    for (const page of this.#open) if (page.isWaiting && !page.start()) return;
  }

  /** A buffer that a batch fits in. */
  takeBuffer(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES + this.cache.pieceLimitBytes);
  }

  /** Takes a buffer back. */
  giveBuffer(buffer: Buffer): void {
    if (this.#spare.length < SPARE_BUFFERS) this.#spare.push(buffer);
  }

  #check(): void {
    const nowMs = performance.now();
    for (const page of [...this.#open]) {
      if (page.isWaiting || nowMs - page.progressMs < this.#stallTimeoutMs) continue;
      this.counts.stalled++;
      this.#cut(page);
      this.#log.warn("stalled", nowMs, STALLED, { seconds: this.#stallTimeoutMs / 1000 });
    }
    if ([...this.#open].some((page) => page.isWaiting)) this.#makePlace();
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #makePlace(): void {
    if (this.#cutOne((page) => page.isRendering)) this.placeFreed();
  }

  /** Cuts off the page of these whose scraper has stalled longest, if one has. */
  #cutOne(eligible: (page: Page) => boolean): boolean {
    let longest: Page | undefined;
    for (const page of this.#open) {
      if (page.isWaiting || !eligible(page)) continue;
      if (longest === undefined || page.progressMs < longest.progressMs) longest = page;
    }
    if (longest === undefined || performance.now() - longest.progressMs < STALL_GRACE_MS) return false;
    this.counts.cut++;
    this.#cut(longest);
    this.#log.warn("cut", performance.now(), "scraper cut off: it stalled longest, and others wait");
    return true;
  }

  #cut(page: Page): void {
    this.#close(page);
    page.destroy();
  }

  #close(page: Page): void {
    if (!this.#open.delete(page)) return;
    page.close();
    this.placeFreed();
  }
}

/** One page on its way. */
class Page {
  /** When the scraper last took something, or was given the last of it; monotonic, in milliseconds. */
  progressMs = performance.now();
  readonly #pages: Pages;
  readonly #request: PageRequest;
  /** The module's handle; -1: none. */
  #handle = -1;
  /** Where batches are rendered to, one at a time; held from the start to the end of the response. */
  #buffer: Buffer | undefined;
  #waiting = true;

  constructor(pages: Pages, request: PageRequest) {
    this.#pages = pages;
    this.#request = request;
  }

  /** Waits for a place in the module. */
  get isWaiting(): boolean {
    return this.#waiting;
  }

  /** Holds a place in the module. */
  get isRendering(): boolean {
    return this.#handle >= 0;
  }

  /** Takes a place and begins. False: there is none. */
  start(): boolean {
    this.#handle = this.#pages.cache.openRender(this.#request.format, performance.now());
    if (this.#handle < 0) return false;
    this.#waiting = false;
    this.#buffer = this.#pages.takeBuffer();
    const first = this.#nextBatch(this.#buffer);
    const begun = this.#handle < 0 ? this.#sendWhole(first) : this.#sendStream(first);
    begun.catch(() => this.destroy());
    return true;
  }

  /** Gives back what the page holds. Nothing of it is read any more. */
  close(): void {
    this.#waiting = false;
    if (this.#handle >= 0) this.#pages.cache.closeRender(this.#handle);
    this.#handle = -1;
    if (this.#buffer !== undefined) this.#pages.giveBuffer(this.#buffer);
    this.#buffer = undefined;
  }

  /** Drops the connection. */
  destroy(): void {
    this.#request.response.destroy();
  }

  /** Renders a batch; afterwards no handle is left if that was the page's end. */
  #nextBatch(buffer: Buffer): Buffer {
    const { cache } = this.#pages;
    const nowMs = performance.now();
    this.progressMs = nowMs;
    let length = 0;
    while (length < BATCH_BYTES) {
      const piece = cache.nextPiece(this.#handle, nowMs);
      if (piece === undefined) {
        this.#handle = -1;
        break;
      }
      buffer.set(piece, length);
      length += piece.length;
    }
    return buffer.subarray(0, length);
  }

  async #sendWhole(page: Buffer): Promise<void> {
    const { response, gzip } = this.#request;
    let body = page;
    if (gzip && page.length >= GZIP_LEAST_BYTES) {
      const { gzipSync } = await import("node:zlib");
      body = gzipSync(page, GZIP_OPTIONS);
      response.setHeader("Content-Encoding", "gzip");
    }
    response.setHeader("Content-Length", body.length);
    response.end(body);
  }

  async #sendStream(first: Buffer): Promise<void> {
    const { response, gzip } = this.#request;
    let sink: Writable = response;
    if (gzip) {
      const { createGzip } = await import("node:zlib");
      const compressor = createGzip(GZIP_OPTIONS);
      response.setHeader("Content-Encoding", "gzip");
      if (response.destroyed) return;
      response.once("close", () => compressor.destroy());
      compressor.pipe(response);
      sink = compressor;
    }
    this.#pass(sink, first);
  }

  /** Passes a batch on; the next is rendered when this one is gone, and others have had their turn. */
  #pass(sink: Writable, batch: Buffer): void {
    sink.write(batch, (error) => {
      if (!error) setImmediate(() => this.#passNext(sink));
    });
  }

  #passNext(sink: Writable): void {
    const buffer = this.#buffer;
    // Closed meanwhile: the scraper is gone.
    if (buffer === undefined) return;
    const batch = this.#handle >= 0 ? this.#nextBatch(buffer) : buffer.subarray(0, 0);
    if (this.#handle < 0) this.#pages.placeFreed();
    if (batch.length === 0) sink.end();
    else this.#pass(sink, batch);
  }
}
