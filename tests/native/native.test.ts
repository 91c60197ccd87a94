// The native programs: each build plays the recorded calls as Node.js does, and says what the Node host says. Builds for
// other processors run under QEMU. Their behaviour as daemons is held by tests/e2e, with GATEWAY=native.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { before, describe, type TestContext, test } from "node:test";
import { negotiateFormat } from "../../host/negotiate.js";
import { ROOT } from "../artefact/module.js";
import { cleanEnv, createFolder, fetchFrom, push, until } from "../e2e/daemon.js";
import { CALLS_FOLDER, record } from "../runtimes/record.js";
import { BUILD, program } from "../runtimes/tools.js";
import { assertSame, piecesOf } from "../runtimes/written.js";

/** One build of the two programs. */
interface Build {
  readonly name: string;
  readonly folder: string;
  /** The --target that it was built for; undefined: none, it is for this machine. */
  readonly target?: string;
  /** What runs it, if this machine cannot. */
  readonly emulator?: string;
}

const NATIVE = join(BUILD, "native");

/** A build by --target; an emulator runs it unless this machine is what Node.js calls so. */
function targetBuild(target: string, arch: string, emulator: string): Build {
  const build = { name: target, folder: join(NATIVE, target), target };
  return process.arch === arch ? build : { ...build, emulator };
}

const BUILDS: readonly Build[] = [
  { name: "this machine", folder: NATIVE },
  targetBuild("x86-64", "x64", "qemu-x86_64-static"),
  targetBuild("aarch64", "arm64", "qemu-aarch64-static"),
  targetBuild("armv7", "arm", "qemu-arm-static"),
  targetBuild("riscv64", "riscv64", "qemu-riscv64-static"),
];
const ARTEFACTS = [
  { artefact: "push-gateway.wasm", suffix: "", scripts: ["cases", "workload-10KiB"] },
  {
    artefact: "push-gateway.imported.wasm",
    suffix: "-wide",
    scripts: ["cases", "workload-10KiB", "workload-64KiB"],
  },
];
const NODE_GATEWAY = [process.execPath, join(BUILD, "host", "main.js")];
const GATEWAY = [join(NATIVE, "push-gateway")];
/** Of the program for devices, whatever their processor, and of the other one for this machine. */
const SIZE_LIMIT_BYTES = 96 * 1024;
const WRITTEN_LIMIT_BYTES = 64 * 1024 * 1024;
const NOT_BUILT = "npm run build:native was not run";

/** Why a build cannot be tested; false if it can. */
function skipped({ folder, target, emulator }: Build): string | false {
  if (!existsSync(join(folder, "push-gateway-wide"))) {
    return target === undefined ? NOT_BUILT : `npm run build:native -- --target ${target} was not run`;
  }
  const found = emulator === undefined ? undefined : program(emulator);
  return found !== undefined && "missing" in found ? found.missing : false;
}

function commandOf({ folder, emulator }: Build, name: string): string[] {
  return [...(emulator === undefined ? [] : [emulator]), join(folder, name)];
}

function run([path = "", ...args]: readonly string[]): Buffer {
  const { status, stdout, stderr } = spawnSync(path, args, { maxBuffer: WRITTEN_LIMIT_BYTES });
  assert.equal(status, 0, `${path}: ${stderr}`);
  return stdout;
}

/** Starts a program and waits until it has said that it serves. */
async function serve(
  t: TestContext,
  command: readonly string[],
  folder: string,
  env = {},
): Promise<() => Promise<void>> {
  const [path = "", ...args] = command;
  const paths = ["--socket", join(folder, "push.sock"), "--listen", `unix:${join(folder, "http.sock")}`];
  const child = spawn(path, [...args, ...paths], { stdio: ["ignore", "ignore", "pipe"], env: cleanEnv(env) });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stderr!, "data");
  return async () => {
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  };
}

before(record);

for (const build of BUILDS) {
  describe(`native, ${build.name}`, { skip: skipped(build) }, () => {
    for (const { artefact, suffix, scripts } of ARTEFACTS) {
      for (const script of scripts) {
        test(`17 · plays ${script} on ${artefact} as Node.js does`, () => {
          const calls = join(CALLS_FOLDER, `${script}.calls`);
          const expected = run([process.execPath, join(BUILD, "tests/runtimes/node.js"), join(BUILD, artefact), calls]);
          const got = run([...commandOf(build, `player${suffix}`), calls]);
          assertSame(piecesOf(got), piecesOf(expected), build.name);
        });
      }
      test(`the size of push-gateway${suffix}`, (t) => {
        const { size } = statSync(join(build.folder, `push-gateway${suffix}`));
        t.diagnostic(`push-gateway${suffix} for ${build.name}: ${size} bytes`);
        if (suffix === "" || build.target === undefined) assert.ok(size <= SIZE_LIMIT_BYTES, `${size} bytes`);
      });
      test(`push-gateway${suffix} takes a push and serves it`, async (t) => {
        const folder = createFolder(t);
        const size = suffix === "" ? "10KiB" : "1MiB";
        const stop = await serve(t, [...commandOf(build, `push-gateway${suffix}`), "--cache-size", size], folder);
        await push(join(folder, "push.sock"), '# TYPE served counter\nserved_total{by="emulator"} 42\n');
        const answer = await fetchFrom({ socketPath: join(folder, "http.sock") }, "/metrics");
        assert.equal(answer.text, '# TYPE served_total counter\nserved_total{by="emulator"} 42\n');
        await stop();
      });
    }
  });
}

for (const [module, ...defines] of [["narrow"], ["wide", "-DWIDE"]] as const) {
  const skip = skipped(BUILDS[0]!) || missing("cc");
  test(`16 · every access outside the memory of the ${module} module traps, and none inside`, { skip }, (t) => {
    const bounds = join(createFolder(t), "bounds");
    const sources = ["-I", join(ROOT, "runtimes", "native"), "-I", NATIVE, join(ROOT, "tests", "native", "bounds.c")];
    const about = [`-DMODULE=${module}`, `-DSOURCE="${module}.c"`, ...defines];
    run(["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-w", ...about, ...sources, "-o", bounds, "-lm"]);
    assert.equal(run([bounds]).toString(), "");
  });
}

describe("native and Node.js", { skip: skipped(BUILDS[0]!) }, () => {
  /** How a gateway ends when it is not to serve. */
  const ends = ([path = "", ...args]: readonly string[], more: readonly string[], env = {}) => {
    const { status, stdout, stderr } = spawnSync(path, [...args, ...more], { encoding: "utf8", env: cleanEnv(env) });
    return { status, stdout, stderr };
  };

  test("26 · say the same of bad options, with the same status", () => {
    const cases: [string[], Record<string, string>?][] = [
      [["--cache-size", "lots"]],
      [["--cache-size", "1.0001KiB"]],
      [["--cache-size", "100"]],
      [["--cache-size", "2GiB"]],
      [["--cache-size=1e3"]],
      [["--ttl", "60"]],
      [["--ttl", "1 m"]],
      [["--ttl", "100d"]],
      [["--ttl", ""]],
      [["--idle-timeout", "25d"]],
      [["--when-full", "explode"]],
      [["--timestamps", "Drop"]],
      [["--max-line", "15"]],
      [["--max-line", "1MiB"]],
      [["--max-line", "2MiB"]],
      [["--socket-mode", "888"]],
      [["--socket-mode", "01660"]],
      [["--socket", `/${"x".repeat(107)}`]],
      [["--socket", `/${"ü".repeat(200)}`]],
      [["--socket", ""]],
      [["--socket", "/run/"]],
      [["--listen", "unix:"]],
      [["--listen", "localhost"]],
      [["--listen", "::1:9091"]],
      [["--listen", "localhost:70000"]],
      [["--listen", 'a"b\\c\n:1']],
      [["--max-connections", "0"]],
      [["--max-scrapes", "1.5"]],
      [["--header-timeout", "never"]],
      [["--log-level", "loud"]],
      [["--log-format", "xml"]],
      [["--no-such-option"]],
      [["-x"]],
      [["--ttl"]],
      [["stray"]],
      [["--", "--ttl", "stray"]],
      [[], { PUSH_GATEWAY_TTL: " soon " }],
      [[], { PUSH_GATEWAY_SOCKET: " , " }],
      [[], { PUSH_GATEWAY_LISTEN: ":1,:x" }],
      [[], { PUSH_GATEWAY_LISTEN: " :1 , unix:/x/ " }],
      [[], { PUSH_GATEWAY_SOCKET: "/tmp/a.sock,," }],
    ];
    for (const [args, env] of cases) {
      const expected = ends(NODE_GATEWAY, args, env);
      assert.equal(expected.status, 2, `${args}`);
      // Node.js cuts a long value by characters, the native gateway by bytes.
      if (args.some((text) => text.includes("üü"))) assert.equal(ends(GATEWAY, args, env).status, 2);
      else assert.deepEqual(ends(GATEWAY, args, env), expected, `${args} ${JSON.stringify(env ?? {})}`);
    }
  });

  test("26 · have the same options, descriptions and defaults; 64 push connections is native's own", () => {
    const optionsOf = (gateway: readonly string[]): string[] => {
      const { stdout } = ends(gateway, ["--help"]);
      const text = stdout.replace(/\s+/g, " ");
      return [...text.matchAll(/--([a-z-]+ <[a-z]+> .*?, env: [A-Z_]+\))/g)].map(([, option = ""]) => option);
    };
    const expected = optionsOf(NODE_GATEWAY).map((option) =>
      option.startsWith("max-connections") ? option.replace("default: 1024", "default: 64") : option,
    );
    assert.ok(expected.length >= 18);
    assert.deepEqual(optionsOf(GATEWAY), expected);
    assert.deepEqual(ends(GATEWAY, ["--version"]), ends(NODE_GATEWAY, ["--version"]));
  });

  test("21 · negotiate the same formats", async (t) => {
    const om = "application/openmetrics-text";
    const folder = createFolder(t);
    const stop = await serve(t, GATEWAY, folder);
    for (const accept of [
      "",
      "*/*",
      "text/*",
      "application/json",
      om,
      `${om};version=1.0.0`,
      `${om}; version="1.0.0"`,
      `${om};version=0.0.1`,
      `${om};version=2.0.0`,
      `${om.toUpperCase()};VERSION=1.0.0`,
      `${om};q=0.4,text/plain;q=0.5`,
      `${om};q=0.5,text/plain;q=0.5`,
      `text/plain;q=0.5,${om};q=0.5`,
      `*/*,${om}`,
      `*/*;q=0.9,${om};q=0.8`,
      `text/plain;q=.25,${om};q=0.250001`,
      `${om};q=0`,
      `${om};q=0.000,*/*`,
      `${om};q=bad,text/plain;q=0.9`,
      `${om};q=1.5,text/plain;q=0.9`,
      `text/plain;version=9,${om};q=0.1`,
      `${om};version=1.0.0;escaping=allow-utf-8`,
      `${om};version=1.0.0;escaping=values`,
      `${om};version=1.0.0;escaping=underscores`,
      `${om};version=1.0.0;escaping=whatever`,
      "text/plain;version=0.0.4;escaping=allow-utf-8",
      `${om};q=0.1;escaping=allow-utf-8,text/plain`,
      ",;,=;q=,/",
    ]) {
      const { headers } = await fetchFrom({ socketPath: join(folder, "http.sock") }, "/metrics", {
        headers: { accept },
      });
      assert.equal(headers["content-type"], negotiateFormat(accept).contentType, accept);
    }
    await stop();
  });

  test("32 · systemd is told of the start and the stop", { skip: missing("socat") }, async (t) => {
    const folder = createFolder(t);
    const path = join(folder, "notify.sock");
    const receiver = spawn("socat", ["-u", `UNIX-RECV:${path}`, "STDOUT"], { stdio: ["ignore", "pipe", "ignore"] });
    t.after(() => receiver.kill("SIGKILL"));
    let told = "";
    receiver.stdout!.setEncoding("utf8").on("data", (text: string) => {
      told += text;
    });
    await until("socat listens", () => existsSync(path));
    const stop = await serve(t, GATEWAY, folder, { NOTIFY_SOCKET: path });
    await until("it is ready", () => told === "READY=1");
    await stop();
    await until("it stops", () => told === "READY=1STOPPING=1");
  });

  test("14 · memory: what is resident and what is reserved", async (t) => {
    const folder = createFolder(t);
    const [path = ""] = GATEWAY;
    const child = spawn(path, ["--socket", join(folder, "push.sock"), "--listen", `unix:${join(folder, "http.sock")}`]);
    t.after(() => child.kill("SIGKILL"));
    await once(child.stderr, "data");
    for (let i = 0; i < 100; i++) await push(join(folder, "push.sock"), `series{number="${i}"} ${i}\n`);
    await fetchFrom({ socketPath: join(folder, "http.sock") }, "/metrics");
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    const kibOf = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)![1]);
    t.diagnostic(`resident ${kibOf("VmRSS")} KiB, reserved ${kibOf("VmSize")} KiB`);
    assert.ok(kibOf("VmRSS") <= 256);
    assert.ok(kibOf("VmSize") < 2048);
  });
});

function missing(name: string): string | false {
  const found = program(name);
  return "missing" in found ? found.missing : false;
}
