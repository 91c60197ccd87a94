// The README's section of figures: what the last run measured.
import { reportGoals } from "./goals.mjs";
import { machineLine } from "./machine.mjs";
import { figure, mib, table, whole } from "./table.mjs";

const BEGIN = "<!-- figures: npm run bench -- full --readme -->";
const END = "<!-- /figures -->";

/**
 * Puts the figures between the README's markers.
 * @throws Error if the markers are not there
 */
export function replaceFigures(text, figures) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md has no section ${BEGIN} ... ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${figures.trim()}\n\n${text.slice(end)}`;
}

/** One row for each name, one column for each size. */
function bySize(title, unit, list, value) {
  const sizes = [...new Set(list.map(({ size }) => size))];
  const names = [...new Set(list.map(({ name }) => name))];
  const rows = names.map((name) => [
    name,
    ...sizes.map((size) => {
      const found = list.find((one) => one.name === name && one.size === size);
      return found === undefined ? "–" : figure(value(found));
    }),
  ]);
  return table(title, [unit, ...sizes.map((size) => `${whole(size)} series`)], rows);
}

/** Memory at the ends of the climb. */
function memoryTable({ climbs }) {
  const counts = [100, 10_000, 100_000, 1_000_000];
  const rows = climbs.map(({ name, points }) => [
    name,
    ...counts.map((count) => mib(points.find(({ pushed }) => pushed === count)?.rss)),
  ]);
  return table("Resident memory", ["MiB after so many distinct series", ...counts.map(whole)], rows);
}

/** The section: the goals, and the tables that a user looks for. */
export function readmeFigures({ machine, form, results, goals, leftOut }) {
  const pushes = results.ingest.filter(
    ({ connections, shuffled, oneCore, writeBytes }) =>
      connections === 1 && !shuffled && !oneCore && writeBytes === undefined,
  );
  const pages = results.scrape.filter(({ format }) => format === "text");
  const started = Object.values(results.start).map((one) => [
    one.name,
    figure(one.ns / 1e6),
    figure(one.cpuNs / 1e6),
    mib(one.rss),
  ]);
  return [
    `Measured with \`npm run bench${form === "full" ? " -- full" : ""}\`: ${machineLine(machine)}.\n`,
    reportGoals(goals).replace("**goals**", "**What was wanted, and what is**"),
    bySize("Pushing, CPU", "µs for 1,000 samples", pushes, (one) => one.nsPerSample),
    bySize("Scraping, CPU", "µs a scrape", pages, (one) => one.nsPerScrape / 1000),
    memoryTable(results.memory),
    table("Start", ["", "ms to the first scrape", "CPU, ms", "RSS idle, MiB"], started),
    ...leftOut.map((text) => `* ${text}`),
  ].join("\n");
}
