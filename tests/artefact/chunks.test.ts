// How a stream was cut never matters, nor the order of labels, nor which connection a line came on.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { anyLine, cuts, damagedPage, REAL_PAGES, stream } from "./arbitraries.js";
import { plain, scrape, TEXT } from "./compare.js";
import { ARTEFACTS, type Artefact, bytesOf, type Connection, Module, type Options } from "./module.js";
import { runs } from "./properties.js";

function sendCut(
  module: Module,
  connection: Connection,
  bytes: Uint8Array,
  sizes: readonly number[],
  nowMs: number,
): void {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.min(sizes[turn % sizes.length] ?? 1, module.room);
    module.send(connection, bytes.subarray(at, at + size), nowMs);
    at += size;
  }
}

function stateAfter(artefact: Artefact, options: Options, bytes: Uint8Array, sizes: readonly number[]): unknown {
  const module = new Module(artefact, options);
  const connection = module.connect();
  sendCut(module, connection, bytes, sizes, 1000);
  const before = module.state();
  module.finish(connection, 2000);
  return [before, module.state(), module.counters()];
}

const options: fc.Arbitrary<Options> = fc.record({
  cacheBytes: fc.constantFrom(1024, 2048, 10_240),
  flags: fc.integer({ min: 0, max: 3 }),
  maxLine: fc.constantFrom(16, 40, 4096),
});

type Event = readonly [connection: number, line: string];

/** The events' lines with each line in two reads, the first of them as early as the order of the line ends allows. */
function replayCut(module: Module, events: readonly Event[]): void {
  const connections = [module.connect(), module.connect()] as const;
  const begun = [false, false];
  const begin = (who: number, from: number) => {
    const next = events.slice(from).find(([owner]) => owner === who);
    if (next === undefined || begun[who] === true) return;
    begun[who] = true;
    module.send(connections[who] ?? connections[0], next[1].slice(0, next[1].length >> 1), 1000);
  };
  events.forEach(([who, line], index) => {
    begin(0, index);
    begin(1, index);
    module.send(connections[who] ?? connections[0], `${line.slice(line.length >> 1)}\n`, 1000);
    begun[who] = false;
  });
  for (const connection of connections) module.finish(connection, 1000);
}

function replayWhole(module: Module, events: readonly Event[]): void {
  const connections = [module.connect(), module.connect()] as const;
  for (const [who, line] of events) module.send(connections[who] ?? connections[0], `${line}\n`, 1000);
  for (const connection of connections) module.finish(connection, 1000);
}

function shuffled<T>(values: readonly T[], keys: readonly number[]): T[] {
  return values
    .map((value, index) => ({ value, key: keys[index % keys.length] ?? 0 }))
    .sort((one, other) => one.key - other.key)
    .map(({ value }) => value);
}

function familiesByName(module: Module): unknown {
  const families = plain(scrape(module, TEXT, 1000), "text");
  return [...families].sort((one, other) => (one.name < other.name ? -1 : 1));
}

function merge(first: readonly string[], second: readonly string[], picks: readonly boolean[]): Event[] {
  const events: Event[] = [];
  const queues = [[...first], [...second]];
  for (let turn = 0; queues.some((queue) => queue.length > 0); turn++) {
    const wanted = picks[turn % picks.length] === true ? 1 : 0;
    const who = (queues[wanted]?.length ?? 0) > 0 ? wanted : 1 - wanted;
    events.push([who, queues[who]?.shift() ?? ""]);
  }
  return events;
}

/** Disjoint families for two pushers: names, and all of their metadata, get the pusher's prefix. */
function prefixed(lines: readonly string[], prefix: string): string[] {
  return lines
    .filter((line) => /^(?:[a-z_:]+[ {]|# (?:TYPE|HELP|UNIT) [a-z])/.test(line))
    .map((line) => line.replace(/^(# (?:TYPE|HELP|UNIT) )?/, `$1${prefix}`));
}

for (const artefact of ARTEFACTS) {
  describe(`chunks: ${artefact.name}`, () => {
    test("3 · any cut of any stream comes to the same cache, byte for byte", () => {
      const bytes = fc.oneof(stream, damagedPage, fc.string({ maxLength: 500, unit: "binary" }));
      fc.assert(
        fc.property(options, bytes, cuts, (settings, text, sizes) => {
          const input = Buffer.from(text, "latin1");
          const whole = stateAfter(artefact, settings, input, [Number.MAX_SAFE_INTEGER]);
          assert.deepEqual(stateAfter(artefact, settings, input, sizes), whole);
        }),
        runs(artefact, 400),
      );
    });

    test("3, 17 · the same stream after init was called again comes to the same cache, byte for byte", () => {
      fc.assert(
        fc.property(options, stream, stream, (settings, before, input) => {
          const fresh = new Module(artefact, settings);
          const used = new Module(artefact, settings);
          used.push(before, 777);
          used.open(0, 5000);
          used.init();
          for (const module of [fresh, used]) module.push(input, 1000);
          assert.equal(used.state(), fresh.state());
          assert.deepEqual(used.counters(), fresh.counters());
        }),
        runs(artefact, 200),
      );
    });

    test("3 · real pages in reads of every small size come to the same cache", () => {
      for (const page of Object.values(REAL_PAGES)) {
        const bytes = bytesOf(page).subarray(0, 12_000);
        const whole = stateAfter(artefact, {}, bytes, [Number.MAX_SAFE_INTEGER]);
        for (const size of artefact.debug ? [3] : [1, 2, 3, 13, 64, 1000]) {
          assert.deepEqual(stateAfter(artefact, {}, bytes, [size]), whole, `reads of ${size}`);
        }
      }
    });

    test("3 · two connections whose lines end in the same order come to the same cache", () => {
      const events = fc.array(fc.tuple(fc.nat(1), anyLine), { maxLength: 40 });
      fc.assert(
        fc.property(options, events, (settings, sequence) => {
          const whole = new Module(artefact, settings);
          const cut = new Module(artefact, settings);
          replayWhole(whole, sequence);
          replayCut(cut, sequence);
          assert.equal(cut.state(), whole.state());
        }),
        runs(artefact, 300),
      );
    });

    test("3, 19 · two pushers of different families do not disturb each other, however their lines interleave", () => {
      const lines = fc.array(anyLine, { maxLength: 20 });
      const picks = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 });
      fc.assert(
        fc.property(lines, lines, picks, (first, second, turns) => {
          const [one, other] = [prefixed(first, "one_"), prefixed(second, "two_")];
          const apart = new Module(artefact, { cacheBytes: 16_000 });
          apart.push(one.map((line) => `${line}\n`).join(""), 1000);
          apart.push(other.map((line) => `${line}\n`).join(""), 1000);
          const together = new Module(artefact, { cacheBytes: 16_000 });
          replayWhole(together, merge(one, other, turns));
          assert.deepEqual(familiesByName(together), familiesByName(apart));
        }),
        runs(artefact, 300),
      );
    });

    test("8 · any order of labels is one series, rendered as first pushed", () => {
      const names = fc.uniqueArray(fc.stringMatching(/^[a-z_]{1,4}$/), { minLength: 1, maxLength: 8 });
      const keys = fc.array(fc.nat(), { minLength: 8, maxLength: 8 });
      const values = fc.array(fc.constantFrom("", "1", "2", "é", '\\"'), { minLength: 8, maxLength: 8 });
      fc.assert(
        fc.property(names, values, keys, keys, (labelNames, texts, keysOne, keysOther) => {
          const labels = labelNames.map((name, index) => `${name}="${texts[index] ?? ""}"`);
          const line = (order: readonly string[], value: number) => `m{${order.join(",")}} ${value}\n`;
          const module = new Module(artefact);
          module.push(line(shuffled(labels, keysOne), 1), 0);
          const first = scrape(module, TEXT, 0)[0]?.samples[0]?.labels;
          module.push(line(shuffled(labels, keysOther), 2), 0);
          const kept = labels.filter((label) => !label.endsWith('=""'));
          module.push(kept.length === 0 ? "m 3\n" : line(kept, 3), 0);
          const [family, ...others] = scrape(module, TEXT, 0);
          assert.deepEqual(others, []);
          assert.deepEqual(family?.samples, [{ name: "m", labels: first, value: 3, timestampMs: undefined }]);
          assert.equal(module.counter("created"), 1);
        }),
        runs(artefact, 300),
      );
    });
  });
}
