import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { Gate } from "../../host/gate.js";

/** A socket as far as a gate sees it. */
class FakeSocket {
  destroyed = false;
  writableEnded = false;
  paused = 0;
  resumed = 0;
  pause(): void {
    this.paused++;
  }
  resume(): void {
    this.resumed++;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

interface Fixture {
  gate: Gate;
  socket: FakeSocket;
  parsed: string[];
  state: { reading: boolean };
}

/** A gate before a parser that begins a request at each empty line. */
function create(): Fixture {
  const state = { reading: false };
  const parsed: string[] = [];
  const socket = new FakeSocket();
  const gate = new Gate(socket as unknown as Socket, {
    parse(bytes) {
      parsed.push(bytes.toString());
      if (bytes.toString() === "\r\n") gate.begin();
    },
    finish: () => parsed.push("finished"),
    isReading: () => state.reading,
  });
  return { gate, socket, parsed, state };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("30: of pipelined requests the second waits until the first is answered", async () => {
  const { gate, socket, parsed } = create();
  gate.take(Buffer.from("GET /1\r\nHost: x\r\n\r\nGET /2\r\n\r\nGET /3\r\n\r\n"));
  assert.deepEqual(parsed, ["GET /1\r\n", "Host: x\r\n", "\r\n"]);
  assert.equal(socket.paused, 1);
  assert.equal(gate.heldBytes, 20);
  gate.end();
  await turn();
  assert.deepEqual(parsed.slice(3), ["GET /2\r\n", "\r\n"]);
  gate.end();
  await turn();
  assert.deepEqual(parsed.slice(5), ["GET /3\r\n", "\r\n"]);
  assert.equal(socket.resumed, 1);
  assert.equal(gate.heldBytes, 0);
});

test("30: the end of what a client says comes after its last request, and does not wait for the answer", async () => {
  const { gate, socket, parsed } = create();
  gate.take(Buffer.from("GET /1\r\n\r\nGET /2\r\n\r\nGET /3\r\n\r\n"));
  gate.finish();
  for (let i = 0; i < 2; i++) {
    assert.ok(!parsed.includes("finished"));
    gate.end();
    await turn();
  }
  assert.deepEqual(parsed.slice(-3), ["GET /3\r\n", "\r\n", "finished"]);
  assert.equal(socket.resumed, 0);
});

test("30: bytes that come although reading was stopped keep their order, and too many end the connection", async () => {
  const { gate, socket, parsed } = create();
  gate.take(Buffer.from("\r\nGET "));
  gate.take(Buffer.from("/2\r\n"));
  gate.end();
  await turn();
  assert.equal(parsed.join(""), "\r\nGET /2\r\n");
  gate.take(Buffer.from("\r\n"));
  for (let i = 0; i < 5; i++) gate.take(Buffer.alloc(65_536, "x"));
  assert.equal(socket.destroyed, true);
});

test("30: a body that is still read passes, though its request is being answered", () => {
  const { gate, parsed, state } = create();
  state.reading = true;
  gate.take(Buffer.from("POST /\r\n\r\nbody\nbody"));
  assert.equal(parsed.join(""), "POST /\r\n\r\nbody\nbody");
  state.reading = false;
  gate.take(Buffer.from("GET /2\r\n"));
  assert.equal(gate.heldBytes, 8);
});

test("30: nothing passes a gate whose connection is over", async () => {
  const { gate, socket, parsed } = create();
  gate.take(Buffer.from("\r\nmore\r\n"));
  socket.writableEnded = true;
  gate.end();
  await turn();
  assert.equal(parsed.join(""), "\r\n");
});
