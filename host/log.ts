/** The log: standard error, one line an event, as text (logfmt) or JSON. */
import { writeSync } from "node:fs";
import type { LogFormat, LogLevel } from "./options.js";

/** What a line says besides its message. Undefined fields are left out. */
export type Fields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

const RANKS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };
/** A repeated warning is written at most once in this time. */
export const WARNING_INTERVAL_MS = 60_000;
/** Kinds of warnings that are remembered for rate limiting; the kinds are few and fixed, this is a safety net. */
const KIND_LIMIT = 256;

interface Kind {
  nextMs: number;
  suppressedCount: number;
}

/** Writes log lines. */
export class Log {
  readonly #rank: number;
  readonly #json: boolean;
  readonly #write: (line: string) => void;
  readonly #kinds = new Map<string, Kind>();

  /**
   * @param level the least important level that is written
   * @param format text or json
   * @param write takes each line with its LF; standard error by default
   */
  constructor(level: LogLevel, format: LogFormat, write: (line: string) => void = writeStandardError) {
    this.#rank = RANKS[level];
    this.#json = format === "json";
    this.#write = write;
  }

  /** Writes one line if the level is wanted. */
  write(level: LogLevel, message: string, fields: Fields = {}): void {
    if (RANKS[level] > this.#rank) return;
    const time = new Date().toISOString();
    this.#write(this.#json ? jsonLine(time, level, message, fields) : textLine(time, level, message, fields));
  }

  info(message: string, fields?: Fields): void {
    this.write("info", message, fields);
  }

  error(message: string, fields?: Fields): void {
    this.write("error", message, fields);
  }

  debug(message: string, fields?: Fields): void {
    this.write("debug", message, fields);
  }

  /**
   * Tells whether a warning of this kind would be written now.
   * @param kind which warnings share a limit
   * @param nowMs monotonic time in milliseconds
   */
  wants(kind: string, nowMs: number): boolean {
    return this.#rank >= RANKS.warn && nowMs >= (this.#kinds.get(kind)?.nextMs ?? 0);
  }

  /**
   * Writes a warning, or counts it if one of this kind was written lately.
   * @param kind which warnings share a limit
   * @param nowMs monotonic time in milliseconds
   * @param fields what else the line says; a function is called only if the line is written
   */
  warn(kind: string, nowMs: number, message: string, fields: Fields | (() => Fields) = {}): void {
    const known = this.#kinds.get(kind);
    if (!this.wants(kind, nowMs)) {
      if (known !== undefined) known.suppressedCount++;
      return;
    }
    if (this.#kinds.size >= KIND_LIMIT) this.#kinds.clear();
    this.#kinds.set(kind, { nextMs: nowMs + WARNING_INTERVAL_MS, suppressedCount: 0 });
    const said = typeof fields === "function" ? fields() : fields;
    const suppressed = known !== undefined && known.suppressedCount > 0 ? known.suppressedCount : undefined;
    this.write("warn", message, { ...said, suppressed });
  }
}

/** Writes a line to standard error and never fails: a log that cannot be written must not stop the service. */
function writeStandardError(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // A full or closed pipe: the line is lost.
  }
}

function textLine(time: string, level: LogLevel, message: string, fields: Fields): string {
  let line = `time=${time} level=${level} msg=${textValue(message)}`;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) line += ` ${name}=${textValue(Array.isArray(value) ? value.join(",") : String(value))}`;
  }
  return `${line}\n`;
}

/** Quotes a value if it would not be one word; JSON's quoting also keeps it on one line. */
function textValue(value: string): string {
  return /^[\w.:/@+[\],-]+$/.test(value) ? value : JSON.stringify(value);
}

function jsonLine(time: string, level: LogLevel, message: string, fields: Fields): string {
  return `${JSON.stringify({ time, level, msg: message, ...fields })}\n`;
}

/**
 * Makes a short printable excerpt of bytes that came from outside.
 * @param bytes what was received
 * @param limit how many bytes are shown
 * @returns text without control characters; "..." at its end if it was cut
 */
export function excerptOf(bytes: Uint8Array, limit = 80): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, limit)).toString("utf8");
  const printable = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
  return bytes.length > limit ? `${printable}...` : printable;
}
