// A tiny run of each bench: what it counts must be right. How long anything takes is of no interest here.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import * as core from "../../bench/core.mjs";
import * as density from "../../bench/density.mjs";
import { prepareLoad, withGateways } from "../../bench/gateway.mjs";
import { judge, reportGoals } from "../../bench/goals.mjs";
import * as ingest from "../../bench/ingest.mjs";
import * as memory from "../../bench/memory.mjs";
import * as native from "../../bench/native.mjs";
import { plot } from "../../bench/plot.mjs";
import { has } from "../../bench/process.mjs";
import { replaceFigures } from "../../bench/readme.mjs";
import * as scrape from "../../bench/scrape.mjs";
import * as start from "../../bench/start.mjs";
import { figure, median, medianRatio } from "../../bench/table.mjs";
import { line, page, shuffle, threeLabels } from "../../bench/workload.mjs";

const needsCompiler = { skip: has("cc") ? false : "there is no C compiler (cc)", timeout: 120_000 };
const KIB = 1024;

test("workload: series are distinct, and the same in every run", () => {
  const series = page(1000);
  assert.equal(new Set(series.map(line).map((text) => text.split(" ")[0])).size, 1000);
  assert.equal(
    line(threeLabels(12)),
    'edge_sensor_temperature_celsius{device="dev-0012",site="south",method="PUT"} 95028\n',
  );
  const shuffled = shuffle(series, 1);
  assert.notDeepEqual(shuffled, series);
  assert.notDeepEqual(shuffled, shuffle(series, 2));
  assert.deepEqual(shuffled, shuffle(series, 1));
  assert.deepEqual(new Set(shuffled), new Set(series));
});

test("memory: one digest for every way to cut the stream; the categories add up; all was pushed", async () => {
  const result = await memory.measure(memory.SCALES.tiny);
  // Those differ from each other, and from the cache of a shorter workload: a digest of nothing would not.
  const [ten, mib] = Object.values(result.digests);
  assert.match(ten, /^[0-9a-f]{64}$/);
  assert.notEqual(ten, mib);
  assert.equal(memory.digest(10 * KIB, [997]), ten, "a second run, cut in another way");
  assert.equal(result.categories[10 * KIB].memoryBytes, 65_536);
  for (const { name, points } of result.climbs) {
    assert.equal(points.at(-1).pushed, 1000, name);
    assert.ok(points.every(({ rss, anonymous }) => rss > anonymous && anonymous > 0));
  }
  assert.match(memory.report(result), new RegExp(ten));
  for (const drawing of memory.plots(result)) assert.match(plot(drawing), /^<svg [\s\S]*<polyline [\s\S]*<\/svg>\n$/);
});

test("density: what fits is visible, and fits again after many others", async () => {
  const result = await density.measure(density.SCALES.tiny);
  for (const [name, kind] of Object.entries(result.kinds)) {
    const { points, fits, bytesEach } = kind[10 * KIB];
    assert.ok(fits > 100, `${name}: ${fits}`);
    assert.ok(fits * bytesEach <= 10 * KIB);
    for (const { pushed, visible } of points) {
      if (pushed <= fits) assert.equal(visible, pushed, name);
      else assert.ok(visible > 0 && visible < pushed, name);
    }
  }
  const labelled = result.pages["node_exporter, labelled"][10 * KIB];
  assert.deepEqual([labelled.visible, labelled.pushed], [303, 303]);
  const { distinct, created, fresh, expired, live } = result.churn[10 * KIB];
  assert.equal(created, distinct);
  assert.equal(expired, fresh);
  assert.ok(live > fresh * 0.9 && live <= fresh, `${live} of ${fresh}`);
  assert.match(density.report(result), /three labels/);
});

test("core: every case does what it is called", async () => {
  // Each case checks its own counters, and throws.
  const result = await core.measure(core.SCALES.tiny);
  for (const [name, { ns, bytes }] of Object.entries(result)) assert.ok(ns > 0 && bytes > 10, name);
  for (const name of ["100 in order", "churn, full 10 KiB", "expiry, 64 KiB", "bad lines"]) assert.ok(name in result);
});

test("ingest: each gateway takes exactly what was sent", needsCompiler, async () => {
  // A gateway that has counted anything else fails the run.
  const results = await ingest.measure(ingest.SCALES.tiny);
  const names = new Set(results.map(({ gateway }) => gateway));
  for (const name of ["node", "nodeCounter", "counter", "map"]) assert.ok(names.has(name), name);
  assert.ok(results.every((one) => one.nsPerSample > 0 && one.peak > 0));
  assert.match(ingest.report(results), /3 connections, in order/);
  assert.ok(results.some((one) => one.gateway === "node" && one.apart && one.samplesPerSecond > 0));
});

test("scrape: each page has all series, in each format", needsCompiler, async () => {
  const results = await scrape.measure(scrape.SCALES.tiny);
  const own = results.filter(({ gateway }) => gateway === "node");
  assert.deepEqual(
    own.map(({ format }) => format),
    ["text", "text, gzip", "OpenMetrics", "OpenMetrics, gzip"],
  );
  assert.ok(results.every(({ visible, size }) => visible === size));
  const [text, gzip, openMetrics] = own;
  assert.ok(gzip.bytes < text.bytes / 2);
  assert.equal(openMetrics.bytes, text.bytes + "# EOF\n".length);
});

test("start: the first scrape is answered", needsCompiler, async () => {
  const { node, bare } = await start.measure(start.SCALES.tiny);
  assert.ok(node.ns > 0 && node.cpuNs > 0);
  assert.ok(node.rss > bare.rss * 0.8);
});

test("native: each gateway has taken what it was sent, and is small", needsCompiler, async (t) => {
  const result = await native.measure(native.SCALES.tiny);
  if (result === undefined) return t.skip("npm run build:native was not run");
  assert.ok(result.sizes["push-gateway"] > 0 && result.starts.native.cpuNs > 0);
  assert.deepEqual(new Set(result.pushes.map(({ connections }) => connections)), new Set([1, 16]));
  const [own] = result.scrapes;
  assert.equal(own.gateway, "native");
  assert.ok(own.peak <= 256 * KIB && own.reserved < 2048 * KIB, `${own.peak} bytes resident`);
  assert.match(native.report(result), /native: goals/);
});

test("a gateway that is killed fails the run with what happened, and nothing is left", needsCompiler, async () => {
  const load = prepareLoad("killed", [[page(100)]], ["lines"]);
  const pids = [];
  const run = withGateways(["counter", "nodeCounter"], {}, async (gateways) => {
    pids.push(...gateways.map((gateway) => gateway.process.pid));
    await gateways[1].push(load, { times: 3 });
    assert.deepEqual(gateways[1].pushed, { samples: 3 * load.lines[0].samples, bytes: 3 * load.lines[0].bytes });
    process.kill(pids[0], "SIGKILL");
    await gateways[0].push(load, { seconds: 60 });
  });
  await assert.rejects(run);
  // The kernel may take a moment; the test's own limit ends a wait for what never goes.
  for (const pid of pids) while (existsSync(`/proc/${pid}`)) await setImmediate();
});

test("a gateway that ended by itself, and one that took something else, fail the run", needsCompiler, async () => {
  const killed = withGateways(["counter"], {}, async ([gateway]) => {
    process.kill(gateway.process.pid, "SIGTERM");
    await gateway.process.output();
  });
  await assert.rejects(killed, /ended by itself/);
  const wrong = withGateways(["counter"], {}, async ([gateway]) => {
    gateway.pushed.bytes = 1;
  });
  await assert.rejects(wrong, /took 0 bytes of 1/);
});

test("goals: the ratio of each turn counts; ten kilobytes have a must, larger caches have none", () => {
  const one = { size: 100, connections: 1, shuffled: false, oneCore: false };
  const ingest = [
    { ...one, gateway: "node", turns: [2, 30, 4] },
    { ...one, gateway: "nodeCounter", turns: [1, 10, 4] },
  ];
  const churn = { [10 * KIB]: { fresh: 200, expired: 199 }, [64 * KIB]: { fresh: 100, expired: 99 } };
  const kinds = Object.fromEntries(
    ["three labels, 10 families", "histograms of 12 buckets"].map((kind) => [kind, { [10 * KIB]: { fits: 1 } }]),
  );
  const density = { kinds, churn, pages: { "node_exporter, labelled": {}, "node_exporter, labelled, with TYPE": {} } };
  const of = (what) => judge({ ingest, density }).find((goal) => goal.what.startsWith(what));
  assert.equal(of("Node against the Node byte counter").measured, 2);
  assert.deepEqual([of("capacity of 10 KiB").measured, of("capacity of 10 KiB").verdict], [99.5, "**missed**"]);
  assert.deepEqual([of("the same, caches above").measured, of("the same, caches above").verdict], [99, ""]);
});

test("goals: met, missed, and what was not measured", () => {
  const core = Object.fromEntries(
    ["100 in order", "10000 in order", "10000 shuffled", "200000 in order"].map((name, i) => [
      name,
      { ns: 30 + 100 * i },
    ]),
  );
  const judged = judge({ core });
  const verdicts = Object.fromEntries(judged.map((one) => [one.what, one.verdict]));
  assert.equal(verdicts["core, 100 in order, ns a sample"], "aim missed");
  assert.equal(verdicts["core, 10,000 in order, ns a sample"], "**missed**");
  assert.equal(verdicts["Node RSS idle, MiB"], undefined);
  assert.match(reportGoals(judged), /\| core, 100 in order, ns a sample \| ≤ 40 \| ≤ 25 \| 30.0 \| aim missed \|/);
});

test("readme: only what stands between the markers is replaced", () => {
  const text = "a\n<!-- figures: npm run bench -- full --readme -->\nold\n<!-- /figures -->\nb\n";
  assert.equal(replaceFigures(text, "new\n"), text.replace("old", "\nnew\n"));
  assert.throws(() => replaceFigures("a", "new"), /no section/);
});

test("table: medians and figures", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2);
  assert.equal(medianRatio([1, 20, 9], [1, 10, 3]), 2);
  assert.deepEqual(
    [0, 0.01234, 1.236, 12.36, 999.6, 123_456, undefined].map((value) => figure(value)),
    ["0", "0.0123", "1.24", "12.4", "1,000", "123,000", "–"],
  );
});
