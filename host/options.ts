/** The daemon's options as values, and the parsers that make them from text. */
import { ValueError } from "./errors.js";

/** An address to listen on: a TCP port, or the path of a Unix socket. */
export type Address = { kind: "tcp"; host: string | undefined; port: number } | { kind: "unix"; path: string };

export type WhenFull = "evict" | "reject";
export type Timestamps = "drop" | "keep";
export type LogLevel = "error" | "warn" | "info" | "debug";
export type LogFormat = "text" | "json";
export type ReadMode = "window" | "data";

/** Everything that the daemon can be told. Sizes in bytes, durations in milliseconds, 0 for never. */
export interface Options {
  /** Paths of the push sockets; undefined: the default path. */
  sockets: string[] | undefined;
  socketMode: number;
  /** Addresses of the HTTP side; undefined: the default address. */
  listen: Address[] | undefined;
  cacheBytes: number;
  ttlMs: number;
  whenFull: WhenFull;
  timestamps: Timestamps;
  maxLineBytes: number;
  maxConnections: number;
  idleTimeoutMs: number;
  maxHttpConnections: number;
  maxScrapes: number;
  maxHeaderBytes: number;
  maxBodyBytes: number;
  headerTimeoutMs: number;
  keepAliveMs: number;
  stallTimeoutMs: number;
  logLevel: LogLevel;
  logFormat: LogFormat;
  /** How push sockets are read: into the module's window where Node allows it, or with 'data' events. */
  read: ReadMode;
}

/** The longest path that fits a socket address, its closing NUL not counted. */
export const SOCKET_PATH_LIMIT = 107;
/** The longest time that a timer or the module takes. */
export const DURATION_LIMIT_MS = 2_147_483_647;
/** The longest TTL that the module takes. */
export const TTL_LIMIT_MS = 4_294_967_294;
/** Where the HTTP side listens unless told otherwise. */
export const DEFAULT_LISTEN = "127.0.0.1:9091";

const KIB = 1024;
const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: KIB,
  kib: KIB,
  kb: 1000,
  m: KIB ** 2,
  mib: KIB ** 2,
  mb: 1000 ** 2,
  g: KIB ** 3,
  gib: KIB ** 3,
  gb: 1000 ** 3,
};
const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Parses a size such as `10KiB`, `4k`, `1.5MiB` or `10240`.
 * @param text what the user wrote
 * @param least smallest size allowed, in bytes
 * @param most largest size allowed, in bytes
 * @returns the size in whole bytes
 * @throws ValueError if it is no size or out of range
 */
export function parseSize(text: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = match ? SIZE_UNITS[match[2]!.toLowerCase()] : undefined;
  if (!match || unit === undefined) throw new ValueError(`${quote(text)} is not a size (like 10KiB, 1MiB or 4096)`);
  const bytes = Number(match[1]) * unit;
  if (!Number.isInteger(bytes)) throw new ValueError(`${quote(text)} is not a whole number of bytes`);
  if (bytes < least || bytes > most) {
    throw new ValueError(`${quote(text)} is out of range (${formatSize(least)} to ${formatSize(most)})`);
  }
  return bytes;
}

/**
 * Parses a duration such as `90s`, `5m`, `1h30m`, `500ms`, `never` or `0`.
 * @param text what the user wrote
 * @param most longest duration allowed, in milliseconds
 * @returns whole milliseconds, at least 1 for any duration that is not 0; 0 for never
 * @throws ValueError if it is no duration or too long
 */
export function parseDuration(text: string, most = DURATION_LIMIT_MS): number {
  const value = text.trim().toLowerCase();
  if (value === "never" || value === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(value)) {
    throw new ValueError(`${quote(text)} is not a duration (like 90s, 5m, 24h or never)`);
  }
  let totalMs = 0;
  for (const [, count, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(count) * DURATION_UNITS_MS[unit!]!;
  }
  const ms = totalMs > 0 ? Math.max(1, Math.round(totalMs)) : 0;
  if (ms > most) throw new ValueError(`${quote(text)} is too long (at most ${formatDuration(most)})`);
  return ms;
}

/**
 * Parses a duration that cannot be `never`.
 * @param text what the user wrote
 * @returns milliseconds, at least 1
 * @throws ValueError if it is no duration, 0 or `never`
 */
export function parseLimitedDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === 0) throw new ValueError(`${quote(text)} is no limit (give a duration like 10s)`);
  return ms;
}

/**
 * Parses a whole number.
 * @param text what the user wrote
 * @param least smallest number allowed
 * @param most largest number allowed
 * @throws ValueError if it is no whole number or out of range
 */
export function parseCount(text: string, least: number, most: number): number {
  const value = text.trim();
  if (!/^\d{1,15}$/.test(value)) throw new ValueError(`${quote(text)} is not a whole number`);
  const count = Number(value);
  if (count < least || count > most) throw new ValueError(`${quote(text)} is out of range (${least} to ${most})`);
  return count;
}

/**
 * Parses a file mode in octal, such as `0660`.
 * @param text what the user wrote
 * @returns the mode's nine permission bits
 * @throws ValueError if it is no octal mode up to 0777
 */
export function parseMode(text: string): number {
  const value = text.trim();
  if (!/^(0o?)?[0-7]{3}$/i.test(value)) throw new ValueError(`${quote(text)} is not a file mode (like 0660)`);
  return Number.parseInt(value.slice(-3), 8);
}

/**
 * Parses one of a few words.
 * @param text what the user wrote
 * @param words the words allowed
 * @throws ValueError if it is none of them
 */
export function parseWord<Word extends string>(text: string, words: readonly Word[]): Word {
  const word = words.find((known) => known === text.trim());
  if (word === undefined) throw new ValueError(`${quote(text)} is not one of ${words.join(", ")}`);
  return word;
}

/**
 * Checks the path of a Unix socket.
 * @param text what the user wrote
 * @returns the path as it is
 * @throws ValueError if it is empty or a folder's, has a NUL, or does not fit a socket address
 */
export function parseSocketPath(text: string): string {
  if (text === "") throw new ValueError("the path of the socket is empty");
  if (text.endsWith("/")) throw new ValueError(`the path ${quote(text)} is a folder's`);
  if (text.includes("\0")) throw new ValueError("the path of the socket has a NUL");
  const bytes = Buffer.byteLength(text);
  if (bytes > SOCKET_PATH_LIMIT) {
    throw new ValueError(`the path ${quote(text)} has ${bytes} bytes: a socket's has ${SOCKET_PATH_LIMIT} at most`);
  }
  return text;
}

/**
 * Parses an address to listen on: `127.0.0.1:9091`, `:9091` (all interfaces), `[::1]:9091`, `9091` or `unix:/path`.
 * @param text what the user wrote
 * @throws ValueError if it is no such address
 */
export function parseAddress(text: string): Address {
  const value = text.trim();
  if (value.startsWith("unix:")) return { kind: "unix", path: parseSocketPath(value.slice(5).replace(/^\/{2,}/, "/")) };
  const match = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]:|([^\s:[\]/]*):)?(\d{1,5})$/i.exec(value);
  const port = match ? Number(match[3]) : -1;
  if (!match || port > 65_535) {
    throw new ValueError(`${quote(text)} is not an address (like 127.0.0.1:9091, :9091, [::1]:9091 or unix:/path)`);
  }
  return { kind: "tcp", host: match[1] || match[2] || undefined, port };
}

/**
 * Writes a size so that parseSize reads it back: `10KiB`, `1MiB`, `1000B`.
 * @param bytes whole bytes
 */
export function formatSize(bytes: number): string {
  const units: [number, string][] = [
    [KIB ** 3, "GiB"],
    [KIB ** 2, "MiB"],
    [KIB, "KiB"],
  ];
  for (const [unit, name] of units) if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${name}`;
  return `${bytes}B`;
}

/**
 * Writes a duration so that parseDuration reads it back: `1m`, `1h30m`, `never` for 0.
 * @param ms whole milliseconds
 */
export function formatDuration(ms: number): string {
  if (ms === 0) return "never";
  let rest = ms;
  let text = "";
  for (const name of ["d", "h", "m", "s", "ms"]) {
    const unit = DURATION_UNITS_MS[name]!;
    const count = Math.floor(rest / unit);
    if (count > 0) text += `${count}${name}`;
    rest -= count * unit;
  }
  return text;
}

/**
 * Writes an address so that parseAddress reads it back.
 * @param address where something listens
 */
export function formatAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const host = address.host ?? "";
  return `${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

/** Quotes what a user wrote for an error of one line, cut to a readable length. */
function quote(text: string): string {
  const cut = text.length > 160 ? `${text.slice(0, 157)}...` : text;
  return JSON.stringify(cut);
}
