/** Tells HTTP from metrics by the first bytes of a connection. */

/** What the first bytes say. */
export const UNDECIDED = 0;
export const METRICS = 1;
export const HTTP = 2;
export type Verdict = typeof UNDECIDED | typeof METRICS | typeof HTTP;

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PROPFIND"]);
/** The longest method that is waited for. */
const METHOD_LIMIT_BYTES = 32;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const SLASH = 0x2f;
const ASTERISK = 0x2a;

/**
 * Looks at all bytes that a connection has sent so far.
 * HTTP is certain after a known method, a space and `/` or `*`, and on a whole line `METHOD target HTTP/1.x` with any
 * method. No valid line of metrics looks like either: a value follows the name there.
 * @param bytes where they are
 * @param start offset of the first
 * @param end offset after the last
 * @returns UNDECIDED if more bytes could decide; a connection that ends undecided is one of metrics
 */
export function sniff(bytes: Buffer, start: number, end: number): Verdict {
  let at = start;
  while (at < end && (bytes[at] === LF || bytes[at] === CR)) at++;
  const methodEnd = endOfToken(bytes, at, end);
  if (methodEnd === end) return end - at > METHOD_LIMIT_BYTES ? METRICS : UNDECIDED;
  if (methodEnd === at || bytes[methodEnd] !== SPACE) return METRICS;
  let targetAt = methodEnd;
  while (targetAt < end && bytes[targetAt] === SPACE) targetAt++;
  if (targetAt === end) return UNDECIDED;
  const target = bytes[targetAt];
  if ((target === SLASH || target === ASTERISK) && METHODS.has(bytes.toString("latin1", at, methodEnd))) return HTTP;
  const lineEnd = bytes.subarray(0, end).indexOf(LF, targetAt);
  if (lineEnd < 0) return UNDECIDED;
  return /^[^ ]+ +HTTP\/\d(\.\d)?\r?$/.test(bytes.toString("latin1", targetAt, lineEnd)) ? HTTP : METRICS;
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
