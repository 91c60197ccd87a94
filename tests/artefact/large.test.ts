// Caches beyond 64 KiB: references of 32 bits, the same rules.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OM, plain, scrape, seriesOf, TEXT } from "./compare.js";
import { keyOf, line, range } from "./filling.js";
import { ARTEFACTS, Module, OPENMETRICS } from "./module.js";

const TTL_MS = 60_000;
const FAMILIES = 100;

function round(series: readonly number[], value: number): string {
  return series.map((index) => line(`family_${index % FAMILIES}`, index, index + value)).join("");
}

for (const artefact of ARTEFACTS.filter(({ imported }) => imported)) {
  const count = artefact.debug ? 500 : 100_000;
  describe(`large: ${artefact.name}`, () => {
    test(`7, 8, 16, 22 · ${count} series, pushed again in another order, and expired`, () => {
      const module = new Module(artefact, { cacheBytes: 32 * 1024 * 1024, ttlMs: TTL_MS });
      const all = range(count);
      module.push(round(all, 0), 0);
      module.push(round(all.toReversed(), 0.25), 1000);
      module.push(round(all, 0.5), 2000);
      assert.equal(module.gauge("series"), count);
      assert.equal(module.counter("created"), count);
      const values = seriesOf(module, 2000);
      assert.equal(values.size, count);
      for (const index of all) assert.equal(values.get(keyOf(`family_${index % FAMILIES}`, index)), index + 0.5);
      const families = scrape(module, OM, 2000);
      assert.deepEqual(
        families.map(({ name }) => name),
        range(FAMILIES).map((index) => `family_${index}`),
      );
      module.expire(2000 + TTL_MS + 1);
      assert.deepEqual([module.gauge("series"), module.gauge("families")], [0, 0]);
      assert.equal(module.counter("expired"), count);
      assert.equal(module.page(OPENMETRICS, 2000 + TTL_MS + 1).length, "# EOF\n".length);
    });

    test("15 · families whose only metric has expired, but was not swept yet, are pushed again", () => {
      const module = new Module(artefact, { cacheBytes: 2_000_000, ttlMs: 1000 });
      const page = range(9000)
        .map((index) => `family_${index}{a="1"} 1\n`)
        .join("");
      module.push(page, 0);
      module.push(page, 5000);
      assert.deepEqual([module.gauge("series"), module.gauge("families")], [9000, 9000]);
      assert.deepEqual([module.counter("created"), module.counter("expired")], [18_000, 9000]);
    });

    test("14, 18 · a large cache that is too small: every eviction and refusal is counted", () => {
      const module = new Module(artefact, { cacheBytes: artefact.debug ? 70_000 : 400_000, ttlMs: TTL_MS });
      for (let at = 0; at < 40; at++) module.push(round(range(count / 10, (at * count) / 10), at), at * 500);
      const visible = plain(scrape(module, TEXT, 20_000), "text").reduce((sum, { samples }) => sum + samples.length, 0);
      module.expire(20_000);
      assert.equal(module.gauge("metrics"), visible);
      const gone = module.counter("evicted") + module.counter("expired");
      assert.equal(module.counter("created") - gone, visible);
      const refused = module.counter("refused.family") + module.counter("refused.full");
      assert.equal(module.counter("created") + refused, 4 * count);
      assert.ok(module.counter("evicted") + refused > 0);
    });
  });
}
