/** Tells HTTP from metrics by the first bytes of a connection. */

/** What the first bytes say. */
export const UNDECIDED = 0;
export const METRICS = 1;
export const HTTP = 2;
export type Verdict = typeof UNDECIDED | typeof METRICS | typeof HTTP;

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PROPFIND"]);
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const BRACE = 0x7b;
/** `/`, `*` and `:`. Every target that a client sends has one of them: a path, `*`, a whole URL, `host:port`. */
const TARGET_MARKS = [0x2f, 0x2a, 0x3a];

/**
 * Looks at all bytes that a connection has sent so far.
 * HTTP is certain after a known method, a space and what can only be a target, and on a whole line
 * `METHOD target HTTP/1.x` with any method. No valid line of metrics looks like either: labels or a value follow the name
 * there, and no value has a `/`, `*` or `:`.
 * @param bytes where they are
 * @param start offset of the first
 * @param end offset after the last
 * @returns UNDECIDED if more bytes could decide; a connection that ends undecided is one of metrics
 */
export function sniff(bytes: Buffer, start: number, end: number): Verdict {
  let at = start;
  while (at < end && (bytes[at] === LF || bytes[at] === CR)) at++;
  const methodEnd = endOfToken(bytes, at, end);
  if (methodEnd === end) return UNDECIDED;
  if (methodEnd === at || bytes[methodEnd] !== SPACE) return METRICS;
  let targetAt = methodEnd;
  while (targetAt < end && bytes[targetAt] === SPACE) targetAt++;
  if (targetAt === end) return UNDECIDED;
  if (bytes[targetAt] === BRACE) return METRICS;
  if (hasMark(bytes, targetAt, end) && METHODS.has(bytes.toString("latin1", at, methodEnd))) return HTTP;
  const lineEnd = bytes.subarray(0, end).indexOf(LF, targetAt);
  if (lineEnd < 0) return UNDECIDED;
  return /^[^ ]+ +HTTP\/\d(\.\d)?\r?$/.test(bytes.toString("latin1", targetAt, lineEnd)) ? HTTP : METRICS;
}

/** Whether what stands before the next space or the line's end can be no value. */
function hasMark(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end && bytes[at]! > SPACE; at++) if (TARGET_MARKS.includes(bytes[at]!)) return true;
  return false;
}

/**
 * The method of a connection that sniff found to be HTTP.
 * @param bytes where its bytes are
 * @param start offset of the first
 * @param end offset after the last
 */
export function methodOf(bytes: Buffer, start: number, end: number): string {
  let at = start;
  while (at < end && (bytes[at] === LF || bytes[at] === CR)) at++;
  return bytes.toString("latin1", at, endOfToken(bytes, at, end));
}

/** The end of an HTTP token that begins with a letter; the start if there is none. */
function endOfToken(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isTokenByte(bytes[at]!, at === start)) at++;
  return at;
}

/** RFC 9110, 5.6.2. Methods in use begin with a letter, so `# comment` is none. */
function isTokenByte(byte: number, first: boolean): boolean {
  const letter = byte | 0x20;
  if (letter >= 0x61 && letter <= 0x7a) return true;
  if (first) return false;
  return (byte >= 0x30 && byte <= 0x39) || "!#$%&'*+-.^_`|~".includes(String.fromCharCode(byte));
}
