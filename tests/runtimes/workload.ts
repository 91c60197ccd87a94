// The workload of the determinism test as calls: what a device's applications do to a gateway in an hour, and worse.

import { Calls, Random } from "./calls.js";

const APPLICATIONS = 8;
const TTL_MS = 60_000;
const FLAGS = { reject: 1, keepTimestamps: 2 };
const PAGES = { text: 0, openMetrics: 1, textUtf8: 2, openMetricsUtf8: 3 };
const VALUES = ["0", "-0", "1", "21.5", "1e-300", "0.1", "123456789.123456789", "NaN", "+Inf", "-Inf", "5e-324", "1e5"];

/** What no application should send, some of it with a good line around. */
const BAD = [
  "no_value\n",
  "0starts_with_digit 1\n",
  'twice{a="1",a="2"} 1\n',
  'open_quote{a="1} 1\n',
  'bad_escape{a="\\x"} 1\n',
  "hexadecimal 0x10\n",
  "underscore 1_000\n",
  "stamp 1 12.5.1\n",
  'reserved{__name__="x"} 1\n',
  `long{a="${"x".repeat(4200)}"} 1\n`,
  `big{a="${"y".repeat(3900)}"} 1\n`,
  "# TYPE strange zigzag\n",
  "# TTL soon\n",
  "nul\0 1\n",
  "# TYPE app1_temperature_celsius counter\n",
  'many{le="1"} 1 # {bad} 1\n',
  "wait_seconds 1\n",
  "# UNIT odd_seconds bytes\n",
];

/**
 * The script for a cache size.
 * @param cacheBytes of the cache; it decides how many series it takes to fill it
 * @returns calls, always the same
 */
export function workloadScript(cacheBytes: number): string {
  const recorder = new Recorder(cacheBytes);
  recorder.note("applications push in turns, cut anywhere, and are scraped");
  recorder.fresh(0);
  for (let round = 0; round < 6; round++) recorder.round(round, 40);
  recorder.note("pages stay open over pushes and expiry");
  recorder.openPages();
  recorder.note("one label explodes, then others need room");
  recorder.fill();
  recorder.note("what outlives the rest");
  recorder.live();
  recorder.note("everything expires, and the clock runs backwards");
  recorder.end();
  recorder.note("the same cache again, told to refuse newcomers and to keep timestamps");
  recorder.fresh(FLAGS.reject | FLAGS.keepTimestamps);
  for (let round = 0; round < 2; round++) recorder.round(round, 40);
  recorder.fill();
  recorder.end();
  return recorder.text;
}

class Recorder extends Calls {
  readonly #cacheBytes: number;
  readonly #random = new Random(2);
  #nowMs = 0;

  constructor(cacheBytes: number) {
    super();
    this.#cacheBytes = cacheBytes;
  }

  fresh(flags: number): void {
    this.init(this.#cacheBytes, TTL_MS, flags, 4096);
  }

  /** Each application sends a page of its own, in turns of a piece each; some end their connection. */
  round(round: number, series: number): void {
    const pages = Array.from({ length: APPLICATIONS }, (_, index) => Buffer.from(this.#page(index, round, series)));
    const sent = pages.map(() => 0);
    while (sent.some((bytes, index) => bytes < pages[index]!.length)) {
      const index = this.#random.below(APPLICATIONS);
      const end = sent[index]! + 1 + this.#random.below(700);
      this.push(index, this.#nowMs, pages[index]!.subarray(sent[index], end));
      sent[index] = Math.min(end, pages[index]!.length);
      this.#nowMs += this.#random.below(20);
    }
    for (let index = round % 3; index < APPLICATIONS; index += 3) this.finish(index, this.#nowMs);
    this.scrape(round % 4, this.#nowMs);
    this.look();
    this.#nowMs += 10_000;
  }

  /** An application's exposition: a gauge and a counter of some series, a histogram, a summary, and a bad line. */
  #page(index: number, round: number, series: number): string {
    const bounds = round % 4 === 3 ? ["1", "10", "+Inf"] : ["0.1", "1", "+Inf"];
    return [
      `# HELP app${index}_temperature_celsius What application ${index} measures.\n`,
      `# TYPE app${index}_temperature_celsius gauge\n# UNIT app${index}_temperature_celsius celsius\n`,
      ...this.#lines(series / 4, (n) => `app${index}_temperature_celsius{device="dev-${n}",site="é"}`),
      `# TYPE jobs counter\n# HELP jobs Jobs \\\\ done.\n`,
      ...this.#lines(series / 8, (n) => `jobs_total{app="${index}",queue="${n % 2 ? "mail" : 'a \\"b\\"'}",n="${n}"}`),
      `# TYPE wait_seconds histogram\n`,
      ...bounds.map((le, n) => `wait_seconds_bucket{app="${index}",le="${le}"} ${round * 10 + n} # {t="1"} 0.5\n`),
      `wait_seconds_sum{app="${index}"} ${round}.5\nwait_seconds_count{app="${index}"} ${round * 10 + 2}\n`,
      `# TYPE size_bytes summary\nsize_bytes{app="${index}",quantile="0.5"} ${this.#value()}\n`,
      `size_bytes_sum{app="${index}"} 3\nsize_bytes_count{app="${index}"} 4 ${1_700_000_000_000 + round}\n`,
      `{"näme.${index}",a="b"} ${this.#value()}\n`,
      BAD[(round * APPLICATIONS + index) % BAD.length],
      index % 2 === 0 ? "# EOF\n" : "last 1",
    ].join("");
  }

  #lines(count: number, name: (n: number) => string): string[] {
    return Array.from({ length: count }, (_, n) => `${name(n)} ${this.#value()}\n`);
  }

  #value(): string {
    return this.#random.below(2) === 0
      ? VALUES[this.#random.below(VALUES.length)]!
      : `${this.#random.below(100_000)}.${this.#random.below(100)}`;
  }

  /** All eight pages in both formats, read piece by piece while values change, series come and go, and time passes. */
  openPages(): void {
    for (let page = 0; page < 8; page++) this.open(page, page % 4, this.#nowMs);
    for (let page = 0; page < 4; page++) this.next(page, this.#nowMs);
    this.#burst("meanwhile", this.#cacheBytes / 64);
    for (let page = 2; page < 6; page++) this.next(page, this.#nowMs);
    this.close(5);
    this.#nowMs += 31_000;
    for (const page of [0, 1, 2, 3, 4, 6]) this.rest(page, this.#nowMs);
    this.#nowMs += TTL_MS;
    this.rest(7, this.#nowMs);
    this.look();
  }

  /** New series of one family on one connection, about a line a piece. */
  #burst(family: string, count: number): void {
    const lines = this.#lines(count, (n) => `${family}{instance="device-${n}",mode="some"}`).join("");
    this.push(8, this.#nowMs, lines, () => 1 + this.#random.below(2000));
    this.finish(8, this.#nowMs);
  }

  /** More series than fit, twice, the second time after a quarter of the TTL; then families that need their room. */
  fill(): void {
    const families = ["boom", "boom", "other", "third"];
    for (const [index, family] of families.entries()) {
      this.#burst(family, this.#cacheBytes / (index < 2 ? 11 : 80));
      this.scrape(index, this.#nowMs);
      this.look();
      this.#nowMs += TTL_MS / 4 + 1;
    }
    this.round(7, 40);
  }

  /** Times to live of all kinds, and pages as they run out. */
  live(): void {
    for (const [index, ttl] of ["1s", "90s", "5m", "24h", "never", "1500ms", "1h30m"].entries()) {
      this.push(9, this.#nowMs, `# TTL ${ttl}\nlives{for="${ttl}"} ${index}\nages_total{for="${ttl}"} 1\n`);
    }
    this.push(9, this.#nowMs, Uint8Array.of(0x78, 0xff, 0x20, 0x31, 0x0a));
    for (const ms of [999, 2, 500, 88_000, 500_000]) {
      this.#nowMs += ms;
      this.scrape(PAGES.textUtf8, this.#nowMs);
    }
    this.expire(this.#nowMs);
    this.look();
  }

  /** Long after: only what never expires is left; an earlier time changes nothing. */
  end(): void {
    this.#nowMs += 100_000_000;
    this.scrape(PAGES.openMetricsUtf8, this.#nowMs);
    this.scrape(PAGES.text, this.#nowMs - 90_000_000);
    this.#burst("again", this.#cacheBytes / 100);
    this.scrape(PAGES.openMetrics, this.#nowMs);
    this.expire(this.#nowMs);
    this.look();
  }
}
