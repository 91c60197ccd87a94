// ingest: CPU a sample of a gateway that takes a stream, beside programs that only count its bytes.
import { available, HOSTS, leaveOut, prepareLoad, withGateways } from "./gateway.mjs";
import { CORES, has, PINNED } from "./process.mjs";
import { figure, median, mib, table, whole } from "./table.mjs";
import { page, shuffle } from "./workload.mjs";

const MIB = 2 ** 20;
/** A connection's stream before it is repeated, at least: the generator writes large pieces. */
const LEAST_STREAM_BYTES = 256 * 1024;
const LINE_BYTES = 80;
/** Rounds of values, and other orders, before the stream is repeated. */
const LEAST_ROUNDS = 3;
/** Above this the Pushgateway's check makes a run endless: it looks at all series for each push. */
const CHECKED_SHORT = 10_000;

const STREAMS = ["counter", "nodeCounter", "staticCounter", "map", ...HOSTS];
const POSTS = ["pushgateway", "unchecked"];

export const SCALES = {
  tiny: {
    sizes: [100],
    connections: [1, 3],
    runs: 1,
    seconds: 0.02,
    checked: 100,
    streams: STREAMS,
    all: false,
  },
  short: {
    sizes: [100, 10_000, 200_000],
    connections: [1, 16],
    runs: 3,
    seconds: 0.25,
    checked: CHECKED_SHORT,
    streams: STREAMS,
    all: false,
  },
  full: {
    sizes: [100, 10_000, 200_000],
    connections: [1, 16],
    runs: 5,
    seconds: 1,
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

/**
 * All combinations that are measured, those of one load one after the other. The short form leaves out what differs
 * little from what it has.
 */
function combinations({ sizes, connections, all }) {
  const result = [];
  for (const size of sizes) {
    for (const count of connections) {
      for (const shuffled of [false, true]) {
        const one = { size, connections: count, shuffled, oneCore: false };
        const single = count === connections[0];
        if (all || single || !shuffled) result.push(one);
        if (PINNED && (all || (single && !shuffled))) result.push({ ...one, oneCore: true });
        if (size === sizes[0] && single && !shuffled) result.push({ ...one, writeBytes: PAGE_BYTES });
      }
    }
  }
  return result;
}

/** Those that are measured with a combination. */
function gatewaysFor({ size, connections, shuffled, oneCore, writeBytes }, { checked, streams, all }) {
  const plain = connections === 1 && !shuffled && writeBytes === undefined;
  const most = oneCore ? Math.min(checked, CHECKED_SHORT) : checked;
  const posts = plain ? POSTS.filter((key) => key !== "pushgateway" || size <= most) : [];
  // Bytes are counted in any order; the other combinations have that figure.
  const fast = shuffled && !all ? streams.filter((key) => key === "map" || HOSTS.includes(key)) : streams;
  return available([...fast, ...posts]);
}

/** Measures one combination: what is compared runs in turns. */
async function measureOne(combination, load, scale) {
  const { size, oneCore, writeBytes } = combination;
  const options = { core: oneCore ? CORES.gateway : CORES.load, writeBytes };
  const keys = gatewaysFor(combination, scale);
  return withGateways(keys, { cacheBytes: cacheBytesFor(size) }, async (gateways) => {
    const runs = gateways.map(() => []);
    for (const gateway of gateways) await gateway.push(load, options);
    for (let run = 0; run < scale.runs; run++) {
      for (const [i, gateway] of gateways.entries()) {
        runs[i].push(await gateway.push(load, { ...options, seconds: scale.seconds }));
      }
    }
    return gateways.map((gateway, i) => ({
      ...combination,
      gateway: keys[i],
      name: gateway.record.name,
      nsPerSample: median(runs[i].map((run) => run.cpuNs / run.samples)),
      samplesPerSecond: median(runs[i].map((run) => run.samples / run.seconds)),
      bytesPerSecond: median(runs[i].map((run) => run.bytes / run.seconds)),
      busy: median(runs[i].map((run) => run.busy)),
      peak: gateway.process.memory().peak,
    }));
  });
}

/** @returns a list of results, one for each gateway of each combination */
export async function measure(scale) {
  if (!has("cc")) {
    leaveOut("left out: ingest: there is no C compiler (cc) for its load generator");
    return [];
  }
  const results = [];
  let load;
  let loaded;
  for (const combination of combinations(scale)) {
    const { size, connections, shuffled } = combination;
    const wanted = `${size} ${connections} ${shuffled}`;
    if (wanted !== loaded) load = prepareLoad("ingest", pagesOf(size, connections, shuffled));
    loaded = wanted;
    results.push(...(await measureOne(combination, load, scale)));
  }
  return results;
}

const describe = ({ connections, shuffled, oneCore, writeBytes }) =>
  [
    connections === 1 ? "one connection" : `${connections} connections`,
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
