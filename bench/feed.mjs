// The core in this process: a stream into the module's window, as a host does it, and the page out of it.
import { createCache, createConnectionState } from "../build/host/core.js";

const TEXT = { openMetrics: false, utf8: false };

/** A cache with one push connection. */
export class Feed {
  #state = createConnectionState();
  #tail = Buffer.alloc(0);

  /** @param options of createCache */
  constructor(options) {
    this.cache = createCache(options);
  }

  /**
   * Pushes bytes.
   * @param bytes any part of the stream
   * @param nowMs the time
   * @param sizes sizes of the reads that bring them, taken in turn; as large as the window by default
   * @returns nanoseconds that the module took, copying not counted
   */
  push(bytes, nowMs, sizes = [Number.POSITIVE_INFINITY]) {
    const { cache } = this;
    const { input, readOffset } = cache;
    let took = 0;
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = Math.min(sizes[turn % sizes.length], input.length - readOffset, bytes.length - at);
      const start = readOffset - this.#tail.length;
      this.#tail.copy(input, start);
      bytes.copy(input, readOffset, at, at + size);
      at += size;
      const began = performance.now();
      const consumed = cache.ingest(this.#state, start, readOffset + size - start, nowMs);
      took += performance.now() - began;
      this.#tail = Buffer.from(input.subarray(start + consumed, readOffset + size));
    }
    return took * 1e6;
  }

  /** Ends the push. */
  finish(nowMs) {
    this.cache.finish(this.#state, this.#tail.length, nowMs);
    this.#tail = Buffer.alloc(0);
  }

  /** The page. */
  render(nowMs) {
    const pieces = [];
    const handle = this.cache.openRender(TEXT, nowMs);
    for (
      let piece = this.cache.nextPiece(handle, nowMs);
      piece !== undefined;
      piece = this.cache.nextPiece(handle, nowMs)
    ) {
      pieces.push(Buffer.from(piece));
    }
    return Buffer.concat(pieces).toString("utf8");
  }

  /** How many series the page has. */
  visible(nowMs) {
    return this.render(nowMs)
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#")).length;
  }
}
