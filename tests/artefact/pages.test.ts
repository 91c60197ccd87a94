// Whatever came in, each page that goes out is one that Prometheus takes whole.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Counter, Gauge, Histogram, Registry, Summary } from "prom-client";
import { anyLine, cuts, damagedPage, REAL_PAGES } from "./arbitraries.js";
import { OM, plain, scrape, scrapeAll, TEXT, VIEWS, type View } from "./compare.js";
import { parsePage } from "./exposition.js";
import { ARTEFACTS, type Artefact, Module, type Options } from "./module.js";
import { runs } from "./properties.js";

const LARGE = 1_000_000;

function roomy(artefact: Artefact): Options {
  return { cacheBytes: artefact.imported ? LARGE : 16_320 };
}

/** What the module renders goes into a fresh one, which must render the same. */
function sameAgain(artefact: Artefact, module: Module, view: View, nowMs: number): void {
  const page = module.page(view.flags, nowMs);
  const again = new Module(artefact, roomy(artefact));
  again.push(page, 0);
  assert.equal(again.bad(), 0, Buffer.from(page).toString());
  const expected = plain(parsePage(page, view), view.format);
  assert.deepEqual(plain(scrape(again, view, 0), view.format), expected, Buffer.from(page).toString());
}

async function promClientPage(type: "text" | "openmetrics"): Promise<string> {
  const registry = new Registry();
  if (type === "openmetrics") registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  const registers = [registry];
  const requests = new Counter({ name: "http_requests_total", help: "Say hi.", labelNames: ["code"], registers });
  requests.inc({ code: "200" }, 5);
  requests.inc({ code: 'a"b\\c\nd' }, 0.1);
  new Gauge({ name: "temperature_celsius", help: "A\nline.", registers }).set(-12.75);
  const seconds = new Histogram({ name: "request_seconds", help: "h", labelNames: ["path"], registers });
  for (const value of [0.001, 0.3, 70]) seconds.observe({ path: "/" }, value);
  const size = new Summary({ name: "size_bytes", help: "s", registers });
  for (const value of [1, 2, 3]) size.observe(value);
  return registry.metrics();
}

for (const artefact of ARTEFACTS) {
  describe(`pages: ${artefact.name}`, () => {
    test("6, 22 · every page parses, in both formats and both escapings, at any moment of any stream", () => {
      const cacheBytes = fc.constantFrom(1024, 1500, 4000, 10_240);
      const moments = fc.array(fc.tuple(fc.nat(2), anyLine, fc.nat(4000)), { maxLength: 80 });
      fc.assert(
        fc.property(cacheBytes, fc.nat(3), moments, fc.nat(20), (size, flags, events, every) => {
          const module = new Module(artefact, { cacheBytes: size, flags, ttlMs: 10_000 });
          const connections = [module.connect(), module.connect(), module.connect()] as const;
          let nowMs = 0;
          events.forEach(([who, line, passed], index) => {
            nowMs += Math.max(0, passed - 3500);
            module.send(connections[who] ?? connections[0], `${line}\n`, nowMs);
            if (index % (every + 1) === 0) scrapeAll(module, nowMs);
          });
          for (const connection of connections) module.finish(connection, nowMs);
          scrapeAll(module, nowMs);
        }),
        runs(artefact, 1500),
      );
    });

    test("22 · samples that are families of their own in text are not written under the name of another family", () => {
      const module = new Module(artefact);
      module.push('# TYPE x_created histogram\nx_created_bucket{le="+Inf"} 1\nx_created_count 1\n', 0);
      module.push('# TYPE x histogram\nx_bucket{le="+Inf"} 1\nx_count 1\nx_created 5\n', 0);
      module.push('# TYPE y_gsum histogram\ny_gsum_bucket{le="+Inf"} 1\ny_gsum_count 1\n', 0);
      module.push('# TYPE y gaugehistogram\ny_bucket{le="+Inf"} 1\ny_gcount 1\ny_gsum 5\n', 0);
      assert.deepEqual(
        scrape(module, TEXT, 0).map(({ name }) => name),
        ["x_created", "x", "y_gsum", "y_bucket", "y_gcount"],
      );
    });

    test("22 · a counter's x_created is not written beside the x_created of a histogram x", () => {
      const module = new Module(artefact);
      module.push("# TYPE x_total counter\nx_total 1\nx_created 5\n", 0);
      module.push('# TYPE x histogram\nx_bucket{le="+Inf"} 1\nx_count 1\nx_created 7\n', 0);
      for (const view of VIEWS) {
        const page = Buffer.from(module.page(view.flags, 0)).toString();
        assert.deepEqual(page.match(/^x_(?:total|created) .*/gm), ["x_total 1", "x_created 7"]);
      }
    });

    test("6, 22 · every page parses after damaged real pages", () => {
      const cacheBytes = fc.constantFrom(2000, 10_240, 16_000);
      fc.assert(
        fc.property(cacheBytes, fc.array(damagedPage, { minLength: 1, maxLength: 4 }), cuts, (size, pages, sizes) => {
          const module = new Module(artefact, { cacheBytes: size });
          pages.forEach((page, index) => {
            module.push(Buffer.from(page, "latin1"), index * 1000, Math.min(module.room, 50 + (sizes[0] ?? 1)));
            scrapeAll(module, index * 1000);
          });
        }),
        runs(artefact, 200),
      );
    });

    test("21, 22 · a rendered page that is pushed again renders the same", () => {
      fc.assert(
        fc.property(fc.array(anyLine, { maxLength: 40 }), (lines) => {
          const module = new Module(artefact, roomy(artefact));
          module.push(lines.map((line) => `${line}\n`).join(""), 0);
          for (const view of VIEWS) sameAgain(artefact, module, view, 0);
        }),
        runs(artefact, 500),
      );
    });

    test("2, 7, 22 · prom-client's pages come out as they went in", async () => {
      for (const view of [TEXT, OM]) {
        const page = await promClientPage(view.format);
        const module = new Module(artefact, roomy(artefact));
        module.push(page, 0);
        assert.equal(module.bad(), 0);
        const text = page.replaceAll(/^\n/gm, "").replace(/(?<!\n)$/, "\n");
        assert.deepEqual(plain(scrape(module, view, 0), view.format), plain(parsePage(text, view), view.format));
        scrapeAll(module, 0);
      }
    });

    if (!artefact.imported) return;
    test("7, 21, 22 · real exporters' pages come out as they went in", () => {
      for (const [file, page] of Object.entries(REAL_PAGES)) {
        const view = file === "openmetrics.txt" ? OM : TEXT;
        const module = new Module(artefact, { cacheBytes: LARGE });
        const sent = page.replaceAll(/ # \{.*$/gm, "").replaceAll(/(?<=requests_total.*) 1395066363\.5$/gm, "");
        for (let round = 0; round < 3; round++) module.push(page, round * 1000);
        assert.equal(module.bad(), 0, file);
        assert.deepEqual(
          plain(scrape(module, view, 3000), view.format),
          plain(parsePage(sent, view), view.format),
          file,
        );
        scrapeAll(module, 3000);
        assert.equal(module.counter("clashes"), 0, file);
      }
    });
  });
}
