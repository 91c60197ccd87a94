/** The daemon: opens everything, wires it, keeps house, and ends in order. */
import type { Socket } from "node:net";
import { takeActivated } from "./activation.js";
import { type Cache, CacheError, type CounterName, createCache } from "./core.js";
import { codeOf, FatalError, STATUS_USAGE } from "./errors.js";
import { Ingest } from "./ingest.js";
import type { Log } from "./log.js";
import { DEFAULT_LISTEN, formatDuration, formatSize, type Options, parseAddress } from "./options.js";
import { Scrape } from "./scrape.js";
import { defaultSocketPath, type Handlers, type Listener, listen, listenDescriptor } from "./sockets.js";
import type { Handle } from "./source.js";

/** How often expired metrics are removed and counters looked at. */
const HOUSEKEEPING_MS = 1000;
/** How long housekeeping may hold up everybody else. */
const EXPIRE_SLICE_MS = 2;
/** How long a stop takes connections that wait, reads what pushers have already written, and waits in all. */
const ACCEPT_MS = 50;
const DRAIN_MS = 400;
const STOP_MS = 1500;

/** Counters whose movement is worth a warning. */
const WATCHED: readonly (readonly [CounterName, string])[] = [
  ["metricsEvicted", "metrics evicted: the cache is full"],
  ["refusedFamily", "new metrics refused: their family holds most of the cache"],
  ["refusedFull", "new metrics refused: the cache is full"],
  ["helpDropped", "HELP texts dropped: the cache is full"],
  ["typeClashes", "metrics with clashing types"],
  ["unitsDropped", "UNIT lines dropped: not the suffix of the name"],
  ["badTtlLines", "malformed TTL lines"],
];

/** A daemon that serves. */
export interface Daemon {
  /** Stops: accepts nothing more, finishes what was read, answers open scrapes, closes everything. */
  stop(reason: string): Promise<void>;
}

/**
 * Opens the sockets and serves.
 * @param options everything that can be told
 * @param log where events go
 * @param version of the package, for the first line of the log
 * @throws FatalError if something cannot be opened; what was opened by then is closed again
 */
export async function startDaemon(options: Options, log: Log, version: string): Promise<Daemon> {
  const cache = openCache(options);
  const ingest = new Ingest(cache, options, log);
  const scrape = new Scrape(cache, options, log);
  const house = new House(cache, ingest, log);
  const listeners = new Listeners(options, ingest, scrape, log, house);
  try {
    await listeners.open();
  } catch (error) {
    listeners.close();
    throw error;
  }
  log.info("started", {
    version,
    push: listeners.addresses("push"),
    http: listeners.addresses("http"),
    cache: formatSize(options.cacheBytes),
    ttl: formatDuration(options.ttlMs),
  });
  return {
    async stop(reason) {
      const beganMs = performance.now();
      // Whoever has connected by now was accepted by the kernel: closing would lose what he has written.
      await ingest.drain(beganMs + ACCEPT_MS);
      listeners.close();
      await ingest.drain(beganMs + DRAIN_MS);
      ingest.close();
      await scrape.close(beganMs + STOP_MS);
      house.stop();
      log.info("stopped", { reason, samples: cache.counter("samples"), pushes: cache.counter("pushes") });
    },
  };
}

/** Makes the cache; its complaints are named after the command line's options. */
function openCache(options: Options): Cache {
  try {
    return createCache(options);
  } catch (error) {
    if (!(error instanceof CacheError)) throw error;
    const names = { cacheBytes: "--cache-size", ttlMs: "--ttl", maxLineBytes: "--max-line" } as Record<string, string>;
    const name = error.option === undefined ? undefined : names[error.option];
    throw name === undefined
      ? new FatalError(error.message)
      : new FatalError(`${name}: ${error.message}`, STATUS_USAGE);
  }
}

type Role = "push" | "http";

/** All sockets that the daemon accepts connections on. */
class Listeners {
  readonly #options: Options;
  readonly #handlers: Readonly<Record<Role, Handlers>>;
  readonly #open: { role: Role; listener: Listener }[] = [];

  constructor(options: Options, ingest: Ingest, scrape: Scrape, log: Log, house: House) {
    this.#options = options;
    const acceptError = (error: Error): void => {
      log.warn("accept", performance.now(), "cannot accept connections", { code: codeOf(error) });
    };
    const push = (connection: Socket | Handle): void => {
      ingest.connect(connection);
      house.wake();
    };
    this.#handlers = {
      push: { acceptError, connection: push, handle: options.read === "window" ? push : undefined },
      http: { acceptError, connection: (socket) => scrape.connect(socket) },
    };
  }

  /** Opens what systemd handed over, what the options name, and the defaults of a side that has nothing else. */
  async open(): Promise<void> {
    for (const { fd, role } of takeActivated(process.env, process.pid)) await this.#openDescriptor(fd, role);
    const { sockets, listen: addresses, socketMode } = this.#options;
    for (const path of sockets ?? (this.#has("push") ? [] : [defaultPath()])) {
      this.#add("push", await listen({ kind: "unix", path }, socketMode, this.#handlers.push));
    }
    for (const address of addresses ?? (this.#has("http") ? [] : [parseAddress(DEFAULT_LISTEN)])) {
      this.#add("http", await listen(address, socketMode, this.#handlers.http));
    }
  }

  /** Stops accepting. */
  close(): void {
    for (const { listener } of this.#open) listener.close();
  }

  /** Where one side listens. */
  addresses(role: Role): string[] {
    return this.#open.filter((entry) => entry.role === role).map((entry) => entry.listener.address);
  }

  /** A socket without a telling name is HTTP's if it is TCP or not the first of its kind. */
  async #openDescriptor(fd: number, named: Role | undefined): Promise<void> {
    let role: Role = named ?? "push";
    const listener = await listenDescriptor(fd, (kind) => {
      if (named === undefined && (kind === "tcp" || this.#has("push"))) role = "http";
      return this.#handlers[role];
    });
    this.#add(role, listener);
    if (role === "push" && listener.kind === "tcp")
      throw new FatalError(`descriptor ${fd} is no Unix socket to push to`);
  }

  #has(role: Role): boolean {
    return this.#open.some((entry) => entry.role === role);
  }

  #add(role: Role, listener: Listener): void {
    this.#open.push({ role, listener });
  }
}

function defaultPath(): string {
  return defaultSocketPath(process.env, process.getuid?.() ?? -1);
}

/** Housekeeping: expires metrics that nobody looks at, and warns of counters that moved. Sleeps while there is nothing. */
class House {
  readonly #cache: Cache;
  readonly #ingest: Ingest;
  readonly #log: Log;
  readonly #seen = new Map<CounterName, number>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(cache: Cache, ingest: Ingest, log: Log) {
    this.#cache = cache;
    this.#ingest = ingest;
    this.#log = log;
  }

  /** Something was pushed, or will be. */
  wake(): void {
    if (this.#stopped) return;
    this.#timer ??= setInterval(() => this.#keep(), HOUSEKEEPING_MS).unref();
  }

  /** Ends housekeeping with a last look at the counters: what has no warning yet is never told later. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#watch(Number.POSITIVE_INFINITY);
  }

  #keep(): void {
    this.#expire();
    this.#watch(performance.now());
    if (this.#ingest.openCount > 0 || this.#cache.gauge("families") > 0 || this.#cache.gauge("series") > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #expire(): void {
    const untilMs = performance.now() + EXPIRE_SLICE_MS;
    while (this.#cache.expire(performance.now())) {
      if (performance.now() < untilMs) continue;
      setImmediate(() => this.#expire());
      return;
    }
  }

  /** Warns of what moved. Every warning is due at infinity, however lately one of its kind was written. */
  #watch(nowMs: number): void {
    const expired = this.#moved("metricsExpired");
    if (expired > 0) this.#log.debug("metrics expired", { count: expired });
    for (const [name, message] of WATCHED) {
      if (!this.#log.wants(name, nowMs)) continue;
      const count = this.#moved(name);
      if (count > 0) this.#log.warn(name, nowMs, message, { count });
    }
  }

  /** How much a counter has moved since this was asked last. */
  #moved(name: CounterName): number {
    const count = this.#cache.counter(name);
    const moved = count - (this.#seen.get(name) ?? 0);
    this.#seen.set(name, count);
    return moved;
  }
}
