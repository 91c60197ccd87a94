// One recorded workload in every runtime on this machine: the same pages, the same numbers, the same bytes of cache.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ROOT } from "../artefact/module.js";
import { CHROMIUM, launch } from "./chromium.js";
import { testGateway } from "./gateway.js";
import { CALLS_FOLDER, record } from "./record.js";
import { BUILD, type Found, goHost, type Host, named, output, programOf, pythonHost, rustHost } from "./tools.js";
import { assertSame, largestNumbers, lastState, type Piece, piecesOf } from "./written.js";

const ONE_PAGE = "push-gateway.wasm";
const IMPORTED = "push-gateway.imported.wasm";

/** A script on an artefact. */
interface Play {
  readonly artefact: typeof ONE_PAGE | typeof IMPORTED;
  readonly script: string;
}

const PLAYS: readonly Play[] = [
  { artefact: ONE_PAGE, script: "cases.calls" },
  { artefact: ONE_PAGE, script: "workload-10KiB.calls" },
  { artefact: IMPORTED, script: "cases.calls" },
  { artefact: IMPORTED, script: "workload-10KiB.calls" },
  { artefact: IMPORTED, script: "workload-64KiB.calls" },
];
const WRITTEN_LIMIT_BYTES = 64 * 1024 * 1024;
/** The page of the browser's player: the built files as they are. Its requests are answered from this folder. */
const ORIGIN = "http://runtimes.test";
const PAGE = `<!doctype html><script type="importmap">{"imports": {
  "player": "/build/tests/runtimes/play.js",
  "@assemblyscript/loader": "/node_modules/@assemblyscript/loader/index.js"
}}</script>`;

const nodePlayer = join(BUILD, "tests", "runtimes", "node.js");
const pathsOf = ({ artefact, script }: Play): string[] => [join(BUILD, artefact), join(CALLS_FOLDER, script)];

/** Runs a player. */
function play(command: readonly string[], args: readonly string[]): Piece[] {
  const [path = "", ...more] = command;
  const { status, stdout, stderr } = spawnSync(path, [...more, ...args], { maxBuffer: WRITTEN_LIMIT_BYTES });
  assert.equal(status, 0, `${path}: ${stderr}`);
  return piecesOf(stdout);
}

const expected = new Map<Play, Piece[]>();
before(() => {
  record();
  for (const each of PLAYS) expected.set(each, play([process.execPath, nodePlayer], pathsOf(each)));
});

/** A test for each play, or one that is skipped and says why. */
function runtime(name: string, found: Found | Host, run: (each: Play) => Piece[] | Promise<Piece[]>): void {
  if ("missing" in found) {
    test(`${name} plays the recorded calls`, { skip: found.missing }, () => {});
    return;
  }
  for (const each of PLAYS) {
    test(`${name} plays ${each.script} on ${each.artefact} as Node.js does`, async () => {
      assertSame(await run(each), expected.get(each)!, name);
    });
  }
}

/** A runtime for JavaScript, which runs the package's core as it is. */
function javaScript(name: string, found: Found, options: readonly string[] = []): void {
  const path = "missing" in found ? "" : found.path;
  const [version = ""] = /\d[.\d]+/.exec(path && output(path, ["--version"])) ?? [];
  runtime(`${name} ${version}`.trim(), found, (each) => play([path, ...options, nodePlayer], pathsOf(each)));
}

/** A host of runtimes/, and the gateway made of it. */
function host(name: string, found: Host): void {
  const { player, version } = "missing" in found ? { player: [], version: "" } : found;
  runtime(`${name} ${version}`.trim(), found, (each) => play(player, pathsOf(each)));
  testGateway(name, found);
}

test("the workload does what it is for", (t) => {
  for (const each of PLAYS.filter(({ script }) => script.startsWith("workload"))) {
    const pieces = expected.get(each)!;
    const numbers = largestNumbers(pieces);
    for (const index of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12]) assert.ok(numbers[index]! > 0, `counter ${index} is 0`);
    assert.ok(numbers.slice(13, 29).filter((count) => count > 0).length >= 12, "bad lines for twelve reasons");
    t.diagnostic(`${each.script} on ${each.artefact}: SHA-256 of the cache ${lastState(pieces)}`);
  }
});

javaScript("Node.js", { path: process.execPath });
for (const variable of ["NODE20", "NODE22", "NODE24"]) javaScript("Node.js", named(variable, `${variable} is not set`));
javaScript("Deno", programOf("DENO", "deno"), ["run", "--allow-read"]);
javaScript("Bun", programOf("BUN", "bun"));
host("Go, wazero", goHost());
host("Python, wasmtime", pythonHost());
host("Rust, wasmi", rustHost());

/** Natively, each artefact has a player of its own, and the script is all that it is given. */
const native = { [ONE_PAGE]: join(BUILD, "native", "player"), [IMPORTED]: join(BUILD, "native", "player-wide") };
const built = Object.values(native).every((player) => existsSync(player));
runtime(
  "native",
  built ? { path: native[ONE_PAGE] } : { missing: "npm run build:native was not run" },
  ({ artefact, script }) => play([native[artefact]!], [join(CALLS_FOLDER, script)]),
);

describe("in the browser", () => {
  let browser: Browser;
  let page: Page;
  before(async () => {
    if ("missing" in CHROMIUM) return;
    browser = await launch();
    page = await browser.newPage();
    await page.route(`${ORIGIN}/**`, (route) => {
      const { pathname } = new URL(route.request().url());
      return pathname === "/"
        ? route.fulfill({ contentType: "text/html", body: PAGE })
        : route.fulfill({ path: join(ROOT, pathname) });
    });
    await page.goto(`${ORIGIN}/`);
  });
  after(() => browser?.close());

  const name = "missing" in CHROMIUM ? "Chromium" : output(CHROMIUM.path, ["--version"]).replace(/ built on.*/, "");
  runtime(name, CHROMIUM, async ({ artefact, script }) => {
    const module = readFileSync(join(BUILD, artefact)).toString("base64");
    const calls = readFileSync(join(CALLS_FOLDER, script), "ascii");
    return piecesOf(Buffer.from(await page.evaluate(playInPage, [calls, module] as const), "base64"));
  });
});

/** Runs in the page. Bytes come and go as base64. */
async function playInPage([calls, module]: readonly [string, string]): Promise<string> {
  const { play } = await import("player" as string);
  const written: Uint8Array = play(
    calls,
    Uint8Array.from(atob(module), (character) => character.charCodeAt(0)),
  );
  let binary = "";
  for (let at = 0; at < written.length; at += 8192) {
    binary += String.fromCharCode(...written.subarray(at, at + 8192));
  }
  return btoa(binary);
}
