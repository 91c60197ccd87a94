// What is measured: gateways and their peers, each described by a record, and started in the same way.
//
// A record:
//   name              what tables call it
//   command(at)       program and arguments; `at` has socket (a path), port (a free one), cacheBytes, and what else
//                     Running.start was given
//   env(at)           environment variables besides those of this process; optional
//   ready             what it says on standard error once it serves
//   push              how it is pushed to: "lines" (the stream on the socket) or "http" (the Pushgateway's POST)
//   scrapes           whether it serves /metrics on the port
//   taken(ended)      samples or bytes that it has taken, from what it wrote: { samples } or { bytes }; optional
//   missing           why it cannot be measured here; undefined if it can
//
// Another host of the module is a record, and its key in HOSTS.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { CORES, compile, freePort, has, OUTPUT, Process, runTool, script } from "./process.mjs";
import { line } from "./workload.mjs";

const MAIN = fileURLToPath(new URL("../build/host/main.js", import.meta.url));
const PUSHGATEWAY = "prometheus-pushgateway";
/** Samples in a push by HTTP. */
export const PUSH_SAMPLES = 100;

/** Most bytes in a write of the load generator. */
const WRITE_BYTES = 256 * 1024;

/** Longer than any bench: what expires is measured where it is meant. */
const TTL = "24h";

const NODE = {
  name: "push-gateway (Node)",
  command: () => [process.execPath, MAIN],
  env: (at) => ({
    PUSH_GATEWAY_SOCKET: at.socket,
    PUSH_GATEWAY_LISTEN: `127.0.0.1:${at.port}`,
    PUSH_GATEWAY_CACHE_SIZE: String(at.cacheBytes),
    PUSH_GATEWAY_TTL: TTL,
    PUSH_GATEWAY_LOG_FORMAT: "json",
  }),
  ready: /"started"/,
  push: "lines",
  scrapes: true,
  taken: ({ err }) => ({ samples: JSON.parse(err.split("\n").find((text) => text.includes('"stopped"'))).samples }),
};

function pushgateway(name, ...flags) {
  return {
    name,
    command: (at) => [
      PUSHGATEWAY,
      `--web.listen-address=127.0.0.1:${at.port}`,
      `--persistence.file=${at.kept ?? ""}`,
      "--persistence.interval=24h",
      ...flags,
    ],
    ready: /Listening on|Starting server/,
    push: "http",
    scrapes: true,
    missing: has(PUSHGATEWAY) ? undefined : `${PUSHGATEWAY} is not installed`,
  };
}

const counted = ({ out }) => JSON.parse(out);
const compiler = has("cc") ? undefined : "there is no C compiler (cc)";

const NATIVE_PROGRAM = fileURLToPath(new URL("../build/native/push-gateway", import.meta.url));
const NATIVE = {
  ...NODE,
  name: "push-gateway (native)",
  command: () => [NATIVE_PROGRAM],
  missing: existsSync(NATIVE_PROGRAM) ? undefined : "npm run build:native was not run",
};

/** All that can be measured, by the name that benches use. */
export const GATEWAYS = {
  node: NODE,
  native: NATIVE,
  pushgateway: pushgateway("Pushgateway"),
  unchecked: pushgateway("Pushgateway without check", "--push.disable-consistency-check"),
  counter: {
    name: "C, counts bytes",
    command: (at) => [compile("counter"), at.socket],
    ready: /ready/,
    push: "lines",
    scrapes: false,
    taken: counted,
    missing: compiler,
  },
  nodeCounter: {
    name: "Node, counts bytes",
    command: (at) => script("counter.mjs", at.socket),
    ready: /ready/,
    push: "lines",
    scrapes: false,
    taken: counted,
  },
  staticCounter: {
    name: "Node, counts bytes in one buffer",
    command: (at) => script("counter.mjs", at.socket, "static"),
    ready: /ready/,
    push: "lines",
    scrapes: false,
    taken: counted,
  },
  map: {
    name: "JavaScript, a Map",
    command: (at) => script("map.mjs", at.socket),
    ready: /ready/,
    push: "lines",
    scrapes: false,
    taken: counted,
  },
  body: {
    name: "C, a static body",
    command: (at) => [compile("body"), String(at.port), at.file],
    ready: /ready/,
    scrapes: true,
    missing: compiler,
  },
};

/** The hosts of the module: what the peers are there for. */
export const HOSTS = ["node"];

/** Those of the named gateways that can be measured; the others are left out with one line. */
export function available(keys) {
  return keys.filter((key) => {
    const { name, missing } = GATEWAYS[key];
    if (missing !== undefined) leaveOut(`left out: ${name}: ${missing}`);
    return missing === undefined;
  });
}

const said = new Set();
/** Says once what is left out; the report says it, too. */
export function leaveOut(text) {
  if (!said.has(text)) console.error(text);
  said.add(text);
}

/** All that was left out so far. */
export const leftOut = () => [...said];

/** Folders of the sockets, to be removed if a run fails. */
const folders = new Set();
process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A gateway that runs. */
export class Running {
  constructor(record, process, at) {
    this.record = record;
    this.process = process;
    this.at = at;
    /** Samples (or, for those that count them, bytes) that were pushed. */
    this.pushed = { samples: 0, bytes: 0 };
  }

  /**
   * Starts a gateway.
   * @param key of GATEWAYS
   * @param options cacheBytes; core (the gateway's own by default); file (the static body); port (a free one); kept (the
   *   Pushgateway's file of what it held when it was stopped)
   */
  static async start(key, { cacheBytes = 10_240, core = CORES.gateway, file, port, kept } = {}) {
    const folder = mkdtempSync(join(tmpdir(), "push-gateway-bench-"));
    folders.add(folder);
    const at = { folder, socket: join(folder, "push.sock"), port: port ?? (await freePort()), cacheBytes, file, kept };
    const record = GATEWAYS[key];
    const process = Process.start(record.command(at), core, record.env?.(at));
    await process.ready(record.ready);
    return new Running(record, process, at);
  }

  /**
   * Pushes a load for some time, at least once; 0 seconds: once.
   * @param load made by prepareLoad
   * @param options seconds; times (for a stream: how often instead of how long); core where the load generator runs;
   *   writeBytes of one write at most; apart: each write of a stream has a connection of its own
   * @returns samples, bytes, seconds, CPU nanoseconds of the gateway, share of the time that the generator was busy
   */
  async push(load, { seconds = 0, times, core = CORES.load, writeBytes = WRITE_BYTES, apart } = {}) {
    const { push } = this.record;
    const address = push === "http" ? `127.0.0.1:${this.at.port}` : this.at.socket;
    const files = load[push].map(({ path }) => path);
    const limit = push === "lines" && times !== undefined ? `${times}x` : String(seconds);
    const before = this.process.cpuNs();
    const way = push === "lines" && apart ? "pages" : push;
    const sent = await runTool([compile("push"), way, address, limit, String(writeBytes), ...files], core);
    const cpuNs = this.process.cpuNs() - before;
    const samples = sent.sent.reduce((sum, count, i) => sum + count * load[push][i].samples, 0);
    this.pushed.samples += samples;
    this.pushed.bytes += sent.bytes;
    return { samples, bytes: sent.bytes, seconds: sent.seconds, cpuNs, busy: sent.cpuSeconds / sent.seconds };
  }

  /**
   * Scrapes for some time.
   * @param seconds how long
   * @param least how often at least
   * @param headers of the request
   * @returns what peers/scrape.c prints, and CPU nanoseconds of the gateway
   */
  async scrape(seconds, least = 1, headers = []) {
    const before = this.process.cpuNs();
    const result = await runTool([compile("scrape"), String(this.at.port), String(seconds), String(least), ...headers]);
    return { ...result, cpuNs: this.process.cpuNs() - before };
  }

  /** The page as it is now, on a connection of its own. */
  page() {
    return new Promise((resolve, reject) => {
      const request = get({ host: "127.0.0.1", port: this.at.port, path: "/metrics", agent: false }, (response) => {
        response.on("error", reject);
        resolve(text(response));
      });
      request.on("error", reject);
    });
  }

  /**
   * Ends it, and checks that it has taken all that was pushed.
   * @param full a cache that was filled may have refused newcomers, and taken less
   */
  async stop({ full = false } = {}) {
    const ended = await this.process.stop();
    rmSync(this.at.folder, { recursive: true });
    folders.delete(this.at.folder);
    if (this.record.taken === undefined) return;
    const taken = this.record.taken(ended);
    for (const [what, count] of Object.entries(taken)) {
      const pushed = this.pushed[what] ?? count;
      if (full ? count > pushed : count !== pushed) {
        throw new Error(`${this.record.name} took ${count} ${what} of ${pushed}`);
      }
    }
  }
}

/**
 * Starts gateways, hands them over, and ends them, whatever happens.
 * @param keys of GATEWAYS
 * @param options of Running.start and stop, for all, or a function of the position that returns them
 * @param use gets the running gateways, in the same order
 * @returns what `use` returns
 * @throws what went wrong first
 */
export async function withGateways(keys, options, use) {
  const optionsOf = typeof options === "function" ? options : () => options;
  const running = [];
  try {
    for (const [i, key] of keys.entries()) running.push(await Running.start(key, optionsOf(i)));
    const result = await use(running);
    for (const [i, one] of running.entries()) await one.stop(optionsOf(i));
    return result;
  } catch (error) {
    for (const one of running) one.process.kill();
    throw error;
  }
}

/**
 * Writes a load for the load generator, for both ways to push.
 * @param pages per connection a list of pages, each a list of series
 * @param ways "lines", "http", or both
 * @param first number of the first series: requests of another one are other groups
 * @returns { lines, http }: per connection { path, samples, bytes }; samples and bytes of the whole file, and of one
 *   request
 */
export function prepareLoad(name, pages, ways = ["lines", "http"], first = 0) {
  const folder = join(OUTPUT, "load");
  mkdirSync(folder, { recursive: true });
  const load = {};
  for (const way of ways) {
    load[way] = pages.map((own, connection) => {
      const path = join(folder, `${name}-${connection}.${way}`);
      const samples = own.reduce((sum, page) => sum + page.length, 0);
      if (way === "lines") {
        const text = own.map((page) => page.map(line).join("")).join("");
        writeFileSync(path, text);
        return { path, samples, bytes: Buffer.byteLength(text) };
      }
      // One round: a push replaces its group, whatever the values.
      const requests = requestsOf(own[0], `${connection}-${first}`);
      writeFileSync(path, Buffer.concat(requests.map((request) => request.bytes)));
      return { path, samples: requests[0].samples, bytes: requests[0].bytes.length };
    });
  }
  return load;
}

/** A page as requests to the Pushgateway, a group each; length and text. */
function requestsOf(page, name) {
  const requests = [];
  for (let first = 0; first < page.length; first += PUSH_SAMPLES) {
    const part = page.slice(first, first + PUSH_SAMPLES);
    const body = part.map(line).join("");
    const path = `/metrics/job/bench/instance/${name}-${first / PUSH_SAMPLES}`;
    const request = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const bytes = Buffer.alloc(4 + Buffer.byteLength(request));
    bytes.writeUInt32LE(bytes.length - 4);
    bytes.write(request, 4);
    requests.push({ bytes, samples: part.length });
  }
  return requests;
}
