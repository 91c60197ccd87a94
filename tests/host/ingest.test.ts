import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createCache } from "../../host/core.js";
import { Ingest } from "../../host/ingest.js";
import { Log } from "../../host/log.js";
import { listen } from "../../host/sockets.js";
import type { Handle } from "../../host/source.js";

const OPTIONS = {
  maxConnections: 10,
  idleTimeoutMs: 0,
  headerTimeoutMs: 1000,
  maxBodyBytes: 1000,
};

test("29: what waits in the kernel is taken even if the time for it has passed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "pg-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const cache = createCache();
  const ingest = new Ingest(cache, OPTIONS, new Log("error", "text"));
  const path = join(folder, "push.sock");
  const take = (connection: Socket | Handle): void => ingest.connect(connection);
  const handlers = { connection: take, handle: take, acceptError: assert.fail };
  const listener = await listen({ kind: "unix", path }, 0o600, handlers);
  const sockets = Array.from({ length: 3 }, () => connect(path));
  for (const socket of sockets) socket.write("x 1\n");
  await ingest.drain(performance.now() - 1);
  assert.equal(cache.counter("samples"), 3);
  ingest.close();
  listener.close();
  for (const socket of sockets) socket.destroy();
});
