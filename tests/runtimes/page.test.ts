// The page of runtimes/browser, as a file without a server, used as a person would.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { ROOT } from "../artefact/module.js";
import { CHROMIUM, launch } from "./chromium.js";

const FILE = pathToFileURL(join(ROOT, "build", "browser", "index.html")).href;
/** A phone and a desk. */
const WIDTHS = [360, 1440];
const START_MS = 3_600_000;
const missing = "missing" in CHROMIUM ? CHROMIUM.missing : false;

const textOf = (page: Page, selector: string): Promise<string> => page.locator(selector).innerText();
const press = (page: Page, name: string): Promise<void> => page.getByRole("button", { name, exact: true }).click();

async function push(page: Page, text: string): Promise<void> {
  await page.getByLabel("Lines of Prometheus text").fill(text);
  await press(page, "Push");
}

/** The families as the page lists them: name and type, series, bytes, what is left. */
async function families(page: Page): Promise<{ name: string; series: string; bytes: number; left: string }[]> {
  return page.locator(".family").evaluateAll((all) =>
    all.map((each) => {
      const [series = "", bytes = "", left = ""] = Array.from(
        each.querySelectorAll(".facts > *"),
        (fact) => fact.textContent ?? "",
      );
      const name = each.querySelector(".name")?.textContent ?? "";
      return { name, series, bytes: Number.parseInt(bytes.replace(/,/g, ""), 10), left };
    }),
  );
}

describe("the page in Chromium", { skip: missing }, () => {
  let browser: Browser;
  before(async () => {
    execFileSync(process.execPath, [join(ROOT, "runtimes", "browser", "build.mjs")]);
    browser = await launch();
  });
  after(() => browser?.close());

  /** A new page; an error in it, or a request for anything but the file, fails the test. */
  async function open(use: (page: Page) => Promise<void>, width = 1440): Promise<void> {
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    page.on("request", (request) => /^(file|data):/.test(request.url()) || faults.push(request.url()));
    // The page's clock stands still but for its buttons and what a test asks for.
    await page.clock.install({ time: 0 });
    await page.goto(FILE);
    await page.clock.pauseAt(START_MS);
    await use(page);
    await page.close();
    assert.deepEqual(faults, []);
  }

  test("the example is pushed, kept, measured and told apart from the line that is skipped", () =>
    open(async (page) => {
      assert.equal(await textOf(page, "#families"), "Nothing is kept.");
      await press(page, "Push");
      assert.equal(await textOf(page, "#status"), "12 samples taken, 1 line skipped");
      const kept = await families(page);
      assert.deepEqual(
        kept.map(({ name, series }) => [name, series]),
        [
          ["edge_sensor_temperature_celsius gauge", "3 series"],
          ["edge_http_requests counter", "3 series"],
          ["edge_request_seconds histogram", "5 series"],
          ["edge_backup_last_success_timestamp_seconds gauge", "1 series"],
        ],
      );
      assert.match(await textOf(page, "#bad"), /^bad value: 1\s+this line has no number$/);
      // The core rounds a time to live up a little.
      assert.match(kept.map(({ left }) => left).join(), /^(6[01] s left,){3}24 h [0-5] min left$/);
    }));

  test("the families' bytes and the rest are the bytes used, and so are the categories", () =>
    open(async (page) => {
      const used = async () => Number((await textOf(page, "#used")).replace(/,/g, "").split(" ")[0]);
      const empty = await used();
      await press(page, "Push");
      const bytes = (await families(page)).map((family) => family.bytes);
      assert.ok(bytes.every((each) => each > 20));
      assert.equal(empty + bytes.reduce((sum, each) => sum + each, 0), await used());
      const legend = (await textOf(page, "#legend")).replace(/,/g, "").match(/\d+$/gm)!.map(Number);
      assert.equal(
        legend.reduce((sum, each) => sum + each, 0),
        await used(),
      );
    }));

  test("what expires goes at its time, and what has a longer time to live stays", () =>
    open(async (page) => {
      await push(page, "short 1\n# TTL 2m\nlong 1\n# TTL never\nfor_ever 1");
      assert.equal((await families(page))[2]!.left, "never expires");
      await press(page, "+1 min");
      await press(page, "+15 s");
      const kept = await families(page);
      assert.deepEqual(
        kept.map(({ name }) => name),
        ["long unknown", "for_ever unknown"],
      );
      assert.match(kept[0]!.left, /^4[56] s left$/);
      await press(page, "+1 h");
      assert.deepEqual(
        (await families(page)).map(({ name }) => name),
        ["for_ever unknown"],
      );
      assert.match(await textOf(page, "#counters"), /^expired\s+2$/m);
    }));

  test("time passes by itself", () =>
    open(async (page) => {
      await push(page, "short 1\n# TTL 2m\nlong 1");
      await page.clock.runFor(59_000);
      const left = (await families(page)).map((family) => family.left).join();
      assert.match(left, /^[12] s left,6[12] s left$/);
      await page.clock.runFor(3000);
      assert.deepEqual(
        (await families(page)).map(({ name }) => name),
        ["long unknown"],
      );
    }));

  test("each series is listed with its value, and the page in both formats", () =>
    open(async (page) => {
      await push(page, '# TYPE x counter\nx_total{a="<b>&amp;"} 0.5\n{"ö"} 2\n');
      await page.locator(".family summary").first().click();
      assert.match(await textOf(page, ".series >> nth=0"), /^x_total\{a="<b>&amp;"\}\s+0\.5\s+\d+ s left$/);
      await page.getByText("The page that a scrape gets").click();
      assert.match(
        await textOf(page, "#scrape"),
        /^# TYPE x_total counter\nx_total\{a="<b>&amp;"\} 0\.5\n# TYPE U___f6_/,
      );
      await page.getByLabel("OpenMetrics 1.0").check();
      assert.match(await textOf(page, "#scrape"), /^# TYPE x counter\n(.*\n)*# EOF\s*$/);
    }));

  test("a cache of another size starts empty, and one that is full says so", () =>
    open(async (page) => {
      await press(page, "Push");
      await page.getByLabel("Size").selectOption("64 KiB");
      await press(page, "New cache");
      assert.equal(await textOf(page, "#families"), "Nothing is kept.");
      assert.match(await textOf(page, "#used"), /of 65,536 bytes$/);
      await page.getByLabel("Size").selectOption("1 KiB");
      await page.getByLabel("When full").selectOption("reject");
      await press(page, "New cache");
      await push(page, Array.from({ length: 300 }, (_, n) => `m{n="${n}"} ${n}.5\n`).join(""));
      assert.match(await textOf(page, "#free"), / [0-3] % free$/);
      assert.match(await textOf(page, "#counters"), /^refused, cache full\s+[1-9]\d*$/m);
    }));

  for (const width of WIDTHS) {
    test(`nothing runs over the edge at ${width} pixels, in light and dark`, () =>
      open(async (page) => {
        await push(page, `${"long_name_".repeat(20)}{label="${"x".repeat(300)}"} 1\n${"bad".repeat(99)} {\n`);
        await page.locator(".family summary").first().click();
        await page.getByText("The page that a scrape gets").click();
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
          assert.ok(inner! <= outer!, `${inner} of ${outer} pixels`);
          assert.ok((await contrasts(page)).every((ratio) => ratio >= 4.5));
        }
      }, width));
  }
});

/** The contrast of each text's colour to its panel, as WCAG 2 defines it. */
function contrasts(page: Page): Promise<number[]> {
  return page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
    const luminance = (colour: string): number => {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [red, green, blue] = Array.from(canvas.getImageData(0, 0, 1, 1).data, (value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
    };
    const ground = (element: Element | null): string => {
      const colour = element === null ? "white" : getComputedStyle(element).backgroundColor;
      return element !== null && /, 0\)$|^transparent$/.test(colour) ? ground(element.parentElement) : colour;
    };
    return Array.from(
      document.querySelectorAll("p, dt, dd, th, td, li, label, button, textarea, h1, h2, h3, .type"),
      (element) => {
        const [one, other] = [luminance(getComputedStyle(element).color), luminance(ground(element))];
        return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      },
    );
  });
}
