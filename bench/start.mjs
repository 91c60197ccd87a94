// start: from the start of the process to the first scrape's answer, and its memory when nothing has come yet.
import { available, GATEWAYS, HOSTS, leaveOut, withGateways } from "./gateway.mjs";
import { CORES, compile, cpuNs, freePort, has, Process, runTool } from "./process.mjs";
import { figure, median, mib, table } from "./table.mjs";

export const SCALES = {
  tiny: { runs: 1, settleMs: 0, keys: [...HOSTS, "pushgateway"] },
  short: { runs: 7, settleMs: 500, keys: [...HOSTS, "pushgateway"] },
  full: { runs: 15, settleMs: 1000, keys: [...HOSTS, "pushgateway"] },
};

/** Starts a gateway with a scraper already asking; time and CPU until it is answered. */
async function firstScrape(key) {
  const port = await freePort();
  const scraper = runTool([compile("scrape"), String(port), "0", "1"]);
  const began = process.hrtime.bigint();
  return await withGateways([key], { port }, async ([running]) => {
    const { first } = await scraper;
    // The generator's clock is this one: both are CLOCK_MONOTONIC.
    return { ns: first * 1e9 - Number(began), cpuNs: running.process.cpuNs() };
  });
}

/** Memory of a gateway that has said it is ready, after some time in which nothing happens. */
async function idle(key, settleMs) {
  return await withGateways([key], {}, async ([running]) => {
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    return running.process.memory();
  });
}

/** Memory of Node with nothing to do: what no gateway on it can be below. */
async function bareNode(settleMs) {
  const bare = Process.start(
    [process.execPath, "-e", "console.error('ready'); setInterval(() => {}, 1e6)"],
    CORES.gateway,
  );
  await bare.ready(/ready/);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const { rss, anonymous } = bare.memory();
  const cpu = cpuNs(bare.pid);
  await bare.stop();
  return { rss, anonymous, cpuNs: cpu };
}

/** @returns { [gateway]: { name, ns, cpuNs, rss, anonymous } } */
export async function measure({ runs, settleMs, keys }) {
  if (!has("cc")) {
    leaveOut("left out: start: there is no C compiler (cc) for its load generator");
    return {};
  }
  const found = available(keys);
  const starts = found.map(() => []);
  const idles = found.map(() => []);
  const bares = [];
  for (let run = 0; run < runs; run++) {
    for (const [i, key] of found.entries()) {
      starts[i].push(await firstScrape(key));
      idles[i].push(await idle(key, settleMs));
    }
    bares.push(await bareNode(settleMs));
  }
  const middle = (list, field) => median(list.map((one) => one[field]));
  const result = { bare: { name: "Node with nothing to do" } };
  for (const field of ["rss", "anonymous", "cpuNs"]) result.bare[field] = middle(bares, field);
  for (const [i, key] of found.entries()) {
    result[key] = {
      name: GATEWAYS[key].name,
      ns: middle(starts[i], "ns"),
      cpuNs: middle(starts[i], "cpuNs"),
      rss: middle(idles[i], "rss"),
      anonymous: middle(idles[i], "anonymous"),
    };
  }
  return result;
}

export function report(result) {
  const rows = Object.values(result).map((one) => [
    one.name,
    figure(one.ns / 1e6),
    figure(one.cpuNs / 1e6),
    mib(one.rss),
    mib(one.anonymous),
  ]);
  return table(
    "start: to the first answered scrape, and memory when idle",
    ["", "time, ms", "CPU, ms", "RSS idle, MiB", "anonymous, MiB"],
    rows,
  );
}
