/** promtool finds no error in what the gateway renders, and has no remarks but those that the source deserves. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { parsePage } from "../artefact/exposition.js";
import { createApplication } from "./application.js";
import { ODD_PAGE, OPENMETRICS_PAGE, TEXT_PAGE } from "./pages.js";
import { recordNodeExporter, recordPage, startPrometheus } from "./prometheus.js";
import { missing, pushAndCurl, run, startRoomy } from "./tools.js";

const skip = missing("promtool", "socat", "curl");
/** promtool found errors, and not only things to remark on. */
const STATUS_ERROR = 1;

/** What promtool has to say of a page. */
async function remarks(page: string): Promise<{ status: number | null; lines: string[] }> {
  const { status, stdout, stderr } = await run("promtool", ["check", "metrics"], page);
  return { status, lines: (stdout + stderr).split("\n").filter((line) => line !== "") };
}

/** Pushes a page, and returns what promtool has to say of what comes out. */
async function remarksOfRendered(t: TestContext, page: string): Promise<{ status: number | null; lines: string[] }> {
  const rendered = await pushAndCurl(await startRoomy(t), page);
  parsePage(rendered, { format: "text" });
  return remarks(rendered);
}

/** Checks a page in the text format: nothing but what promtool remarks on the source. */
async function check(t: TestContext, page: string): Promise<void> {
  const source = await remarks(page);
  assert.notEqual(source.status, STATUS_ERROR, source.lines.join("\n"));
  const rendered = await remarksOfRendered(t, page);
  assert.deepEqual(
    rendered.lines.filter((line) => !source.lines.includes(line)),
    [],
  );
  assert.notEqual(rendered.status, STATUS_ERROR);
}

test("22: promtool on node_exporter's metrics", {
  skip: missing("promtool", "socat", "curl", "prometheus-node-exporter"),
}, async (t) => {
  await check(t, await recordNodeExporter(t));
});

test("22: promtool on Prometheus' own metrics", {
  skip: missing("promtool", "socat", "curl", "prometheus"),
}, async (t) => {
  const { port } = await startPrometheus(t, {});
  await check(t, await recordPage(port));
});

test("22: promtool on prom-client's metrics", { skip }, async (t) => {
  await check(t, await createApplication("text").metrics());
});

test("22: promtool on everything that the text format has", { skip }, async (t) => {
  await check(t, TEXT_PAGE);
  await check(t, TEXT_PAGE + ODD_PAGE);
});

test("22: promtool on everything that OpenMetrics has, in the text format", { skip }, async (t) => {
  const { status, lines } = await remarksOfRendered(t, OPENMETRICS_PAGE);
  // Of what the text format has no type for: the names are the pusher's, the types are ours.
  const mapped = /^om_queue_seconds_bucket non-histogram metrics should not have|^om_\w+_created no help text$/;
  assert.deepEqual(
    lines.filter((line) => !mapped.test(line)),
    [],
  );
  assert.notEqual(status, STATUS_ERROR);
});

test("22: promtool on prom-client's OpenMetrics, in the text format", { skip }, async (t) => {
  const plain = await remarks(await createApplication("text").metrics());
  const { status, lines } = await remarksOfRendered(t, await createApplication("openmetrics").metrics());
  assert.deepEqual(
    lines.filter((line) => !plain.lines.includes(line)),
    [],
  );
  assert.notEqual(status, STATUS_ERROR);
});

test("22: promtool on an empty gateway, and on one that got only bad lines", { skip }, async (t) => {
  for (const page of ["", '!\n0bad 1\nhex 0x1\nquote{a="} 1\n# TYPE x wrong\nhalf']) {
    assert.deepEqual(await remarksOfRendered(t, page), { status: 0, lines: [] });
  }
});
