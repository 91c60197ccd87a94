// Runs every case of tests/cases through every artefact: as whole reads, and byte by byte, which must come to the same.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Case, type Page, readCases, type Step } from "./cases.js";
import { plain, scrape, scrapeAll } from "./compare.js";
import { parsePage } from "./exposition.js";
import { ARTEFACTS, type Artefact, type Connection, Module } from "./module.js";

const CASES = readCases();

class Run {
  readonly module: Module;
  readonly #chunk: number;
  readonly #connections = new Map<string, Connection>();
  #nowMs = 0;

  constructor(artefact: Artefact, { options }: Case, chunk: number) {
    this.module = new Module(artefact, options);
    this.#chunk = Math.min(chunk, this.module.room);
  }

  step(step: Step): void {
    if (step.kind === "at") this.#nowMs = step.nowMs;
    else if (step.kind === "input") this.#input(step.connection, step.bytes);
    else if (step.kind === "close") this.#close(step.connection);
    else if (step.kind === "counters") this.#counters(step.body);
    else this.#page(step);
  }

  #input(name: string | undefined, bytes: Uint8Array): void {
    const connection = this.#connections.get(name ?? "") ?? this.module.connect();
    if (name !== undefined) this.#connections.set(name, connection);
    this.module.send(connection, bytes, this.#nowMs, this.#chunk);
    if (name === undefined) this.module.finish(connection, this.#nowMs);
  }

  #close(name: string): void {
    const connection = this.#connections.get(name);
    assert.ok(connection, `connection ${name} is open`);
    this.module.finish(connection, this.#nowMs);
    this.#connections.delete(name);
  }

  #page(step: Page): void {
    const view = {
      format: step.format,
      utf8: step.utf8,
      flags: (step.format === "text" ? 0 : 1) | (step.utf8 ? 2 : 0),
    };
    const expected = plain(parsePage(step.body, view), view.format);
    const raw = Buffer.from(this.module.page(view.flags, this.#nowMs)).toString();
    const got = plain(scrape(this.module, view, this.#nowMs), view.format);
    assert.deepEqual(got, expected, `the ${view.format} page was\n${raw}`);
  }

  #counters(body: string): void {
    for (const line of body.trim().split("\n")) {
      const [name = "", wanted = ""] = line.split(": ");
      const got = this.#count(name);
      const holds = wanted.startsWith(">") ? got > Number(wanted.slice(1)) : got === Number(wanted);
      assert.ok(holds, `${name} is ${got}, expected ${wanted}`);
    }
  }

  #count(name: string): number {
    if (name === "bad") return this.module.bad();
    if (["series", "metrics", "families"].includes(name)) {
      this.module.expire(this.#nowMs);
      return this.module.gauge(name);
    }
    return this.module.counter(name);
  }

  end(): string {
    scrapeAll(this.module, this.#nowMs);
    return this.module.state();
  }
}

function runCase(artefact: Artefact, one: Case, chunk: number): string {
  const run = new Run(artefact, one, chunk);
  for (const step of one.steps) run.step(step);
  return run.end();
}

test("the corpus has more than 120 cases with titles of their own that name a statement", () => {
  assert.ok(CASES.length > 120, `${CASES.length} cases`);
  assert.equal(new Set(CASES.map(({ title }) => title)).size, CASES.length);
  for (const { title } of CASES) assert.match(title, /^[0-9]+(, [0-9]+)* · /);
});

test("22 · every page that a case expects is one that the strict parser takes", () => {
  for (const { title, steps } of CASES) {
    for (const step of steps) {
      if (step.kind === "page") assert.doesNotThrow(() => parsePage(step.body, step), title);
    }
  }
});

for (const artefact of ARTEFACTS) {
  describe(`corpus: ${artefact.name}`, () => {
    for (const one of CASES) {
      test(one.title, () => {
        const whole = runCase(artefact, one, Number.MAX_SAFE_INTEGER);
        assert.equal(runCase(artefact, one, 1), whole, "statement 3: byte by byte comes to the same cache");
      });
    }
  });
}
