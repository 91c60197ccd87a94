/**
 * One request at a time on an HTTP connection.
 *
 * Node's parser makes a request and a response of everything in a chunk at once: a thousand pipelined requests, a
 * thousand responses. The gate stands between the socket and the parser: it feeds line by line, stops as soon as a
 * request is being answered, and stops reading. The rest waits, first here (one chunk at most), then in the kernel. So
 * does the end of what the client says, which may come before its requests had their turn.
 */
import type { Socket } from "node:net";

const LF = 0x0a;
/** More than two reads can hold: the socket did not stop when told. */
const HELD_LIMIT_BYTES = 262_144;

/** What stands behind a gate. */
export interface Parser {
  /** Takes the next bytes. */
  parse(bytes: Buffer): void;
  /** No more bytes will come. */
  finish(): void;
  /** Whether the request that is being answered still lacks some of its body. */
  isReading(): boolean;
}

/** Lets the requests of one connection through, one by one. */
export class Gate {
  readonly #socket: Socket;
  readonly #parser: Parser;
  #busy = false;
  #held: Buffer | undefined;
  #finished = false;

  /**
   * @param socket the connection
   * @param parser where its bytes go
   */
  constructor(socket: Socket, parser: Parser) {
    this.#socket = socket;
    this.#parser = parser;
  }

  /** A request is being answered. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Bytes that wait here. */
  get heldBytes(): number {
    return this.#held?.length ?? 0;
  }

  /** Takes bytes from the socket. */
  take(bytes: Buffer): void {
    if (this.#held === undefined) this.#feed(bytes);
    else this.#hold(Buffer.concat([this.#held, bytes]));
  }

  /** Takes the end of what the client says. */
  finish(): void {
    if (this.#held === undefined) this.#parser.finish();
    else this.#finished = true;
  }

  /** A request began: what follows it waits. */
  begin(): void {
    this.#busy = true;
  }

  /** Its response is complete: the next one may come. */
  end(): void {
    this.#busy = false;
    if (this.#held !== undefined) setImmediate(() => this.#release());
  }

  #release(): void {
    const held = this.#held;
    if (held === undefined || this.#busy) return;
    this.#held = undefined;
    this.#feed(held);
    if (this.#held !== undefined) return;
    if (this.#finished) this.#parser.finish();
    else this.#socket.resume();
  }

  #feed(bytes: Buffer): void {
    let from = 0;
    while (from < bytes.length && !this.#socket.destroyed && !this.#socket.writableEnded) {
      if (this.#busy && !this.#parser.isReading()) {
        this.#hold(bytes.subarray(from));
        return;
      }
      const lineEnd = bytes.indexOf(LF, from);
      const to = lineEnd < 0 ? bytes.length : lineEnd + 1;
      this.#parser.parse(bytes.subarray(from, to));
      from = to;
    }
  }

  #hold(bytes: Buffer): void {
    this.#held = bytes;
    this.#socket.pause();
    if (bytes.length > HELD_LIMIT_BYTES) this.#socket.destroy();
  }
}
