import assert from "node:assert/strict";
import { test } from "node:test";
import { takeActivated } from "../../host/activation.js";

test("32: descriptors from 3 on, named by role, and the variables are gone", () => {
  const env = {
    LISTEN_FDS: "4",
    LISTEN_PID: "7",
    LISTEN_FDNAMES: "push:http:push-gateway.socket:my-metrics",
    HOME: "/",
  };
  assert.deepEqual(takeActivated(env, 7), [
    { fd: 3, role: "push" },
    { fd: 4, role: "http" },
    { fd: 5, role: undefined },
    { fd: 6, role: "http" },
  ]);
  assert.deepEqual(env, { HOME: "/" });
});

test("32: none without the variables, for another process, or with nonsense", () => {
  for (const env of [
    {},
    { LISTEN_FDS: "1" },
    { LISTEN_FDS: "1", LISTEN_PID: "8" },
    { LISTEN_FDS: "x", LISTEN_PID: "7" },
    { LISTEN_FDS: "-1", LISTEN_PID: "7" },
    { LISTEN_FDS: "0", LISTEN_PID: "7" },
  ]) {
    assert.deepEqual(takeActivated({ ...env }, 7), []);
  }
});

test("32: fewer names than descriptors", () => {
  const env = { LISTEN_FDS: "2", LISTEN_PID: "7", LISTEN_FDNAMES: "socket" };
  assert.deepEqual(takeActivated(env, 7), [
    { fd: 3, role: "push" },
    { fd: 4, role: undefined },
  ]);
});
