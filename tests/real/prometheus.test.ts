/** The same page from its source and from the gateway, in both formats, is the same for a real Prometheus. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { collectDefaultMetrics, Counter, Histogram, Registry, Summary } from "prom-client";
import { type Daemon, until } from "../e2e/daemon.js";
import { expectedInOpenMetrics, expectedInText, type Families, withSamples } from "./mapping.js";
import { ODD_PAGE, OPENMETRICS_PAGE, TEXT_PAGE } from "./pages.js";
import {
  metadataOf,
  type Prometheus,
  recordNodeExporter,
  recordPage,
  reportOf,
  scraped,
  seriesOf,
  startPrometheus,
} from "./prometheus.js";
import { sampleLines } from "./samples.js";
import { type Format, type ServedPage, servePage, serveProxy } from "./servers.js";
import { curl, missing, socat, startRoomy } from "./tools.js";

const skip = missing("prometheus", "socat");
/** Where the same page comes from. */
const GATEWAY = ["text", "openmetrics"] as const;

/** A Prometheus that scrapes a page's source and the gateway in either format. */
interface Scene {
  prometheus: Prometheus;
  daemon: Daemon;
  source: ServedPage;
}

async function prepare(t: TestContext, format: Format): Promise<Scene> {
  const source = await servePage(t, format, format === "openmetrics" ? "# EOF\n" : "");
  const daemon = await startRoomy(t);
  const [text, openmetrics] = await Promise.all(GATEWAY.map((name) => serveProxy(t, daemon.http, name)));
  const ports = { source: source.port, text: text!, openmetrics: openmetrics! };
  return { source, daemon, prometheus: await startPrometheus(t, ports) };
}

/** Serves a page, pushes it, and compares what Prometheus has of all three. */
async function compare({ prometheus, daemon, source }: Scene, page: string): Promise<void> {
  const count = sampleLines(page).length;
  source.text = page;
  await socat(daemon.socket, page);
  for (const via of ["source", ...GATEWAY]) await scraped(prometheus, via, count);
  const expected = await seriesOf(prometheus, "source");
  assert.equal(expected.size, count, "Prometheus has all of the source");
  for (const via of GATEWAY) {
    const series = await seriesOf(prometheus, via);
    assert.deepEqual(differences(series, expected), [], `series by ${via}`);
    for (const name of ["up", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling"]) {
      const wanted = await reportOf(prometheus, "source", name);
      assert.equal(await reportOf(prometheus, via, name), wanted, `${name} by ${via}`);
    }
  }
}

async function compareFamilies({ prometheus, daemon }: Scene, via: string, expected: Families): Promise<void> {
  const d = differences(await metadataOf(prometheus, via), expected);
  if (d.length) { console.log("FIRST", via, d); const page = await curl(daemon); for (const x of d) console.log(x.split(":")[0], page.split("\n").filter((l) => l.includes(x.split(":")[0]!))); 
   console.log("SECOND", differences(await metadataOf(prometheus, via), expected)); }
  assert.deepEqual(differences(await metadataOf(prometheus, via), expected), [], `families by ${via}`);
}

/** What is not the same, in words: the maps are too large to be shown. */
function differences(actual: ReadonlyMap<string, unknown>, expected: ReadonlyMap<string, unknown>): string[] {
  const keys = new Set([...actual.keys(), ...expected.keys()]);
  const texts = [...keys].map((key) => [key, JSON.stringify(actual.get(key)), JSON.stringify(expected.get(key))]);
  return texts.filter(([, got, want]) => got !== want).map(([key, got, want]) => `${key}: got ${got}, want ${want}`);
}

/** Compares a page in the text format, metadata included. */
async function compareText(scene: Scene, page: string): Promise<void> {
  await compare(scene, page);
  const families = withSamples(await metadataOf(scene.prometheus, "source"), page);
  assert.ok(families.size > 0);
  await compareFamilies(scene, "text", families);
  await compareFamilies(scene, "openmetrics", expectedInOpenMetrics(families));
}

/** Compares a page in OpenMetrics, metadata included. */
async function compareOpenMetrics(scene: Scene, page: string): Promise<void> {
  await compare(scene, page);
  const families = withSamples(await metadataOf(scene.prometheus, "source"), page);
  assert.ok(families.size > 0);
  await compareFamilies(scene, "openmetrics", families);
  await compareFamilies(scene, "text", expectedInText(families, page));
}

test("7, 21: node_exporter's page is the same by the gateway", {
  skip: missing("prometheus", "prometheus-node-exporter", "socat"),
}, async (t) => {
  await compareText(await prepare(t, "text"), await recordNodeExporter(t));
});

test("7, 21: Prometheus' own page, histograms and summaries, is the same by the gateway", { skip }, async (t) => {
  const scene = await prepare(t, "text");
  await until("Prometheus has measured scrapes", async () => (await reportOf(scene.prometheus, "source", "up")) === 1);
  const page = await recordPage(scene.prometheus.port);
  assert.match(page, /^# TYPE \S+ histogram$/m);
  assert.match(page, /^# TYPE \S+ summary$/m);
  await compareText(scene, page);
});

test("6, 7, 8, 21: a page with everything that the text format has is the same by the gateway", { skip }, async (t) => {
  await compareText(await prepare(t, "text"), TEXT_PAGE + ODD_PAGE);
});

test("2, 9, 21: a page with everything that OpenMetrics has is the same by the gateway", { skip }, async (t) => {
  await compareOpenMetrics(await prepare(t, "openmetrics"), OPENMETRICS_PAGE);
});

/** Metrics of a Node application, as prom-client writes them. */
async function clientPage(openMetrics: boolean): Promise<string> {
  const register = openMetrics ? new Registry(Registry.OPENMETRICS_CONTENT_TYPE) : new Registry();
  collectDefaultMetrics({ register: register as Registry });
  const registers = [register];
  new Counter({ name: "jobs_total", help: "Jobs.", labelNames: ["kind"], registers }).inc({ kind: 'say "hi"\n' }, 3);
  new Histogram({ name: "job_seconds", help: "Time of jobs.", registers }).observe(0.3);
  new Summary({ name: "job_bytes", help: "Size of jobs.", registers }).observe(12);
  return register.metrics();
}

test("1, 21: prom-client's page is the same by the gateway", { skip }, async (t) => {
  await compareText(await prepare(t, "text"), await clientPage(false));
});

test("1, 21: prom-client's OpenMetrics page is the same by the gateway", { skip }, async (t) => {
  await compareOpenMetrics(await prepare(t, "openmetrics"), await clientPage(true));
});

test("11, 21: neither a change of type nor a clash of names costs a scrape", { skip }, async (t) => {
  const { prometheus, daemon } = await prepare(t, "text");
  const turns = [
    "# TYPE shape gauge\nshape 1\n",
    "# TYPE shape counter\nshape 2\n",
    '# TYPE shape histogram\nshape_bucket{le="+Inf"} 3\nshape_sum 3\nshape_count 3\n',
    '# TYPE shape summary\nshape{quantile="0.5"} 4\nshape_sum 4\nshape_count 4\n',
    "shape_count 5\nshape_total 5\n# TYPE shape untyped\nshape 5\n",
    "# TYPE shape counter\nshape_total 6\nshape_created 6\n# EOF\n",
  ];
  for (const [i, turn] of turns.entries()) {
    await socat(daemon.socket, `${turn}turn ${i}\n`);
    for (const via of GATEWAY) {
      const key = JSON.stringify([
        ["__name__", "turn"],
        ["instance", "device"],
        ["job", "page"],
      ]);
      await until(`${via} has turn ${i}`, async () => (await seriesOf(prometheus, via)).get(key) === `${i}`);
      assert.equal(await reportOf(prometheus, via, "up"), 1, `${via} after ${turn}`);
    }
  }
});
