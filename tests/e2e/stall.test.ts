import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import {
  createFolder,
  type Daemon,
  manySeries,
  open,
  push,
  readAll,
  residentBytes,
  scrape,
  start,
  until,
  write,
} from "./daemon.js";

const SERIES = 20_000;
const MIB = 1024 * 1024;

/** A daemon whose page is far larger than what the kernel holds for a Unix socket. */
async function startLarge(t: Parameters<typeof start>[0], args: string[] = []): Promise<Daemon> {
  const folder = createFolder(t);
  const listen = `unix:${join(folder, "http.sock")}`;
  const daemon = await start(t, { folder, listen, args: ["--cache-size", "16MiB", ...args] });
  await push(daemon.socket, manySeries(SERIES));
  return daemon;
}

/** Begins a scrape and reads no more than its first bytes. */
async function stall(daemon: Daemon, encoding = "identity"): Promise<Socket> {
  const socket = await open(daemon.http);
  await write(socket, `GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: ${encoding}\r\nConnection: close\r\n\r\n`);
  await new Promise<void>((resolve) => socket.once("readable", resolve));
  return socket;
}

function seriesCount(page: string): number {
  return page.match(/many\{/g)?.length ?? 0;
}

test("23: scrapers that never read cost bounded memory and delay nobody", async (t) => {
  const daemon = await startLarge(t);
  const page = await scrape(daemon);
  assert.equal(seriesCount(page), SERIES);
  for (let i = 0; i < 5; i++) assert.equal(await scrape(daemon), page);
  const calm = residentBytes(daemon.pid);
  const stalled = await Promise.all(
    Array.from({ length: 7 }, (_, i) => stall(daemon, i % 2 === 0 ? "identity" : "gzip")),
  );
  for (let i = 0; i < 5; i++) assert.equal(await scrape(daemon), page);
  const grown = residentBytes(daemon.pid) - calm;
  assert.ok(grown < 16 * MIB, `grown by ${grown}, a page is ${page.length}`);
  for (const socket of stalled) socket.destroy();
});

test("23: a page goes on while pushes and expiries happen, and what came later waits for the next", async (t) => {
  const daemon = await startLarge(t);
  const slow = await stall(daemon);
  await push(daemon.socket, `newcomer 1\n${manySeries(100)}`);
  const page = await readAll(slow);
  assert.ok(page.endsWith("\r\n0\r\n\r\n"), "complete");
  assert.equal(seriesCount(page), SERIES);
  assert.doesNotMatch(page, /newcomer/);
  assert.match(await scrape(daemon), /^newcomer 1$/m);
});

test("23: when all places are taken by stalled readers, the one that stalled longest is cut off", async (t) => {
  const daemon = await startLarge(t);
  const stalled: Socket[] = [];
  for (let i = 0; i < 8; i++) stalled.push(await stall(daemon));
  assert.equal(seriesCount(await scrape(daemon)), SERIES, "the ninth is served");
  const pages = await Promise.all(stalled.map(readAll));
  assert.ok(seriesCount(pages[0]!) < SERIES, "the first was cut off");
  assert.ok(!pages[0]!.endsWith("\r\n0\r\n\r\n"), "and its page does not look complete");
  for (const page of pages.slice(1)) {
    assert.equal(seriesCount(page), SERIES);
    assert.ok(page.endsWith("\r\n0\r\n\r\n"));
  }
});

test("23: twenty at once that read are all served, one after another", async (t) => {
  const daemon = await startLarge(t, ["--max-scrapes", "20"]);
  const pages = await Promise.all(Array.from({ length: 20 }, () => scrape(daemon)));
  for (const page of pages) assert.equal(seriesCount(page), SERIES);
});

test("30: a scraper that stalls for --stall-timeout is cut off", async (t) => {
  const daemon = await startLarge(t, ["--stall-timeout", "300ms"]);
  const page = await scrape(daemon);
  const socket = await stall(daemon);
  await until("the scraper is cut off", () => daemon.log.some((line) => /stalled/.test(line.msg)));
  assert.ok(seriesCount(await readAll(socket)) < SERIES);
  assert.equal(await scrape(daemon), page);
});

test("30: scrapes over --max-scrapes get 503 while the others read, and are counted in the log", async (t) => {
  const daemon = await startLarge(t, ["--max-scrapes", "1"]);
  const answers = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const socket = await open(daemon.http);
      const answer = readAll(socket);
      await write(socket, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      return answer;
    }),
  );
  const refused = answers.filter((answer) => answer.startsWith("HTTP/1.1 503 "));
  const served = answers.filter((answer) => answer.startsWith("HTTP/1.1 200 "));
  assert.equal(refused.length + served.length, 10);
  assert.ok(refused.length > 0 && served.length > 0, `${refused.length} refused`);
  for (const answer of refused) assert.match(answer, /\r\nRetry-After: 1\r\n/);
  for (const answer of served) assert.equal(seriesCount(answer), SERIES);
  await until("the log says so", () => daemon.log.some((line) => /scrape refused/.test(line.msg)));
});
