import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createFolder, fetchFrom, push, run, scrape, start } from "./daemon.js";

test("26: with no address given it serves on the defaults of its environment", async (t) => {
  const folder = createFolder(t);
  const daemon = await start(t, {
    bare: true,
    env: { RUNTIME_DIRECTORY: folder, PUSH_GATEWAY_LISTEN: "127.0.0.1:0" },
  });
  assert.equal(daemon.socket, join(folder, "push-gateway.sock"));
  await push(daemon.socket, "served 1\n");
  assert.match(await scrape(daemon), /^served 1$/m);
});

test("26: every option has a variable, and lists have commas", async (t) => {
  const folder = createFolder(t);
  const sockets = [join(folder, "a.sock"), join(folder, "b.sock")];
  const daemon = await start(t, {
    bare: true,
    env: {
      PUSH_GATEWAY_SOCKET: sockets.join(" , "),
      PUSH_GATEWAY_LISTEN: `127.0.0.1:0,unix:${join(folder, "http.sock")}`,
      PUSH_GATEWAY_SOCKET_MODE: "0600",
      PUSH_GATEWAY_CACHE_SIZE: "12KiB",
      PUSH_GATEWAY_TTL: "24h",
    },
  });
  await push(sockets[0]!, "first 1\n");
  await push(sockets[1]!, "second 2\n");
  const page = (await fetchFrom({ socketPath: join(folder, "http.sock") }, "/metrics")).text;
  assert.match(page, /^first 1$/m);
  assert.match(page, /^second 2$/m);
  for (const path of sockets) assert.equal(statSync(path).mode & 0o777, 0o600);
  const started = daemon.log.find((line) => line.msg === "started")!;
  assert.equal(started.cache, "12KiB");
  assert.equal(started.ttl, "1d");
});

test("26: an argument beats its variable, and an empty variable is none", async (t) => {
  const daemon = await start(t, {
    args: ["--ttl", "5m"],
    env: { PUSH_GATEWAY_TTL: "1h", PUSH_GATEWAY_CACHE_SIZE: "" },
  });
  const started = daemon.log.find((line) => line.msg === "started")!;
  assert.equal(started.ttl, "5m");
  assert.equal(started.cache, "10KiB");
});

test("26: a bad value is one line that names the option, and exit status 2", async (t) => {
  const long = `/${"x".repeat(107)}`;
  const cases: [string[], Record<string, string>, RegExp][] = [
    [["--cache-size", "lots"], {}, /--cache-size: "lots"/],
    [["--cache-size", "100"], {}, /--cache-size: .*out of range/],
    [["--cache-size", "2GiB"], {}, /--cache-size: .*out of range/],
    [["--ttl", "60"], {}, /--ttl: "60"/],
    [["--ttl", "100d"], {}, /--ttl: .*too long/],
    [["--when-full", "explode"], {}, /--when-full: .*evict, reject/],
    [["--timestamps", "x"], {}, /--timestamps: .*drop, keep/],
    [["--max-line", "15"], {}, /--max-line: .*out of range/],
    [["--max-line", "1MiB"], {}, /--max-line: .*out of range/],
    [["--socket-mode", "888"], {}, /--socket-mode: "888"/],
    [["--socket", long], {}, /--socket: .*107/],
    [["--socket", ""], {}, /--socket: .*empty/],
    [["--socket", "/run/"], {}, /--socket: .*folder/],
    [[], { PUSH_GATEWAY_SOCKET: "," }, /PUSH_GATEWAY_SOCKET: .*empty/],
    [["--listen", "unix:"], {}, /--listen: .*empty/],
    [["--listen", "localhost"], {}, /--listen: "localhost"/],
    [["--listen", "localhost:70000"], {}, /--listen: "localhost:70000"/],
    [["--max-connections", "0"], {}, /--max-connections: .*out of range/],
    [["--header-timeout", "never"], {}, /--header-timeout: /],
    [["--log-level", "loud"], {}, /--log-level: /],
    [["--log-format", "xml"], {}, /--log-format: /],
    [[], { PUSH_GATEWAY_TTL: "soon" }, /PUSH_GATEWAY_TTL: "soon"/],
    [[], { PUSH_GATEWAY_LISTEN: ":1,:x" }, /PUSH_GATEWAY_LISTEN: ":x"/],
    [["--no-such-option"], {}, /unknown option '--no-such-option'/],
    [["--ttl"], {}, /--ttl/],
    [["stray"], {}, /too many arguments/],
  ];
  const folder = createFolder(t);
  await Promise.all(
    cases.map(async ([args, env, message]) => {
      const ended = await run(args, { RUNTIME_DIRECTORY: folder, ...env });
      assert.equal(ended.status, 2, `${args} ${ended.stderr}`);
      assert.match(ended.stderr, message);
      assert.match(ended.stderr, /^push-gateway: [^\n]+\n$/, "one line");
      assert.equal(ended.stdout, "");
    }),
  );
});

test("26: --help shows every option with its default and its variable", async () => {
  const { status, stdout } = await run(["--help"]);
  assert.equal(status, 0);
  const text = stdout.replace(/\s+/g, " ");
  const names = [...stdout.matchAll(/^ {2}--([a-z-]+) </gm)].map((match) => match[1]!);
  assert.ok(names.length >= 18, `${names}`);
  for (const name of names) {
    const variable = `PUSH_GATEWAY_${name.replaceAll("-", "_").toUpperCase()}`;
    assert.match(text, new RegExp(`--${name} <.*?\\(default: [^)].*?, env: ${variable}\\)`));
  }
  for (const name of ["socket", "socket-mode", "listen", "cache-size", "ttl", "when-full", "timestamps", "max-line"]) {
    assert.ok(names.includes(name), name);
  }
  for (const name of ["max-connections", "log-level", "log-format"]) assert.ok(names.includes(name), name);
});

test("26: --version is the package's", async () => {
  const packageFile = new URL("../../../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };
  assert.deepEqual(await run(["--version"]), { status: 0, stdout: `${version}\n`, stderr: "" });
});

test("27: the default socket is in $XDG_RUNTIME_DIR for a user, and a folder that is not there does not fit", async (t) => {
  const folder = createFolder(t);
  const runtime = join(folder, "xdg");
  mkdirSync(runtime);
  const module = new URL("../../host/sockets.js", import.meta.url).href;
  const { defaultSocketPath } = (await import(module)) as typeof import("../../host/sockets.js");
  const gone = join(folder, "gone");
  assert.equal(
    defaultSocketPath({ RUNTIME_DIRECTORY: gone, XDG_RUNTIME_DIR: runtime }, 1000),
    join(runtime, "push-gateway.sock"),
  );
  assert.equal(defaultSocketPath({ RUNTIME_DIRECTORY: `${runtime}:/x` }, 1000), join(runtime, "push-gateway.sock"));
  assert.match(defaultSocketPath({ XDG_RUNTIME_DIR: gone }, 1000), /\/push-gateway\.sock$/);
});
