// The package as its users get it: packed, unpacked into a folder of their own, imported by name.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../artefact/module.js";
import { programOf } from "../runtimes/tools.js";

let folder: string;

/** Runs a program in the user's folder; it must succeed. */
function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, `${command} ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** Runs a user's module. */
function runModule(source: string): string {
  writeFileSync(join(folder, "user.mjs"), source);
  return run(process.execPath, "user.mjs");
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), "pg-"));
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "push-gateway"), { recursive: true });
  const packed = run("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder, ROOT).trim();
  run("tar", "-xzf", packed, "-C", join(modules, "push-gateway"), "--strip-components=1");
  for (const name of ["@assemblyscript", "commander"])
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("the README's example of the core runs", () => {
  const [, example] = /```js\n(import \{ createCache \}[^`]*)```/.exec(readFileSync(join(ROOT, "README.md"), "utf8"))!;
  const wanted = '# TYPE temperature_celsius gauge\ntemperature_celsius{room="attic"} 21.5\n';
  assert.match(runModule(example!).replace(wanted, "PAGE"), /^PAGE \d+ 1\n$/);
});

for (const [name, found, options] of [
  ["Deno", programOf("DENO", "deno"), ["run", "--node-modules-dir=manual", "--allow-read"]],
  ["Bun", programOf("BUN", "bun"), ["run"]],
] as const) {
  test(`${name} runs the core as it is`, { skip: "missing" in found && found.missing }, () => {
    assert.ok("path" in found);
    const dependencies = { "push-gateway": "*", "@assemblyscript/loader": "*" };
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies }));
    writeFileSync(
      join(folder, "user.mjs"),
      `import { createCache } from "push-gateway/core";
      console.log(createCache().memoryBytes, createCache({ cacheBytes: 65536 }).memoryBytes);`,
    );
    assert.equal(run(found.path, ...options, "user.mjs"), "65536 262144\n");
  });
}

test("both artefacts are found by path, and larger caches take the other one by themselves", () => {
  const printed = runModule(`
    import { readFileSync } from "node:fs";
    import { createCache } from "push-gateway/core";
    for (const name of ["push-gateway.wasm", "push-gateway.imported.wasm"]) {
      const module = readFileSync(new URL(import.meta.resolve("push-gateway/" + name)));
      console.log(createCache({ module }).memoryBytes / 65536, WebAssembly.Module.imports(new WebAssembly.Module(module)).length);
    }
    console.log(createCache({ cacheBytes: 1 << 20 }).gauge("cacheBytes"));`);
  assert.equal(printed, "1 0\n4 1\n1048576\n");
});

test("the core asks for no part of Node.js, and nothing else is exported", () => {
  const host = join(folder, "node_modules", "push-gateway", "build", "host");
  const importsOf = (name: string) =>
    Array.from(readFileSync(join(host, name), "utf8").matchAll(/(?:from|import)\s*\(?"([^"]+)"/g), ([, path]) => path);
  assert.deepEqual([...new Set(importsOf("cache.js"))], ["./core.js"]);
  assert.deepEqual(importsOf("core.js"), ["@assemblyscript/loader"]);
  const refused = 'import("push-gateway/build/host/daemon.js").catch(({ code }) => console.log(code));';
  assert.equal(runModule(refused), "ERR_PACKAGE_PATH_NOT_EXPORTED\n");
});

test("the daemon is there", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  assert.match(run(process.execPath, "node_modules/push-gateway/build/host/main.js", "--version"), new RegExp(version));
});

test("a user's TypeScript compiles against the types alone, strictly, without Node's or a browser's", () => {
  writeFileSync(
    join(folder, "user.ts"),
    `import { type BadLine, BAD_REASONS, type BadReason, type Cache, CacheError, type Connection, createCache } from "push-gateway/core";
    let time = 0;
    const cache: Cache = createCache({ cacheBytes: 10_240, ttlMs: 60_000, whenFull: "reject", timestamps: "keep", now: () => time++ });
    const connection: Connection = cache.connect();
    const bad: BadLine | undefined = connection.write(new Uint8Array(3)) ?? connection.end() ?? cache.push("x 1", { ttlMs: 0 });
    const reason: BadReason | undefined = bad?.reason;
    export const chunks: Uint8Array[] = [...cache.chunks({ openMetrics: true, utf8: true })];
    export const numbers: number[] = [cache.counter("metricsEvicted"), cache.gauge("freeBytes"), cache.badLines(BAD_REASONS[0])];
    export const page: string = cache.render() + reason + (new CacheError("no").option ?? "");
    // @ts-expect-error: there is no such counter
    cache.counter("nothing");
    // @ts-expect-error: made by createCache alone
    new Connection();
    `,
  );
  const options = { strict: true, module: "nodenext", target: "es2022", lib: ["es2022"], types: [], noEmit: true };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["user.ts"] }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  run(process.execPath, join(ROOT, "node_modules", "typescript", "bin", "tsc"), "-p", folder);
});
