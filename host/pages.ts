/**
 * Pages on their way to scrapers.
 *
 * A small page is rendered at once and sent whole. A large one is pulled from the module piece by piece, as its
 * scraper reads: what is in memory for it is one batch, whatever the scraper does. The module has eight places for
 * pages under way; a page that finds none waits for one, and takes that of the scraper that has stalled longest.
 */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Cache, PageFormat } from "./core.js";

/** Most bytes that are rendered at once, and so held for one scraper. */
export const BATCH_BYTES = 65_536;
/** Below this gzip is not worth it. */
const GZIP_LEAST_BYTES = 1024;
const GZIP_OPTIONS = { level: 1 };
/** A scraper that has not read for so long may lose its place to another. */
export const STALL_GRACE_MS = 250;
const STALL_CHECK_MS = 50;

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
  readonly #open = new Set<Page>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param cache what is rendered
   * @param limit most pages under way, those that wait for a place included
   * @param stallTimeoutMs how long a scraper may not read
   */
  constructor(cache: Cache, limit: number, stallTimeoutMs: number) {
    this.cache = cache;
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

  #check(): void {
    const nowMs = performance.now();
    for (const page of [...this.#open]) {
      if (page.isWaiting || nowMs - page.progressMs < this.#stallTimeoutMs) continue;
      this.counts.stalled++;
      this.#cut(page);
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
    const first = this.#nextBatch();
    const sent = this.#handle < 0 ? this.#sendWhole(first) : this.#sendStream(first);
    sent.catch(() => this.destroy());
    return true;
  }

  /** Gives the place back. */
  close(): void {
    this.#waiting = false;
    if (this.#handle >= 0) this.#pages.cache.closeRender(this.#handle);
    this.#handle = -1;
  }

  /** Drops the connection. */
  destroy(): void {
    this.#request.response.destroy();
  }

  /** Renders a batch; afterwards no handle is left if that was the page's end. */
  #nextBatch(): Buffer {
    const { cache } = this.#pages;
    const nowMs = performance.now();
    this.progressMs = nowMs;
    const pieces: Buffer[] = [];
    let length = 0;
    while (length < BATCH_BYTES) {
      const piece = cache.nextPiece(this.#handle, nowMs);
      if (piece === undefined) {
        this.#handle = -1;
        break;
      }
      pieces.push(Buffer.from(piece));
      length += piece.length;
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, length);
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
    const source = this.#createSource(first);
    response.once("close", () => source.destroy());
    if (!gzip) {
      source.pipe(response);
      return;
    }
    const { createGzip } = await import("node:zlib");
    const compressor = createGzip(GZIP_OPTIONS);
    response.once("close", () => compressor.destroy());
    response.setHeader("Content-Encoding", "gzip");
    if (response.destroyed) compressor.destroy();
    else source.pipe(compressor).pipe(response);
  }

  /** The rest of the page as a stream that renders when it is read, and lets others have their turn in between. */
  #createSource(first: Buffer): Readable {
    let ready: Buffer | undefined = first;
    const push = (source: Readable): void => {
      if (source.destroyed) return;
      const batch = ready ?? (this.#handle >= 0 ? this.#nextBatch() : undefined);
      ready = undefined;
      source.push(batch === undefined || batch.length === 0 ? null : batch);
      if (this.#handle < 0) this.#pages.placeFreed();
    };
    return new Readable({
      highWaterMark: 1,
      read() {
        setImmediate(push, this);
      },
    });
  }
}
