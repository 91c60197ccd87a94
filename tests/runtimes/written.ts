// What players write, taken apart for comparison.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";

const LINE_FEED = 10;

/** What one call wrote. */
export interface Piece {
  readonly call: string;
  readonly bytes: Buffer;
}

/** Takes a player's output apart. */
export function piecesOf(written: Buffer): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < written.length; ) {
    const end = written.indexOf(LINE_FEED, at);
    const [call = "", length = ""] = written.toString("latin1", at, end).split(" ");
    at = end + 1 + Number(length);
    assert.ok(end >= 0 && at <= written.length, `"${call} ${length}" is cut`);
    pieces.push({ call, bytes: written.subarray(end + 1, at) });
  }
  return pieces;
}

/** Holds one runtime's output against another's, call by call. */
export function assertSame(got: readonly Piece[], wanted: readonly Piece[], name: string): void {
  for (const [index, { call, bytes }] of wanted.entries()) {
    const piece = got[index];
    if (piece?.call === call && piece.bytes.equals(bytes)) continue;
    assert.equal(told(piece), told({ call, bytes }), `${name}: output ${index} of ${wanted.length}`);
  }
  assert.equal(got.length, wanted.length, `${name}: outputs`);
}

/** A piece as text; of the cache's memory its hash. */
function told(piece: Piece | undefined): string {
  if (piece === undefined) return "nothing";
  return `${piece.call} ${piece.call === "state" ? hashOf(piece.bytes) : piece.bytes.toString()}`;
}

/** SHA-256 of the cache's memory at the last `state`. */
export function lastState(pieces: readonly Piece[]): string {
  return hashOf(pieces.findLast(({ call }) => call === "state")!.bytes);
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The largest of each of the `numbers`: counters 0 to 12 and 16 to 31, gauges 0 to 11. */
export function largestNumbers(pieces: readonly Piece[]): number[] {
  const all = pieces
    .filter(({ call }) => call === "numbers")
    .map(({ bytes }) => bytes.toString().split(" ").map(Number));
  return (all[0] ?? []).map((_, index) => Math.max(...all.map((numbers) => numbers[index] ?? 0)));
}
