import assert from "node:assert/strict";
import { test } from "node:test";
import { type Cache, CacheError, createCache } from "../../host/cache.js";

/** The page's samples alone. */
function samples(cache: Cache): string[] {
  return cache
    .render()
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** A cache with a clock that the test sets. */
function withClock(options = {}): { cache: Cache; clock: { nowMs: number } } {
  const clock = { nowMs: 0 };
  return { cache: createCache({ ...options, now: () => clock.nowMs }), clock };
}

test("text in, page out, in either format", () => {
  const cache = createCache();
  assert.equal(cache.push('# TYPE x gauge\nx{a="1"} 1\n{"ö"} 2\n'), undefined);
  assert.equal(cache.render(), '# TYPE x gauge\nx{a="1"} 1\n# TYPE U___f6_ untyped\nU___f6_ 2\n');
  assert.match(cache.render({ openMetrics: true }), /^# TYPE x gauge\nx\{a="1"\} 1\n(.*\n)*# EOF\n$/);
  assert.match(cache.render({ utf8: true }), /^\{"ö"\} 2$/m);
  assert.equal(cache.counter("samples"), 2);
  assert.equal(cache.gauge("series"), 2);
  assert.equal(cache.memoryBytes, 65_536);
});

test("a stream cut anywhere makes the same cache, in windows of any number", () => {
  const text = Array.from({ length: 3000 }, (_, n) => `m{n="é${n % 50}"} ${n}\n`).join("");
  const [whole, cut] = [withClock().cache, withClock().cache];
  whole.push(text);
  const connection = cut.connect();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 7) assert.equal(connection.write(bytes.subarray(at, at + 7)), undefined);
  connection.end();
  assert.equal(cut.gauge("series"), 50);
  assert.deepEqual(cut.state(), whole.state());
});

test("connections do not mix, and each can be used for push after push", () => {
  const { cache } = withClock();
  const [a, b] = [cache.connect(), cache.connect()];
  a.write('x{a="1');
  b.write("y 2");
  a.write('"} 1\n');
  assert.deepEqual(b.end(), { reason: "incomplete", text: "y 2" });
  b.write("y 3\n");
  a.end();
  assert.deepEqual(samples(cache), ['x{a="1"} 1', "y 3"]);
});

test("the first bad line is returned, with its reason and its text, and all are counted", () => {
  const cache = createCache();
  assert.deepEqual(cache.push("good 1\n0bad 1\nworse\nlast"), { reason: "bad metric name", text: "0bad 1" });
  assert.deepEqual(cache.push("no end"), { reason: "incomplete", text: "no end" });
  assert.equal(cache.badLines(), 4);
  assert.equal(cache.badLines("incomplete"), 2);
  assert.deepEqual(samples(cache), ["good 1"]);
});

test("times to live: the cache's, a push's, none", () => {
  const { cache, clock } = withClock({ ttlMs: 1000 });
  cache.push("a 1\n");
  cache.push("b 1\n", { ttlMs: 2000 });
  cache.push("c 1\n", { ttlMs: 0 });
  const at = (nowMs: number) => {
    clock.nowMs = nowMs;
    return samples(cache);
  };
  assert.deepEqual(at(999), ["a 1", "b 1", "c 1"]);
  assert.deepEqual(at(1500), ["b 1", "c 1"]);
  assert.deepEqual(at(1_000_000), ["c 1"]);
  cache.expire();
  assert.equal(cache.gauge("metrics"), 1);
  for (const ttlMs of [-1, Number.NaN, 2 ** 32]) assert.throws(() => cache.push("x 1\n", { ttlMs }), RangeError);
});

test("a page goes on while metrics come, and its place is free after the last chunk or an early end", () => {
  const cache = createCache({ cacheBytes: 65_536 });
  cache.push(Array.from({ length: 1500 }, (_, n) => `m{n="${n}",text="${"x".repeat(60)}"} 1\n`).join(""));
  for (let round = 0; round < 20; round++) {
    const chunks = cache.chunks();
    chunks.next();
    cache.push("later 1\n");
    if (round % 2 === 0) chunks.return?.();
    else for (const chunk of chunks) assert.equal(chunk.at(-1), 10);
    assert.equal(chunks.next().done, true);
    assert.equal(cache.gauge("openRenders"), 0);
  }
  const pages = Array.from({ length: 8 }, () => cache.chunks());
  assert.throws(() => cache.chunks(), RangeError);
  for (const page of pages) page.return?.();
});

test("a state copied into another cache makes it the same", () => {
  const [one, other] = [withClock().cache, withClock().cache];
  one.push('x{a="1"} 1\ny 2\n');
  other.state().set(one.state());
  assert.equal(other.render(), one.render());
  assert.equal(other.gauge("usedBytes"), one.gauge("usedBytes"));
});

test("a mistake names its option", () => {
  assert.throws(
    () => createCache({ cacheBytes: 3 }),
    (error) => error instanceof CacheError && error.option === "cacheBytes",
  );
});
