// What the figures must show: the goals, and what was measured.
import { PAGE_BYTES } from "./ingest.mjs";
import { figure, medianRatio, table } from "./table.mjs";

const MIB = 2 ** 20;
const KIB = 1024;

/** A result of ingest; undefined if it was not measured. */
function push(results, gateway, wanted = {}) {
  const all = {
    size: 100,
    connections: 1,
    shuffled: false,
    oneCore: false,
    writeBytes: undefined,
    apart: undefined,
    ...wanted,
  };
  return results.ingest?.find(
    (one) => one.gateway === gateway && Object.entries(all).every(([field, value]) => one[field] === value),
  );
}

/** How many times the CPU of one result is that of another that was measured in turns with it. */
function turnsRatio(one, other) {
  return one === undefined || other === undefined ? undefined : medianRatio(one.turns, other.turns);
}

/** How many times the CPU a sample of one is that of the other. */
function pushRatio(results, gateway, peer, wanted) {
  return turnsRatio(push(results, gateway, wanted), push(results, peer, wanted));
}

function scrape(results, gateway, size) {
  return results.scrape?.find((one) => one.gateway === gateway && one.size === size && one.format === "text");
}

function ratio(value, other) {
  return value === undefined || other === undefined ? undefined : value / other;
}

const ns = (results, name) => results.core?.[name]?.ns;
const inTen = (results, kind) => results.density?.kinds[kind][10 * KIB].fits;
const shareOf = (page) => (page === undefined ? undefined : page.visible / page.pushed);
/** The most that was resident in any ingest of 100 series. */
function loaded(results) {
  const own = (results.ingest ?? []).filter((one) => one.gateway === "node" && one.size === 100);
  return own.length === 0 ? undefined : Math.max(...own.map((one) => one.peak));
}

/** The least capacity after many series, of the caches of some sizes, in per cent of a fresh one's. */
function kept(results, suits) {
  const churns = Object.entries(results.density?.churn ?? {}).filter(([cacheBytes]) => suits(Number(cacheBytes)));
  if (churns.length === 0) return undefined;
  return 100 * Math.min(...churns.map(([, { fresh, expired }]) => expired / fresh));
}

const LEAST = 1;
const MOST = -1;

/** what; must and aim (undefined: printed only); which side is good; how it is read from the results. */
const GOALS = [
  ["three-label series in 10 KiB", 350, 600, LEAST, (r) => inTen(r, "three labels, 10 families")],
  [
    "node_exporter's labelled samples in 10 KiB, %",
    100,
    100,
    LEAST,
    (r) => percent(shareOf(r.density?.pages["node_exporter, labelled"][10 * KIB])),
  ],
  [
    "with TYPE of their families, % of samples and types",
    undefined,
    100,
    LEAST,
    (r) => percent(withTypes(r.density?.pages["node_exporter, labelled, with TYPE"][10 * KIB])),
  ],
  ["histograms of 12 buckets in 10 KiB", 30, 50, LEAST, (r) => ratio(inTen(r, "histograms of 12 buckets"), 15)],
  [
    "capacity of 10 KiB after many distinct series, % of fresh",
    100,
    undefined,
    LEAST,
    (r) => kept(r, (cacheBytes) => cacheBytes === 10 * KIB),
  ],
  [
    "the same, caches above 16 KiB, the least",
    undefined,
    undefined,
    LEAST,
    (r) => kept(r, (cacheBytes) => cacheBytes > 16 * KIB),
  ],
  ["core, 100 in order, ns a sample", 40, 25, MOST, (r) => ns(r, "100 in order")],
  ["core, 10,000 in order, ns a sample", 60, 40, MOST, (r) => ns(r, "10000 in order")],
  ["core, 100, families in turn, ns a sample", undefined, undefined, MOST, (r) => ns(r, "100, families in turn")],
  ["core, 10,000, families in turn, ns a sample", undefined, undefined, MOST, (r) => ns(r, "10000, families in turn")],
  ["core, 10,000 shuffled, ns a sample", 130, 80, MOST, (r) => ns(r, "10000 shuffled")],
  [
    "core, new series with room, ns a sample",
    400,
    250,
    MOST,
    (r) => worst(r, "new series, 10 KiB with room", "new series, 1024 KiB with room"),
  ],
  [
    "core, churn in a full cache, ns a sample",
    600,
    400,
    MOST,
    (r) => worst(r, "churn, full 10 KiB", "churn, full 1024 KiB"),
  ],
  ["core, 200,000 against 100 in order", 1.6, 1.3, MOST, (r) => ratio(ns(r, "200000 in order"), ns(r, "100 in order"))],
  [
    "200,000 series against 100, CPU a sample of the process",
    1.6,
    1.3,
    MOST,
    (r) => turnsRatio(push(r, "node", { size: 200_000 }), push(r, "node")),
  ],
  ["Node against the Node byte counter, one connection", 1.7, 1.2, MOST, (r) => pushRatio(r, "node", "nodeCounter")],
  [
    "the same, a page of 100 series a write",
    undefined,
    undefined,
    MOST,
    (r) => pushRatio(r, "node", "nodeCounter", { writeBytes: PAGE_BYTES }),
  ],
  [
    "the same, a connection for each page of 100 series",
    undefined,
    undefined,
    MOST,
    (r) => pushRatio(r, "node", "nodeCounter", { writeBytes: PAGE_BYTES, apart: true }),
  ],
  [
    "the same, 16 connections",
    undefined,
    undefined,
    MOST,
    (r) => pushRatio(r, "node", "nodeCounter", { connections: 16 }),
  ],
  [
    "Pushgateway with its check against Node, 100 series, CPU a sample",
    150,
    250,
    LEAST,
    (r) => pushRatio(r, "pushgateway", "node"),
  ],
  [
    "Pushgateway against Node, scrape of 10,000 series, CPU",
    30,
    50,
    LEAST,
    (r) => turnsRatio(scrape(r, "unchecked", 10_000), scrape(r, "node", 10_000)),
  ],
  [
    "RSS growth while 200,000 series are scraped, MiB",
    4,
    1,
    MOST,
    (r) => mibOf(scrape(r, "node", 200_000)?.growthFirst),
  ],
  ["Node RSS idle, MiB", 50, 47, MOST, (r) => mibOf(r.start?.node?.rss)],
  ["Node RSS under load, MiB", 58, 54, MOST, (r) => mibOf(loaded(r))],
];

function percent(share) {
  return share === undefined ? undefined : 100 * share;
}

function withTypes(page) {
  return page === undefined ? undefined : Math.min(shareOf(page), page.types / page.typesPushed);
}

function worst(results, ...names) {
  return results.core === undefined ? undefined : Math.max(...names.map((name) => ns(results, name)));
}

function mibOf(bytes) {
  return bytes === undefined ? undefined : bytes / MIB;
}

function verdict(measured, must, aim, side) {
  const meets = (goal) => goal !== undefined && (measured - goal) * side >= 0;
  if (must === undefined && aim === undefined) return "";
  if (must !== undefined && !meets(must)) return "**missed**";
  if (aim === undefined) return "met";
  return meets(aim) ? "aim met" : "aim missed";
}

/**
 * The goals that something was measured for.
 * @param results of the benches, by name
 * @returns a list of { what, must, aim, measured, verdict }
 */
export function judge(results) {
  return GOALS.flatMap(([what, must, aim, side, read]) => {
    const measured = read(results);
    if (measured === undefined || Number.isNaN(measured)) return [];
    return [{ what, must, aim, most: side === MOST, measured, verdict: verdict(measured, must, aim, side) }];
  });
}

/** The goals as a table. */
export function reportGoals(judged) {
  const rows = judged.map(({ what, must, aim, most, measured, verdict: said }) => {
    const bound = (goal) => (goal === undefined ? "" : `${most ? "≤" : "≥"} ${goal}`);
    return [what, bound(must), bound(aim), figure(measured), said];
  });
  return table("goals", ["", "must", "aim", "measured", ""], rows);
}
