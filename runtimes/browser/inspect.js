// What a cache holds, told by the core itself: by its pages and gauges, and by trying on copies.
import { createCache } from "push-gateway/core";

/** Longer than the longest time to live, which is 49 days and some hours. */
const HORIZON_MS = 4_300_000_000;
const METADATA = /^# (HELP|TYPE|UNIT) ("(?:[^"\\]|\\.)*"|[^ ]+) ?(.*)$/;

/** The format of a page that says the most: OpenMetrics, names as they are. */
export const FULL = { openMetrics: true, utf8: true };

/**
 * Takes a page in the FULL format apart.
 * @param {string} page
 * @returns {{name: string, type: string, text: string, samples: {series: string, value: string}[]}[]} its families
 */
export function familiesOf(page) {
  const families = [];
  for (const line of page.split("\n").slice(0, -2)) {
    const [, word, name, text] = METADATA.exec(line) ?? [];
    if (word && families.at(-1)?.id !== name) families.push({ id: name, name: unquoted(name), text: "", samples: [] });
    const family = families.at(-1);
    family.text += `${line}\n`;
    if (word === "TYPE") family.type = text;
    if (!word) family.samples.push(sampleOf(line));
  }
  return families;
}

function unquoted(name) {
  return name.startsWith('"') ? name.slice(1, -1).replace(/\\(["\\])/g, "$1") : name;
}

/** A line is its series, a space and the value, since timestamps are dropped. */
function sampleOf(line) {
  const space = line.lastIndexOf(" ");
  return { series: line.slice(0, space), value: line.slice(space + 1) };
}

/**
 * Measures what each family takes: the page is pushed family by family into an empty cache of the same size. What families
 * share is counted to the first that brings it.
 * @param {object} options those of the cache
 * @param {{name: string, text: string}[]} families
 * @returns {Map<string, number>} bytes by name
 */
export function bytesOf(options, families) {
  const empty = createCache(options);
  return new Map(
    families.map(({ name, text }) => {
      const before = empty.gauge("usedBytes");
      empty.push(text);
      return [name, empty.gauge("usedBytes") - before];
    }),
  );
}

/**
 * Finds when each series expires: copies of the cache are asked what they hold at later times.
 * @param {object} options those of the cache
 * @param {import("push-gateway/core").Cache} cache
 * @param {number} nowMs the time by the cache's clock
 * @returns {Map<string, number>} the time by which a series is gone, Infinity if never
 */
export function deadlinesOf(options, cache, nowMs) {
  const copy = new Copy(options, cache.state().slice());
  const deadlines = new Map();
  let alive = copy.seriesAt(nowMs);
  for (const ms of copy.changesBetween(nowMs, nowMs + HORIZON_MS)) {
    const left = copy.seriesAt(ms);
    for (const series of alive) if (!left.has(series)) deadlines.set(series, ms);
    alive = left;
  }
  for (const series of alive) deadlines.set(series, Number.POSITIVE_INFINITY);
  return deadlines;
}

/** A copy of a cache, whose clock stands where it is asked to: each question starts from the same state. */
class Copy {
  #state;
  #cache;
  #nowMs = 0;

  constructor(options, state) {
    this.#state = state;
    this.#cache = createCache({ ...options, now: () => this.#nowMs });
  }

  #at(nowMs) {
    this.#nowMs = nowMs;
    this.#cache.state().set(this.#state);
    return this.#cache;
  }

  seriesAt(nowMs) {
    const families = familiesOf(this.#at(nowMs).render(FULL));
    return new Set(families.flatMap(({ samples }) => samples.map(({ series }) => series)));
  }

  #countAt(nowMs) {
    const cache = this.#at(nowMs);
    cache.expire();
    return cache.gauge("series");
  }

  /** The times, to a millisecond, at which the number of series changes: by halving spans in which it does. */
  changesBetween(from, to, before = this.#countAt(from), after = this.#countAt(to)) {
    if (before === after) return [];
    if (to - from <= 1) return [to];
    const middle = Math.floor((from + to) / 2);
    const between = this.#countAt(middle);
    return [...this.changesBetween(from, middle, before, between), ...this.changesBetween(middle, to, between, after)];
  }
}
