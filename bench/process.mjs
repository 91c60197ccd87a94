// Processes under measurement: pinned to a core, with CPU and memory from the kernel's own accounting.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PEERS = fileURLToPath(new URL("./peers/", import.meta.url));
/** What benches write: results, plots, compiled peers, loads. Not in version control. */
export const OUTPUT = fileURLToPath(new URL("../build/bench/", import.meta.url));

const TICK_NS = 1e9 / 100;
/** More than the ticks' own error: a thread that the scheduler's numbers had is gone. */
const TICKS_DIFFER_NS = 3 * TICK_NS;
const READY_LIMIT_MS = 30_000;
/** Far longer than any tool runs: it waits for a gateway that hangs. */
const TOOL_LIMIT_MS = 300_000;
/** How long a process may take to end when it is asked to. */
const STOP_LIMIT_MS = 20_000;

/** Whether a program is in the PATH. */
export function has(program) {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** Whether processes can be kept on different cores; peers/launch.c does it. */
export const PINNED = availableParallelism() > 1 && has("cc");
/** Where the gateway runs, and where its load is made. */
export const CORES = { gateway: 1, load: 0 };

const compiled = new Map();

/**
 * Compiles a peer in C, once in this process.
 * @param name of its source in peers/, without the ending
 * @returns the program's path; undefined if there is no compiler
 */
export function compile(name) {
  if (!compiled.has(name)) compiled.set(name, has("cc") ? compileNow(name) : undefined);
  return compiled.get(name);
}

function compileNow(name) {
  const program = join(OUTPUT, "bin", name);
  mkdirSync(join(OUTPUT, "bin"), { recursive: true });
  const { status, stderr } = spawnSync("cc", ["-std=c11", "-O2", "-o", program, join(PEERS, `${name}.c`)]);
  if (status !== 0) throw new Error(`cc cannot compile ${name}.c: ${stderr}`);
  return program;
}

/** The command line of a peer for Node. */
export function script(name, ...args) {
  return [process.execPath, join(PEERS, name), ...args];
}

/** A TCP port of the loopback that nobody listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** What runs: nothing may outlive this process, however it ends. */
const alive = new Set();
process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

/** A running process. */
export class Process {
  #child;
  #launched;
  #pid;
  #out = "";
  #err = "";
  #ended;

  constructor(child, launched) {
    this.#child = child;
    this.#launched = launched;
    alive.add(child);
    child.once("close", () => alive.delete(child));
    child.stdout.setEncoding("utf8").on("data", (text) => {
      this.#out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#err += text;
    });
    this.#ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status, signal) => resolve({ status, signal }));
    });
    this.#ended.catch(() => {});
  }

  /**
   * Starts a command, from a small process where there is a C compiler: its CPU is its own from the first instruction.
   * @param command program and arguments
   * @param core where it runs; undefined: anywhere
   * @param env environment variables besides those of this process
   * @param timeout milliseconds until it is killed; 0: never
   */
  static start(command, core, env = {}, timeout = 0) {
    const launch = compile("launch");
    const where = String(PINNED && core !== undefined ? core : -1);
    const [program, ...args] = launch === undefined ? command : [launch, where, ...command];
    const stdio = ["ignore", "pipe", "pipe"];
    const child = spawn(program, args, { stdio, env: { ...process.env, ...env }, timeout });
    return new Process(child, launch !== undefined);
  }

  /** The command's process; known once it has said anything. */
  get pid() {
    const { pid } = this.#child;
    this.#pid ??= this.#launched ? Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim()) : pid;
    return this.#pid;
  }

  get #name() {
    return this.#child.spawnargs.join(" ");
  }

  /** What it has written to standard error. */
  get errors() {
    return this.#err;
  }

  /** Waits until it has said something on standard error. */
  ready(pattern) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.kill();
        reject(new Error(`${this.#name}: not ready: ${this.#err}`));
      }, READY_LIMIT_MS);
      const look = () => {
        if (!pattern.test(this.#err)) return;
        this.#child.stderr.off("data", look);
        clearTimeout(timer);
        resolve();
      };
      this.#child.stderr.on("data", look);
      this.#child.once("close", (status, signal) => {
        clearTimeout(timer);
        reject(new Error(`${this.#name}: ended before it was ready: ${signal ?? status}: ${this.#err}`));
      });
      look();
    });
  }

  /** CPU time of all its threads so far, in nanoseconds. */
  cpuNs() {
    return cpuNs(this.pid);
  }

  /** Its memory now, and the most that was resident since the start or resetPeak, in bytes. */
  memory() {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    const bytes = (field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)[1]) * 1024;
    return { rss: bytes("VmRSS"), anonymous: bytes("RssAnon"), peak: bytes("VmHWM"), reserved: bytes("VmSize") };
  }

  /** Begins a new peak of resident memory. */
  resetPeak() {
    writeFileSync(`/proc/${this.pid}/clear_refs`, "5");
  }

  /** Waits for its end; what it wrote to standard output. */
  async output() {
    const { status, signal } = await this.#ended;
    if (status !== 0) throw new Error(`${this.#name}: ${signal ?? status}: ${this.#err}`);
    return this.#out;
  }

  /** Ends it at once. */
  kill() {
    this.#child.kill("SIGKILL");
  }

  /**
   * Asks it to end; what it wrote to standard output and to standard error.
   * @throws Error if it has ended before, or has to be killed
   */
  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      const how = this.#child.signalCode ?? this.#child.exitCode;
      throw new Error(`${this.#name}: ended by itself: ${how}: ${this.#err}`);
    }
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_LIMIT_MS);
    const { signal } = await this.#ended;
    clearTimeout(timer);
    if (signal === "SIGKILL") throw new Error(`${this.#name}: did not end when it was asked to: ${this.#err}`);
    return { out: this.#out, err: this.#err };
  }
}

/**
 * CPU time of a process: the scheduler's nanoseconds of its threads. Threads that have ended are missing there; if the
 * ticks of /proc/PID/stat (all threads that ever were, in units of 10 ms) say more, they are believed.
 */
export function cpuNs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  const ticksNs = (Number(fields[11]) + Number(fields[12])) * TICK_NS;
  let threadsNs = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      threadsNs += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    }
  } catch {
    return ticksNs;
  }
  return ticksNs - threadsNs > TICKS_DIFFER_NS ? ticksNs : threadsNs;
}

/**
 * Runs a tool to its end.
 * @returns the JSON that it printed
 */
export async function runTool(command, core = CORES.load) {
  return JSON.parse(await Process.start(command, core, {}, TOOL_LIMIT_MS).output());
}
