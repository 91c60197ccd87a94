// The recorded calls, whose form tests/runtimes/README.md describes: writes them, and makes them of the case corpus.

import type { Case, Step } from "../artefact/cases.js";
import { bytesOf } from "../artefact/module.js";

/** Most bytes of one push, so that a player's buffers can be of fixed size. */
const PUSH_LIMIT_BYTES = 4096;
const CONNECTION_LIMIT = 16;

/** A generator of the same numbers everywhere: xorshift with 32 bits. */
export class Random {
  #state: number;

  /** @param seed anything but 0 */
  constructor(seed: number) {
    this.#state = seed;
  }

  /** @returns a whole number from 0 to `limit` - 1 */
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }
}

/** A script in the making: one method for each call. */
export class Calls {
  readonly #lines: string[] = [];

  /** The script so far. */
  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join("");
  }

  note(text: string): void {
    this.#lines.push(`# ${text.replace(/[^ -~]/gu, ".")}`);
  }

  init(cacheBytes: number, ttlMs: number, flags: number, maxLine: number): void {
    this.#lines.push(`init ${cacheBytes} ${ttlMs} ${flags} ${maxLine}`);
  }

  /** Bytes on a connection, in pieces as long as `pieceBytes` says each time. */
  push(connection: number, nowMs: number, text: string | Uint8Array, pieceBytes = () => PUSH_LIMIT_BYTES): void {
    const bytes = bytesOf(text);
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + Math.min(pieceBytes(), PUSH_LIMIT_BYTES));
      this.#lines.push(`push ${connection} ${nowMs} ${escaped(bytes.subarray(at, end))}`);
      at = end;
    }
  }

  finish(connection: number, nowMs: number): void {
    this.#lines.push(`finish ${connection} ${nowMs}`);
  }

  expire(nowMs: number): void {
    this.#lines.push(`expire ${nowMs}`);
  }

  open(page: number, flags: number, nowMs: number): void {
    this.#lines.push(`open ${page} ${flags} ${nowMs}`);
  }

  next(page: number, nowMs: number): void {
    this.#lines.push(`next ${page} ${nowMs}`);
  }

  rest(page: number, nowMs: number): void {
    this.#lines.push(`rest ${page} ${nowMs}`);
  }

  close(page: number): void {
    this.#lines.push(`close ${page}`);
  }

  /** A whole page at one time. */
  scrape(flags: number, nowMs: number): void {
    this.open(0, flags, nowMs);
    this.rest(0, nowMs);
  }

  /** All that can be compared: counters, gauges, the cache's memory. */
  look(): void {
    this.#lines.push("numbers", "state");
  }
}

function escaped(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x25
      ? `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
      : String.fromCharCode(byte),
  ).join("");
}

/**
 * The case corpus as calls: what a case expects is left out, what it looks at is looked at.
 * @param cases in their order
 * @returns the script, each case once as whole pushes and once in pieces of 1 to 40 bytes
 */
export function casesScript(cases: readonly Case[]): string {
  const calls = new Calls();
  const random = new Random(1);
  for (const one of cases) {
    recordCase(calls, one);
    recordCase(calls, one, () => 1 + random.below(40));
  }
  return calls.text;
}

function recordCase(calls: Calls, { title, options, steps }: Case, pieceBytes?: () => number): void {
  calls.note(pieceBytes === undefined ? title : `${title}, in pieces`);
  calls.init(options.cacheBytes ?? 10_240, options.ttlMs ?? 60_000, options.flags ?? 0, options.maxLine ?? 4096);
  const connections: string[] = [""];
  let nowMs = 0;
  for (const step of steps) {
    if (step.kind === "at") nowMs = step.nowMs;
    else recordStep(calls, step, nowMs, connections, pieceBytes);
  }
  for (const flags of [0, 1, 2, 3]) calls.scrape(flags, nowMs);
  calls.look();
}

function recordStep(
  calls: Calls,
  step: Step,
  nowMs: number,
  connections: string[],
  pieceBytes: (() => number) | undefined,
): void {
  if (step.kind === "input") {
    const connection = numberOf(connections, step.connection ?? "");
    calls.push(connection, nowMs, step.bytes, pieceBytes);
    if (connection === 0) calls.finish(connection, nowMs);
  } else if (step.kind === "close") {
    calls.finish(numberOf(connections, step.connection), nowMs);
  } else if (step.kind === "page") {
    calls.scrape((step.format === "text" ? 0 : 1) | (step.utf8 ? 2 : 0), nowMs);
  } else if (step.kind === "counters") {
    calls.expire(nowMs);
    calls.look();
  }
}

/** The number of a connection's name; the nameless one, which closes after each push, is 0. */
function numberOf(connections: string[], name: string): number {
  const known = connections.indexOf(name);
  if (known >= 0) return known;
  if (connections.length === CONNECTION_LIMIT) throw new Error(`a case has more than ${CONNECTION_LIMIT} connections`);
  return connections.push(name) - 1;
}
