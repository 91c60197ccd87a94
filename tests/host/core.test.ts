import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  BAD_REASONS,
  type Cache,
  CacheError,
  COUNTERS,
  createCache,
  createConnectionState,
  GAUGES,
} from "../../host/core.js";
import { ROOT } from "../artefact/module.js";

const TEXT = { openMetrics: false, utf8: false };

function artefact(name: string): Uint8Array {
  return readFileSync(join(ROOT, "build", name));
}

/** One push of text that fits the window. */
function push(cache: Cache, text: string, nowMs = 0): void {
  const state = createConnectionState();
  const bytes = Buffer.from(text);
  cache.input.set(bytes, cache.readOffset);
  const { length } = bytes;
  const consumed = cache.ingest(state, cache.readOffset, length, nowMs);
  cache.finish(state, length - consumed, nowMs);
}

function render(cache: Cache, nowMs = 0): string {
  const handle = cache.openRender(TEXT, nowMs);
  let page = "";
  for (let piece = cache.nextPiece(handle, nowMs); piece !== undefined; piece = cache.nextPiece(handle, nowMs))
    page += Buffer.from(piece).toString();
  return page;
}

function hashOf(cache: Cache): string {
  return createHash("sha256").update(cache.state()).digest("hex");
}

for (const cacheBytes of [10_240, 65_536]) {
  test(`14: a cache of ${cacheBytes} bytes has the memory that it needs, and pushes come out again`, () => {
    const cache = createCache({ cacheBytes });
    assert.equal(cache.memoryBytes, cacheBytes < 16_320 ? 65_536 : 65_536 * 4);
    push(cache, '# TYPE x gauge\nx{a="1"} 1\n');
    assert.match(render(cache), /^x\{a="1"\} 1$/m);
    assert.equal(cache.counter("samples"), 1);
    assert.equal(cache.gauge("series"), 1);
    assert.equal(cache.gauge("cacheBytes"), cacheBytes);
  });
}

test("3: the same pushes make the same state", () => {
  const [a, b] = [createCache(), createCache()];
  const fresh = hashOf(a);
  assert.equal(hashOf(b), fresh);
  for (const cache of [a, b]) push(cache, "x 1\ny 2\n");
  assert.equal(hashOf(a), hashOf(b));
  assert.notEqual(hashOf(a), fresh);
});

test("5: a bad line is named with its reason and its bytes", () => {
  const cache = createCache();
  push(cache, "good 1\n0bad 1\nworse\n");
  const bad = cache.badLine()!;
  assert.match(Buffer.from(bad.bytes).toString(), /^0bad 1\n?$/);
  assert.ok(BAD_REASONS[bad.reason]);
  assert.equal(
    BAD_REASONS.reduce((sum, _, reason) => sum + cache.badLines(reason), 0),
    2,
  );
  push(cache, "good 1\n");
  assert.equal(cache.badLine(), undefined);
});

test("16: expiry by argument, without a clock", () => {
  const cache = createCache({ ttlMs: 1000 });
  push(cache, "x 1\n", 5000);
  assert.match(render(cache, 5999), /^x 1$/m);
  assert.doesNotMatch(render(cache, 6001), /x/);
  while (cache.expire(6001));
  assert.equal(cache.counter("metricsExpired"), 1);
  assert.equal(cache.gauge("series"), 0);
});

test("23: eight pages may be open, and a closed one makes room", () => {
  const cache = createCache();
  push(cache, "x 1\n");
  const handles = Array.from({ length: 8 }, () => cache.openRender(TEXT, 0));
  assert.deepEqual([...new Set(handles)].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(cache.openRender(TEXT, 0), -1);
  assert.equal(cache.gauge("openRenders"), 8);
  cache.closeRender(handles[3]!);
  assert.equal(cache.openRender(TEXT, 0), handles[3]);
  cache.closeRender(99);
});

test("24: every counter and gauge has its index in the module", () => {
  const cache = createCache();
  for (const name of Object.keys(COUNTERS)) assert.equal(cache.counter(name as keyof typeof COUNTERS), 0, name);
  for (const name of Object.keys(GAUGES)) assert.ok(Number.isFinite(cache.gauge(name as keyof typeof GAUGES)), name);
  assert.equal(BAD_REASONS.length, 16);
});

test("26: what the module does not take is an error that names the option", () => {
  const cases: [Parameters<typeof createCache>[0], string][] = [
    [{ cacheBytes: 100 }, "cacheBytes"],
    [{ cacheBytes: 2 ** 31 }, "cacheBytes"],
    [{ ttlMs: -1 }, "ttlMs"],
    [{ ttlMs: Number.NaN }, "ttlMs"],
    [{ maxLineBytes: 15 }, "maxLineBytes"],
    [{ maxLineBytes: 1_000_000 }, "maxLineBytes"],
  ];
  for (const [options, option] of cases) {
    assert.throws(
      () => createCache(options),
      (error) => error instanceof CacheError && error.option === option,
    );
  }
});

test("a module that is broken, of another version or another kind is refused", () => {
  // Magic and version only: an empty module.
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  assert.throws(() => createCache({ module: empty }), /speaks ABI undefined, this host 1/);
  assert.throws(() => createCache({ module: empty.subarray(1) }), /no WebAssembly module/);
  assert.throws(() => createCache({ module: artefact("push-gateway.wasm"), cacheBytes: 65_536 }), /out of range/);
});

test("a module that is given is used", () => {
  for (const name of ["push-gateway.wasm", "push-gateway.imported.wasm"]) {
    const cache = createCache({ module: artefact(name) });
    push(cache, "x 1\n");
    assert.match(render(cache), /^x 1$/m, name);
  }
});
