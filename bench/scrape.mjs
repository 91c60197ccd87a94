// scrape: CPU and time of an answer to GET /metrics, beside the Pushgateway and a server with one body.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { available, GATEWAYS, HOSTS, leaveOut, prepareLoad, withGateways } from "./gateway.mjs";
import { has, OUTPUT } from "./process.mjs";
import { figure, median, mib, table, whole } from "./table.mjs";
import { line, page } from "./workload.mjs";

const MIB = 2 ** 20;
export const SCALES = {
  tiny: { sizes: [100], runs: 1, seconds: 0, warmSeconds: 0 },
  short: { sizes: [100, 10_000, 200_000], runs: 3, seconds: 0.1, warmSeconds: 0.5 },
  full: { sizes: [100, 10_000, 200_000], runs: 15, seconds: 0.4, warmSeconds: 2 },
};

const OPENMETRICS = "Accept: application/openmetrics-text;version=1.0.0";
const GZIP = "Accept-Encoding: gzip";
const ALL = [
  ["text", []],
  ["text, gzip", [GZIP]],
  ["OpenMetrics", [OPENMETRICS]],
  ["OpenMetrics, gzip", [OPENMETRICS, GZIP]],
];
/** What the peers serve of it: the Pushgateway has no OpenMetrics, and a static body is as it is. */
const FORMATS = { unchecked: ALL.slice(0, 2), body: ALL.slice(0, 1) };

function cacheBytesFor(size) {
  if (size <= 100) return 10 * 1024;
  return size <= 10_000 ? MIB : 16 * MIB;
}

/** Resident memory at its highest during an action, above what it was before. */
async function growth(gateway, action) {
  gateway.process.resetPeak();
  const before = gateway.process.memory().rss;
  await action();
  return gateway.process.memory().peak - before;
}

/** Checks that a page has all series; without it a fast answer would prove nothing. */
function countSamples(text, size, name) {
  const found = text.split("\n").filter((one) => one.startsWith("edge_")).length;
  if (found !== size) throw new Error(`scrape: ${name} shows ${found} series of ${size}`);
  return found;
}

async function measureSize(size, { runs, seconds, warmSeconds }) {
  const series = page(size);
  const load = prepareLoad("scrape", [[series]]);
  mkdirSync(OUTPUT, { recursive: true });
  const file = join(OUTPUT, "load", "scrape.body");
  writeFileSync(file, series.map(line).join(""));
  const keys = available(["body", "unchecked", ...HOSTS]);
  return withGateways(keys, { cacheBytes: cacheBytesFor(size), file }, async (gateways) => {
    const cells = [];
    for (const [i, gateway] of gateways.entries()) {
      if (GATEWAYS[keys[i]].push !== undefined) await gateway.push(load);
      const first = await growth(gateway, () => gateway.scrape(0, 1));
      await gateway.scrape(warmSeconds);
      const later = await growth(gateway, () => gateway.scrape(0, 5));
      const visible = countSamples(await gateway.page(), size, gateway.record.name);
      for (const [format, headers] of FORMATS[keys[i]] ?? ALL) {
        if (headers.length > 0) await gateway.scrape(warmSeconds / 2, 1, headers);
        cells.push({ gateway, key: keys[i], format, headers, runs: [], first, later, visible });
      }
    }
    for (let run = 0; run < runs; run++) {
      for (const cell of cells) cell.runs.push(await cell.gateway.scrape(seconds, 1, cell.headers));
    }
    return cells.map(({ gateway, key, format, runs: all, first, later, visible }) => ({
      size,
      gateway: key,
      name: gateway.record.name,
      format,
      visible,
      nsPerScrape: median(all.map((one) => one.cpuNs / one.scrapes)),
      // Turn by turn, for ratios.
      turns: all.map((one) => one.cpuNs / one.scrapes),
      p50: median(all.map((one) => one.p50)),
      p99: median(all.map((one) => one.p99)),
      scrapes: all.reduce((sum, one) => sum + one.scrapes, 0),
      bytes: all[0].bytes,
      growthFirst: first,
      growthLater: later,
    }));
  });
}

/** @returns a list of results, one for each size, gateway and format */
export async function measure(scale) {
  if (!has("cc")) {
    leaveOut("left out: scrape: there is no C compiler (cc) for its load generator");
    return [];
  }
  const results = [];
  for (const size of scale.sizes) results.push(...(await measureSize(size, scale)));
  return results;
}

export function report(results) {
  const rows = results.map((one) => [
    `${one.name}: ${one.format}`,
    whole(one.size),
    figure(one.nsPerScrape / 1000),
    figure(one.p50),
    figure(one.p99),
    whole(one.bytes),
  ]);
  const memory = results
    .filter(({ format }) => format === "text")
    .map(({ name, size, growthFirst, growthLater }) => [name, whole(size), mib(growthFirst), mib(growthLater)]);
  return [
    table("scrape", ["", "series", "CPU µs", "p50, µs", "p99, µs", "bytes sent"], rows),
    table(
      "scrape: growth of resident memory while a page streams, MiB",
      ["", "series", "first scrape", "later ones"],
      memory,
    ),
  ].join("\n");
}
