import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { descriptorCount, open, push, scrape, start, until } from "./daemon.js";

test("30: running out of descriptors is survived", async (t) => {
  const daemon = await start(t, { command: ["sh", "-c", 'ulimit -n 48; exec "$0" "$@"'] });
  await push(daemon.socket, "before 1\n");
  await scrape(daemon);
  const calm = descriptorCount(daemon.pid);
  const sockets: Socket[] = [];
  for (let i = 0; i < 60; i++) sockets.push(await open(i % 2 === 0 ? daemon.socket : daemon.http));
  const ended = new Set<Socket>();
  for (const socket of sockets) socket.resume().once("close", () => ended.add(socket));
  await until("those that do not fit are refused", () => ended.size > 0);
  for (const socket of sockets) socket.destroy();
  await until("descriptors are free again", () => descriptorCount(daemon.pid) <= calm);
  await push(daemon.socket, "after 2\n");
  const page = await scrape(daemon);
  assert.match(page, /^before 1$/m);
  assert.match(page, /^after 2$/m);
});
