import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** The folder of the sources, found from the built test or from the source. */
function hostFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== "/"; folder = dirname(folder)) {
    if (existsSync(join(folder, "host", "main.ts"))) return join(folder, "host");
  }
  throw new Error("there is no host/");
}

/** What each file may import of the others; the ranks run one way. */
const RANKS: readonly (readonly string[])[] = [
  ["errors"],
  ["options"],
  ["log", "activation", "sniff", "source", "gate", "cli"],
  ["core", "sockets"],
  ["cache", "negotiate", "pages"],
  ["ingest", "scrape"],
  ["daemon"],
  ["main"],
];
const FILE_LIMIT_LINES = 400;

test("the house: imports of the host run one way, and each file is in its place", () => {
  const folder = hostFolder();
  const files = readdirSync(folder).map((name) => name.replace(/\.ts$/, ""));
  const rankOf = (name: string): number => RANKS.findIndex((rank) => rank.includes(name));
  for (const file of files) {
    assert.ok(rankOf(file) >= 0, `${file} has no place`);
    const source = readFileSync(join(folder, `${file}.ts`), "utf8");
    for (const [, path] of source.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)) {
      const imported = path!.replace(/^\.\//, "").replace(/\.js$/, "");
      assert.ok(rankOf(imported) >= 0, `${file} imports ${path}`);
      assert.ok(rankOf(imported) < rankOf(file), `${file} imports ${imported}`);
    }
    assert.ok(source.split("\n").length <= FILE_LIMIT_LINES, `${file} is too long`);
  }
});

test("the house: core.ts alone knows WebAssembly", () => {
  const folder = hostFolder();
  for (const name of readdirSync(folder)) {
    if (name === "core.ts") continue;
    const code = readFileSync(join(folder, name), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    assert.doesNotMatch(code, /WebAssembly|@assemblyscript|\.wasm/, name);
  }
});
