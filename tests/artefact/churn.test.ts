// Ten million distinct series go through ten kibibytes. Afterwards as much fits as in a fresh cache.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { scrapeAll, seriesOf } from "./compare.js";
import { full, TTL_MS } from "./filling.js";
import { ARTEFACTS, bytesOf, type Module } from "./module.js";

const BATCH = 100;
const STEP_MS = TTL_MS / 4 + 1;
const QUARTER_HOUR_MS = 900_000;
const PADS = ["", "a", "some-longer-text", "x".repeat(40), "medium-size", "é".repeat(11)];

/** Series that nobody saw before, of sizes and families that keep changing; one batch takes room of those that are silent. */
function batch(first: number): Uint8Array {
  let text = "";
  for (let index = first; index < first + BATCH; index++) {
    const family = index % 1000 < 500 ? "churn" : `churn_${index % 17}`;
    text += `${family}{id="${index}",pad="${PADS[(index >> 4) % PADS.length]}"} ${index % 7 === 0 ? index / 3 : index}\n`;
  }
  return bytesOf(text);
}

/** Single-line metrics and histograms, more than fit. */
function workload(): string {
  const gauges = (family: string) =>
    Array.from(
      { length: 1000 },
      (_, index) => `${family}{instance="device-${index}",mode="m${index % 5}"} ${index}.5\n`,
    );
  return `# TYPE churn gauge\n${gauges("churn").join("")}`;
}

function countVisible(module: Module, nowMs: number): number {
  return [...seriesOf(module, nowMs).keys()].filter((key) => key.includes("device-")).length;
}

function churn(module: Module, series: number): number {
  let nowMs = 0;
  for (let index = 0; index < series; index += BATCH) {
    module.push(batch(index), nowMs);
    nowMs += STEP_MS;
  }
  return nowMs;
}

for (const artefact of ARTEFACTS) {
  const series = artefact.debug ? 40_000 : 10_000_000;
  describe(`churn: ${artefact.name}`, () => {
    test(`14, 20 · after ${series} distinct series as much fits as in a fresh cache`, () => {
      const fresh = full(artefact);
      fresh.push(workload(), 0);
      const expected = countVisible(fresh, 0);
      assert.ok(expected > 100 && expected < 1000, `the workload overflows a fresh cache: ${expected} fit`);
      const module = full(artefact);
      const before = module.memory.buffer.byteLength;
      const nowMs = churn(module, series);
      assert.ok(module.counter("created") > series * 0.8, `${module.counter("created")} went through`);
      assert.equal(module.memory.buffer.byteLength, before);
      scrapeAll(module, nowMs);
      module.push(workload(), nowMs + TTL_MS + 1);
      const fit = countVisible(module, nowMs + TTL_MS + 1);
      assert.ok(fit >= expected, `${fit} fit, ${expected} in a fresh cache`);
    });

    test(`20 · directly after ${series / 10} distinct series, none expired, nearly as much fits as in a fresh cache`, () => {
      const fresh = full(artefact);
      fresh.push(`# TTL 1h\n${workload()}`, 0);
      const expected = countVisible(fresh, 0);
      const module = full(artefact);
      const nowMs = churnOneFamily(module, series / 10);
      module.expire(nowMs);
      const expired = module.counter("expired");
      module.push(`# TTL 1h\n${workload()}`, nowMs);
      // Blocks that lost some of their metrics are filled again, not merged; in small segments some room has no taker.
      const least = Math.floor(expected * (artefact.imported ? 0.9 : 0.99));
      assert.ok(
        countVisible(module, nowMs) >= least,
        `${countVisible(module, nowMs)} fit, ${expected} in a fresh cache`,
      );
      assert.equal(module.counter("expired"), expired, "all room was made by eviction");
    });
  });
}

/** All in the workload's own family, with a TTL that is not reached: room is made of what was silent for a quarter of it. */
function churnOneFamily(module: Module, series: number): number {
  let nowMs = 0;
  for (let index = 0; index < series; index += BATCH) {
    const text = Buffer.from(batch(index)).toString();
    module.push(`# TTL 1h\n${text.replaceAll(/^churn_[0-9]+/gm, "churn")}`, nowMs);
    nowMs += QUARTER_HOUR_MS + 1;
  }
  assert.ok(module.counter("created") > series * 0.8, `${module.counter("created")} went through`);
  return nowMs;
}

/** So many three-label series of ten families, as edge applications have them. */
function edgeSeries(count: number, first: number): Uint8Array {
  let text = "";
  for (let index = first; index < first + count; index++) {
    const site = ["north", "south", "east", "west"][Math.floor(index / 10) % 4];
    const family = `edge_family_with_some_name_${index % 10}_total`;
    text += `${family}{device="dev-${index}",site="${site}"} ${(index * 7919) % 1_000_003}\n`;
  }
  return bytesOf(text);
}

for (const wide of ARTEFACTS.filter(({ imported, debug }) => imported && !debug)) {
  test("18, 20 · in a large cache nothing alive goes where others have expired", () => {
    const cacheBytes = 1 << 20;
    for (const distinct of [200_000, 250_000, 300_000]) {
      const lost = (module: Module) =>
        ["evicted", "refused.family", "refused.full"].map((name) => module.counter(name));
      const first = 100_000_000;
      const fresh = full(wide, { cacheBytes });
      let count = 0;
      while (lost(fresh).every((number) => number === 0)) fresh.push(edgeSeries(BATCH, first + BATCH * count++), 0);
      const fitting = (count - 1) * BATCH;
      const module = full(wide, { cacheBytes });
      let nowMs = 0;
      for (let index = 0; index < distinct; index += BATCH) {
        module.push(edgeSeries(BATCH, index), nowMs);
        nowMs += (TTL_MS / 3) * (BATCH / fitting);
      }
      nowMs += TTL_MS + 1;
      const before = lost(module);
      // Segments of 8 KiB: a little of each may have no taker.
      for (let index = 0; index < fitting * 0.99; index += BATCH) module.push(edgeSeries(BATCH, first + index), nowMs);
      assert.deepEqual(lost(module), before, `after ${distinct} distinct series`);
    }
  });

  test("18 · in a large cache of families that grow in turn, what was pushed longest ago makes room", () => {
    const cacheBytes = 1 << 20;
    const fresh = full(wide, { cacheBytes });
    let fitting = 0;
    for (; fresh.counter("evicted") + fresh.counter("refused.family") === 0; fitting += BATCH) {
      fresh.push(edgeSeries(BATCH, fitting), 0);
    }
    const module = full(wide, { cacheBytes });
    const distinct = 5 * fitting;
    let nowMs = 0;
    for (let index = 0; index < distinct; index += BATCH) {
      module.push(edgeSeries(BATCH, index), nowMs);
      nowMs += (TTL_MS / 3) * (BATCH / fitting);
    }
    assert.equal(module.counter("expired"), 0);
    const newest = Math.floor(fitting * 0.9);
    const visible = [...seriesOf(module, nowMs).keys()].filter(
      (key) => Number(/dev-([0-9]+)/.exec(key)?.[1]) >= distinct - newest,
    ).length;
    assert.ok(visible >= newest * 0.97, `${visible} of the newest ${newest} are visible`);
  });
}
