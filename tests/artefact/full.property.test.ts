// Random pushes into caches that are too small: what cannot be predicted exactly still obeys these rules after every step.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { scrapeAll, seriesOf } from "./compare.js";
import { identity } from "./exposition.js";
import { ARTEFACTS, type Artefact, Module } from "./module.js";
import { runs } from "./properties.js";

interface Push {
  readonly family: number;
  readonly index: number;
  readonly pad: number;
  readonly value: number;
  readonly passedMs: number;
  readonly ttl: "" | "# TTL 3s\n" | "# TTL never\n";
}

interface Last {
  readonly value: number;
  readonly deadMs: number;
}

const TTL_MS = 10_000;
const push: fc.Arbitrary<Push> = fc.record({
  family: fc.nat(5),
  index: fc.nat(30),
  pad: fc.constantFrom(0, 0, 0, 1, 20, 50),
  value: fc.oneof(fc.integer(), fc.double({ noNaN: true })),
  passedMs: fc.oneof({ weight: 9, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.nat(9000) }),
  ttl: fc.constantFrom("" as const, "" as const, "" as const, "# TTL 3s\n" as const, "# TTL never\n" as const),
});

const LIFE_MS = { "": TTL_MS, "# TTL 3s\n": 3000, "# TTL never\n": Number.POSITIVE_INFINITY };

class Steps {
  readonly module: Module;
  readonly #last = new Map<string, Last>();
  #before = new Map<string, number>();
  #nowMs = 0;
  readonly #hasTtls: boolean;

  constructor(artefact: Artefact, cacheBytes: number, flags: number) {
    // Told to reject, a known series may find no room for another TTL: then it keeps its own.
    this.#hasTtls = flags === 0;
    this.module = new Module(artefact, { cacheBytes, flags, ttlMs: TTL_MS });
  }

  step({ family, index, pad, value, passedMs, ttl: wanted }: Push): void {
    const ttl = this.#hasTtls ? wanted : "";
    this.#nowMs += passedMs;
    const known = seriesOf(this.module, this.#nowMs);
    const text = `v${index}${"p".repeat(pad)}`;
    const key = identity(`family_${family}`, [["id", text]]);
    const number = Object.is(value, -0) ? "-0" : String(value);
    const help = index === 0 ? `# HELP family_${family} ${"help ".repeat(10)}\n` : "";
    this.module.push(`${ttl}${help}family_${family}{id="${text}"} ${number}\n`, this.#nowMs);
    this.#last.set(key, { value, deadMs: this.#nowMs + LIFE_MS[ttl] });
    const now = seriesOf(this.module, this.#nowMs);
    if (known.has(key)) assert.ok(Object.is(now.get(key), value), `known ${key} stays, with its new value`);
    this.#rules(now);
    this.#before = now;
  }

  #rules(now: ReadonlyMap<string, number>): void {
    for (const [key, value] of now) {
      const last = this.#last.get(key);
      assert.ok(last !== undefined && Object.is(last.value, value), `${key} has its last pushed value`);
      assert.ok(this.#nowMs <= last.deadMs, `${key} has not expired`);
    }
    const { module } = this;
    const gone = module.counter("expired") + module.counter("evicted");
    assert.equal(module.counter("created") - gone, module.gauge("metrics"), "created - expired - evicted = metrics");
    assert.ok(module.gauge("metrics") >= now.size);
    assert.equal(module.gauge("series"), module.gauge("metrics"));
    assert.ok(module.gauge("bytes.used") + module.gauge("bytes.free") <= module.gauge("bytes.cache"));
  }

  /** Whatever was pushed into a cache with room, and is not visible, was counted. */
  end(): void {
    const { module } = this;
    module.expire(this.#nowMs);
    assert.equal(module.gauge("metrics"), this.#before.size);
    const refused = module.counter("refused.family") + module.counter("refused.full") + module.counter("bad.big");
    const alive = [...this.#last].filter(([, { deadMs }]) => this.#nowMs < deadMs).map(([key]) => key);
    const missing = alive.filter((key) => !this.#before.has(key));
    assert.ok(missing.length <= refused + module.counter("evicted"), `${missing.length} vanished uncounted`);
    scrapeAll(module, this.#nowMs);
  }
}

for (const artefact of ARTEFACTS) {
  describe(`full, random: ${artefact.name}`, () => {
    test("14, 16, 18 · the rules of a full cache hold after every push", () => {
      const pushes = fc.array(push, { minLength: 20, maxLength: 200 });
      fc.assert(
        fc.property(fc.integer({ min: 1024, max: 3000 }), fc.nat(1), pushes, (cacheBytes, flags, sequence) => {
          const steps = new Steps(artefact, cacheBytes, flags);
          for (const one of sequence) steps.step(one);
          steps.end();
        }),
        runs(artefact, 250),
      );
    });
  });
}
