import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createCache } from "../../host/core.js";
import { Ingest } from "../../host/ingest.js";
import { Log } from "../../host/log.js";

const OPTIONS = {
  maxConnections: 10,
  idleTimeoutMs: 0,
  headerTimeoutMs: 1000,
  maxBodyBytes: 1000,
  read: "window",
} as const;

test("29: what waits in the kernel is taken even if the time for it has passed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "pg-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const cache = createCache();
  const ingest = new Ingest(cache, OPTIONS, new Log("error", "text"));
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => ingest.connect(socket));
  const path = join(folder, "push.sock");
  server.listen(path);
  await once(server, "listening");
  const sockets = Array.from({ length: 3 }, () => connect(path));
  for (const socket of sockets) socket.write("x 1\n");
  await ingest.drain(performance.now() - 1);
  assert.equal(cache.counter("samples"), 3);
  ingest.close();
  server.close();
  for (const socket of sockets) socket.destroy();
});
