// Random operations on the module and on the model, with a fake clock: while nothing overflows they are the same.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { OM, plain, scrape, TEXT } from "./compare.js";
import type { Label } from "./line.js";
import { Model } from "./model.js";
import { ARTEFACTS, type Artefact, type Connection, Module } from "./module.js";
import { runs } from "./properties.js";

// Not x_created, which is a part of the counter x_total: the model has metrics of one sample only.
const NAMES = ["a", "b", "x", "x_total", "x_max", "y_total"];
const LABELS: readonly (readonly Label[])[] = [
  [],
  [["a", "1"]],
  [["a", "2"]],
  [
    ["a", "1"],
    ["b", "2"],
  ],
  [
    ["b", "2"],
    ["a", "1"],
  ],
  [
    ["b", "2"],
    ["c", ""],
    ["a", "1"],
  ],
  [["c", ""]],
];
const TTLS: readonly (readonly [text: string, ms: number])[] = [
  ["5s", 5000],
  ["90s", 90_000],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["never", 0],
];
const DEFAULT_TTL_MS = 20_000;

type OnConnection =
  | {
      readonly kind: "push";
      readonly who: number;
      readonly name: string;
      readonly labels: readonly Label[];
      readonly value: number;
    }
  | { readonly kind: "type" | "help"; readonly who: number; readonly name: string; readonly text: string }
  | { readonly kind: "ttl"; readonly who: number; readonly index: number }
  | { readonly kind: "eof" | "close"; readonly who: number };
type Operation =
  | OnConnection
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "expire" }
  | { readonly kind: "scrape" };

const who = fc.nat(2);
const name = fc.constantFrom(...NAMES);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("push" as const),
      who,
      name,
      labels: fc.constantFrom(...LABELS),
      value: fc.double(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("type" as const),
      who,
      name,
      text: fc.constantFrom("gauge", "counter", "untyped"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("help" as const), who, name, text: fc.constantFrom("h", "another", "é") }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("ttl" as const), who, index: fc.nat(TTLS.length - 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("eof" as const, "close" as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.oneof(fc.nat(9000), fc.nat(100_000)) }),
  },
  { weight: 3, arbitrary: fc.constantFrom({ kind: "expire" } as const, { kind: "scrape" } as const) },
);

class Pusher {
  connection: Connection;
  ttlMs: number | undefined;

  constructor(connection: Connection) {
    this.connection = connection;
  }
}

class Check {
  readonly module: Module;
  readonly model = new Model(DEFAULT_TTL_MS);
  readonly pushers: readonly Pusher[];
  nowMs = 0;

  constructor(artefact: Artefact) {
    this.module = new Module(artefact, { ttlMs: DEFAULT_TTL_MS });
    this.pushers = [0, 1, 2].map(() => new Pusher(this.module.connect()));
  }

  apply(operation: Operation): void {
    this.nowMs = this.model.clearTime(this.nowMs);
    if (operation.kind === "pass") this.nowMs += operation.ms;
    else if (operation.kind === "expire") this.module.api.expire(this.nowMs);
    else if (operation.kind === "scrape") this.same();
    else this.#on(operation, this.pushers[operation.who] ?? new Pusher(this.module.connect()));
  }

  #on(operation: OnConnection, pusher: Pusher): void {
    if (operation.kind === "push") this.#push(operation, pusher);
    else if (operation.kind === "type" || operation.kind === "help") this.#describe(operation, pusher);
    else if (operation.kind === "ttl") this.#ttl(operation.index, pusher);
    else {
      if (operation.kind === "eof") this.module.send(pusher.connection, "# EOF\n", this.nowMs);
      else this.module.finish(pusher.connection, this.nowMs);
      pusher.ttlMs = undefined;
    }
  }

  #push({ name, labels, value }: OnConnection & { kind: "push" }, pusher: Pusher): void {
    const inner = labels.map(([label, text]) => `${label}="${text}"`).join(",");
    const number = Object.is(value, -0) ? "-0" : String(value);
    this.module.send(pusher.connection, `${name}{${inner}} ${number}\n`, this.nowMs);
    this.model.push(name, labels, value, this.nowMs, pusher.ttlMs);
  }

  #describe({ kind, name, text }: OnConnection & { kind: "type" | "help" }, pusher: Pusher): void {
    if (!this.model.has(name, this.nowMs)) return;
    this.module.send(pusher.connection, `# ${kind.toUpperCase()} ${name} ${text}\n`, this.nowMs);
    this.model.describe(name, kind, text, this.nowMs);
  }

  #ttl(index: number, pusher: Pusher): void {
    const [text, ms] = TTLS[index] ?? ["never", 0];
    this.module.send(pusher.connection, `# TTL ${text}\n`, this.nowMs);
    pusher.ttlMs = ms;
  }

  same(): void {
    this.nowMs = this.model.clearTime(this.nowMs);
    for (const view of [TEXT, OM]) {
      const expected = plain(this.model.page(view.format, this.nowMs), view.format);
      assert.deepEqual(plain(scrape(this.module, view, this.nowMs), view.format), expected);
    }
  }

  end(): void {
    this.same();
    this.module.expire(this.nowMs);
    assert.equal(this.module.gauge("metrics"), this.model.count(this.nowMs));
    assert.equal(this.module.gauge("series"), this.model.count(this.nowMs));
    assert.equal(this.module.gauge("families"), this.model.families.size);
    assert.equal(this.module.counter("created"), this.model.created);
    assert.equal(this.module.counter("expired"), this.model.expired);
    assert.deepEqual([this.module.counter("evicted"), this.module.bad()], [0, 0]);
    this.same();
  }
}

for (const artefact of ARTEFACTS) {
  test(`8, 9, 10, 11, 12, 16, 22 · the module is the model while nothing overflows: ${artefact.name}`, () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        const check = new Check(artefact);
        for (const one of operations) check.apply(one);
        check.end();
      }),
      runs(artefact, 1500),
    );
  });
}

describe("the model itself", () => {
  test("16 · forgets a metric and its family's metadata after its TTL", () => {
    const model = new Model(1000);
    model.push("m", [], 1, 0);
    model.describe("m", "type", "gauge", 0);
    assert.equal(model.page("text", 999)[0]?.type, "gauge");
    assert.deepEqual(model.page("text", 1001), []);
    model.push("m", [], 2, 1001);
    assert.equal(model.page("text", 1001)[0]?.type, "untyped");
  });
});
