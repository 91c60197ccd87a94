/** The same page from its source and from the gateway, in both formats, is the same for a real Prometheus. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { type Daemon, until } from "../e2e/daemon.js";
import { createApplication } from "./application.js";
import { expectedInOpenMetrics, expectedInText, type Families, telling, withSamples } from "./mapping.js";
import { LATE_PAGE, ODD_PAGE, OPENMETRICS_PAGE, TEXT_PAGE } from "./pages.js";
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
import { missing, socat, startRoomy } from "./tools.js";

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

async function compareFamilies({ prometheus }: Scene, via: string, expected: Families): Promise<void> {
  const families = await metadataOf(prometheus, via);
  assert.deepEqual(differences(telling(families), telling(expected)), [], `families by ${via}`);
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

// Most of the time is spent waiting for Prometheus to begin: it takes five seconds to find its targets.
describe("the same page", { concurrency: 4 }, () => {
  test("7, 21: node_exporter's page is the same by the gateway", {
    skip: missing("prometheus", "prometheus-node-exporter", "socat"),
  }, async (t) => {
    await compareText(await prepare(t, "text"), await recordNodeExporter(t));
  });

  test("7, 21: Prometheus' own page, histograms and summaries, is the same by the gateway", { skip }, async (t) => {
    const scene = await prepare(t, "text");
    await until(
      "Prometheus has measured scrapes",
      async () => (await reportOf(scene.prometheus, "source", "up")) === 1,
    );
    const page = await recordPage(scene.prometheus.port);
    assert.match(page, /^# TYPE \S+ histogram$/m);
    assert.match(page, /^# TYPE \S+ summary$/m);
    await compareText(scene, page);
  });

  test("6, 7, 8, 21: a page with everything that the text format has is the same by the gateway", {
    skip,
  }, async (t) => {
    await compareText(await prepare(t, "text"), TEXT_PAGE + ODD_PAGE + LATE_PAGE);
  });

  test("2, 9, 21: a page with everything that OpenMetrics has is the same by the gateway", { skip }, async (t) => {
    await compareOpenMetrics(await prepare(t, "openmetrics"), OPENMETRICS_PAGE);
  });

  test("1, 21: prom-client's page is the same by the gateway", { skip }, async (t) => {
    await compareText(await prepare(t, "text"), await createApplication("text").metrics());
  });

  test("1, 21: prom-client's OpenMetrics page is the same by the gateway", { skip }, async (t) => {
    await compareOpenMetrics(await prepare(t, "openmetrics"), await createApplication("openmetrics").metrics());
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
});
