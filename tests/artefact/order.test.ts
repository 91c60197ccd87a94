// The order of a page. Families stand in order of creation (statement 22); so do the metrics of a family.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { scrape, TEXT } from "./compare.js";
import { ARTEFACTS, Module } from "./module.js";

function values(module: Module, nowMs: number): number[] {
  return scrape(module, TEXT, nowMs).flatMap(({ samples }) => samples.map(({ value }) => value));
}

for (const artefact of ARTEFACTS) {
  describe(`order: ${artefact.name}`, () => {
    test("22 · the metrics of a family stand in order of creation", () => {
      const module = new Module(artefact);
      module.push('m{a="9"} 1\nm{a="3"} 2\nm{a="5"} 3\nm{a="1"} 4\nm{a="3"} 2\n', 0);
      assert.deepEqual(values(module, 0), [1, 2, 3, 4]);
    });

    test("22 · families stand in order of creation, whatever is pushed again", () => {
      const module = new Module(artefact);
      module.push("c 1\na 2\nb 3\n", 0);
      module.push("b 3\na 2\n# TYPE c gauge\nc 1\n# HELP b h\n", 1000);
      assert.deepEqual(values(module, 1000), [1, 2, 3]);
    });

    test("16, 22 · a family that expired and comes again is the last", () => {
      const module = new Module(artefact);
      module.push("a 1\nb 2\n", 0);
      module.push("b 2\n", 30_000);
      module.push("a 3\n", 61_000);
      assert.deepEqual(values(module, 61_000), [2, 3]);
    });
  });
}
