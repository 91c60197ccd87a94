// No input, call order or argument makes an artefact trap, loop, or fail to start afresh.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { anyLine } from "./arbitraries.js";
import { type Api, ARTEFACTS, type Artefact, bytesOf, instantiate } from "./module.js";
import { runs } from "./properties.js";

const EDGES = [0, 1, 2, 3, 7, 8, 15, 16, 17, 255, 256, 1024, 4095, 4096, 4097, 10_240, 16_320, 65_535, 65_536, 2 ** 30];
const integer = fc.oneof(
  fc.constantFrom(...EDGES, ...EDGES.map((edge) => -edge), 2 ** 31 - 1, -(2 ** 31)),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.nat(5000),
);
const time = fc.oneof(
  fc.constantFrom(0, -0, 0.5, -1, 1e12, 4_294_967_294, 4_294_967_296, 2 ** 53, 1e300, -1e300),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE),
  fc.double(),
  fc.nat(1_000_000),
);

type Call = (api: Api, memory: Uint8Array) => void;
type Args = readonly [number, number, number, number];

const CALLS: readonly ((args: Args) => Call)[] = [
  ([a, ttl, flags, line]) =>
    (api) =>
      void api.init(a, ttl, flags, line),
  ([a, ttl, flags]) =>
    (api) =>
      void api.init(1024 + (Math.abs(a) % 9000), Math.abs(Math.trunc(ttl)) % 5000, flags & 3, 4096),
  ([a, now, b]) =>
    (api) =>
      void api.ingest(a, b, now),
  ([a, now]) =>
    (api) =>
      void api.finish(a, now),
  ([, now]) =>
    (api) =>
      void api.expire(now),
  ([a, now]) =>
    (api) =>
      void api.renderOpen(a, now),
  ([a, now]) =>
    (api) =>
      void api.renderOpen(a & 3, now),
  ([a, now]) =>
    (api) =>
      void api.renderNext(a, now),
  ([a, now]) =>
    (api) =>
      void api.renderNext(a & 7, now),
  ([a]) =>
    (api) =>
      void api.renderClose(a),
  ([a]) =>
    (api) =>
      void api.renderClose(a & 7),
  ([a]) =>
    (api) =>
      void [api.counter(a), api.gauge(a), api.memoryPages(a), api.badReason(), api.badOffset(), api.badLength()],
  ([a, , b]) =>
    (api, memory) => {
      const at = api.connectionAddress() + (a & 15);
      memory[at] = b;
    },
];

/** Writes lines into the window and has them ingested as a host would, at any time. */
const lines: fc.Arbitrary<Call> = fc
  .tuple(fc.array(anyLine, { maxLength: 30 }), time)
  .map(([texts, now]) => (api, memory) => {
    const bytes = bytesOf(texts.join("\n")).subarray(0, api.inputBytes());
    memory.set(bytes, api.inputAddress());
    api.ingest(0, bytes.length, now);
  });

const noise: fc.Arbitrary<Call> = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), integer, time)
  .map(([bytes, offset, now]) => (api, memory) => {
    const at = Math.abs(offset) % (api.inputBytes() - bytes.length);
    memory.set(bytes, api.inputAddress() + at);
    api.ingest(at, bytes.length, now);
  });

const connection: fc.Arbitrary<Call> = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => (api, memory) => memory.set(bytes, api.connectionAddress()));

const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: lines },
  { weight: 1, arbitrary: noise },
  { weight: 1, arbitrary: connection },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.nat(CALLS.length - 1), integer, time, integer, integer)
      .map(([index, ...args]) => CALLS[index]?.(args) ?? (() => {})),
  },
);

function startsAfresh(api: Api, memory: Uint8Array): void {
  assert.equal(api.init(10_240, 60_000, 0, 4096), 0);
  assert.deepEqual([api.gauge(0), api.gauge(1), api.gauge(2), api.gauge(11), api.counter(0)], [0, 0, 0, 0, 0]);
  memory.fill(0, api.connectionAddress(), api.connectionAddress() + 16);
  memory.set(bytesOf('m{a="1"} 1\n'), api.inputAddress());
  assert.equal(api.ingest(0, 11, 5), 11);
  assert.equal(api.finish(0, 5), 0);
  const handle = api.renderOpen(0, 5);
  const length = api.renderNext(handle, 5);
  const page = Buffer.from(memory.subarray(api.outputAddress(), api.outputAddress() + length)).toString();
  assert.ok(page.endsWith('m{a="1"} 1\n'), page);
  assert.equal(api.renderNext(handle, 5), 0);
  assert.equal(api.renderNext(handle, 5), -1);
}

function holds(artefact: Artefact, calls: readonly Call[]): void {
  const { api, memory } = instantiate(artefact);
  const heap = new Uint8Array(memory.buffer);
  for (const one of calls) one(api, heap);
  startsAfresh(api, heap);
}

for (const artefact of ARTEFACTS) {
  describe(`calls: ${artefact.name}`, () => {
    test("15 · any calls in any order with any arguments never trap, and init starts afresh", () => {
      const calls = fc.array(call, { minLength: 1, maxLength: 60 });
      fc.assert(
        fc.property(calls, (sequence) => holds(artefact, sequence)),
        runs(artefact, 1500),
      );
    });

    test("15 · ranges outside of the window are refused", () => {
      const { api } = instantiate(artefact);
      assert.equal(api.init(10_240, 60_000, 0, 4096), 0);
      const size = api.inputBytes();
      const outside = [
        [size, 1],
        [0, size + 1],
        [size + 1, 0],
        [-1, 1],
        [-1, 2],
        [1, -1],
        [0, -1],
        [2 ** 31 - 1, 2 ** 31 - 1],
        [-16, 32],
      ];
      for (const [offset = 0, length = 0] of outside)
        assert.equal(api.ingest(offset, length, 0), -1, `${offset}, ${length}`);
      assert.equal(api.ingest(0, 0, 0), 0);
      assert.equal(api.ingest(size, 0, 0), 0);
    });

    test("15 · eight renders may be open, a ninth may not", () => {
      const { api } = instantiate(artefact);
      assert.equal(api.init(10_240, 60_000, 0, 4096), 0);
      const handles = Array.from({ length: 8 }, () => api.renderOpen(1, 0));
      assert.deepEqual(handles.sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
      assert.equal(api.gauge(11), 8);
      assert.equal(api.renderOpen(0, 0), -1);
      assert.equal(api.renderClose(3), 0);
      assert.equal(api.renderClose(3), -1);
      assert.equal(api.renderOpen(0, 0), 3);
      assert.equal(api.renderClose(3), 0);
      assert.equal(api.renderOpen(4, 0), -2);
      assert.equal(api.renderNext(8, 0), -1);
      assert.equal(api.renderNext(-1, 0), -1);
    });

    test("5 · the first bad line of an ingest lies where it is said to", () => {
      const { api, memory } = instantiate(artefact);
      assert.equal(api.init(10_240, 60_000, 0, 4096), 0);
      const heap = new Uint8Array(memory.buffer);
      const text = "good 1\nbad 0x1\nworse{ 1\ngood 2\n";
      heap.set(bytesOf(text), api.inputAddress() + 100);
      assert.equal(api.ingest(100, text.length, 0), text.length);
      assert.equal(api.badReason(), 7);
      assert.equal(api.badOffset(), 107);
      assert.equal(api.badLength(), "bad 0x1".length);
      heap.set(bytesOf("good 3\n"), api.inputAddress());
      assert.equal(api.ingest(0, 7, 0), 7);
      assert.equal(api.badReason(), -1);
    });
  });
}
