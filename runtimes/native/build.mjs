// npm run build:native [-- --target aarch64|armv7|riscv64|x86-64] [-- --sanitize]: translates the two modules to C, and
// compiles the gateway and the player of recorded calls, one of each for each module, into build/native/, for another
// target into build/native/<target>/. With --sanitize: as Clang's sanitizers want them, with the fuzzers, into
// build/native/sanitized/.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const SOURCES = join("runtimes", "native");

/** The triples that Zig knows the targets by; it has a musl for each. */
const TARGETS = {
  "x86-64": "x86_64-linux-musl",
  aarch64: "aarch64-linux-musl",
  armv7: "thumb-linux-musleabihf",
  riscv64: "riscv64-linux-musl",
};
/** The two programs: which artefact is in each, and what tells core.c so. */
const PROGRAMS = [
  { suffix: "", module: "narrow", artefact: "push-gateway.wasm", defines: [] },
  { suffix: "-wide", module: "wide", artefact: "push-gateway.imported.wasm", defines: ["-DWIDE"] },
];
const GATEWAY = [
  "program",
  "text",
  "log",
  "options",
  "loop",
  "sockets",
  "sniff",
  "push",
  "accept",
  "http",
  "pages",
  "reply",
  "scrape",
  "main",
];
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const COMMON = ["-std=c11", "-D_GNU_SOURCE", `-DVERSION="${version}"`, `-I${SOURCES}`, "-Wall", "-Wextra", "-Werror"];
/** Small above all: what is not needed is not linked, and nothing unwinds. */
const SMALL = [
  "-Os",
  "-ffunction-sections",
  "-fdata-sections",
  "-fno-asynchronous-unwind-tables",
  "-fno-unwind-tables",
  "-fno-math-errno",
  "-fno-pie",
];
/**
 * The module is where the time goes: GCC optimizes it for speed, without what makes it larger and hardly faster. From an
 * access it must not conclude that the check before it was needless: what ends a loop may be the check alone.
 */
const FAST = [
  "-O2",
  "-fno-aggressive-loop-optimizations",
  "-fno-align-functions",
  "-fno-align-jumps",
  "-fno-align-loops",
  "-fno-inline-small-functions",
  "-fno-reorder-blocks-and-partition",
  "-freorder-blocks-algorithm=simple",
  "-fno-tree-pre",
];
const SANITIZE = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

const { values } = parseArgs({ options: { target: { type: "string" }, sanitize: { type: "boolean" } } });
const folder = join("build", "native", values.sanitize ? "sanitized" : (values.target ?? ""));
mkdirSync(join(root, folder), { recursive: true });
const compiler = values.sanitize ? ["clang"] : compilerFor(values.target);
/** Zig makes -Os of Clang's -Oz, which is a tenth smaller and no slower to speak of. */
if (compiler.includes("ziglang")) SMALL.push("-Xclang", "-Oz");
/** Optimized as a whole. For RISC-V, Zig's linker refuses that: its own objects name the ABI in another way. */
if (values.target !== "riscv64") SMALL.push("-flto");
const LINK_SMALL = [...SMALL, "-static", "-no-pie", "-s", "-Wl,--gc-sections"];
/**
 * What GCC may do more when it sees all of a program; Clang's linker does it unasked. And what is constant may lie in the
 * pages of code, what only the start writes in those of data: a page for each kind would be 8 KiB of memory. Nor is there
 * room lost between large variables and small ones.
 */
if (compiler[0] === "musl-gcc") {
  LINK_SMALL.push("-fwhole-program", "-flto=auto", "-Wl,-z,noseparate-code,-z,norelro,--sort-section=alignment");
}
translate();
if (values.sanitize) buildSanitized();
else build();

/** Ends the build with a line. */
function fail(message) {
  console.error(`build:native: ${message}`);
  process.exit(1);
}

/** Whether a command runs. */
function runs(command, ...args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** Runs a command; a failure ends the build. */
function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (error !== undefined) fail(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** For this machine musl-gcc, for others Zig. */
function compilerFor(target) {
  if (target === undefined && runs("musl-gcc", "--version")) return ["musl-gcc"];
  if (target === undefined) fail("musl-gcc is not installed (Debian's package is musl-tools)");
  if (TARGETS[target] === undefined) fail(`--target is one of ${Object.keys(TARGETS).join(", ")}`);
  const python = process.env.PYTHON ?? "python3";
  if (!runs(python, "-m", "ziglang", "version")) fail(`other targets need Zig: ${python} -m pip install ziglang`);
  return [python, "-m", "ziglang", "cc", "-target", TARGETS[target]];
}

/** Writes the two modules as C. */
function translate() {
  const wasm2c = join("node_modules", "wabt", "bin", "wasm2c");
  for (const { module, artefact } of PROGRAMS) {
    const source = join(folder, `${module}.c`);
    run(process.execPath, wasm2c, join("build", artefact), "-n", module, "-o", source);
    adapt(join(root, source));
  }
}

/**
 * Has the generated code do otherwise what wasm-rt.h does better for a memory that neither moves nor grows: it asks for
 * bounds and addresses. And it does not force loads whose result is not used, as guard pages need it.
 */
function adapt(path) {
  let code = readFileSync(path, "utf8");
  for (const [theirs, ours] of [
    ["UNLIKELY(a + (uint64_t)sizeof(t) > mem->size)", "UNLIKELY(WASM_RT_IS_OUTSIDE(a, sizeof(t)))"],
    ["UNLIKELY(res > (mem)->size)", "UNLIKELY(WASM_RT_IS_OUTSIDE(res, 0))"],
    ["&((mem)->data[addr])", "&wasm_rt_bytes[addr]"],
    ["#ifdef __GNUC__\n#define FORCE_READ_INT", "#if WASM_RT_MEMCHECK_GUARD_PAGES\n#define FORCE_READ_INT"],
  ]) {
    const parts = code.split(theirs);
    if (parts.length !== 2) fail(`wasm2c writes this in another way: ${theirs}`);
    code = parts.join(ours);
  }
  writeFileSync(path, code);
}

/** Compiles a source to an object with a name of its own. */
function compile(flags, source, name = source) {
  const object = join(folder, `${name}.o`);
  run(...compiler, ...COMMON, ...flags, "-c", "-o", object, join(SOURCES, `${source}.c`));
  return object;
}

/** Compiles core.c around a module. The generated code is not held to our warnings. */
function compileCore(flags, { module, defines }) {
  const about = [`-I${folder}`, `-DMODULE=${module}`, `-DSOURCE="${module}.c"`, ...defines];
  return compile([...flags, "-w", ...about], "core", module);
}

/** The programs as they are shipped, and their players. */
function build() {
  const gateway = GATEWAY.map((name) => compile(SMALL, name));
  const player = compile(SMALL, "player");
  for (const program of PROGRAMS) {
    const core = compileCore(compiler[0] === "musl-gcc" ? [...SMALL, ...FAST] : SMALL, program);
    for (const [name, objects] of [
      ["push-gateway", gateway],
      ["player", [player]],
    ]) {
      run(...compiler, ...LINK_SMALL, "-o", join(folder, name + program.suffix), ...objects, core, "-lm");
    }
    const file = join(folder, `push-gateway${program.suffix}`);
    console.log(`${file}: ${statSync(join(root, file)).size} bytes`);
  }
}

/** The programs under the sanitizers, and the fuzzer of what is parsed by hand. */
function buildSanitized() {
  const gateway = GATEWAY.map((name) => compile(SANITIZE, name));
  // The generated code has its own bounds checks, in a memory that the sanitizers know nothing of.
  const plain = ["-O1", "-g"];
  for (const program of PROGRAMS) {
    const output = join(folder, `push-gateway${program.suffix}`);
    run(...compiler, ...SANITIZE, "-o", output, ...gateway, compileCore(plain, program), "-lm");
  }
  const fuzzed = ["text", "sniff", "accept", "http", "fuzz"];
  const fuzzing = [...SANITIZE, "-fsanitize=fuzzer"];
  run(
    ...compiler,
    ...fuzzing,
    "-o",
    join(folder, "fuzz"),
    ...fuzzed.map((name) => compile(fuzzing, name, `${name}.fuzz`)),
  );
}
