/** A page that is pushed again and again while a real Prometheus scrapes: no scrape is bad. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Daemon, until } from "../e2e/daemon.js";
import { historyOf, type Prometheus, recordNodeExporter, reportOf, scraped, startPrometheus } from "./prometheus.js";
import { sampleLines, withValues } from "./samples.js";
import { type Format, serveProxy } from "./servers.js";
import { curl, missing, socat, startRoomy } from "./tools.js";

const ROUNDS = 30;
const skip = missing("prometheus", "prometheus-node-exporter", "socat", "curl");

/** The value of all series in a round: each of another length, and never less than before. */
function valueIn(round: number): string {
  return round % 3 === 0 ? `${round}` : `${round}.${"5".repeat(round % 13)}1`;
}

/** What a scraper saw of one series: its values, in time. */
async function valuesOf(prometheus: Prometheus, name: string): Promise<number[]> {
  const [values] = (await historyOf(prometheus, `${name}{via="gateway"}`)).values();
  return (values ?? []).map(([, value]) => Number(value));
}

/** Pushes rounds, and reads the page with curl after each, until Prometheus has seen some of them too. */
async function pushRounds(daemon: Daemon, prometheus: Prometheus, page: string, count: number): Promise<number> {
  const seenBefore = (await valuesOf(prometheus, "up")).length;
  let round = 0;
  await until("Prometheus has scraped between the rounds", async () => {
    await socat(daemon.socket, withValues(page, valueIn(++round)));
    assert.equal(sampleLines(await curl(daemon)).length, count, `round ${round}`);
    return round >= ROUNDS && (await valuesOf(prometheus, "up")).length > seenBefore + 5;
  });
  return round;
}

/** Prometheus has seen each series grow, with values that were pushed, and with no gap. */
async function checkHistory(prometheus: Prometheus, count: number, rounds: number): Promise<void> {
  const pushed = new Set(Array.from({ length: rounds + 1 }, (_, i) => Number(valueIn(i))));
  const history = await historyOf(prometheus, '{via="gateway",__name__!~"up|scrape_.*"}');
  assert.equal(history.size, count);
  const scrapes = Math.max(...[...history.values()].map((values) => values.length));
  for (const [series, samples] of history) {
    const values = samples.map(([, value]) => Number(value));
    assert.ok(
      values.every((value, i) => pushed.has(value) && value >= (values[i - 1] ?? 0)),
      `${series}: ${values}`,
    );
    assert.equal(values.length, scrapes, `scrapes that have ${series}`);
  }
}

async function play(t: TestContext, format: Format): Promise<void> {
  const page = await recordNodeExporter(t);
  const count = sampleLines(page).length;
  const daemon = await startRoomy(t);
  await socat(daemon.socket, withValues(page, valueIn(0)));
  const prometheus = await startPrometheus(t, { gateway: await serveProxy(t, daemon.http, format) });
  await scraped(prometheus, "gateway", count);
  const rounds = await pushRounds(daemon, prometheus, page, count);
  await scraped(prometheus, "gateway", count);
  const last = Number(valueIn(rounds));
  await until("the last round is scraped", async () => (await reportOf(prometheus, "gateway", "node_load1")) === last);
  assert.deepEqual(new Set(await valuesOf(prometheus, "up")), new Set([1]));
  assert.deepEqual(new Set(await valuesOf(prometheus, "scrape_samples_scraped")), new Set([count]));
  await checkHistory(prometheus, count, rounds);
}

for (const format of ["text", "openmetrics"] as const) {
  test(`9, 23: thirty rounds, scraped by Prometheus in ${format}, make no bad scrape`, { skip }, (t) =>
    play(t, format),
  );
}
