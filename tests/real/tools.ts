/** Runs the real programs that the tests here are about; nothing is mocked. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { cleanEnv, type Daemon, start, until } from "../e2e/daemon.js";

/** How a program ended, and what it said. */
export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A daemon whose cache holds any of the pages here. */
export function startRoomy(t: TestContext, args: string[] = []): Promise<Daemon> {
  return start(t, { args: ["--cache-size", "1MiB", "--ttl", "never", ...args] });
}

/**
 * Looks for programs in PATH.
 * @returns why a test that needs them is skipped, or false if all are there
 */
export function missing(...programs: string[]): string | false {
  const absent = programs.filter((program) => !isInstalled(program));
  return absent.length > 0 && `not installed: ${absent.join(", ")}`;
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs a program to its end. */
export async function run(program: string, args: string[], input: string | Buffer = ""): Promise<Outcome> {
  const child = spawn(program, args, { env: cleanEnv(), stdio: ["pipe", "pipe", "pipe"] });
  const outcome: Outcome = { status: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    outcome.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    outcome.stderr += text;
  });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  outcome.status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return outcome;
}

/** Runs a program that must succeed, and returns its output. */
export async function succeed(program: string, args: string[], input: string | Buffer = ""): Promise<string> {
  const { status, stdout, stderr } = await run(program, args, input);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: status ${status}: ${stderr}${stdout}`);
  return stdout;
}

/** Pushes with socat, which waits until the daemon has closed the connection. */
export async function socat(socket: string, input: string | Buffer): Promise<void> {
  await succeed("socat", ["-t", "20", "-", `UNIX-CONNECT:${socket}`], input);
}

/** The URL of a path on the daemon. */
export function urlOf(daemon: Daemon, path = "/metrics"): string {
  if (!("port" in daemon.http)) throw new Error("this daemon serves on no port");
  return `http://127.0.0.1:${daemon.http.port}${path}`;
}

/** Reads the daemon's page with curl. */
export function curl(daemon: Daemon, ...args: string[]): Promise<string> {
  return succeed("curl", ["--silent", "--show-error", "--fail", ...args, urlOf(daemon)]);
}

/** Pushes a page with socat, and returns what curl reads then. */
export async function pushAndCurl(daemon: Daemon, page: string, ...args: string[]): Promise<string> {
  await socat(daemon.socket, page);
  return curl(daemon, ...args);
}

/** A program that runs until the test ends. */
export interface Program {
  child: ChildProcess;
  /** What it has written to standard error. */
  log(): string;
}

/**
 * Starts a program that logs to standard error.
 * @param after called when it has ended
 */
export function launch(t: TestContext, program: string, args: string[], after: () => void = () => {}): Program {
  const child = spawn(program, args, { env: cleanEnv(), stdio: ["ignore", "ignore", "pipe"] });
  const exited = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
    after();
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  return { child, log: () => log };
}

/** Waits until a program's log has something; fails with the log if the program ends first. */
export function logHas(program: Program, pattern: RegExp): Promise<RegExpExecArray> {
  return until(`${program.child.spawnfile} logs ${pattern}`, () => {
    const match = pattern.exec(program.log());
    if (match === null && program.child.exitCode !== null) throw new Error(`it ended: ${program.log()}`);
    return match;
  });
}
