// The small gateways of runtimes/: lines in through a Unix socket, /metrics out, as the package's core renders them.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createCache } from "../../host/cache.js";
import { BUILD, type Host } from "./tools.js";

const LINES = [
  '# TYPE room_celsius gauge\n# HELP room_celsius Of a room.\nroom_celsius{room="attic"} 21.5\nnot a sample at all\n',
  '# TYPE wait_seconds histogram\nwait_seconds_bucket{le="+Inf"} 2\nwait_seconds_sum 3\nwait_seconds_count 2\n',
  `${Array.from({ length: 500 }, (_, index) => `jobs_total{n="${index % 60}"} ${index}\n`).join("")}cut off 1`,
];
const OPENMETRICS = "application/openmetrics-text; version=1.0.0";

/** Starts a gateway on a socket in a folder of its own, and a port of its choice. */
async function start(t: TestContext, command: readonly string[]): Promise<{ socket: string; url: string }> {
  const folder = mkdtempSync(join(tmpdir(), "pg-"));
  const socket = join(folder, "push.sock");
  const [path = "", ...more] = command;
  const module = ["--module", join(BUILD, "push-gateway.wasm")];
  const child = spawn(path, [...more, ...module, "--socket", socket, "--listen", "127.0.0.1:0"]);
  t.after(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  return { socket, url: await urlOf(child) };
}

/** The address in the line that a gateway prints when it listens. */
function urlOf(child: ChildProcess): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    const hear = (text: string) => {
      said += text;
      const [, url] = /(http:\S+\/metrics)\n/.exec(said) ?? [];
      if (url !== undefined) resolve(url);
    };
    child.stdout!.setEncoding("utf8").on("data", hear);
    child.stderr!.setEncoding("utf8").on("data", hear);
    child.once("close", () => reject(new Error(`it ended: ${said}`)));
  });
}

/** A push; it is over when the gateway has closed its side. */
async function push(socket: string, lines: string): Promise<void> {
  const client = connect({ path: socket, allowHalfOpen: true });
  client.resume().end(lines);
  await once(client, "close");
}

/** The test of one of them. */
export function testGateway(name: string, host: Host): void {
  const missing = "missing" in host ? host.missing : false;
  test(`${name}: a gateway takes pushes and answers scrapes`, { skip: missing }, async (t) => {
    assert.ok("gateway" in host);
    const { socket, url } = await start(t, host.gateway);
    const cache = createCache();
    for (const lines of LINES) {
      await push(socket, lines);
      cache.push(lines);
    }
    await Promise.all(LINES.map((lines) => push(socket, lines)));

    const text = await fetch(url);
    assert.equal(text.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(await text.text(), cache.render());
    const openMetrics = await fetch(url, { headers: { Accept: OPENMETRICS } });
    assert.equal(openMetrics.headers.get("content-type"), `${OPENMETRICS}; charset=utf-8`);
    assert.equal(await openMetrics.text(), cache.render({ openMetrics: true }));
    assert.equal((await fetch(new URL("/other", url))).status, 404);
  });
}
