// ingest: CPU a sample of a gateway that takes a stream, beside programs that only count its bytes.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { available, GATEWAYS, HOSTS, leaveOut, prepareLoad, Running, withGateways } from "./gateway.mjs";
import { CORES, has, OUTPUT, PINNED } from "./process.mjs";
import { figure, median, mib, table, whole } from "./table.mjs";
import { page, shuffle } from "./workload.mjs";

const MIB = 2 ** 20;
/** A connection's stream before it is repeated, at least: the generator writes large pieces. */
const LEAST_STREAM_BYTES = 256 * 1024;
const LINE_BYTES = 80;
/** Rounds of values, and other orders, before the stream is repeated. */
const LEAST_ROUNDS = 3;
/** What a stream sends in a round, for each second that a round of pushes by HTTP takes. */
const BYTES_PER_SECOND = 256e6;
/**
 * What a stream sends before the first round, unless its time is over before. Node's heap has its size, and its code is
 * compiled, after some 400 MB; until then the byte counter's CPU is twice what it is later.
 */
const WARM_BYTES = 512e6;
/** Longest push of a Pushgateway whose turns are waited for: its check looks at all series for each push. */
const SLOWEST_PUSH_SECONDS = 5;

const STREAMS = ["counter", "nodeCounter", "staticCounter", "map", ...HOSTS];
const POSTS = ["pushgateway", "unchecked"];

// sizes, connections: what is combined; runs: rounds; seconds: of a round by HTTP, and what a stream sends in one;
// warmSeconds: longest time before the first; checked: most series in the Pushgateway with its check; all: all
// combinations; plain: only those in order, with a core each.
export const SCALES = {
  tiny: {
    sizes: [100],
    connections: [1, 3],
    runs: 1,
    seconds: 0.02,
    warmSeconds: 0.02,
    checked: 100,
    streams: STREAMS,
    all: false,
  },
  short: {
    sizes: [100, 10_000, 200_000],
    connections: [1, 16],
    runs: 5,
    seconds: 0.1,
    warmSeconds: 0.5,
    checked: 10_000,
    streams: STREAMS,
    all: false,
  },
  full: {
    sizes: [100, 10_000, 200_000],
    connections: [1, 16],
    runs: 21,
    seconds: 0.125,
    warmSeconds: 2,
    checked: 200_000,
    streams: STREAMS,
    all: true,
  },
};

/** Pages of each connection: its share of the series, in several rounds of values, in order or each in another order. */
function pagesOf(size, connections, shuffled) {
  return Array.from({ length: connections }, (_, c) => {
    const first = Math.floor((size * c) / connections);
    const count = Math.floor((size * (c + 1)) / connections) - first;
    const rounds = Math.max(LEAST_ROUNDS, Math.ceil(LEAST_STREAM_BYTES / (count * LINE_BYTES)));
    return Array.from({ length: rounds }, (_, round) => {
      const series = page(count, first, round);
      return shuffled ? shuffle(series, 1 + c * rounds + round) : series;
    });
  });
}

function cacheBytesFor(size) {
  if (size <= 100) return 10 * 1024;
  return size <= 10_000 ? MIB : 16 * MIB;
}

/** A page of a hundred series in each write, as a pusher sends it that has no more. */
export const PAGE_BYTES = 100 * 82;

/** All ways to push that are measured. The short form leaves out what differs little from what it has. */
function combinations({ connections, all, plain }) {
  const result = [];
  for (const count of connections) {
    for (const shuffled of plain ? [false] : [false, true]) {
      const one = { connections: count, shuffled, oneCore: false };
      const single = count === connections[0];
      if (all || single || !shuffled) result.push(one);
      if (PINNED && !plain && (all || (single && !shuffled))) result.push({ ...one, oneCore: true });
      if (single && !shuffled) {
        const pages = { ...one, writeBytes: PAGE_BYTES };
        result.push(pages, { ...pages, apart: true });
      }
    }
  }
  return result;
}

/** Those that are measured in a combination with so many series. */
function gatewaysFor({ connections, shuffled, writeBytes }, size, { checked, streams, all }) {
  const plain = connections === 1 && !shuffled && writeBytes === undefined;
  const posts = plain ? POSTS.filter((key) => key !== "pushgateway" || size <= checked) : [];
  // Bytes are counted in any order; the other combinations have that figure.
  const fast = shuffled && !all ? streams.filter((key) => key === "map" || HOSTS.includes(key)) : streams;
  return available([...fast, ...posts]);
}

/** What is compared in a combination: each gateway with each number of series, by itself. */
function lanesOf(combination, scale) {
  const { connections, shuffled, writeBytes } = combination;
  const sizes = writeBytes === undefined ? scale.sizes : scale.sizes.slice(0, 1);
  return sizes.flatMap((size) => {
    const load = prepareLoad(`ingest-${size}`, pagesOf(size, connections, shuffled));
    const bytes = load.lines.reduce((sum, file) => sum + file.bytes, 0);
    const times = Math.max(1, Math.round((scale.seconds * BYTES_PER_SECOND) / bytes));
    return gatewaysFor(combination, size, scale).map((key) => ({ key, size, load, times }));
  });
}

/**
 * Fills the files from which Pushgateways with their check start: filled by pushes, 200,000 series take ten minutes.
 * What it holds is the same: as many groups with the same series.
 */
async function keepFilled(lanes) {
  for (const lane of lanes) {
    if (lane.key !== "pushgateway") continue;
    lane.kept = join(OUTPUT, "load", `pushgateway-${lane.size}`);
    rmSync(lane.kept, { force: true });
    const filler = await Running.start("unchecked", { kept: lane.kept });
    await filler.push(lane.load);
    await filler.stop();
  }
}

/** Pushes before the first round. Whether its rounds are worth waiting for. */
async function warm({ key, load, size, kept }, gateway, options, warmSeconds) {
  if (kept !== undefined) {
    // Time that is over at once lets one request through.
    const { seconds } = await gateway.push(load, { ...options, seconds: 1e-6 });
    if (seconds <= SLOWEST_PUSH_SECONDS) return true;
    leaveOut(`left out: ingest: ${GATEWAYS[key].name}, ${whole(size)} series: a push takes ${figure(seconds)} s`);
    return false;
  }
  await gateway.push(load, options);
  for (let bytes = 0, seconds = 0; bytes < WARM_BYTES && seconds < warmSeconds; ) {
    const pushed = await gateway.push(load, { ...options, seconds: warmSeconds / 8 });
    bytes += pushed.bytes;
    seconds += pushed.seconds;
  }
  return true;
}

/** Measures one combination: all gateways with all numbers of series in turns, as many bytes for each stream. */
async function measureOne(combination, { warmSeconds, ...scale }) {
  const { oneCore, writeBytes, apart } = combination;
  const options = { core: oneCore ? CORES.gateway : CORES.load, writeBytes, apart };
  const lanes = lanesOf(combination, scale);
  await keepFilled(lanes);
  const start = (i) => ({ cacheBytes: cacheBytesFor(lanes[i].size), kept: lanes[i].kept });
  const keys = lanes.map(({ key }) => key);
  return withGateways(keys, start, async (gateways) => {
    const measured = [];
    for (const [i, lane] of lanes.entries()) {
      const gateway = gateways[i];
      if (await warm(lane, gateway, options, warmSeconds)) measured.push({ ...lane, gateway, runs: [] });
    }
    for (let run = 0; run < scale.runs; run++) {
      for (const { gateway, load, times, runs } of measured) {
        runs.push(await gateway.push(load, { ...options, seconds: scale.seconds, times }));
      }
    }
    return measured.map(({ key, size, gateway, runs }) => ({
      ...combination,
      size,
      gateway: key,
      name: gateway.record.name,
      nsPerSample: median(runs.map((run) => run.cpuNs / run.samples)),
      // Turn by turn, for ratios.
      turns: runs.map((run) => run.cpuNs / run.samples),
      samplesPerSecond: median(runs.map((run) => run.samples / run.seconds)),
      bytesPerSecond: median(runs.map((run) => run.bytes / run.seconds)),
      busy: median(runs.map((run) => run.busy)),
      peak: gateway.process.memory().peak,
    }));
  });
}

/** @returns a list of results, one for each gateway and number of series of each combination */
export async function measure(scale) {
  if (!has("cc")) {
    leaveOut("left out: ingest: there is no C compiler (cc) for its load generator");
    return [];
  }
  const results = [];
  for (const combination of combinations(scale)) {
    results.push(...(await measureOne(combination, { warmSeconds: Math.min(1, 8 * scale.seconds), ...scale })));
  }
  return results;
}

const describe = ({ connections, shuffled, oneCore, writeBytes, apart }) =>
  [
    apart ? "a connection for each page" : connections === 1 ? "one connection" : `${connections} connections`,
    shuffled ? "shuffled" : "in order",
    oneCore ? "gateway and pusher on one core" : "a core each",
    ...(writeBytes === undefined ? [] : [`${whole(writeBytes)} bytes a write`]),
  ].join(", ");

export function report(results) {
  const groups = groupBy(results, describe);
  return [...groups]
    .map(([title, group]) => {
      const rows = group.map((one) => [
        one.name,
        whole(one.size),
        figure(one.nsPerSample / 1000),
        figure(one.samplesPerSecond / 1e6),
        one.bytesPerSecond === 0 ? "–" : figure(one.bytesPerSecond / 1e6),
        mib(one.peak),
        `${figure(one.busy * 100)} %`,
      ]);
      return table(
        `ingest: ${title}`,
        ["", "series", "CPU µs a sample", "million samples/s", "MB/s", "peak RSS, MiB", "generator busy"],
        rows,
      );
    })
    .join("\n");
}

/** Map.groupBy, which Node 20 does not have. */
function groupBy(list, keyOf) {
  const groups = new Map();
  for (const one of list) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}
