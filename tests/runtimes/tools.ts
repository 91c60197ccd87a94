// Finds and builds what runs the module elsewhere. What is missing is said in a few words, for the test that is skipped.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ROOT } from "../artefact/module.js";

interface Missing {
  readonly missing: string;
}

/** A program's path, or why there is none. */
export type Found = { readonly path: string } | Missing;

/** What was built of a host: its gateway and its player, as commands, and its engine's version; or why not. */
export type Host =
  | { readonly gateway: readonly string[]; readonly player: readonly string[]; readonly version: string }
  | Missing;

export const BUILD = join(ROOT, "build");
const OUTPUT = join(BUILD, "runtimes");
const BUILD_LIMIT_MS = 900_000;

/** @returns the first of the names that is in the PATH */
export function program(...names: readonly string[]): Found {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const path = paths.find((each) => existsSync(each));
  return path === undefined ? { missing: `${names.join(" or ")} is not installed` } : { path };
}

/** @returns the program whose path an environment variable has */
export function named(variable: string, missing: string): Found {
  const path = process.env[variable];
  return path === undefined ? { missing } : { path };
}

/** @returns the program whose path an environment variable has, else the one in the PATH */
export function programOf(variable: string, name: string): Found {
  const found = named(variable, "");
  return "missing" in found ? program(name) : found;
}

/** runtimes/go, built with its modules fetched. */
export function goHost(): Host {
  const go = program("go");
  const folder = join(ROOT, "runtimes", "go");
  if ("missing" in go) return go;
  if (!runs(go.path, ["mod", "download"], folder)) return { missing: "the Go modules cannot be fetched" };
  output(go.path, ["build", "-o", `${OUTPUT}/go/`, "./cmd/..."], folder);
  const version = output(go.path, ["list", "-m", "-f", "{{.Version}}", "github.com/tetratelabs/wazero"], folder);
  return { gateway: [join(OUTPUT, "go", "push-gateway")], player: [join(OUTPUT, "go", "play")], version };
}

/** runtimes/rust, built with its crates fetched. */
export function rustHost(): Host {
  const cargo = program("cargo");
  const folder = join(ROOT, "runtimes", "rust");
  if ("missing" in cargo) return cargo;
  if (!runs(cargo.path, ["fetch", "--locked"], folder)) return { missing: "the crates cannot be fetched" };
  const target = join(OUTPUT, "rust");
  output(cargo.path, ["build", "--release", "--locked", "--bins", "--examples", "--target-dir", target], folder);
  const release = join(target, "release");
  const [, version = ""] = output(cargo.path, ["pkgid", "wasmi"], folder).split("@");
  return { gateway: [join(release, "push-gateway")], player: [join(release, "examples", "play")], version };
}

/** runtimes/python, with the interpreter that PYTHON names or python3. */
export function pythonHost(): Host {
  const python = programOf("PYTHON", "python3");
  const folder = join(ROOT, "runtimes", "python");
  if ("missing" in python) return python;
  if (!runs(python.path, ["-c", "import wasmtime"], folder)) return { missing: "Python has no wasmtime" };
  const command = (file: string) => [python.path, "-B", join(folder, file)];
  const version = output(
    python.path,
    ["-c", "from importlib.metadata import version; print(version('wasmtime'))"],
    folder,
  );
  return { gateway: command("gateway.py"), player: command("play.py"), version };
}

function runs(command: string, args: readonly string[], folder: string): boolean {
  return spawnSync(command, args, { cwd: folder, stdio: "ignore", timeout: BUILD_LIMIT_MS }).status === 0;
}

/** What a command prints; it must succeed. */
export function output(command: string, args: readonly string[], folder = ROOT): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: "utf8",
    timeout: BUILD_LIMIT_MS,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}
