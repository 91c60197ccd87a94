/** The real prom-client's page, written to the socket with net as an application would, is what curl reads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePage } from "../artefact/exposition.js";
import { type Daemon, open, push, until, write } from "../e2e/daemon.js";
import { createApplication } from "./application.js";
import { sampleLines, samplesOf } from "./samples.js";
import { ACCEPT, type Format } from "./servers.js";
import { curl, missing, startRoomy } from "./tools.js";

const skip = missing("curl");
const FORMATS = ["text", "openmetrics"] as const;

function read(daemon: Daemon, format: Format): Promise<string> {
  return curl(daemon, "--header", `Accept: ${ACCEPT[format]}`);
}

for (const format of FORMATS) {
  test(`1, 7, 9: prom-client's metrics in ${format} come out with the same values in both formats`, {
    skip,
  }, async (t) => {
    const daemon = await startRoomy(t);
    const page = await createApplication(format).metrics();
    await push(daemon.socket, page);
    const expected = samplesOf(page);
    assert.equal(expected.size, sampleLines(page).length);
    for (const asked of FORMATS) {
      const got = await read(daemon, asked);
      assert.deepEqual(samplesOf(got), expected, asked);
      parsePage(got, { format: asked });
    }
    assert.deepEqual(
      daemon.log.filter(({ level }) => level !== "info"),
      [],
    );
  });

  test(`1, 9: an application that pushes ${format} again and again on one connection is up to date`, {
    skip,
  }, async (t) => {
    const daemon = await startRoomy(t);
    const application = createApplication(format);
    const socket = await open(daemon.socket);
    for (let round = 0; round < 10; round++) {
      application.work();
      // In either format, the end shows that the last metric is complete.
      const page = (await application.metrics()).replace(/(?:\n# EOF)?\n$/, "\n# EOF\n");
      await write(socket, page);
      const [key, value] = [...samplesOf(page)].filter(([series]) => series.startsWith('["job_bytes_sum"')).at(-1)!;
      await until("the page is there", async () => samplesOf(await read(daemon, "text")).get(key) === value);
      const got = samplesOf(await read(daemon, format));
      for (const [series, wanted] of samplesOf(page)) assert.ok(Object.is(got.get(series), wanted), series);
    }
    socket.destroy();
  });
}
