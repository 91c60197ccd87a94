/** The HTTP side: /metrics, and whether the daemon is healthy and ready. */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Cache } from "./core.js";
import { codeOf } from "./errors.js";
import { Gate } from "./gate.js";
import type { Log } from "./log.js";
import { acceptsGzip, negotiateFormat } from "./negotiate.js";
import type { Options } from "./options.js";
import { type PageCounts, Pages, STALLED } from "./pages.js";

/** What of the options concerns scrapes. */
export type ScrapeOptions = Pick<
  Options,
  | "maxHttpConnections"
  | "maxScrapes"
  | "maxHeaderBytes"
  | "maxBodyBytes"
  | "headerTimeoutMs"
  | "keepAliveMs"
  | "stallTimeoutMs"
>;

const ALLOW = "GET, HEAD";
const NOT_FOUND = [404, "Not found."] as const;
const NOT_ALLOWED = [405, "Method not allowed."] as const;
const PLAIN = "text/plain; charset=utf-8";
const METRICS_PATH = "/metrics";
const HEALTHY_PATH = "/-/healthy";
const READY_PATH = "/-/ready";
/** How often connections are checked against the header timeout. */
const CHECK_LEAST_MS = 50;
const CHECK_MOST_MS = 5000;

/** RFC 9112, 3, with any method: a token of RFC 9110, 5.6.2. */
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ ((?:[/*]|[a-z]+:\/\/)[!-~]*) HTTP\/1\.[01]\r?\n$/i;

/** The status of an answer that is no page, and its text. */
type Verdict = readonly [status: number, text: string];

/** What Node's parser adds to its errors. */
type ParseError = Error & { rawPacket?: Buffer };

/** How often limits were hit. */
export interface ScrapeCounts {
  connections: number;
  refused: number;
  /** Closed in favour of another before their request had come. */
  displaced: number;
  /** Cut off because they did not read an answer, pages apart, for the stall timeout. */
  stalled: number;
  headerTooLarge: number;
  bodyTooLarge: number;
  timeouts: number;
  badRequests: number;
}

/** An HTTP connection. */
interface Connection {
  socket: Socket;
  gate: Gate;
  /** The answer that is under way, or was last, and its request. */
  response: ServerResponse | undefined;
}

/** Serves HTTP on connections that it is given. */
export class Scrape {
  readonly counts: ScrapeCounts = {
    connections: 0,
    refused: 0,
    displaced: 0,
    stalled: 0,
    headerTooLarge: 0,
    bodyTooLarge: 0,
    timeouts: 0,
    badRequests: 0,
  };
  readonly #options: ScrapeOptions;
  readonly #log: Log;
  readonly #pages: Pages;
  readonly #server: Server;
  readonly #open = new Map<Socket, Connection>();
  #closing = false;

  constructor(cache: Cache, options: ScrapeOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#pages = new Pages(cache, options.maxScrapes, options.stallTimeoutMs, log);
    this.#server = createServer({
      maxHeaderSize: options.maxHeaderBytes,
      headersTimeout: options.headerTimeoutMs,
      requestTimeout: 2 * options.headerTimeoutMs,
      keepAliveTimeout: options.keepAliveMs,
      connectionsCheckingInterval: Math.min(CHECK_MOST_MS, Math.max(CHECK_LEAST_MS, options.headerTimeoutMs / 4)),
      // Checked here: the answer must count as a response like any other.
      requireHostHeader: false,
    });
    this.#server.on("request", (request, response) => this.#begin(request, response));
    this.#server.on("checkExpectation", (request, response) => this.#begin(request, response));
    this.#server.on("connect", (_request, socket) => refuse(socket as Socket, NOT_ALLOWED));
    this.#server.on("clientError", (error, socket) => this.#clientError(error, socket as Socket));
    // A client that has said all it wants to say and closed its half still gets the whole page: without this, Node ends
    // the connection after what is already written. Undocumented, as old as Node, and read at each end of a stream.
    (this.#server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    // This server never listens itself; without the event its timeouts are never enforced.
    this.#server.emit("listening");
  }

  /** How often limits were hit by pages. */
  get pageCounts(): PageCounts {
    return this.#pages.counts;
  }

  /** Connections open now. */
  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Serves a new connection, or refuses it if too many are being answered. Others make room.
   * @param socket a paused socket, as a server with pauseOnConnect gives it
   */
  connect(socket: Socket): void {
    if (this.#closing || (this.#open.size >= this.#options.maxHttpConnections && !this.#makeRoom())) {
      this.counts.refused++;
      socket.destroy();
      this.#log.warn("http refused", performance.now(), "HTTP connection refused: too many are open", {
        limit: this.#options.maxHttpConnections,
      });
      return;
    }
    this.counts.connections++;
    this.#server.emit("connection", socket);
    this.#attach(socket);
    socket.resume();
  }

  /** Puts a gate between the socket and Node's parser, whose listeners are the only ones so far. */
  #attach(socket: Socket): void {
    const take = takeListeners(socket, "data");
    const finish = takeListeners(socket, "end");
    const connection: Connection = {
      socket,
      response: undefined,
      gate: new Gate(socket, {
        parse: take,
        finish,
        isReading: () => connection.response?.req.complete === false,
      }),
    };
    this.#open.set(socket, connection);
    socket.once("close", () => this.#open.delete(socket));
    socket.on("data", (bytes: Buffer) => connection.gate.take(bytes));
    socket.once("end", () => connection.gate.finish());
  }

  /**
   * Closes a connection in favour of a new one: that which has been idle between requests for longest, or else that whose
   * request has been awaited for longest. Those that are being answered stay.
   */
  #makeRoom(): boolean {
    let slowest: Connection | undefined;
    for (const connection of this.#open.values()) {
      const { gate, response } = connection;
      if (!gate.busy && response !== undefined && gate.heldBytes === 0) return this.#drop(connection);
      if (!gate.busy || response?.req.complete === false) slowest ??= connection;
    }
    if (slowest === undefined) return false;
    this.counts.displaced++;
    const message = "HTTP connection closed: its request had not come, and others wait";
    this.#log.warn("displaced", performance.now(), message, { limit: this.#options.maxHttpConnections });
    return this.#drop(slowest);
  }

  #drop({ socket }: Connection): true {
    this.#open.delete(socket);
    socket.destroy();
    return true;
  }

  /** Takes a request; its connection takes no other until the response is complete. */
  #begin(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#open.get(request.socket);
    if (connection === undefined) {
      response.destroy();
      return;
    }
    connection.response = response;
    connection.gate.begin();
    response.on("error", ignore);
    response.once("close", () => this.#end(connection));
    if (this.#closing) response.shouldKeepAlive = false;
    if (hasBody(request)) this.#readBody(request, response);
    else this.#answer(request, response);
  }

  #end(connection: Connection): void {
    if (this.#closing) connection.socket.destroySoon();
    // To the end of the map: the first ones are those that have been waited for for longest.
    if (this.#open.delete(connection.socket) && !connection.socket.destroyed) {
      this.#open.set(connection.socket, connection);
    }
    connection.gate.end();
  }

  /** No request needs a body: it is read, up to the limit, and dropped. */
  #readBody(request: IncomingMessage, response: ServerResponse): void {
    let bodyBytes = 0;
    const refuse = (): void => {
      this.counts.bodyTooLarge++;
      response.shouldKeepAlive = false;
      this.#sendText(request, response, 413, "The body is too large.");
    };
    if (Number(request.headers["content-length"] ?? 0) > this.#options.maxBodyBytes) {
      refuse();
      return;
    }
    request.on("data", (bytes: Buffer) => {
      bodyBytes += bytes.length;
      if (bodyBytes <= this.#options.maxBodyBytes) return;
      request.removeAllListeners("data");
      request.removeAllListeners("end");
      refuse();
    });
    request.once("end", () => this.#answer(request, response));
    request.on("error", ignore);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = pathOf(request.url ?? "");
    const [status, text] = this.#judge(request, path);
    if (status === 400) response.shouldKeepAlive = false;
    if (status === 405) response.setHeader("Allow", ALLOW);
    if (status === 200 && path === METRICS_PATH) this.#sendMetrics(request, response);
    else this.#sendText(request, response, status, text);
  }

  /** The status of a request's answer, and what it says if it is not a page. */
  #judge(request: IncomingMessage, path: string): Verdict {
    // Node's parser takes these, and a line without a version.
    if (!/^1\.[01]$/.test(request.httpVersion)) return plainly(400);
    if (request.httpVersion === "1.1" && request.headers.host === undefined) return [400, "There is no Host header."];
    if (!isKnown(path)) return NOT_FOUND;
    if (request.method !== "GET" && request.method !== "HEAD") return NOT_ALLOWED;
    if (path === READY_PATH && this.#closing) return [503, "push-gateway is stopping."];
    return [200, path === READY_PATH ? "push-gateway is ready." : "push-gateway is healthy."];
  }

  #sendMetrics(request: IncomingMessage, response: ServerResponse): void {
    const { format, contentType } = negotiateFormat(request.headers.accept);
    response.setHeader("Content-Type", contentType);
    response.setHeader("Vary", "Accept, Accept-Encoding");
    if (request.method === "HEAD") {
      this.#expectReader(request, response);
      response.end();
      return;
    }
    const gzip = acceptsGzip(request.headers["accept-encoding"] as string | undefined);
    if (this.#pages.send({ response, format, gzip })) return;
    this.#log.warn("scrape refused", performance.now(), "scrape refused: too many are under way", {
      limit: this.#options.maxScrapes,
    });
    response.removeHeader("Vary");
    response.setHeader("Retry-After", "1");
    this.#sendText(request, response, 503, "Too many scrapes are under way.");
  }

  /** Sends a line of text. */
  #sendText(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
    const body = `${text}\n`;
    this.#expectReader(request, response);
    response.writeHead(status, { "Content-Type": PLAIN, "Content-Length": Buffer.byteLength(body) });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  /** Cuts off a client that does not take an answer; of pages, Pages knows more. */
  #expectReader({ socket }: IncomingMessage, response: ServerResponse): void {
    const { stallTimeoutMs } = this.#options;
    socket.setTimeout(stallTimeoutMs);
    response.once("timeout", () => {
      this.counts.stalled++;
      socket.destroy();
      this.#log.warn("stalled", performance.now(), STALLED, { seconds: stallTimeoutMs / 1000 });
    });
  }

  /** Answers what the parser refused, if an answer can still be understood. */
  #clientError(error: Error, socket: Socket): void {
    const verdict = verdictOf(error);
    const [status] = verdict;
    if (status === 431) this.counts.headerTooLarge++;
    else if (status === 408) this.counts.timeouts++;
    else if (codeOf(error).startsWith("HPE_")) this.counts.badRequests++;
    const connection = this.#open.get(socket);
    const isAnswered = connection?.gate.busy && connection.response?.headersSent;
    if (!socket.writable || connection === undefined || isAnswered) socket.destroy();
    else refuse(socket, verdict);
  }

  /**
   * Ends all connections: those without a request at once, the others when they are answered, or at a time.
   * @param untilMs monotonic time after which nothing is waited for
   */
  async close(untilMs: number): Promise<void> {
    this.#closing = true;
    for (const { socket, gate } of this.#open.values()) if (!gate.busy) socket.destroySoon();
    while (this.#open.size > 0 && performance.now() < untilMs) await shortly();
    this.#pages.cutAll();
    for (const socket of this.#open.keys()) socket.destroy();
    this.#server.close(ignore);
  }
}

const CLOSE_POLL_MS = 10;

function shortly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
}

/** Answers a connection whose parser is of no use any more, and ends it. */
function refuse(socket: Socket, [status, text]: Verdict): void {
  const allow = status === 405 ? `Allow: ${ALLOW}\r\n` : "";
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${allow}Connection: close\r\nContent-Type: ${PLAIN}\r\n`;
  socket.end(`${head}Content-Length: ${text.length + 1}\r\n\r\n${text}\n`, () => socket.destroy());
}

/** The answer to what Node's parser refused. */
function verdictOf(error: Error): Verdict {
  switch (codeOf(error)) {
    case "HPE_HEADER_OVERFLOW":
      return plainly(431);
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return plainly(413);
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return plainly(408);
    case "HPE_INVALID_METHOD":
      return unknownMethod((error as ParseError).rawPacket);
    default:
      return plainly(400);
  }
}

function plainly(status: number): Verdict {
  return [status, `${status} ${STATUS_CODES[status]}`];
}

/** What Node's parser says of a method that is not in its list: a method like any other, if its request line came whole. */
function unknownMethod(line: Buffer | undefined): Verdict {
  const match = REQUEST_LINE.exec(line?.toString("latin1") ?? "");
  if (match === null) return plainly(400);
  return isKnown(pathOf(match[1] as string)) ? NOT_ALLOWED : NOT_FOUND;
}

/** Removes the listeners of an event. Calling what this returns is what the event was for them. */
function takeListeners(socket: Socket, event: "data" | "end"): (...args: unknown[]) => void {
  const listeners = socket.listeners(event);
  socket.removeAllListeners(event);
  return (...args) => {
    for (const listener of listeners) listener.apply(socket, args);
  };
}

function isKnown(path: string): boolean {
  return path === METRICS_PATH || path === HEALTHY_PATH || path === READY_PATH;
}

/** The path of a request target, which may be a whole URL, without its query. */
function pathOf(target: string): string {
  const path = target.replace(/^https?:\/\/[^/]*/i, "");
  const queryAt = path.indexOf("?");
  return queryAt < 0 ? path : path.slice(0, queryAt);
}

function hasBody(request: IncomingMessage): boolean {
  const length = request.headers["content-length"];
  return request.headers["transfer-encoding"] !== undefined || (length !== undefined && Number(length) !== 0);
}

function ignore(): void {}
