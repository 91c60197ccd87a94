/** A real Prometheus and a real node_exporter on loopback, and what Prometheus' HTTP API says. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fetchFrom, until } from "../e2e/daemon.js";
import { launch, logHas } from "./tools.js";

const LISTENING = /"Listening on" address=127\.0\.0\.1:(\d+)/;
/** Series that Prometheus adds to each target. */
const REPORTED = /^(up|scrape_.*)$/;
/** Also the longest time for a scrape: long enough for a busy machine. */
const INTERVAL = "1s";

/** A Prometheus that runs. */
export interface Prometheus {
  port: number;
}

/** A series' labels without `via`, in canonical form, and its value as Prometheus writes it. */
export type Series = Map<string, string>;

/** What Prometheus knows of a family. */
export interface Metadata {
  type: string;
  help: string;
  unit: string;
}

interface Answer<Data> {
  status: string;
  error?: string;
  data: Data;
}

type Labels = Record<string, string>;
type Vector = { result: { metric: Labels; value: [number, string] }[] };
type Matrix = { result: { metric: Labels; values: [number, string][] }[] };

/**
 * Starts a Prometheus that scrapes.
 * Every target has the same `job` and `instance` and its own `via`, so that its series differ in this alone.
 * @param targets ports on 127.0.0.1 by the `via` of their series
 */
export async function startPrometheus(t: TestContext, targets: Record<string, number>): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "pg-prometheus-"));
  const jobs = Object.entries(targets).map(([via, port]) => ({
    job_name: via,
    honor_labels: true,
    static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { via, job: "page", instance: "device" } }],
  }));
  const config = join(folder, "prometheus.yml");
  const global = { scrape_interval: INTERVAL, scrape_timeout: INTERVAL };
  // YAML is a superset of JSON.
  writeFileSync(config, JSON.stringify({ global, scrape_configs: jobs }));
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`, "--web.listen-address=127.0.0.1:0"];
  const program = launch(t, "prometheus", args, () => rmSync(folder, { recursive: true, force: true }));
  const port = Number((await logHas(program, LISTENING))[1]);
  await logHas(program, /Server is ready/);
  return { port };
}

/** Starts a node_exporter, and returns its page. */
export async function recordNodeExporter(t: TestContext): Promise<string> {
  const program = launch(t, "prometheus-node-exporter", ["--web.listen-address=127.0.0.1:0"]);
  return recordPage(Number((await logHas(program, LISTENING))[1]));
}

/** The page of an exporter, in the text format. */
export async function recordPage(port: number): Promise<string> {
  const { status, text } = await fetchFrom({ port }, "/metrics");
  if (status !== 200) throw new Error(`status ${status}: ${text}`);
  return text;
}

async function ask<Data>(prometheus: Prometheus, path: string, params: Record<string, string>): Promise<Data> {
  const query = new URLSearchParams(params);
  const { text } = await fetchFrom({ port: prometheus.port }, `/api/v1/${path}?${query}`);
  const answer = JSON.parse(text) as Answer<Data>;
  if (answer.status !== "success") throw new Error(`${path}?${query}: ${answer.error}`);
  return answer.data;
}

/** The series of a target as they are now, without those that Prometheus adds. */
export async function seriesOf(prometheus: Prometheus, via: string): Promise<Series> {
  const { result } = await ask<Vector>(prometheus, "query", { query: `{via="${via}"}` });
  const series: Series = new Map();
  for (const { metric, value } of result) {
    if (!REPORTED.test(metric.__name__ ?? "")) series.set(keyOf(metric), value[1]);
  }
  return series;
}

/** One of the series that Prometheus adds to a target, as it is now. */
export async function reportOf(prometheus: Prometheus, via: string, name: string): Promise<number | undefined> {
  const { result } = await ask<Vector>(prometheus, "query", { query: `${name}{via="${via}"}` });
  return result[0] === undefined ? undefined : Number(result[0].value[1]);
}

/** All samples of the last ten minutes, by series. */
export async function historyOf(prometheus: Prometheus, selector: string): Promise<Map<string, [number, string][]>> {
  const { result } = await ask<Matrix>(prometheus, "query", { query: `${selector}[10m]` });
  return new Map(result.map(({ metric, values }) => [keyOf(metric), values]));
}

/** The families of a target. */
export async function metadataOf(prometheus: Prometheus, via: string): Promise<Map<string, Metadata>> {
  type Item = Metadata & { metric: string };
  const items = await ask<Item[]>(prometheus, "targets/metadata", { match_target: `{via="${via}"}` });
  return new Map(items.map(({ metric, type, help, unit }) => [metric, { type, help, unit }]));
}

/** Waits until the last scrape of a target had so many samples. */
export async function scraped(prometheus: Prometheus, via: string, count: number): Promise<void> {
  let last: number | undefined;
  let up: number | undefined;
  try {
    await until(`Prometheus has ${count} samples of ${via}`, async () => {
      last = await reportOf(prometheus, via, "scrape_samples_scraped");
      up = await reportOf(prometheus, via, "up");
      return last === count && up === 1;
    });
  } catch (error) {
    const [target] = (await ask<{ activeTargets: TargetState[] }>(prometheus, "targets", {})).activeTargets.filter(
      ({ labels }) => labels.via === via,
    );
    throw new Error(`${(error as Error).message}: ${last} samples, up is ${up}: ${target?.lastError}`);
  }
}

interface TargetState {
  labels: Labels;
  lastError: string;
}

function keyOf({ via: _, ...labels }: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
