import assert from "node:assert/strict";
import { test } from "node:test";
import { ValueError } from "../../host/errors.js";
import {
  type Address,
  formatAddress,
  formatDuration,
  formatSize,
  parseAddress,
  parseCount,
  parseDuration,
  parseLimitedDuration,
  parseMode,
  parseSize,
  parseSocketPath,
  parseWord,
} from "../../host/options.js";

const DAY_MS = 86_400_000;

test("26: sizes", () => {
  const sizes: [string, number][] = [
    ["10KiB", 10_240],
    ["10kib", 10_240],
    ["10k", 10_240],
    ["10 K", 10_240],
    ["10kB", 10_000],
    ["4096", 4096],
    ["4096B", 4096],
    ["1.5KiB", 1536],
    ["1MiB", 1_048_576],
    ["1m", 1_048_576],
    ["2MB", 2_000_000],
    ["1GiB", 1_073_741_824],
    ["0", 0],
  ];
  for (const [text, bytes] of sizes) assert.equal(parseSize(text), bytes, text);
  for (const text of ["", "KiB", "-1", "1e3", "0x10", "10KiBs", "10 Ki B", "1.2.3", "1.0001KiB", "10KiB 2"]) {
    assert.throws(() => parseSize(text), ValueError, text);
  }
  assert.throws(() => parseSize("9", 10, 20), /out of range \(10B to 20B\)/);
  assert.throws(() => parseSize("21", 10, 20), ValueError);
  assert.equal(parseSize("10", 10, 20), 10);
  assert.equal(parseSize("20", 10, 20), 20);
});

test("26: durations", () => {
  const durations: [string, number][] = [
    ["90s", 90_000],
    ["5m", 300_000],
    ["24h", DAY_MS],
    ["1d", DAY_MS],
    ["500ms", 500],
    ["1h30m", 5_400_000],
    ["1.5s", 1500],
    ["never", 0],
    ["Never", 0],
    ["0", 0],
    ["0s", 0],
    ["0.1ms", 1],
    ["1.1m", 66_000],
  ];
  for (const [text, ms] of durations) assert.equal(parseDuration(text), ms, text);
  for (const text of ["", "60", "s", "-1s", "1 m", "1y", "1e3s", "1m!", "nevermore"]) {
    assert.throws(() => parseDuration(text), ValueError, text);
  }
  assert.throws(() => parseDuration("2s", 1000), /too long \(at most 1s\)/);
  assert.throws(() => parseLimitedDuration("never"), ValueError);
  assert.equal(parseLimitedDuration("1s"), 1000);
});

test("26: what is printed can be read back", () => {
  for (const bytes of [0, 1, 1000, 1024, 10_240, 12_289, 1_048_576, 1_073_741_824]) {
    assert.equal(parseSize(formatSize(bytes)), bytes);
  }
  for (const ms of [0, 1, 999, 1000, 60_000, 90_061_001, DAY_MS]) assert.equal(parseDuration(formatDuration(ms)), ms);
  for (const text of ["127.0.0.1:9091", ":9091", "[::1]:9091", "localhost:0", "unix:/run/x.sock"]) {
    assert.equal(formatAddress(parseAddress(text)), text);
  }
});

test("21: addresses", () => {
  const addresses: [string, Address][] = [
    ["127.0.0.1:9091", { kind: "tcp", host: "127.0.0.1", port: 9091 }],
    [":9091", { kind: "tcp", host: undefined, port: 9091 }],
    ["9091", { kind: "tcp", host: undefined, port: 9091 }],
    ["[::1]:9091", { kind: "tcp", host: "::1", port: 9091 }],
    ["[fe80::1%eth0]:1", { kind: "tcp", host: "fe80::1%eth0", port: 1 }],
    ["gateway.local:65535", { kind: "tcp", host: "gateway.local", port: 65_535 }],
    ["unix:/run/x.sock", { kind: "unix", path: "/run/x.sock" }],
    ["unix:///run/x.sock", { kind: "unix", path: "/run/x.sock" }],
    ["unix:x.sock", { kind: "unix", path: "x.sock" }],
  ];
  for (const [text, address] of addresses) assert.deepEqual(parseAddress(text), address, text);
  for (const text of ["", ":", "x:", "::1:9091", "[::1]", "http://x:1", "x:1:2", "x:65536", "x:-1", "a b:1", "unix:"]) {
    assert.throws(() => parseAddress(text), ValueError, text);
  }
});

test("27: paths of sockets are measured in bytes", () => {
  assert.equal(parseSocketPath(`/${"x".repeat(106)}`).length, 107);
  assert.throws(() => parseSocketPath(`/${"x".repeat(107)}`), /108 bytes/);
  assert.throws(() => parseSocketPath(`/${"ü".repeat(54)}`), /109 bytes/);
  assert.throws(() => parseSocketPath("a\0b"), ValueError);
});

test("26: modes, counts and words", () => {
  for (const text of ["0660", "660", "0o660"]) assert.equal(parseMode(text), 0o660);
  for (const text of ["", "8", "0888", "66", "01660", "rw"]) assert.throws(() => parseMode(text), ValueError, text);
  assert.equal(parseCount("12", 1, 20), 12);
  for (const text of ["", "0", "21", "1.5", "-1", "1e1", "x"]) {
    assert.throws(() => parseCount(text, 1, 20), ValueError, text);
  }
  assert.equal(parseWord("b", ["a", "b"]), "b");
  assert.throws(() => parseWord("c", ["a", "b"]), /"c" is not one of a, b/);
});

test("26: an error about a very long or strange value is short and on one line", () => {
  const message = (text: string): string => {
    try {
      parseSize(text);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  assert.ok(message("x".repeat(100_000)).length < 300);
  assert.doesNotMatch(message("a\nb"), /\n/);
});
