// native: the native gateway beside the Node host, the Pushgateway, and the C programs that only count bytes or send a body.
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { available, leaveOut, prepareLoad, withGateways } from "./gateway.mjs";
import * as ingest from "./ingest.mjs";
import { has, OUTPUT } from "./process.mjs";
import * as start from "./start.mjs";
import { figure, median, medianRatio, table, whole } from "./table.mjs";
import { line, page } from "./workload.mjs";

const KIB = 1024;
const SERIES = 100;
const CONNECTIONS = 16;
const TARGETS = ["x86-64", "aarch64", "armv7", "riscv64"];
const PROGRAMS = ["push-gateway", "push-gateway-wide", ...TARGETS.map((target) => `${target}/push-gateway`)];

export const SCALES = {
  tiny: { runs: 1, seconds: 0.02, settleMs: 0, pushgateway: false },
  short: { runs: 5, seconds: 0.25, settleMs: 500, pushgateway: true },
  full: { runs: 11, seconds: 1.5, settleMs: 2000, pushgateway: true },
};

/** Sizes of the programs that are built, in bytes. */
function sizes() {
  const folder = fileURLToPath(new URL("../build/native/", import.meta.url));
  const found = PROGRAMS.map((name) => [name, statSync(join(folder, name), { throwIfNoEntry: false })?.size]);
  return Object.fromEntries(found.filter(([, size]) => size !== undefined));
}

/** CPU a sample of streams of one connection, also in writes of a page each, and of many, each beside the peers. */
function pushes({ runs, seconds, pushgateway }) {
  const streams = ["native", "node", "counter"];
  const scale = { sizes: [SERIES], connections: [1, CONNECTIONS], runs, seconds, streams, plain: true };
  return ingest.measure({ ...scale, checked: pushgateway ? SERIES : 0 });
}

/** CPU a scrape, and memory idle and after pushes of many connections and scrapes. */
async function scrapes({ runs, seconds, pushgateway }) {
  const series = page(SERIES);
  const file = join(OUTPUT, "load", "native.body");
  const shares = Array.from({ length: CONNECTIONS }, (_, i) => series.filter((_, j) => j % CONNECTIONS === i));
  const load = prepareLoad("native", [[series]], ["http"]);
  const many = prepareLoad(
    "native-many",
    shares.map((share) => [share]),
    ["lines"],
  );
  writeFileSync(file, series.map(line).join(""));
  const keys = available(["native", "node", "body", ...(pushgateway ? ["pushgateway"] : [])]);
  return withGateways(keys, { file }, async (gateways) => {
    const cpus = gateways.map(() => []);
    for (const gateway of gateways) {
      const { push } = gateway.record;
      if (push !== undefined) await gateway.push(push === "http" ? load : many, push === "http" ? {} : { seconds });
      await gateway.scrape(seconds, 1);
    }
    for (let run = 0; run < runs; run++) {
      for (const [i, gateway] of gateways.entries()) {
        const { cpuNs, scrapes: count } = await gateway.scrape(seconds, 1);
        cpus[i].push(cpuNs / count);
      }
    }
    return gateways.map((gateway, i) => ({
      gateway: keys[i],
      name: gateway.record.name,
      nsPerScrape: median(cpus[i]),
      turns: cpus[i],
      ...gateway.process.memory(),
    }));
  });
}

/** @returns { sizes, starts, pushes, scrapes }; undefined if there is no native gateway */
export async function measure(scale) {
  if (!has("cc")) {
    leaveOut("left out: native: there is no C compiler (cc) for its load generator");
    return undefined;
  }
  if (available(["native"]).length === 0) return undefined;
  const keys = ["native", "node", ...(scale.pushgateway ? ["pushgateway"] : [])];
  const { bare, ...starts } = await start.measure({ runs: scale.runs, settleMs: scale.settleMs, keys });
  return { sizes: sizes(), starts, pushes: await pushes(scale), scrapes: await scrapes(scale) };
}

/** How many times the CPU of one gateway is that of another, turn by turn. */
function ratio(results, one, other) {
  const turnsOf = (key) => results.find(({ gateway }) => gateway === key).turns;
  return medianRatio(turnsOf(one), turnsOf(other));
}

export function report(result) {
  if (result === undefined) return "";
  const kib = (bytes) => figure(bytes / KIB);
  const own = result.scrapes.find(({ gateway }) => gateway === "native");
  /** CPU a sample, times the byte counter's. */
  const against = (count, bytes, apart) => {
    const results = result.pushes.filter(
      (one) => one.connections === count && one.writeBytes === bytes && one.apart === apart,
    );
    return figure(ratio(results, "native", "counter"));
  };
  return [
    table(
      "native: size of the programs",
      ["", "KiB"],
      Object.entries(result.sizes).map(([name, size]) => [name, kib(size)]),
    ),
    table(
      "native: to the first answered scrape, and memory when idle",
      ["", "time, ms", "CPU, ms", "RSS idle, KiB"],
      Object.values(result.starts).map((one) => [
        one.name,
        figure(one.ns / 1e6),
        figure(one.cpuNs / 1e6),
        whole(one.rss / KIB),
      ]),
    ),
    table(
      `native: CPU a sample, ${SERIES} series`,
      ["", "connections", "a write", "CPU ns a sample", "peak RSS, KiB"],
      result.pushes.map((one) => [
        one.name,
        one.connections,
        one.writeBytes === undefined
          ? "as much as fits"
          : `a page, ${whole(one.writeBytes)} bytes${one.apart ? ", on a connection of its own" : ""}`,
        figure(one.nsPerSample),
        whole(one.peak / KIB),
      ]),
    ),
    table(
      `native: a scrape of ${SERIES} series, and memory after pushes on ${CONNECTIONS} connections and scrapes`,
      ["", "CPU µs a scrape", "peak RSS, KiB", "reserved, KiB"],
      result.scrapes.map((one) => [
        one.name,
        figure(one.nsPerScrape / 1000),
        whole(one.peak / KIB),
        whole(one.reserved / KIB),
      ]),
    ),
    table(
      "native: goals",
      ["", "is", "must", "aim"],
      [
        ["RSS idle, KiB", whole(result.starts.native.rss / KIB), 256, 160],
        ["peak RSS under load, KiB", whole(own.peak / KIB), 256, 160],
        ["reserved, KiB", whole(own.reserved / KIB), 2048, ""],
        ["program, KiB", kib(result.sizes["push-gateway"]), 96, ""],
        ["CPU to the first scrape, ms", figure(result.starts.native.cpuNs / 1e6), 2, ""],
        ["CPU a sample, times the C byte counter's", against(1), 2, 1.2],
        ["the same with a page of 100 series a write", against(1, ingest.PAGE_BYTES), "", ""],
        ["the same with a connection for each page", against(1, ingest.PAGE_BYTES, true), "", ""],
        [`the same with ${CONNECTIONS} connections`, against(CONNECTIONS), "", ""],
        ["CPU a scrape, times a static body's", figure(ratio(result.scrapes, "native", "body")), 2, ""],
      ],
    ),
  ].join("\n");
}
