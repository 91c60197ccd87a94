// The page: a cache, what is pushed into it, and what it holds, drawn anew after each change.
import { BAD_REASONS, createCache } from "push-gateway/core";
import { bytesOf, deadlinesOf, FULL, familiesOf } from "./inspect.js";

/** Largest cache of the one-page artefact. */
const ONE_PAGE_LIMIT_BYTES = 16_320;
const BAD_LINES_SHOWN = 4;
const BAD_LINES_KEPT = 1000;
const SERIES_SHOWN = 200;
const CATEGORIES = [
  ["index", "indexBytes"],
  ["names", "nameBytes"],
  ["labels", "labelBytes"],
  ["values, times, links", "metricBytes"],
  ["help", "helpBytes"],
];
const COUNTERS = [
  ["samples taken", "samples"],
  ["metadata lines", "metadataLines"],
  ["pushes", "pushes"],
  ["metrics created", "metricsCreated"],
  ["expired", "metricsExpired"],
  ["evicted", "metricsEvicted"],
  ["refused, family full", "refusedFamily"],
  ["refused, cache full", "refusedFull"],
  ["help dropped", "helpDropped"],
  ["type clashes", "typeClashes"],
];

const byId = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("en");
const counted = (count, one, more = `${one}s`) => `${number(count)} ${count === 1 ? one : more}`;

let advancedMs = 0;
let startMs = performance.now();
let cache;
let options;
let badLines = [];
let deadlines = new Map();

const now = () => performance.now() + advancedMs;

/** An element with attributes and content: texts are texts, never markup. */
function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** The bytes of an artefact, which the build has put into the page. */
function artefact(id) {
  return Uint8Array.from(atob(byId(id).textContent), (character) => character.charCodeAt(0));
}

/** Starts with an empty cache. */
function start() {
  const settings = new FormData(byId("settings"));
  const cacheBytes = Number(settings.get("cacheBytes"));
  options = {
    cacheBytes,
    ttlMs: Number(settings.get("ttlMs")),
    whenFull: settings.get("whenFull"),
    module: artefact(cacheBytes <= ONE_PAGE_LIMIT_BYTES ? "one-page" : "imported"),
    now,
  };
  cache = createCache(options);
  badLines = [];
  startMs = now();
  draw();
}

/** Pushes line by line, to see each bad one. The last line of a text that was pasted needs no line feed. */
function push(text) {
  const before = { samples: cache.counter("samples"), bad: cache.badLines() };
  const connection = cache.connect();
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    const bad = connection.write(`${line}\n`);
    if (bad) badLines.unshift(bad);
  }
  connection.end();
  badLines = badLines.slice(0, BAD_LINES_KEPT);
  const skipped = cache.badLines() - before.bad;
  const taken = counted(cache.counter("samples") - before.samples, "sample");
  byId("status").textContent = `${taken} taken, ${counted(skipped, "line")} skipped`;
  draw();
}

/** Draws all of it. */
function draw() {
  const nowMs = now();
  cache.expire();
  deadlines = deadlinesOf(options, cache, nowMs);
  const families = familiesOf(cache.render(FULL));
  const bytes = bytesOf(options, families);
  drawFill();
  drawFamilies(families, bytes);
  drawBadLines();
  byId("counters").replaceChildren(
    ...COUNTERS.map(([text, name]) =>
      element("div", {}, element("dt", {}, text), element("dd", {}, number(cache.counter(name)))),
    ),
  );
  drawScrape();
  drawTimes();
}

function drawFill() {
  const size = cache.gauge("cacheBytes");
  const used = cache.gauge("usedBytes");
  byId("used").textContent = `${number(used)} of ${number(size)} bytes`;
  byId("free").textContent =
    `${counted(cache.gauge("series"), "series", "series")} in ${counted(cache.gauge("families"), "family", "families")}, ${Math.floor((100 * (size - used)) / size)} % free`;
  const parts = CATEGORIES.map(([text, name]) => ({ text, name, bytes: cache.gauge(name) }));
  const colour = (name) => `background: var(--${name.replace("Bytes", "")})`;
  byId("bar").replaceChildren(
    ...parts.map(({ name, bytes }) =>
      element("span", { style: `width: ${(100 * bytes) / size}%; ${colour(name)}; ${bytes ? "" : "display: none"}` }),
    ),
  );
  const told = parts.map(({ text, bytes }) => `${text} ${number(bytes)}`);
  byId("bar").setAttribute("aria-label", `Bytes used: ${told.join(", ")}`);
  byId("legend").replaceChildren(
    ...parts.map(({ name }, index) => element("li", {}, element("i", { style: colour(name) }), told[index])),
  );
}

function drawFamilies(families, bytes) {
  const open = new Set(Array.from(byId("families").querySelectorAll("[open]"), ({ dataset }) => dataset.name));
  byId("families").replaceChildren(
    ...families.map((family) => drawFamily(family, bytes.get(family.name), open.has(family.name))),
  );
  if (families.length === 0) byId("families").append(element("p", { class: "empty" }, "Nothing is kept."));
  const shown = Array.from(bytes.values()).reduce((sum, each) => sum + each, 0);
  byId("rest").textContent =
    `Bytes of a family: measured by pushing the page, family by family, into an empty cache; what families share is ` +
    `counted to the first. The other ${number(cache.gauge("usedBytes") - shown)} bytes are the empty ` +
    `cache's index and what the page does not show.`;
}

function drawFamily({ name, type, samples }, bytes, open) {
  const times = samples.map(({ series }) => deadlines.get(series));
  const rows = samples
    .slice(0, SERIES_SHOWN)
    .map(({ series, value }) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, series),
        element("td", {}, value),
        element("td", { "data-deadline": deadlines.get(series) }),
      ),
    );
  const more = samples.length - rows.length;
  return element(
    "details",
    { class: "family", "data-name": name, ...(open ? { open: "" } : {}) },
    element(
      "summary",
      {},
      element("span", { class: "name" }, name, " ", element("span", { class: "type" }, type)),
      element(
        "span",
        { class: "facts" },
        element("span", {}, counted(samples.length, "series", "series")),
        element("span", {}, `${number(bytes)} B`),
        element("span", { "data-deadline": Math.min(...times), "data-last": Math.max(...times) }),
      ),
    ),
    element("table", { class: "series" }, ...rows),
    more > 0 ? element("p", { class: "hint" }, `and ${number(more)} more`) : "",
  );
}

/** Each reason with its count and the last of its lines. */
function drawBadLines() {
  const reasons = BAD_REASONS.filter((reason) => cache.badLines(reason) > 0);
  const rows = reasons.map((reason) => {
    const lines = badLines.filter((bad) => bad.reason === reason).slice(0, BAD_LINES_SHOWN);
    const count = element("dt", {}, `${reason}: ${number(cache.badLines(reason))}`);
    return element("div", {}, count, ...lines.map(({ text }) => element("dd", {}, text)));
  });
  byId("bad").replaceChildren(...(rows.length > 0 ? rows : [element("div", { class: "empty" }, "None.")]));
}

function drawScrape() {
  const openMetrics = document.querySelector("[name=format]:checked").value === "openmetrics";
  byId("scrape").textContent = cache.render({ openMetrics });
}

/** How long is left until each deadline. */
function drawTimes() {
  const nowMs = now();
  byId("time").textContent = `${spanOf(nowMs - startMs)} since the cache was made`;
  for (const cell of document.querySelectorAll("[data-deadline]")) {
    const { deadline, last = deadline } = cell.dataset;
    const [first, final] = [deadline, last].map((ms) => spanOf(Math.max(0, Number(ms) - nowMs)));
    cell.textContent = first === final ? leftOf(first) : `${first} to ${final}`;
  }
}

function leftOf(span) {
  return span === "never" ? "never expires" : `${span} left`;
}

/** A span in the units that suit it: "59 s", "12 min", "23 h 59 min", "7 d 1 h". */
function spanOf(ms) {
  if (ms === Number.POSITIVE_INFINITY) return "never";
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.ceil(seconds / 60)} min`;
  const [count, large, small] =
    seconds < 172_800 ? [Math.ceil(seconds / 60), "h", "min"] : [Math.ceil(seconds / 3600), "d", "h"];
  const ratio = large === "h" ? 60 : 24;
  return `${Math.floor(count / ratio)} ${large} ${count % ratio} ${small}`;
}

/** Once a second: only what an expiry changes is drawn anew. */
function tick() {
  if (Math.min(...deadlines.values()) <= now()) draw();
  else drawTimes();
}

byId("text").value = byId("example").textContent;
byId("push").addEventListener("submit", (event) => {
  event.preventDefault();
  push(byId("text").value);
});
byId("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  byId("status").textContent = "";
  start();
});
for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => {
    advancedMs += Number(button.dataset.advance);
    draw();
  });
}
for (const radio of document.querySelectorAll("[name=format]")) radio.addEventListener("change", drawScrape);
setInterval(tick, 1000);
start();
