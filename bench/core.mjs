// core: nanoseconds a sample in process, of the module and of what else parses the text in JavaScript.
import { setFlagsFromString } from "node:v8";
import { Feed } from "./feed.mjs";
import { leaveOut } from "./gateway.mjs";
import { SeriesMap } from "./peers/map.mjs";
import { figure, median, table } from "./table.mjs";
import { BAD_LINES, inTurn, line, nodeExporter, page, shuffle } from "./workload.mjs";

// As the daemon tells V8 (host/main.ts), which inlines the module's small functions by itself from Node.js 24 on.
if (["20", "22"].includes(process.versions.node.split(".", 1)[0])) setFlagsFromString("--experimental-wasm-inlining");

/** A run takes at least so many samples. */
const LEAST = 20_000;

export const SCALES = {
  tiny: { warmMs: 0, runs: 1, least: 1000, sizes: [100, 1000], many: 1000, large: 64 },
  short: { warmMs: 300, runs: 15, least: LEAST, sizes: [100, 10_000, 200_000], many: 10_000, large: 1024 },
  full: { warmMs: 1500, runs: 41, least: LEAST, sizes: [100, 10_000, 200_000], many: 10_000, large: 1024 },
};

const TTL_MS = 60_000;
/** Between two pushes of half a cache: the older half has been silent for long enough to be replaced, and none expires. */
const EVICT_MS = 0.26 * TTL_MS;
/** How many go for each sample of a churn, at least and at most. */
const [LEAST_SHARE, MOST_SHARE] = [0.95, 1.05];
const KIB = 1024;
/** Less than fit in 10 KiB, so that a cache has room for all of them. */
const ROOM = 300;
/** Most samples of a part: they fit in the smaller input window. */
const PART = 150;
/** Pushes before a churn is measured: the cache is full after two, and in a large one what goes has settled after ten. */
const FILLING = 10;

const text = (series) => Buffer.from(series.map(line).join(""));

/** The text of a page, in parts. */
function partsOf(series) {
  const parts = [];
  for (let first = 0; first < series.length; first += PART) parts.push(text(series.slice(first, first + PART)));
  return parts;
}

const pushParts = (feed, parts, nowMs) => parts.map((part) => feed.push(part, nowMs));
const lengthOf = (parts) => parts.reduce((sum, part) => sum + part.length, 0);

/** A cache that holds so many series with three labels. */
function bytesFor(count) {
  if (count <= ROOM) return 10 * KIB;
  return count <= 20_000 ? KIB * KIB : 16 * KIB * KIB;
}

/** Checks that an ideal case is what it is called: a figure of something else would be worse than none. */
function expect(what, found, expected) {
  if (found !== expected) throw new Error(`core: ${what}: ${found}, expected ${expected}`);
}

// A case: name; count, samples of one pass; pass(), which takes them, and returns the nanoseconds that each part of them
// took; bytes, of a sample; check(), which throws if the case was not what it is called.
//
// Parts are short, so that most of them are never interrupted: the median of each part over all passes, summed up, is
// what a pass takes on a machine that has nothing else to do.

/** The same series pushed again and again; their values move. */
function known(name, count, pageOf) {
  const feed = new Feed({ cacheBytes: bytesFor(count), ttlMs: TTL_MS });
  // Three rounds of values, so that no value is the one that is there, and no order for long the one that was last.
  const pages = [1, 2, 3].map((round) => partsOf(pageOf(count, round)));
  let passes = 0;
  return {
    name,
    count,
    bytes: lengthOf(pages[0]) / count,
    pass: () => pushParts(feed, pages[passes++ % pages.length], 0),
    check() {
      expect(`${name}: samples`, feed.cache.counter("samples"), passes * count);
      expect(`${name}: series`, feed.cache.gauge("series"), count);
    },
  };
}

/** New series into fresh caches, which have room for them. */
function fresh(name, count) {
  const parts = partsOf(page(count));
  return {
    name,
    count,
    bytes: lengthOf(parts) / count,
    pass() {
      const feed = new Feed({ cacheBytes: bytesFor(count), ttlMs: TTL_MS });
      const ns = pushParts(feed, parts, 0);
      expect(`${name}: metrics created`, feed.cache.counter("metricsCreated"), count);
      return ns;
    },
    check() {},
  };
}

/** First number of ever new series: all have as many digits. */
const FIRST_NEW = 1_000_000;

/** How many ever new series a cache of this size has room for. */
function capacity(cacheBytes) {
  const feed = new Feed({ cacheBytes, ttlMs: TTL_MS });
  feed.push(text(page(cacheBytes / 8, FIRST_NEW)), 0);
  return feed.cache.gauge("series");
}

/**
 * Ever new series through a full cache, half of what it holds at once; so much time lies between that the older half
 * may be replaced.
 * @param stepMs between two pushes: EVICT_MS, or more than the TTL for expiry
 * @param counter what must count the series that went
 */
function churn(name, cacheBytes, stepMs, counter) {
  const feed = new Feed({ cacheBytes, ttlMs: TTL_MS });
  const count = Math.floor(capacity(cacheBytes) / 20) * 10;
  let first = FIRST_NEW;
  let nowMs = 0;
  const pass = () => {
    const parts = partsOf(page(count, first));
    first += count;
    nowMs += stepMs;
    return pushParts(feed, parts, nowMs);
  };
  for (let i = 0; i < FILLING; i++) pass();
  const before = { gone: feed.cache.counter(counter), first };
  return {
    name,
    count,
    bytes: lengthOf(partsOf(page(count, first))) / count,
    pass,
    check() {
      const share = (feed.cache.counter(counter) - before.gone) / (first - before.first);
      // In a large cache a few of the oldest are not among those looked at, and expire.
      if (share < LEAST_SHARE || share > MOST_SHARE) throw new Error(`core: ${name}: ${counter} ${share} a sample`);
    },
  };
}

/** A page as it is, again and again. */
function fixed(name, parts, count, parse) {
  return { name, count, bytes: lengthOf(parts) / count, pass: () => parts.map(parse), check() {} };
}

function bad() {
  const feed = new Feed({ ttlMs: TTL_MS });
  const bytes = Buffer.from(`${BAD_LINES.join("\n")}\n`);
  const check = () => expect("bad lines: samples", feed.cache.counter("samples"), 0);
  return { ...fixed("bad lines", [bytes], BAD_LINES.length, () => feed.push(bytes, 0)), check };
}

/** Nanoseconds of a function. */
function timed(action) {
  const began = performance.now();
  action();
  return (performance.now() - began) * 1e6;
}

/** The text cut at its line ends and spaces, and forgotten: what any parser in JavaScript does at least. */
function split(text) {
  let sum = 0;
  for (const one of text.split("\n")) {
    if (one === "" || one.startsWith("#")) continue;
    const space = one.lastIndexOf(" ");
    sum += Number(one.slice(space + 1)) + one.slice(0, space).length;
  }
  return sum;
}

/** Parsers in JavaScript on one page: each gets the text, decoded from bytes as a host would have to. */
async function parsers(what, parts, samples) {
  const kept = new SeriesMap();
  const cases = [
    fixed(`naive split, ${what}`, parts, samples, (b) => timed(() => split(b.toString("utf8")))),
    fixed(`a Map, ${what}`, parts, samples, (b) => timed(() => kept.take(b.toString("utf8")))),
  ];
  try {
    const { default: parse } = await import("parse-prometheus-text-format");
    cases.push(
      fixed(`parse-prometheus-text-format, ${what}`, parts, samples, (b) => timed(() => parse(b.toString("utf8")))),
    );
  } catch {
    leaveOut("left out: parse-prometheus-text-format: not installed (npm install)");
  }
  return cases;
}

async function createCases({ sizes, many, large }) {
  const exporter = Buffer.from(nodeExporter());
  const exporterSamples = nodeExporter()
    .split("\n")
    .filter((one) => one !== "" && !one.startsWith("#")).length;
  const feed = new Feed({ cacheBytes: 64 * KIB, ttlMs: TTL_MS });
  return [
    ...sizes.map((count) => known(`${count} in order`, count, (n, round) => page(n, 0, round))),
    ...sizes.map((count) => known(`${count}, families in turn`, count, (n, round) => inTurn(n, 0, round))),
    known(`${many} shuffled`, many, (n, round) => shuffle(page(n, 0, round), round)),
    fresh("new series, 10 KiB with room", ROOM),
    fresh("new series, 1024 KiB with room", many),
    churn("churn, full 10 KiB", 10 * KIB, EVICT_MS, "metricsEvicted"),
    churn(`churn, full ${large} KiB`, large * KIB, EVICT_MS, "metricsEvicted"),
    churn("expiry, 10 KiB", 10 * KIB, TTL_MS + 1, "metricsExpired"),
    churn(`expiry, ${large} KiB`, large * KIB, TTL_MS + 1, "metricsExpired"),
    bad(),
    fixed("node_exporter, 64 KiB", [exporter], exporterSamples, (bytes) => feed.push(bytes, 0)),
    ...(await parsers("node_exporter", [exporter], exporterSamples)),
    ...(await parsers(`${many} in order`, partsOf(page(many)), many)),
  ];
}

/**
 * Measures all cases in turns.
 * @returns { [case]: { ns: a sample, bytes: a sample } }
 */
export async function measure(scale) {
  const cases = await createCases(scale);
  for (const one of cases) {
    const untilMs = performance.now() + scale.warmMs;
    do one.pass();
    while (performance.now() < untilMs);
  }
  const times = cases.map(() => []);
  for (let run = 0; run < scale.runs; run++) {
    cases.forEach((one, i) => {
      for (let done = 0; done < scale.least; done += one.count) times[i].push(one.pass());
    });
  }
  const result = {};
  cases.forEach((one, i) => {
    one.check();
    const parts = times[i][0].map((_, part) => median(times[i].map((pass) => pass[part])));
    result[one.name] = { ns: parts.reduce((sum, ns) => sum + ns, 0) / one.count, bytes: one.bytes };
  });
  return result;
}

export function report(result) {
  const rows = Object.entries(result).map(([name, { ns, bytes }]) => [name, figure(ns), figure((bytes / ns) * 1000)]);
  return table("core: in process, the module alone", ["", "ns a sample", "MB/s"], rows);
}
