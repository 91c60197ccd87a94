/** What users type: socat and curl, as the README shows them, and pushers that are killed. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createFolder, scrape, start, until } from "../e2e/daemon.js";
import { TEXT_PAGE } from "./pages.js";
import { recordNodeExporter } from "./prometheus.js";
import { sampleLines, samplesOf } from "./samples.js";
import { curl, missing, pushAndCurl, socat, startRoomy, succeed, urlOf } from "./tools.js";

const skip = missing("socat", "curl");

test("1: socat pushes a file, curl reads it", { skip }, async (t) => {
  const daemon = await startRoomy(t);
  const file = join(daemon.folder, "page");
  writeFileSync(file, TEXT_PAGE);
  await succeed("socat", ["-u", `FILE:${file}`, `UNIX-CONNECT:${daemon.socket}`]);
  const expected = samplesOf(TEXT_PAGE);
  await until("all of the file is there", async () => samplesOf(await scrape(daemon)).size === expected.size);
  assert.deepEqual(samplesOf(await curl(daemon)), expected);
});

test("21, 25: curl gets health, readiness, and the same page compressed", { skip }, async (t) => {
  const daemon = await startRoomy(t);
  const plain = await pushAndCurl(daemon, TEXT_PAGE);
  assert.equal(await curl(daemon, "--compressed"), plain);
  assert.match(await curl(daemon, "--compressed", "--include"), /^content-encoding: gzip\r$/im);
  assert.equal(await curl(daemon, "--http1.0"), plain);
  assert.match(await curl(daemon, "--head"), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
  for (const path of ["/-/healthy", "/-/ready"]) {
    assert.match(await succeed("curl", ["--silent", "--fail", urlOf(daemon, path)]), /^push-gateway is \w+\.\n$/);
  }
});

test("21: curl reads by a Unix socket", { skip }, async (t) => {
  const folder = createFolder(t);
  const path = join(folder, "http.sock");
  const daemon = await start(t, { folder, listen: `unix:${path}` });
  await socat(daemon.socket, "answer 42\n");
  const page = await succeed("curl", ["--silent", "--fail", "--unix-socket", path, "http://localhost/metrics"]);
  assert.deepEqual(samplesOf(page), samplesOf("answer 42\n"));
});

/** Starts a socat that passes on what is written to it, until it is killed. */
function createPusher(t: TestContext, socket: string): ChildProcess {
  const child = spawn("socat", ["-u", "-", `UNIX-CONNECT:${socket}`], { stdio: ["pipe", "ignore", "ignore"] });
  child.stdin.on("error", () => {});
  t.after(() => child.kill("SIGKILL"));
  return child;
}

test("4: pushers that are killed in the middle of a number leave no wrong value", { skip }, async (t) => {
  const daemon = await startRoomy(t);
  const number = "1234.5e-12 1700000000000";
  const cuts = Array.from(number, (_, i) => i + 1);
  for (const cut of cuts) await socat(daemon.socket, `known{cut="${cut}"} 7\n`);
  const pushers = cuts.map((cut) => {
    const child = createPusher(t, daemon.socket);
    const half = number.slice(0, cut);
    child.stdin!.write(`ready{cut="${cut}"} 1\nknown{cut="${cut}"} ${half}`);
    return child;
  });
  await until("all of them have written", async () => (await scrape(daemon)).match(/^ready/gm)?.length === cuts.length);
  const ends = pushers.map((child) => once(child, "exit"));
  for (const child of pushers) child.kill("SIGKILL");
  await Promise.all(ends);
  await until("the daemon has seen a death", () => daemon.log.find(({ reason }) => reason === "incomplete"));
  // What is pushed now is taken after what was there before.
  await socat(daemon.socket, "after 1\n");
  const samples = samplesOf(await curl(daemon));
  for (const cut of cuts) assert.equal(samples.get(JSON.stringify(["known", [["cut", `${cut}`]]])), 7, `${cut}`);
  assert.equal(samples.size, 2 * cuts.length + 1);
});

test("14: a gateway as it is by default holds 300 labelled series of node_exporter", {
  skip: missing("socat", "curl", "prometheus-node-exporter"),
}, async (t) => {
  const lines = sampleLines(await recordNodeExporter(t)).filter((line) => line.includes("{"));
  const page = `${lines.slice(0, 300).join("\n")}\n`;
  const daemon = await start(t);
  assert.deepEqual(samplesOf(await pushAndCurl(daemon, page)), samplesOf(page));
});
