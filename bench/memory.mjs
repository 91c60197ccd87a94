// memory: a process that is pushed ever new series, what the cache's bytes are used for, and that they are the same bytes
// in every run, on every Node, however the stream was cut.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Feed } from "./feed.mjs";
import { available, GATEWAYS, HOSTS, leaveOut, prepareLoad, withGateways } from "./gateway.mjs";
import { has } from "./process.mjs";
import { figure, mib, table, whole } from "./table.mjs";
import { BAD_LINES, histogram, line, longLabel, nodeExporter, page } from "./workload.mjs";

const KIB = 1024;
const MIB = 2 ** 20;
/** Other versions of Node that the digest is compared with, where npx can get them. */
const OTHER_NODES = ["22", "24"];
/** How long npx may take to get another Node, and that to compute the digests. */
const NPX_LIMIT_MS = 180_000;
/** What there must be for each series in a Pushgateway, which takes 1 to 2 KiB. */
const PUSHGATEWAY_BYTES = 4096;

export const SCALES = {
  tiny: { most: 1000, stepSeconds: 60, nodes: [] },
  short: { most: 1_000_000, stepSeconds: 40, nodes: [] },
  full: { most: 1_000_000, stepSeconds: 240, nodes: OTHER_NODES },
};

const TTL_MS = 60_000;
const STEP_MS = 7_000;
const CACHES = [10 * KIB, MIB];

/** How the stream is cut: sizes of the reads, in turn. */
const CUTS = {
  "as large as the window": [Number.POSITIVE_INFINITY],
  "4096 bytes": [4096],
  "1 byte": [1],
  "1, 2, 3, 5, 7, 11, 127, 1021 bytes": [1, 2, 3, 5, 7, 11, 127, 1021],
};

/** A fixed workload with something of all: pages that expire, overflow, are bad, say how long they live. */
function steps() {
  const lines = (series) => series.map(line).join("");
  const many = (one, count, first = 0) => Array.from({ length: count }, (_, i) => one(first + i));
  return [
    nodeExporter(),
    lines(page(400)),
    `# TYPE edge_http_request_duration_seconds histogram\n${lines(many(histogram, 12).flat())}`,
    `# TTL 5s\n${lines(page(200, 1000))}`,
    `${BAD_LINES.join("\n")}\n`,
    lines(many(longLabel, 60)),
    lines(page(400, 0, 3)),
    `# TTL never\n${lines(page(30, 5000))}`,
    lines(page(3000, 10_000)),
    lines(many(longLabel, 60, 40)),
    nodeExporter(),
  ];
}

/**
 * The SHA-256 of a cache's memory after the fixed workload.
 * @param cacheBytes of the cache
 * @param sizes of the reads
 */
export function digest(cacheBytes, sizes) {
  const feed = new Feed({ cacheBytes, ttlMs: TTL_MS });
  steps().forEach((text, i) => {
    feed.push(Buffer.from(text), i * STEP_MS, sizes);
    feed.finish(i * STEP_MS);
  });
  return createHash("sha256").update(feed.cache.state()).digest("hex");
}

/** The digests of all caches, cut in all ways; an error if they differ. */
export function digests() {
  return Object.fromEntries(
    CACHES.map((cacheBytes) => {
      const [first, ...others] = Object.entries(CUTS).map(([name, sizes]) => [name, digest(cacheBytes, sizes)]);
      for (const [name, other] of others) {
        if (other !== first[1]) throw new Error(`memory: ${name}: ${other}; ${first[0]}: ${first[1]}`);
      }
      return [cacheBytes, first[1]];
    }),
  );
}

/** The digests that another version of Node computes; undefined if it cannot be had. */
function digestsOn(version) {
  const program = fileURLToPath(import.meta.url);
  const command = ["-y", `node@${version}`, program, "digest"];
  const { status, stdout } = spawnSync("npx", command, { encoding: "utf8", timeout: NPX_LIMIT_MS });
  if (status === 0) return JSON.parse(stdout);
  leaveOut(`left out: memory on Node ${version}: npx cannot get it`);
  return undefined;
}

/** The categories add up to what is used, and that with what is free to the cache. */
function categories(cacheBytes, count) {
  const feed = new Feed({ cacheBytes, ttlMs: TTL_MS });
  feed.push(Buffer.from(`${nodeExporter()}${page(count).map(line).join("")}`), 0);
  const gauge = (name) => feed.cache.gauge(name);
  const parts = ["indexBytes", "nameBytes", "labelBytes", "metricBytes", "helpBytes"];
  const result = Object.fromEntries([...parts, "usedBytes", "freeBytes"].map((name) => [name, gauge(name)]));
  const sum = parts.reduce((total, name) => total + result[name], 0);
  if (sum !== result.usedBytes || sum + result.freeBytes !== cacheBytes) {
    throw new Error(`memory: the categories have ${sum} bytes, used are ${result.usedBytes} of ${cacheBytes}`);
  }
  return { ...result, series: gauge("series"), memoryBytes: feed.cache.memoryBytes };
}

/** Steps of ever more series: ten, and about three times as many each. */
function counts(most) {
  const result = [];
  for (let ten = 10; ten <= most; ten *= 10) result.push(ten, ...(3 * ten <= most ? [3 * ten] : []));
  return result;
}

/**
 * Whether the next step of a gateway is too much: more than there is memory for, or longer than a step may take, if a
 * series takes the longer again as it did from the last step but one to the last, but no more than there are more series.
 * @param points so far
 * @returns why; undefined if it can be done
 */
function tooMuch(points, count, room, stepSeconds) {
  if (count > room) return "there is no memory for it";
  const [before, last] = points.slice(-2);
  if (before?.secondsEach === undefined) return undefined;
  const slower = Math.min(count / last.pushed, Math.max(1, last.secondsEach / before.secondsEach));
  const seconds = last.secondsEach * slower * (count - last.pushed);
  return seconds > stepSeconds ? `it would take some ${whole(seconds)} s` : undefined;
}

/** Pushes ever new series into gateways; memory of the processes after each step, and seconds that a series took in it. */
async function climb(gateways, { most, stepSeconds }) {
  const options = (i) => ({ cacheBytes: gateways[i].cacheBytes, full: true });
  const keys = gateways.map(({ key }) => key);
  return withGateways(keys, options, async (running) => {
    const points = running.map(({ process }) => [{ pushed: 0, ...process.memory() }]);
    const given = new Set();
    let pushed = 0;
    for (const count of counts(most)) {
      const load = prepareLoad("memory", [[page(count - pushed, pushed)]], ["lines", "http"], pushed);
      for (const [i, one] of running.entries()) {
        if (given.has(i)) continue;
        const why = tooMuch(points[i], count, gateways[i].room, stepSeconds);
        if (why !== undefined) {
          leaveOut(`left out: memory of ${gateways[i].name} with ${whole(count)} series and more: ${why}`);
          given.add(i);
          continue;
        }
        const { seconds, samples } = await one.push(load);
        points[i].push({ pushed: count, secondsEach: seconds / samples, ...one.process.memory() });
      }
      pushed = count;
    }
    return gateways.map(({ key, name }, i) => ({ name, own: HOSTS.includes(key), points: points[i] }));
  });
}

/** The processes that are compared; room: how many series there is memory for. */
function climbers() {
  const own = available(HOSTS).flatMap((key) =>
    CACHES.map((cacheBytes) => ({
      key,
      cacheBytes,
      room: Number.POSITIVE_INFINITY,
      name: `${GATEWAYS[key].name}, ${cacheBytes / KIB} KiB`,
    })),
  );
  const room = process.availableMemory() / PUSHGATEWAY_BYTES;
  return [...own, ...available(["pushgateway", "unchecked"]).map((key) => ({ key, room, name: GATEWAYS[key].name }))];
}

/** @returns { digests, nodes: versions that agree, cuts, categories, climbs } */
export async function measure(scale) {
  const own = digests();
  const versions = [process.versions.node];
  for (const version of scale.nodes) {
    const found = digestsOn(version);
    if (found === undefined) continue;
    if (JSON.stringify(found) !== JSON.stringify(own)) throw new Error(`memory: Node ${version} differs`);
    versions.push(version);
  }
  const compiler = has("cc");
  if (!compiler) leaveOut("left out: memory of processes: there is no C compiler (cc) for the load generator");
  const climbs = compiler ? await climb(climbers(), scale) : [];
  return {
    digests: own,
    nodes: versions,
    cuts: Object.keys(CUTS),
    categories: Object.fromEntries(CACHES.map((cacheBytes) => [cacheBytes, categories(cacheBytes, cacheBytes / 16)])),
    climbs,
  };
}

export function report(result) {
  const caches = Object.keys(result.categories);
  const name = (bytes) => `${bytes / KIB} KiB`;
  const rows = [
    ["series", "series"],
    ["index", "indexBytes"],
    ["names", "nameBytes"],
    ["labels", "labelBytes"],
    ["metrics and values", "metricBytes"],
    ["HELP", "helpBytes"],
    ["used", "usedBytes"],
    ["free", "freeBytes"],
    ["memory.size", "memoryBytes"],
  ].map(([what, field]) => [what, ...caches.map((bytes) => whole(result.categories[bytes][field]))]);
  const pushed = [...new Set(result.climbs.flatMap(({ points }) => points.map((point) => point.pushed)))];
  const climbs = pushed.map((count) => [
    whole(count),
    ...result.climbs.flatMap(({ points }) => {
      const point = points.find((one) => one.pushed === count);
      return [mib(point?.rss), mib(point?.anonymous)];
    }),
  ]);
  const columns = result.climbs.flatMap((one) => [`${one.name}: RSS`, "anonymous"]);
  return [
    table("memory: RSS and anonymous memory after so many distinct series, MiB", ["series pushed", ...columns], climbs),
    table("memory: bytes by category, node_exporter's page and more series than fit", ["", ...caches.map(name)], rows),
    table(
      `memory: SHA-256 of the cache after the fixed workload; the same for reads of ${result.cuts.join("; ")}; on Node ${result.nodes.join(", ")}`,
      ["cache", "SHA-256"],
      caches.map((bytes) => [name(bytes), `\`${result.digests[bytes]}\``]),
    ),
    `memory: ${growthLine(result)}\n`,
  ].join("\n");
}

/** How much each process grew, from the first series to the last. */
function growthLine({ climbs }) {
  return climbs
    .map(({ name: who, points }) => {
      const last = points.at(-1);
      return `${who} grew by ${figure((last.anonymous - points[1].anonymous) / MIB)} MiB of anonymous memory from ${whole(points[1].pushed)} to ${whole(last.pushed)} series`;
    })
    .join("; ");
}

/** Memory against series pushed. */
export function plots({ climbs }) {
  if (climbs.length === 0) return [];
  const linesOf = (field, suffix, dashed) =>
    climbs.map(({ name, own, points }, i) => ({
      name: `${name}${suffix}`,
      colour: i,
      dashed,
      bold: own,
      marked: i === 0 && !dashed,
      points: points.filter(({ pushed }) => pushed > 0).map((point) => [point.pushed, point[field] / MIB]),
    }));
  const lines = [...linesOf("rss", "", false), ...linesOf("anonymous", ", anonymous", true)];
  const title = "Resident memory after N distinct series; dashed: the anonymous part of it";
  return [{ name: "memory", title, x: "series pushed", y: "MiB", lines }];
}

if (process.argv[2] === "digest" && process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(digests()));
}
