import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { type Daemon, descriptorCount, open, push, readAll, scrape, start, until, write } from "./daemon.js";

const DESCRIPTORS = 48;

/** Asks on a connection that stays, and returns what comes at once: a small page. */
async function ask(socket: Socket): Promise<string> {
  const answer = once(socket, "data") as Promise<[Buffer]>;
  await write(socket, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  return (await answer)[0].toString();
}

for (const side of ["push", "http"] as const) {
  test(`30: running out of descriptors is survived (${side})`, async (t) => {
    const daemon: Daemon = await start(t, { command: ["sh", "-c", `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`] });
    const [pusher, scraper] = [await open(daemon.socket), await open(daemon.http)];
    await write(pusher, "before 1\n");
    await until("it is taken", async () => (await ask(scraper)).includes("before 1\n"));
    const calm = descriptorCount(daemon.pid);

    const sockets: Socket[] = [];
    const refused = new Set<Socket>();
    for (let i = 0; i < DESCRIPTORS + 12; i++) {
      const socket = await open(side === "push" ? daemon.socket : daemon.http);
      socket.resume().once("close", () => refused.add(socket));
      sockets.push(socket);
    }
    await until("those that do not fit are refused", () => refused.size >= 12);
    assert.ok(refused.size < sockets.length, "the others were taken");
    for (let i = 0; i < 20; i++)
      assert.equal(await readAll(await open(daemon.socket)), "", "refused, and not left waiting");
    await write(pusher, "during 2\n");
    await until("those that were open go on", async () => (await ask(scraper)).includes("during 2\n"));

    for (const socket of sockets) socket.destroy();
    await until("descriptors are free again", () => descriptorCount(daemon.pid) <= calm);
    await push(daemon.socket, "after 3\n");
    const page = await scrape(daemon);
    for (const line of ["before 1", "during 2", "after 3"]) assert.ok(page.includes(`${line}\n`), line);
  });
}
