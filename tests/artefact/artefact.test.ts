// The files themselves: exports, imports, memory, size and instructions, as docs/ABI.md promises them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  ARTEFACTS,
  type Artefact,
  artefactBytes,
  compile,
  instantiate,
  Module,
  PAGE_BYTES,
  pagesFor,
  RELEASES,
} from "./module.js";
import { readBinary } from "./wasm.js";

const SIZE_LIMIT = 24_576;
const FUNCTIONS = [
  ["abiVersion", "badLength", "badOffset", "badReason", "cacheAddress", "cacheBytes", "connectionAddress", "counter"],
  ["expire", "finish", "gauge", "ingest", "init", "inputAddress", "inputBytes", "inputTail", "memoryPages"],
  ["outputAddress", "outputBytes", "renderClose", "renderNext", "renderOpen"],
].flat();

function exportsOf(artefact: Artefact): string[] {
  return WebAssembly.Module.exports(compile(artefact)).map(({ kind, name }) => `${kind} ${name}`);
}

function expectedExports({ imported, debug }: Artefact): string[] {
  const functions = debug ? [...FUNCTIONS, "validate"] : FUNCTIONS;
  return [...functions.map((name) => `function ${name}`), ...(imported ? [] : ["memory memory"])];
}

for (const artefact of ARTEFACTS) {
  describe(`artefact: ${artefact.name}`, () => {
    test("14 · exports exactly what the ABI lists", () => {
      assert.deepEqual(exportsOf(artefact).sort(), expectedExports(artefact).sort());
    });

    test("14, 17 · imports nothing but its memory: no clock, no randomness, no I/O", () => {
      const expected = artefact.imported ? [{ module: "env", name: "memory", kind: "memory" }] : [];
      const imports = WebAssembly.Module.imports(compile(artefact));
      assert.deepEqual(
        imports.map(({ module, name, kind }) => ({ module, name, kind })),
        expected,
      );
    });

    test("14 · the ABI's version is 1 and the windows lie apart inside the memory", () => {
      const { api, memory } = instantiate(artefact);
      assert.equal(api.abiVersion(), 1);
      assert.equal(api.init(10_240, 60_000, 0, 4096), 0);
      const input = api.inputAddress();
      const output = api.outputAddress();
      if (output === input) assert.ok(api.outputBytes() <= api.inputBytes());
      const regions = [
        [input, api.inputBytes()],
        [api.connectionAddress(), 16],
        [api.cacheAddress(), api.cacheBytes()],
      ];
      // In the one-page artefact the output window is the begin of the input window (docs/ABI.md).
      if (output !== input) regions.push([output, api.outputBytes()]);
      regions.sort(([a = 0], [b = 0]) => a - b);
      let end = 0;
      for (const [address = 0, bytes = 0] of regions) {
        assert.ok(address >= end, `the region at ${address} begins before ${end}`);
        end = address + bytes;
      }
      assert.ok(end <= memory.buffer.byteLength);
      assert.ok(api.inputTail() >= 4096 && api.inputTail() < api.inputBytes());
    });

    test("14 · the windows do not move when init is called again", () => {
      const { api } = instantiate(artefact);
      const read = () => [
        api.inputAddress(),
        api.inputBytes(),
        api.inputTail(),
        api.outputAddress(),
        api.connectionAddress(),
      ];
      const before = read();
      assert.equal(api.init(1024, 0, 3, 16), 0);
      assert.deepEqual(read(), before);
      assert.equal(api.init(8192, 1, 0, 4096), 0);
      assert.deepEqual(read(), before);
    });

    test("14 · the memory is what the cache size needs, and cannot grow", () => {
      const { memory } = new Module(artefact);
      assert.equal(memory.buffer.byteLength, pagesFor(artefact, 10_240) * PAGE_BYTES);
      assert.throws(() => memory.grow(1), RangeError);
      assert.equal(memory.buffer.byteLength, pagesFor(artefact, 10_240) * PAGE_BYTES);
    });

    test("14 · init refuses each argument out of range with its status", () => {
      const { api } = instantiate(artefact);
      const largest = artefact.imported ? 1024 ** 3 : 16_320;
      assert.equal(api.init(1023, 60_000, 0, 4096), 1);
      assert.equal(api.init(largest + 1, 60_000, 0, 4096), 1);
      assert.equal(api.init(-1, 60_000, 0, 4096), 1);
      for (const ttlMs of [-1, 0.5, 4_294_967_295, Number.NaN, Number.POSITIVE_INFINITY]) {
        assert.equal(api.init(10_240, ttlMs, 0, 4096), 2, `ttlMs ${ttlMs}`);
      }
      assert.equal(api.init(10_240, 60_000, 0, 15), 3);
      assert.equal(api.init(10_240, 60_000, 0, api.inputTail() - 15), 3);
      assert.equal(api.init(10_240, 60_000, 4, 4096), 4);
      assert.equal(api.init(10_240, 60_000, -1, 4096), 4);
      for (const ttlMs of [0, 1, 4_294_967_294]) assert.equal(api.init(10_240, ttlMs, 0, api.inputTail() - 16), 0);
    });

    test("14 · memoryPages says how many pages a cache size needs", () => {
      const { api } = instantiate(artefact);
      const sizes = artefact.imported ? [1024, 10_240, 65_536, 1_000_001, 1024 ** 3] : [1024, 10_240, 16_320];
      for (const size of sizes) assert.equal(api.memoryPages(size), pagesFor(artefact, size), `${size}`);
      for (const size of [0, 1023, -1, artefact.imported ? 1024 ** 3 + 1 : 16_321])
        assert.equal(api.memoryPages(size), 0);
    });

    test("15 · calls before init answer with their error", () => {
      const { api } = instantiate(artefact);
      assert.equal(api.ingest(0, 0, 0), -1);
      assert.equal(api.finish(0, 0), -1);
      assert.equal(api.renderOpen(0, 0), -1);
      assert.equal(api.renderNext(0, 0), -1);
      assert.equal(api.renderClose(0), -1);
      assert.ok([0, -1].includes(api.expire(0)));
    });

    test("15 · unknown counters and gauges are NaN", () => {
      const { api } = new Module(artefact);
      for (const index of [-1, 13, 15, 32, 1000, 2 ** 31 - 1]) assert.equal(api.counter(index), Number.NaN, `${index}`);
      for (const index of [-1, 12, 1000]) assert.equal(api.gauge(index), Number.NaN, `${index}`);
    });

    test("15 · the binary has MVP instructions only", () => {
      const binary = readBinary(artefactBytes(artefact));
      assert.ok(binary.functions > 10 && binary.opcodes.size > 30);
      assert.equal(binary.mutableGlobalExports, 0);
      assert.equal(binary.opcodes.has(0x40), false, "memory.grow is not even asked for");
    });

    test("14 · the memory's declaration", () => {
      const { memories, imports } = readBinary(artefactBytes(artefact));
      if (artefact.imported) {
        assert.deepEqual(memories, []);
        assert.equal(imports[0]?.memory.initial, 1);
      } else {
        assert.deepEqual(memories, [{ initial: 1, maximum: 1 }]);
      }
    });
  });
}

for (const artefact of RELEASES) {
  test(`14 · ${artefact.name} is at most 24 KiB`, () => {
    const { length } = artefactBytes(artefact);
    assert.ok(length <= SIZE_LIMIT, `${length} bytes`);
  });
}

test("14 · init refuses a memory with too few pages", () => {
  for (const artefact of ARTEFACTS.filter(({ imported }) => imported)) {
    const { api } = instantiate(artefact, 10_240);
    assert.equal(api.init(1_000_000, 60_000, 0, 4096), 5);
    assert.equal(api.init(10_240, 60_000, 0, 4096), 0);
  }
});

test("14 · a cache of 64 MiB in the imported artefact", () => {
  for (const artefact of RELEASES.filter(({ imported }) => imported)) {
    const module = new Module(artefact, { cacheBytes: 64 * 1024 * 1024 });
    module.push('m{a="1"} 1\n', 0);
    assert.equal(Buffer.from(module.page(0, 0)).toString().includes('m{a="1"} 1\n'), true);
  }
});
