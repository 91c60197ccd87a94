import assert from "node:assert/strict";
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { open as connectTo, createFolder, fetchFrom, push, readAll, run, scrape, start } from "./daemon.js";

const LISTEN = ["--listen", "127.0.0.1:0"];

test("27: the socket has mode 0660 whatever the umask, or the mode that is asked for", async (t) => {
  const plain = await start(t, { command: ["sh", "-c", 'umask 000; exec "$0" "$@"'] });
  assert.equal(statSync(plain.socket).mode & 0o777, 0o660);
  const asked = await start(t, {
    command: ["sh", "-c", 'umask 077; exec "$0" "$@"'],
    args: ["--socket-mode", "0666"],
  });
  assert.equal(statSync(asked.socket).mode & 0o777, 0o666);
});

test("27: a path of 107 bytes is taken whole", async (t) => {
  const folder = createFolder(t);
  const path = join(folder, "s".repeat(107 - folder.length - 1));
  const daemon = await start(t, { bare: true, args: ["--socket", path, ...LISTEN] });
  assert.equal(path.length, 107);
  assert.ok(statSync(path).isSocket());
  await push(path, "long 1\n");
  assert.match(await scrape(daemon), /^long 1$/m);
});

test("27: a default path that is too long is an error, not a cut", async (t) => {
  const folder = join(createFolder(t), "d".repeat(100));
  mkdirSync(folder);
  const ended = await run(LISTEN, { RUNTIME_DIRECTORY: folder });
  assert.equal(ended.status, 1);
  assert.match(ended.stderr, /^push-gateway: --socket: .*107[^\n]*\n$/);
});

test("28: a stale socket file is replaced", async (t) => {
  const folder = createFolder(t);
  const first = await start(t, { folder });
  first.child.kill("SIGKILL");
  await first.exited;
  assert.ok(statSync(first.socket).isSocket());
  const second = await start(t, { folder });
  await push(second.socket, "again 1\n");
  assert.match(await scrape(second), /^again 1$/m);
});

test("28: a live socket is never stolen", async (t) => {
  const daemon = await start(t);
  const ended = await run(["--socket", daemon.socket, ...LISTEN]);
  assert.equal(ended.status, 1);
  assert.match(ended.stderr, /^push-gateway: cannot listen on [^\n]*: a running server uses it\n$/);
  await push(daemon.socket, "still 1\n");
  assert.match(await scrape(daemon), /^still 1$/m);
});

test("28: of many that start on a stale socket at once, one serves and the others say so", async (t) => {
  const folder = createFolder(t);
  const stale = await start(t, { folder });
  stale.child.kill("SIGKILL");
  await stale.exited;
  const starts = await Promise.allSettled(Array.from({ length: 4 }, () => start(t, { folder })));
  const winners = starts.filter((result) => result.status === "fulfilled");
  assert.equal(winners.length, 1);
  await push(stale.socket, "winner 1\n");
  assert.match(await scrape(winners[0]!.value), /^winner 1$/m);
});

test("28: a file that is no socket is not replaced", async (t) => {
  const folder = createFolder(t);
  const file = join(folder, "precious");
  const link = join(folder, "link");
  writeFileSync(file, "precious");
  symlinkSync(file, link);
  for (const path of [file, link, folder]) {
    const ended = await run(["--socket", path, ...LISTEN]);
    assert.equal(ended.status, 1);
    assert.match(ended.stderr, /^push-gateway: cannot listen on [^\n]*: there is a file that is no socket\n$/);
  }
  assert.equal(readFileSync(file, "utf8"), "precious");
});

test("28: a folder that is not there, or that is a file, is named", async (t) => {
  const folder = createFolder(t);
  writeFileSync(join(folder, "file"), "");
  for (const [name, reason] of [
    ["no", "there is no folder [^\\n]*"],
    ["file", "a folder of its path is a file"],
  ]) {
    const ended = await run(["--socket", join(folder, name!, "push.sock"), ...LISTEN]);
    assert.equal(ended.status, 1);
    assert.match(ended.stderr, new RegExp(`^push-gateway: cannot listen on [^\\n]*: ${reason}\\n$`));
  }
});

test("28: an HTTP port in use is an error with exit status 1, and leaves no socket behind", async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  const path = join(createFolder(t), "push.sock");
  const ended = await run(["--socket", path, "--listen", `127.0.0.1:${port}`]);
  assert.equal(ended.status, 1);
  assert.match(ended.stderr, /^push-gateway: cannot listen on 127\.0\.0\.1:\d+: the address is in use\n$/);
  assert.throws(() => statSync(path), { code: "ENOENT" });
});

test("28: on exit our file is removed", async (t) => {
  const folder = createFolder(t);
  const daemon = await start(t, { folder, listen: `unix:${join(folder, "http.sock")}` });
  daemon.child.kill("SIGTERM");
  assert.deepEqual(await daemon.exited, { status: 0, signal: null });
  for (const name of ["push.sock", "http.sock"]) assert.throws(() => statSync(join(folder, name)), { code: "ENOENT" });
});

test("28: on exit a file that is not ours any more stays", async (t) => {
  const daemon = await start(t);
  const aside = `${daemon.socket}.aside`;
  renameSync(daemon.socket, aside);
  const other = createServer((socket) => socket.end("other"));
  await new Promise<void>((resolve) => other.listen(`${daemon.socket}.new`, resolve));
  t.after(() => other.close());
  renameSync(`${daemon.socket}.new`, daemon.socket);
  daemon.child.kill("SIGTERM");
  assert.deepEqual(await daemon.exited, { status: 0, signal: null });
  assert.equal(await readAll(await connectTo(daemon.socket)), "other");
});

test("28: on exit a file that is gone already is no trouble", async (t) => {
  const daemon = await start(t);
  linkSync(daemon.socket, `${daemon.socket}.other-name`);
  unlinkSync(daemon.socket);
  daemon.child.kill("SIGTERM");
  assert.deepEqual(await daemon.exited, { status: 0, signal: null });
});

test("21: unix:/path serves HTTP on a Unix socket, taken with the same care", async (t) => {
  const folder = createFolder(t);
  const path = join(folder, "http.sock");
  const daemon = await start(t, { folder, listen: `unix:${path}` });
  assert.equal(statSync(path).mode & 0o777, 0o660);
  await push(daemon.socket, "unix 1\n");
  assert.match((await fetchFrom({ socketPath: path }, "/metrics")).text, /^unix 1$/m);
  const ended = await run(["--socket", join(folder, "other.sock"), "--listen", `unix:${path}`]);
  assert.equal(ended.status, 1);
  assert.match(ended.stderr, /a running server uses it/);
});
