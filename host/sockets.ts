/** Listening sockets: Unix paths taken with care, TCP addresses, and descriptors handed over by systemd. */
import { accessSync, constants, linkSync, lstatSync, renameSync, type Stats, statSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { codeOf, FatalError, messageOf, ValueError } from "./errors.js";
import { type Address, formatAddress, parseSocketPath } from "./options.js";
import { type Handle, isHandle } from "./source.js";

const SOCKET_NAME = "push-gateway.sock";
/** A server binds and listens in two steps; a refusal in between must not look stale. */
const STALE_RECHECK_MS = 20;
const TAKE_ATTEMPTS = 5;

/** A socket that accepts connections. */
export interface Listener {
  server: Server;
  /** Where it listens, as a user would write it. */
  address: string;
  kind: "tcp" | "unix";
  /** Stops accepting. A socket file is removed if it is still ours. */
  close(): void;
}

/** What a listener's owner wants to know. */
export interface Handlers {
  /** Takes a paused socket. */
  connection(socket: Socket): void;
  /** Takes the handle of a connection instead, where Node has one that can be read without a socket. */
  handle?: ((handle: Handle) => void) | undefined;
  /** Accepting failed; the listener goes on. */
  acceptError(error: Error): void;
}

/**
 * The default path of the push socket.
 * @param env environment variables
 * @param uid user id of the process
 * @returns the path in the first folder that fits
 * @throws FatalError if that path is too long
 */
export function defaultSocketPath(env: NodeJS.ProcessEnv, uid: number): string {
  const runtime = env.RUNTIME_DIRECTORY?.split(":")[0];
  const candidates = [runtime, uid === 0 ? "/run" : undefined, env.XDG_RUNTIME_DIR];
  const folder = candidates.find((candidate) => candidate && isWritableFolder(candidate)) ?? tmpdir();
  try {
    return parseSocketPath(join(folder, SOCKET_NAME));
  } catch (error) {
    if (error instanceof ValueError) throw new FatalError(`--socket: ${error.message}`);
    throw error;
  }
}

function isWritableFolder(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/**
 * Listens on an address.
 * @param address where
 * @param mode permission bits of a Unix socket's file, from the moment it exists
 * @param handlers who is told
 * @throws FatalError if that is impossible, or if somebody else listens there
 */
export async function listen(address: Address, mode: number, handlers: Handlers): Promise<Listener> {
  return address.kind === "unix" ? listenUnix(address.path, mode, handlers) : listenTcp(address, handlers);
}

async function listenTcp(address: Address & { kind: "tcp" }, handlers: Handlers): Promise<Listener> {
  const server = createPausedServer();
  server.listen({ port: address.port, host: address.host });
  await started(server, formatAddress(address));
  accept(server, handlers);
  return { server, address: boundAddress(server, address.host), kind: "tcp", close: () => void server.close() };
}

async function listenUnix(path: string, mode: number, handlers: Handlers): Promise<Listener> {
  for (let attempt = 1; ; attempt++) {
    await clearPath(path);
    const server = createPausedServer();
    const identity = bindUnix(server, path, mode);
    try {
      await started(server, path);
    } catch (error) {
      // Somebody else was faster: look again at what is there now.
      if (error instanceof FatalError && codeOf(error.cause) === "EADDRINUSE" && attempt < TAKE_ATTEMPTS) continue;
      throw error;
    }
    accept(server, handlers);
    return { server, address: `unix:${path}`, kind: "unix", close: () => closeUnix(server, path, identity) };
  }
}

/** Binds with the wanted mode: listen() binds before it returns, so the umask holds for it and nothing else. */
function bindUnix(server: Server, path: string, mode: number): Stats | undefined {
  const umask = process.umask(0o777 & ~mode);
  try {
    server.listen({ path });
  } finally {
    process.umask(umask);
  }
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Closing unlinks by path, whoever's file that is by now: so a listener whose file was replaced stays open. */
function closeUnix(server: Server, path: string, identity: Stats | undefined): void {
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now !== undefined && (now.ino !== identity?.ino || now.dev !== identity.dev)) {
    server.removeAllListeners("connection");
    accept(server, REFUSAL);
    server.unref();
    return;
  }
  server.close();
}

/**
 * Listens on a descriptor that was handed over. Its file, if any, stays when it is closed.
 * @param fd a listening stream socket
 * @param handlersFor who is told, given what the socket turned out to be
 * @throws FatalError if it is none
 */
export async function listenDescriptor(fd: number, handlersFor: (kind: "tcp" | "unix") => Handlers): Promise<Listener> {
  const server = createPausedServer();
  try {
    server.listen({ fd });
  } catch (error) {
    throw new FatalError(`cannot listen on descriptor ${fd}: ${messageOf(error)}`);
  }
  await started(server, `descriptor ${fd}`);
  const bound = server.address();
  const kind = typeof bound === "object" && bound !== null ? "tcp" : "unix";
  accept(server, handlersFor(kind));
  const address =
    kind === "tcp" ? boundAddress(server, undefined) : typeof bound === "string" ? `unix:${bound}` : `fd:${fd}`;
  return { server, address, kind, close: () => void server.close() };
}

function createPausedServer(): Server {
  return createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
}

/** Waits until a server listens. */
function started(server: Server, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(new FatalError(`cannot listen on ${where}: ${explain(error)}`, undefined, error));
    server.once("error", fail);
    server.once("listening", () => {
      server.removeListener("error", fail);
      resolve();
    });
  });
}

function explain(error: Error): string {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return "the address is in use";
    case "EACCES":
      return "permission denied";
    case "EADDRNOTAVAIL":
      return "this machine does not have the address";
    case "ENOTDIR":
      return "a folder of its path is a file";
    case "ENOTFOUND":
      return "the host is not known";
    default:
      return messageOf(error);
  }
}

function boundAddress(server: Server, host: string | undefined): string {
  const bound = server.address();
  if (bound === null || typeof bound === "string") return bound ?? "";
  return formatAddress({ kind: "tcp", host: host === undefined ? bound.address : host, port: bound.port });
}

/** Makes room for a socket at a path: nothing there, or a socket that nobody serves any more. */
async function clearPath(path: string): Promise<void> {
  const folder = dirname(path);
  // Binding would call it a lack of permission.
  if (lookAt(`${folder}/`, path) === undefined) {
    throw new FatalError(`cannot listen on ${path}: there is no folder ${folder}`);
  }
  for (let attempt = 1; attempt <= TAKE_ATTEMPTS; attempt++) {
    const found = lookAt(path, path);
    if (found === undefined) return;
    if (!found.isSocket()) throw new FatalError(`cannot listen on ${path}: there is a file that is no socket`);
    if (!(await isStale(path))) continue;
    await new Promise((resolve) => setTimeout(resolve, STALE_RECHECK_MS));
    if ((await isStale(path)) && removeStale(path, found)) return;
  }
  throw new FatalError(`cannot listen on ${path}: the file changes all the time`);
}

/** What is at a path: its own folder, or itself; undefined: nothing. */
function lookAt(at: string, path: string): Stats | undefined {
  try {
    return lstatSync(at, { throwIfNoEntry: false });
  } catch (error) {
    throw new FatalError(`cannot listen on ${path}: ${explain(error as Error)}`);
  }
}

/**
 * Asks whether nobody serves a socket file.
 * @returns false if the file is gone
 * @throws FatalError if somebody does, or if that cannot be told
 */
function isStale(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      reject(new FatalError(`cannot listen on ${path}: a running server uses it`));
    });
    probe.once("error", (error) => {
      const code = codeOf(error);
      if (code === "ECONNREFUSED") resolve(true);
      else if (code === "ENOENT") resolve(false);
      else if (code === "EAGAIN") reject(new FatalError(`cannot listen on ${path}: a running server uses it`));
      else reject(new FatalError(`cannot listen on ${path}: ${explain(error)}`));
    });
  });
}

/**
 * Removes a stale file by moving it aside first: only what was seen to be stale is ever unlinked.
 * @returns false if there was another file by then; it is back in its place
 */
function removeStale(path: string, seen: Stats): boolean {
  const aside = join(dirname(path), `.pg${process.pid}`);
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw new FatalError(`cannot replace the stale ${path}: ${explain(error as Error)}`);
  }
  const moved = lstatSync(aside);
  const same = moved.ino === seen.ino && moved.dev === seen.dev && moved.mtimeMs === seen.mtimeMs;
  if (!same) linkSync(aside, path);
  unlinkSync(aside);
  return same;
}

/** Refuses all connections. */
const REFUSAL: Handlers = {
  connection: (socket) => socket.destroy(),
  handle: (handle) => handle.close(),
  acceptError: () => {},
};

/** What Node's server listens with: undocumented, as handles are. */
interface ListeningHandle {
  onconnection?: (this: ListeningHandle, status: number, handle: object | undefined) => void;
}

/**
 * Hands connections on. When descriptors run out, libuv refuses what waits with one that it keeps for that, and says
 * nothing; an error is what it could not handle. Where handles are wanted, Node's own function, which makes a Socket of
 * each, is replaced; it still gets errors, and what is no handle that can be read.
 */
function accept(server: Server, handlers: Handlers): void {
  server.on("connection", (socket) => handlers.connection(socket));
  server.on("error", (error) => handlers.acceptError(error));
  const listening = (server as unknown as { _handle: ListeningHandle | null })._handle;
  const makeSocket = listening?.onconnection;
  if (!handlers.handle || !listening || typeof makeSocket !== "function") return;
  const take = handlers.handle;
  listening.onconnection = function (status, handle) {
    if (status === 0 && handle !== undefined && isHandle(handle)) take(handle);
    else makeSocket.call(this, status, handle);
  };
}
