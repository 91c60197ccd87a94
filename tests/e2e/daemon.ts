/**
 * Starts a gateway for a test, with a folder of its own, and talks to it. GATEWAY says which: the Node host, the native
 * one, or that under the sanitizers. All behave in the same way but for what a gateway lacks.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const built = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What a gateway may lack: what runtimes/native/README.md says that it leaves out. */
export type Capability = "gzip" | "data events";

interface Gateway {
  /** Program and first arguments. */
  command: readonly string[];
  lacks: readonly Capability[];
}

const NATIVE_LACKS: readonly Capability[] = ["gzip", "data events"];
const GATEWAYS: Readonly<Record<string, Gateway>> = {
  node: { command: [process.execPath, built("host/main.js")], lacks: [] },
  native: { command: [built("native/push-gateway")], lacks: NATIVE_LACKS },
  sanitized: { command: [built("native/sanitized/push-gateway")], lacks: NATIVE_LACKS },
};
const GATEWAY = GATEWAYS[process.env.GATEWAY ?? "node"]!;

/** Why a test is skipped that needs something the gateway lacks; false if it is not. */
export function without(capability: Capability): string | false {
  return GATEWAY.lacks.includes(capability) && `the ${process.env.GATEWAY} gateway has no ${capability}`;
}

/** How long a condition may take to come true. Far longer than it needs: reaching it is a failure. */
export const DEADLINE_MS = 20_000;
const POLL_MS = 5;

/** A line of the daemon's log. */
export interface LogLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** How a process ended. */
export interface Exit {
  status: number | null;
  signal: NodeJS.Signals | null;
}

/** A daemon that runs. */
export interface Daemon {
  child: ChildProcess;
  pid: number;
  folder: string;
  /** Path of the first push socket. */
  socket: string;
  /** The first HTTP address: a port on 127.0.0.1, or the path of a Unix socket. */
  http: Target;
  /** The log so far. */
  log: LogLine[];
  exited: Promise<Exit>;
}

/** Where HTTP is served. */
export type Target = { port: number } | { socketPath: string };

/** How a daemon is started. */
export interface StartOptions {
  /** Arguments besides socket, address and log format. */
  args?: string[];
  env?: Record<string, string>;
  /** Leaves out --socket and --listen. */
  bare?: boolean;
  /** A --listen instead of a free TCP port. */
  listen?: string;
  folder?: string;
  /** Starts this; the program and its arguments follow. */
  command?: string[];
  stdio?: ("ignore" | "pipe" | number)[];
}

/** A temporary folder that goes with the test. */
export function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "pg-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The environment of a daemon: nothing of the tester's own that it would listen to. */
export function cleanEnv(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^(PUSH_GATEWAY_|LISTEN_|RUNTIME_DIRECTORY|NODE_)/.test(name)) env[name] = value;
  }
  return { ...env, ...extra };
}

/** Starts a daemon and waits until it has said where it serves. */
export async function start(t: TestContext, options: StartOptions = {}): Promise<Daemon> {
  const folder = options.folder ?? createFolder(t);
  const addresses = ["--socket", join(folder, "push.sock"), "--listen", options.listen ?? "127.0.0.1:0"];
  const [file, ...before] = [...(options.command ?? []), ...GATEWAY.command];
  const args = [...before, ...(options.bare ? [] : addresses), "--log-format", "json", ...(options.args ?? [])];
  const child = spawn(file!, args, {
    env: cleanEnv(options.env),
    stdio: options.stdio ?? ["ignore", "ignore", "pipe"],
  });
  const exited = new Promise<Exit>((resolve) => child.once("exit", (status, signal) => resolve({ status, signal })));
  t.after(() => {
    for (const socket of opened) socket.destroy();
    child.kill("SIGKILL");
    return exited;
  });
  const log: LogLine[] = [];
  const noise: string[] = [];
  let over = false;
  readLines(child, (line) => {
    if (line.startsWith("{")) log.push(JSON.parse(line) as LogLine);
    else noise.push(line);
  });
  void exited.then(() => {
    over = true;
  });
  await until("the daemon starts", () => {
    if (over) throw new Error(`the daemon ended: ${noise.join("; ")}`);
    return log.some((line) => line.msg === "started");
  });
  const started = log.find((line) => line.msg === "started") as LogLine & { push: string[]; http: string[] };
  return {
    child,
    pid: child.pid!,
    folder,
    socket: pathOf(started.push[0]!),
    http: targetOf(started.http[0]!),
    log,
    exited,
  };
}

/** Runs the program to its end; one that does not end is killed, and has no status. */
export async function run(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const [file, ...before] = GATEWAY.command;
  const child = spawn(file!, [...before, ...args], {
    env: cleanEnv(env),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: DEADLINE_MS,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, stdout, stderr };
}

function readLines(child: ChildProcess, take: (line: string) => void): void {
  let rest = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) take(line);
  });
}

/** The path in a `unix:` address. */
export function pathOf(address: string): string {
  return address.replace(/^unix:/, "");
}

/** What to connect to for an address of the start line. */
export function targetOf(address: string): Target {
  if (address.startsWith("unix:")) return { socketPath: pathOf(address) };
  return { port: Number(address.slice(address.lastIndexOf(":") + 1)) };
}

/** Waits until something is true; asks again and again, and fails after the deadline. */
export async function until<T>(what: string, condition: () => T | Promise<T>): Promise<Exclude<NonNullable<T>, false>> {
  const endMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<NonNullable<T>, false>;
    if (performance.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Waits for a line of the log. */
export function logged(daemon: Daemon, message: RegExp): Promise<LogLine> {
  return until(`the log says ${message}`, () => daemon.log.find((line) => message.test(line.msg)));
}

/** Connections of the test that runs; a test that fails leaves some open, and they would keep the process alive. */
const opened = new Set<Socket>();

/** Opens a connection. */
export function open(target: Target | string): Promise<Socket> {
  const socket = connect(
    typeof target === "string" ? { path: target } : "port" in target ? target : { path: target.socketPath },
  );
  opened.add(socket);
  socket.once("close", () => opened.delete(socket));
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.removeListener("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** Writes, and waits until it is written. */
export function write(socket: Socket, data: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => socket.write(data, (error) => (error ? reject(error) : resolve())));
}

/** Waits for the end of a connection, and returns what came. */
export function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  return new Promise((resolve) => socket.once("close", () => resolve(Buffer.concat(chunks).toString("latin1"))));
}

/** Pushes text on a connection of its own, and waits until the daemon has closed it, so has taken it. */
export async function push(path: string, text: string | Buffer): Promise<void> {
  const socket = await open(path);
  const closed = readAll(socket);
  socket.end(text);
  await closed;
}

/** An answer. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  text: string;
}

/** Makes a request. */
export function fetchFrom(
  target: Target,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const headers = { connection: "close", ...options.headers };
  const where = "port" in target ? { host: "127.0.0.1", ...target } : target;
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, path, method: options.method ?? "GET", headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const body = Buffer.concat(chunks);
        resolve({ status: response.statusCode!, headers: response.headers, body, text: body.toString("utf8") });
      });
    });
    sent.once("error", reject);
    sent.end(options.body);
  });
}

/** The page as it is now. */
export async function scrape(daemon: Daemon): Promise<string> {
  return (await fetchFrom(daemon.http, "/metrics")).text;
}

/** How many descriptors a process has open. */
export function descriptorCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The resident size of a process, in bytes. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}

/** Many series of about 100 bytes each, as one push. */
export function manySeries(count: number): string {
  const filler = "x".repeat(40);
  let text = "";
  for (let i = 0; i < count; i++) text += `many{instance="host-${i % 100}",filler="${filler}",number="${i}"} ${i}\n`;
  return text;
}
