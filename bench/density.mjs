// density: how many series are visible after pushing N, and the bytes that each takes.
import { Feed } from "./feed.mjs";
import { figure, table, whole } from "./table.mjs";
import {
  HISTOGRAM_SERIES,
  histogram,
  line,
  longLabel,
  nodeExporter,
  nodeExporterLabelled,
  page,
  threeLabels,
} from "./workload.mjs";

const KIB = 1024;
const CACHES = [10 * KIB, 64 * KIB, 1024 * KIB];
// distinct: series that go through the smallest cache; distinctLarge: through the others, of which each takes longer.
export const SCALES = {
  tiny: { caches: [10 * KIB], distinct: 5_000, distinctLarge: 5_000 },
  short: { caches: CACHES, distinct: 300_000, distinctLarge: 300_000 },
  full: { caches: CACHES, distinct: 10_000_000, distinctLarge: 2_000_000 },
};

const TTL_MS = 60_000;
/** So many times what fits is pushed in the end. */
const FAR_MORE = 4;
/** Series in one push of the churn. */
const BATCH = 100;
/** How often a cache is filled anew before what it holds is evicted for the series that are counted. */
const LIVE_FILLS = 50;

const lines = (series) => series.map(line).join("");

/** What is pushed: thing number i as series, what stands before the first, and series of each. */
const KINDS = {
  "three labels, 10 families": { one: (i) => [threeLabels(i)], series: 1 },
  "one long unique label": { one: (i) => [longLabel(i)], series: 1 },
  "histograms of 12 buckets": {
    one: histogram,
    head: "# TYPE edge_http_request_duration_seconds histogram\n",
    series: HISTOGRAM_SERIES,
  },
};

/** What is pushed whole. */
const PAGES = {
  "node_exporter, labelled": nodeExporterLabelled(),
  "node_exporter, labelled, with TYPE": nodeExporterLabelled({ types: true }),
  "node_exporter, all": nodeExporter(),
};

const chunk = (text) => Buffer.from(text);

/** Series refused or evicted so far. */
function lost({ cache }) {
  return ["metricsEvicted", "refusedFamily", "refusedFull"].reduce((sum, name) => sum + cache.counter(name), 0);
}

/**
 * Pushes one thing after the other until a series is refused or evicted.
 * @returns series of the things before that one, and the bytes that were used then
 */
function fit(feed, { one, head = "", series }, nowMs) {
  feed.push(chunk(head), nowMs);
  const before = lost(feed);
  let usedBytes = 0;
  for (let count = 0; ; count++) {
    feed.push(chunk(lines(one(count))), nowMs);
    feed.finish(nowMs);
    if (lost(feed) > before) return { fits: count * series, bytesEach: usedBytes / (count * series) };
    usedBytes = feed.cache.gauge("usedBytes");
  }
}

/** Counts of things to push, rising by two fifths, until far more than fit. */
function counts(most) {
  const result = [];
  for (let count = 10; count < most; count = Math.ceil(count * 1.4)) result.push(count);
  return [...result, Math.floor(most)];
}

/** How many series fit without loss, and how many are visible after N were pushed into a fresh cache, N rising. */
function rise(cacheBytes, kind) {
  const { one, head = "", series } = kind;
  const fitting = fit(new Feed({ cacheBytes, ttlMs: TTL_MS }), kind, 0);
  const points = counts((FAR_MORE * fitting.fits) / series).map((count) => {
    const feed = new Feed({ cacheBytes, ttlMs: TTL_MS });
    feed.push(chunk(head + Array.from({ length: count }, (_, i) => lines(one(i))).join("")), 0);
    feed.finish(0);
    return { pushed: count * series, visible: feed.visible(0) };
  });
  return { points, ...fitting };
}

const samplesOf = (text) => text.split("\n").filter((one) => one !== "" && !one.startsWith("#")).length;
const typesOf = (text) => text.split("\n").filter((one) => one.startsWith("# TYPE "));

/** A page pushed whole: its series, and its TYPE lines, that are visible. */
function pushPage(cacheBytes, text) {
  const feed = new Feed({ cacheBytes, ttlMs: TTL_MS });
  feed.push(chunk(text), 0);
  feed.finish(0);
  const rendered = feed.render(0);
  const types = new Set(typesOf(rendered));
  return {
    pushed: samplesOf(text),
    visible: samplesOf(rendered),
    typesPushed: typesOf(text).length,
    types: typesOf(text).filter((one) => types.has(one)).length,
    usedBytes: feed.cache.gauge("usedBytes"),
  };
}

/** Pushes ever new series, as fast as newcomers are let in for ever: a cacheful in a third of the TTL. */
function pushDistinct(feed, distinct, cacheful) {
  const stepMs = (TTL_MS / 3) * (BATCH / cacheful);
  let nowMs = 0;
  for (let first = 0; first < distinct; first += BATCH, nowMs += stepMs) {
    feed.push(chunk(lines(page(BATCH, first))), nowMs);
  }
  return nowMs;
}

/**
 * What fits of the same series in a fresh cache, and after many others went through it.
 * @param distinct how many others
 * @returns series: `fresh`; `expired`: when the others' time is over, with no housekeeping; `live`: how many of those
 *   that fit when fresh are visible when the others live and have to be evicted
 */
function afterChurn(cacheBytes, distinct) {
  const first = 100_000_000;
  const kind = { one: (i) => [threeLabels(first + i)], series: 1 };
  const make = () => new Feed({ cacheBytes, ttlMs: TTL_MS });
  const fresh = fit(make(), kind, 0).fits;
  const feed = make();
  const nowMs = pushDistinct(feed, distinct, fresh);
  const created = feed.cache.counter("metricsCreated");
  const expired = fit(feed, kind, nowMs + TTL_MS + 1).fits;
  const other = make();
  let laterMs = pushDistinct(other, Math.min(distinct, LIVE_FILLS * fresh), fresh);
  for (let i = 0; i < fresh; i += BATCH, laterMs += (TTL_MS / 3) * (BATCH / fresh)) {
    other.push(chunk(lines(page(Math.min(BATCH, fresh - i), first + i))), laterMs);
  }
  const live = other
    .render(laterMs)
    .split("\n")
    .filter((one) => one.includes(`device="dev-${String(first).slice(0, 3)}`)).length;
  return { distinct, created, fresh, expired, live };
}

/** @returns { kinds: { [kind]: { [cacheBytes]: ... } }, pages, churn } */
export async function measure({ caches, distinct, distinctLarge }) {
  const each = (measureOne) => Object.fromEntries(caches.map((cacheBytes) => [cacheBytes, measureOne(cacheBytes)]));
  const all = (things, measureOne) =>
    Object.fromEntries(Object.entries(things).map(([name, what]) => [name, each((bytes) => measureOne(bytes, what))]));
  return {
    kinds: all(KINDS, rise),
    pages: all(PAGES, pushPage),
    churn: each((bytes) => afterChurn(bytes, bytes === caches[0] ? distinct : distinctLarge)),
  };
}

const kib = (bytes) => `${bytes / KIB} KiB`;

export function report({ kinds, pages, churn }) {
  const caches = Object.keys(churn);
  const columns = (names) => ["", ...caches.flatMap((bytes) => names.map((name) => `${kib(bytes)}: ${name}`))];
  const series = Object.entries(kinds).map(([name, results]) => [
    name,
    ...caches.flatMap((bytes) => [
      whole(results[bytes].fits),
      figure(results[bytes].bytesEach),
      whole(results[bytes].points.at(-1).visible),
    ]),
  ]);
  const captured = Object.entries(pages).map(([name, results]) => [
    name,
    ...caches.flatMap((bytes) => {
      const { visible, pushed, types, typesPushed, usedBytes } = results[bytes];
      return [`${visible} of ${pushed}; ${types} of ${typesPushed}`, figure(usedBytes / visible)];
    }),
  ]);
  const churned = caches.map((bytes) => {
    const { distinct, created, fresh, expired, live } = churn[bytes];
    const share = `${figure((expired / fresh) * 100)} %`;
    return [kib(bytes), ...[distinct, created, fresh, expired, live].map(whole), share];
  });
  return [
    table(
      "density: series that fit before the first is lost, bytes a series then, and series visible after more were pushed",
      columns(["series that fit", "bytes each", `visible of ${FAR_MORE} times that`]),
      series,
    ),
    table("density: a captured page; series and TYPE lines visible", columns(["series; TYPE", "bytes"]), captured),
    table(
      "density: what fits after many other series went through",
      [
        "cache",
        "distinct series pushed",
        "of them taken",
        "fit when fresh",
        "fit when they have expired",
        "fit while they live",
        "expired to fresh",
      ],
      churned,
    ),
  ].join("\n");
}

/** Visible against pushed. */
export function plots({ kinds }) {
  const diagrams = [];
  const byKind = Object.entries(kinds);
  for (const cacheBytes of Object.keys(byKind[0][1])) {
    diagrams.push({
      name: `density-${cacheBytes / KIB}KiB`,
      title: `Series visible after pushing N into ${kib(cacheBytes)}`,
      x: "series pushed",
      y: "series visible",
      lines: byKind.map(([name, results]) => ({
        name,
        points: results[cacheBytes].points
          .filter(({ visible }) => visible > 0)
          .map(({ pushed, visible }) => [pushed, visible]),
      })),
    });
  }
  return diagrams;
}
