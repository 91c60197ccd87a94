import assert from "node:assert/strict";
import { constants } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  createFolder,
  fetchFrom,
  logged,
  manySeries,
  open,
  push,
  readAll,
  scrape,
  start,
  until,
  write,
} from "./daemon.js";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`29: ${signal} ends the daemon with status 0, one line at start and one at stop`, async (t) => {
    const daemon = await start(t);
    await push(daemon.socket, "x 1\n");
    await scrape(daemon);
    daemon.child.kill(signal);
    assert.deepEqual(await daemon.exited, { status: 0, signal: null });
    assert.deepEqual(
      daemon.log.map((line) => line.msg),
      ["started", "stopped"],
    );
    assert.equal(daemon.log[1]!.reason, signal);
  });
}

test("29: what pushers had written before SIGTERM is taken, and their half lines are not", async (t) => {
  const daemon = await start(t, { args: ["--cache-size", "1MiB"] });
  const sockets = await Promise.all(Array.from({ length: 50 }, () => open(daemon.socket)));
  await Promise.all(sockets.map((socket) => write(socket, "warm 1\n")));
  await until("all connections are served", async () => /^warm 1$/m.test(await scrape(daemon)));
  // Stopped, the daemon cannot read: everything waits in the kernel when the signal is delivered.
  daemon.child.kill("SIGSTOP");
  await Promise.all(sockets.map((socket, i) => write(socket, `${`kept{i="${i}"} 1\n`.repeat(10)}half 1`)));
  daemon.child.kill("SIGTERM");
  daemon.child.kill("SIGCONT");
  assert.deepEqual(await daemon.exited, { status: 0, signal: null });
  const stopped = daemon.log.find((line) => line.msg === "stopped")!;
  assert.equal(stopped.samples, 50 + 500);
  assert.equal(stopped.pushes, 50);
});

test("31: what was counted since the last warning is logged before the end, also within its minute", async (t) => {
  const daemon = await start(t);
  await push(daemon.socket, "# TTL soon\n");
  await logged(daemon, /malformed TTL/);
  await push(daemon.socket, "# UNIT x seconds\n# TTL soon\n# TTL later\n");
  daemon.child.kill("SIGTERM");
  assert.deepEqual(await daemon.exited, { status: 0, signal: null });
  await logged(daemon, /stopped/);
  assert.deepEqual(
    daemon.log.slice(1).map(({ msg, count }) => [msg, count]),
    [
      ["malformed TTL lines", 1],
      ["UNIT lines dropped: not the suffix of the name", 1],
      ["malformed TTL lines", 2],
      ["stopped", undefined],
    ],
  );
});

test("29: an open scrape is answered to its end", async (t) => {
  const daemon = await start(t, { args: ["--cache-size", "16MiB"] });
  await push(daemon.socket, manySeries(20_000));
  const socket = await open(daemon.http);
  await write(socket, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  await new Promise<void>((resolve) => socket.once("readable", resolve));
  daemon.child.kill("SIGTERM");
  const page = await readAll(socket);
  assert.match(page, /^HTTP\/1\.1 200 OK/);
  assert.ok(page.endsWith("\r\n0\r\n\r\n"), "the last chunk came");
  assert.equal(page.match(/many\{/g)?.length, 20_000);
  assert.deepEqual(await daemon.exited, { status: 0, signal: null });
});

test("29: a scraper that never reads, and a pusher that never pauses, do not hold up the end", async (t) => {
  const daemon = await start(t, { args: ["--cache-size", "16MiB"] });
  await push(daemon.socket, manySeries(20_000));
  const stalled = await open(daemon.http);
  stalled.pause();
  await write(stalled, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  const pusher = await open(daemon.socket);
  const more = (): void => {
    if (!pusher.destroyed) pusher.write("x 1\n".repeat(10_000), () => setImmediate(more));
  };
  more();
  await until("the pusher is read", async () => /^x 1$/m.test(await scrape(daemon)));
  daemon.child.kill("SIGTERM");
  assert.deepEqual(await daemon.exited, { status: 0, signal: null });
  stalled.destroy();
  pusher.destroy();
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`29: a second ${signal} ends it at once`, async (t) => {
    // A Unix socket: what the kernel holds for one is far smaller than the page.
    const folder = createFolder(t);
    const listen = `unix:${join(folder, "http.sock")}`;
    const daemon = await start(t, { folder, listen, args: ["--cache-size", "16MiB"] });
    await push(daemon.socket, manySeries(20_000));
    const stalled = await open(daemon.http);
    stalled.pause();
    await write(stalled, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    const idle = await open(daemon.socket);
    daemon.child.kill("SIGTERM");
    // The first signal was taken when the daemon ends its pushes; the scrape still holds it.
    assert.equal(await readAll(idle), "");
    daemon.child.kill(signal);
    assert.deepEqual(await daemon.exited, { status: 128 + constants.signals[signal], signal: null });
    assert.ok(!daemon.log.some((line) => line.msg === "stopped"));
    stalled.destroy();
  });
}

test("29: after SIGTERM nothing new is accepted, and what is not ready says so", async (t) => {
  const daemon = await start(t, { args: ["--cache-size", "16MiB"] });
  await push(daemon.socket, manySeries(20_000));
  assert.equal((await fetchFrom(daemon.http, "/-/ready")).status, 200);
  const stalled = await open(daemon.http);
  stalled.pause();
  await write(stalled, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  const idle = await open(daemon.socket);
  daemon.child.kill("SIGTERM");
  assert.equal(await readAll(idle), "");
  await assert.rejects(open(daemon.socket), { code: "ENOENT" });
  await assert.rejects(open(daemon.http), { code: "ECONNREFUSED" });
  stalled.destroy();
  assert.deepEqual(await daemon.exited, { status: 0, signal: null });
  await logged(daemon, /stopped/);
});
