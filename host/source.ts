/**
 * Where the bytes of a push connection come from: all connections read into one region, the same for all.
 *
 * A Socket of Node's is a stream with queues, events and timers, of which a push needs nothing. So the usual source is
 * the handle beneath it, read as Socket itself reads it when it is given a buffer (its `onread` option): the kernel's
 * bytes land in the region, and a connection that sends one page costs much less. Nothing of that is documented: where
 * Node has it no more, or with `--read data`, the source is a Socket with its 'data' events, copied into the region.
 */
import { Socket } from "node:net";

/** Where a handle has its source, as Node's own handles have their owners. */
const SOURCE = Symbol("source");

/** A connection as Node's server has it before it makes a Socket of it, as far as it is used here. */
export interface Handle {
  [SOURCE]?: HandleSource;
  onread: (this: Handle) => void;
  readonly bytesRead: number;
  useUserBuffer(buffer: Uint8Array): void;
  /** Returns 0, or an error's number. */
  readStart(): number;
  readStop(): void;
  close(): void;
}

/** Who reads. */
export interface Reader {
  /** Takes bytes that stand at the start of the region. */
  take(length: number): void;
  /** The connection is over, whoever ended it. Said once. */
  end(): void;
}

/** A connection that is read. */
export interface Source {
  /** Sends a text, and nothing after it. Reading goes on, until the other side has ended as well. */
  answer(text: string): void;
  /** Ends the connection at once. */
  close(): void;
}

/**
 * Whether what Node's server has is a handle that can be read without a Socket.
 * @param handle of a new connection
 */
export function isHandle(handle: object): handle is Handle {
  const { useUserBuffer, readStart, readStop, close, bytesRead } = handle as Partial<Handle>;
  const isCallable = [useUserBuffer, readStart, readStop, close].every((method) => typeof method === "function");
  return isCallable && "onread" in handle && bytesRead === 0;
}

/** Refuses a connection. */
export function refuse(connection: Socket | Handle): void {
  if (connection instanceof Socket) connection.destroy();
  else connection.close();
}

/**
 * Begins to read a connection.
 * @param connection a handle, or a paused socket, as a server with pauseOnConnect and allowHalfOpen gives it
 * @param region where its bytes are put; they stay until the next connection is read
 * @param reader who is told; not before this has returned
 */
export function openSource(connection: Socket | Handle, region: Buffer, reader: Reader): Source {
  return connection instanceof Socket
    ? new SocketSource(connection, region, reader)
    : new HandleSource(connection, region, reader);
}

class HandleSource implements Source {
  readonly #handle: Handle;
  readonly #region: Buffer;
  readonly #reader: Reader;
  #bytesRead = 0;
  /** The last read filled the region. */
  #isFull = false;
  /** What answers. */
  #socket: Socket | undefined;
  #over = false;

  constructor(handle: Handle, region: Buffer, reader: Reader) {
    this.#handle = handle;
    this.#region = region;
    this.#reader = reader;
    handle[SOURCE] = this;
    handle.useUserBuffer(region);
    handle.onread = readHandle;
    handle.readStart();
  }

  /** A handle writes only with request objects of Node's own: so a Socket does. */
  answer(text: string): void {
    this.#handle.readStop();
    const callback = (length: number): true => {
      this.#reader.take(length);
      return true;
    };
    const onread = { buffer: this.#region, callback };
    const options = { handle: this.#handle, onread, readable: true, writable: true };
    this.#socket = new Socket(options as ConstructorParameters<typeof Socket>[0]);
    this.#socket.on("error", ignore);
    this.#socket.once("close", () => this.#reader.end());
    this.#socket.end(text);
  }

  close(): void {
    if (this.#socket !== undefined) this.#socket.destroy();
    else this.#end();
  }

  /** Bytes came, or none: that is the end or an error, or, behind what filled the region, that no more are there yet. */
  read(): void {
    const length = this.#handle.bytesRead - this.#bytesRead;
    this.#bytesRead += length;
    if (length > 0) this.#reader.take(length);
    else if (!this.#isFull || !this.#readAgain()) this.#end();
    this.#isFull = length === this.#region.length;
  }

  /** Has the end said once more, if it was that. False: it was an error. */
  #readAgain(): boolean {
    this.#handle.readStop();
    return this.#handle.readStart() === 0;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handle.close();
    this.#reader.end();
  }
}

/**
 * What handles call. One function for all: V8 would keep each that was called so, and with it all of its connection,
 * until the next full collection. Returns nothing: that would be the next buffer.
 */
function readHandle(this: Handle): void {
  this[SOURCE]?.read();
}

/** The documented way: each chunk is copied into the region, in slices if it is larger. */
class SocketSource implements Source {
  readonly #socket: Socket;

  constructor(socket: Socket, region: Buffer, reader: Reader) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      for (let at = 0; at < chunk.length && !socket.destroyed; at += region.length) {
        reader.take(chunk.copy(region, 0, at));
      }
    });
    socket.on("error", ignore);
    socket.once("end", () => socket.end());
    socket.once("close", () => reader.end());
    socket.resume();
  }

  answer(text: string): void {
    this.#socket.end(text);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Errors of a connection need no answer: its end follows. */
function ignore(): void {}
