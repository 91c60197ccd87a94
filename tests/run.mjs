// npm test: compiles the tests, runs the core's with as-pect in both layouts, all others with node:test, and says what
// it left out.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name) => join(root, "node_modules", ".bin", name);

/** Runs a command; its output is shown, and returned where it is asked for. A failure ends the run. */
function run(command, args, capture = false, env = {}) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: capture ? ["ignore", "pipe", "inherit"] : "inherit",
    encoding: "utf8",
  });
  if (capture) process.stdout.write(stdout);
  if (status !== 0) process.exit(status ?? 1);
  return stdout;
}

/** Whether a program is in the PATH. */
function has(program) {
  return process.env.PATH.split(delimiter).some((folder) => {
    try {
      return readdirSync(folder).includes(program);
    } catch {
      return false;
    }
  });
}

/** All compiled tests, and those of the benches, which need no compiling. */
function tests() {
  const folder = join(root, "build", "tests");
  const compiled = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => join(folder, name))
    .sort();
  return [...compiled, join(root, "tests", "bench", "bench.test.mjs")];
}

run(bin("tsc"), ["-p", "tests/tsconfig.json"]);
for (const layout of ["asconfig.json", "asconfig.wide.json"]) {
  const config = ["--config", "tests/core/as-pect.config.js", "--as-config", `tests/core/${layout}`];
  console.log(`the core's tests, built by ${layout}:`);
  const core = run(bin("asp"), config, true);
  // As-pect also passes when it finds no tests.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: its output is always coloured.
  const counts = core.replace(/\u001b\[[0-9;]*m/g, "").match(/\[Tests\]:\s*(\d+)\s*\/\s*(\d+)/);
  if (counts === null || counts[1] !== counts[2] || Number(counts[2]) < 20) {
    console.error(`as-pect did not run the core's tests of ${layout}`);
    process.exit(1);
  }
}
const programs = [
  "prometheus",
  "promtool",
  "prometheus-node-exporter",
  "prometheus-pushgateway",
  "socat",
  "curl",
  "cc",
  "musl-gcc",
  "chromium",
  "go",
  "cargo",
];
for (const program of programs) {
  if (!has(program)) console.log(`left out: the tests that need ${program}, which is not installed`);
}
if (has("musl-gcc")) {
  console.log("the native gateway:");
  run(process.execPath, [join("runtimes", "native", "build.mjs")]);
  const suite = tests().filter((path) => dirname(path) === join(root, "build", "tests", "e2e"));
  run(process.execPath, ["--test", "--test-reporter=spec", ...suite], false, { GATEWAY: "native" });
}
run(process.execPath, ["--test", "--test-reporter=spec", ...tests()]);
