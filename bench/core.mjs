// core: nanoseconds a sample in process, of the module and of what else parses the text in JavaScript.
import { Feed } from "./feed.mjs";
import { leaveOut } from "./gateway.mjs";
import { SeriesMap } from "./peers/map.mjs";
import { figure, median, table } from "./table.mjs";
import { BAD_LINES, line, nodeExporter, page, shuffle } from "./workload.mjs";

export const SCALES = {
  tiny: { warmMs: 0, runs: 1, sizes: [100, 1000], many: 1000, churn: 4 },
  short: { warmMs: 300, runs: 15, sizes: [100, 10_000, 200_000], many: 10_000, churn: 16 },
  full: { warmMs: 1500, runs: 41, sizes: [100, 10_000, 200_000], many: 10_000, churn: 40 },
};

const TTL_MS = 60_000;
const KIB = 1024;
/** Less than fit in 10 KiB, so that a cache has room for all of them. */
const ROOM = 300;
/** A run pushes at least so many samples, to be long beside the clock's own cost. */
const LEAST_SAMPLES = 20_000;

const text = (series) => Buffer.from(series.map(line).join(""));

/** A cache that holds so many series with three labels. */
function bytesFor(count) {
  if (count <= ROOM) return 10 * KIB;
  return count <= 20_000 ? KIB * KIB : 16 * KIB * KIB;
}

/** Checks that an ideal case is what it is called: a figure of something else would be worse than none. */
function expect(what, found, expected) {
  if (found !== expected) throw new Error(`core: ${what}: ${found}, expected ${expected}`);
}

/** The same series pushed again and again; their values move. */
function known(name, count, orders) {
  const feed = new Feed({ cacheBytes: bytesFor(count), ttlMs: TTL_MS });
  // Three rounds of values, so that no value is the one that is there, and no order for long the one that was last.
  const pages = [1, 2, 3].map((round) => text(orders(page(count, 0, round), round)));
  let turn = 0;
  let pushed = 0;
  return {
    name,
    samples: count * Math.max(1, Math.ceil(LEAST_SAMPLES / count)),
    run(samples) {
      let ns = 0;
      for (let done = 0; done < samples; done += count) {
        ns += feed.push(pages[turn++ % pages.length], 0);
        pushed += count;
      }
      return ns;
    },
    check() {
      expect(`${name}: samples`, feed.cache.counter("samples"), pushed);
      expect(`${name}: series`, feed.cache.gauge("series"), count);
    },
    bytes: pages[0].length / count,
  };
}

/** New series into fresh caches, which have room for them. */
function fresh(name, count, repeats) {
  const bytes = text(page(count));
  return {
    name,
    samples: count * repeats,
    run(samples) {
      let ns = 0;
      for (let done = 0; done < samples; done += count) {
        const feed = new Feed({ cacheBytes: bytesFor(count), ttlMs: TTL_MS });
        ns += feed.push(bytes, 0);
        expect(`${name}: metrics created`, feed.cache.counter("metricsCreated"), count);
      }
      return ns;
    },
    check() {},
    bytes: bytes.length / count,
  };
}

/** How many series with three labels a cache of this size has room for. */
function capacity(cacheBytes) {
  const feed = new Feed({ cacheBytes, ttlMs: TTL_MS });
  feed.push(text(page(cacheBytes / 8)), 0);
  return feed.cache.gauge("series");
}

/**
 * Ever new series through a full cache, half of what it holds at once; so much time lies between that the older half
 * may be replaced.
 * @param stepMs between two pushes: a third of the TTL for evictions, more than all of it for expiry, 0 for refusals
 * @param counter what must count the series
 */
function churn(name, cacheBytes, stepMs, counter, batches) {
  const feed = new Feed({ cacheBytes, ttlMs: TTL_MS });
  const count = Math.floor(capacity(cacheBytes) / 20) * 10;
  const evicting = counter === "metricsEvicted";
  let first = 0;
  let nowMs = 0;
  const push = () => {
    // Numbers of so many digits as the next ones, from the start.
    const bytes = text(page(count, 1_000_000 + first));
    first += count;
    nowMs += stepMs;
    return feed.push(bytes, nowMs);
  };
  for (let i = 0; i < 5; i++) push();
  const before = feed.cache.counter(counter);
  const began = first;
  return {
    name,
    samples: count * batches,
    run(samples) {
      let ns = 0;
      for (let done = 0; done < samples; done += count) ns += push();
      return ns;
    },
    check() {
      const share = (feed.cache.counter(counter) - before) / (first - began);
      if (share < 0.9 || share > (evicting ? 1.1 : 1.01))
        throw new Error(`core: ${name}: ${counter} ${share} a sample`);
    },
    bytes: text(page(count, 1_000_000)).length / count,
  };
}

/** A page as it is, again and again. */
function fixed(name, bytes, samples, parse) {
  const repeats = Math.max(1, Math.ceil(LEAST_SAMPLES / 4 / samples));
  return {
    name,
    samples: samples * repeats,
    run(count) {
      let ns = 0;
      for (let done = 0; done < count; done += samples) ns += parse(bytes);
      return ns;
    },
    check() {},
    bytes: bytes.length / samples,
  };
}

function bad() {
  const feed = new Feed({ ttlMs: TTL_MS });
  const result = fixed("bad lines", Buffer.from(`${BAD_LINES.join("\n")}\n`), BAD_LINES.length, (bytes) =>
    feed.push(bytes, 0),
  );
  return { ...result, check: () => expect("bad lines: samples", feed.cache.counter("samples"), 0) };
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
async function parsers(what, bytes, samples) {
  const kept = new SeriesMap();
  const cases = [
    fixed(`naive split, ${what}`, bytes, samples, (b) => timed(() => split(b.toString("utf8")))),
    fixed(`a Map, ${what}`, bytes, samples, (b) => timed(() => kept.take(b.toString("utf8")))),
  ];
  try {
    const { default: parse } = await import("parse-prometheus-text-format");
    cases.push(
      fixed(`parse-prometheus-text-format, ${what}`, bytes, samples, (b) => timed(() => parse(b.toString("utf8")))),
    );
  } catch {
    leaveOut("left out: parse-prometheus-text-format: not installed (npm install)");
  }
  return cases;
}

async function createCases({ sizes, many, churn: batches }) {
  const same = (series) => series;
  const exporter = Buffer.from(nodeExporter());
  const exporterSamples = nodeExporter()
    .split("\n")
    .filter((one) => one !== "" && !one.startsWith("#")).length;
  const feed = new Feed({ cacheBytes: 64 * KIB, ttlMs: TTL_MS });
  const evictMs = TTL_MS / 3;
  return [
    ...sizes.map((count) => known(`${count} in order`, count, same)),
    known(`${many} shuffled`, many, shuffle),
    fresh("new series, 10 KiB with room", ROOM, Math.ceil(batches / 2)),
    fresh("new series, 1 MiB with room", many, 1),
    churn("churn, full 10 KiB", 10 * KIB, evictMs, "metricsEvicted", batches),
    churn("churn, full 1 MiB", KIB * KIB, evictMs, "metricsEvicted", 1),
    churn("expiry, 10 KiB", 10 * KIB, TTL_MS + 1, "metricsExpired", batches),
    churn("expiry, 1 MiB", KIB * KIB, TTL_MS + 1, "metricsExpired", 1),
    bad(),
    fixed("node_exporter, 64 KiB", exporter, exporterSamples, (bytes) => feed.push(bytes, 0)),
    ...(await parsers("node_exporter", exporter, exporterSamples)),
    ...(await parsers(`${many} in order`, text(page(many)), many)),
  ];
}

/**
 * Measures all cases in turns.
 * @returns { [case]: { ns: a sample, bytes: a sample } }
 */
export async function measure(scale) {
  const cases = await createCases(scale);
  for (const one of cases) {
    const until = performance.now() + scale.warmMs;
    do one.run(one.samples);
    while (performance.now() < until);
  }
  const times = cases.map(() => []);
  for (let run = 0; run < scale.runs; run++) {
    cases.forEach((one, i) => {
      times[i].push(one.run(one.samples) / one.samples);
    });
  }
  const result = {};
  cases.forEach((one, i) => {
    one.check();
    result[one.name] = { ns: median(times[i]), bytes: one.bytes };
  });
  return result;
}

export function report(result) {
  const rows = Object.entries(result).map(([name, { ns, bytes }]) => [name, figure(ns), figure((bytes / ns) * 1000)]);
  return table("core: in process, the module alone", ["", "ns a sample", "MB/s"], rows);
}
