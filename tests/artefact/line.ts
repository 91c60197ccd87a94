// One line of an exposition, taken apart strictly: what a gateway writes, not what a parser may tolerate. Written from the
// two formats' specifications and from what Prometheus and promtool refuse; independent of assembly/.

export type Format = "text" | "openmetrics";
export type Label = readonly [name: string, value: string];

export interface Sample {
  readonly name: string;
  readonly labels: readonly Label[];
  readonly value: number;
  readonly timestampMs: number | undefined;
}

export interface Metadata {
  readonly kind: "TYPE" | "HELP" | "UNIT";
  readonly name: string;
  readonly text: string;
}

export class Refused extends Error {}

const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const QUOTED = /"((?:[^"\\\n]|\\[\\"n])*)"/y;
const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const METADATA = /^# (TYPE|HELP|UNIT) (.*)$/su;
const TEXT_TIMESTAMP = /^-?[0-9]{1,19}$/;
const OPENMETRICS_TIMESTAMP = /^-?[0-9]+(?:\.[0-9]+)?$/;

/** A place in a line; every `take` moves it on or refuses the line. */
class Cursor {
  readonly line: string;
  at = 0;

  constructor(line: string) {
    this.line = line;
  }

  refused(why: string): Refused {
    return new Refused(`${why}, column ${this.at + 1} of: ${this.line}`);
  }

  rest(): string {
    return this.line.slice(this.at);
  }

  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.line);
    if (found === null) return undefined;
    this.at += found[0].length;
    return found;
  }

  skip(text: string): boolean {
    if (!this.line.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  quoted(what: string): string {
    const found = this.match(QUOTED);
    if (found === undefined) throw this.refused(`${what} is not a string with the escapes \\\\, \\" and \\n`);
    return unescapeText(found[1] ?? "");
  }
}

function unescapeText(text: string): string {
  return text.replace(/\\(.)/gu, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
}

/** A value that Prometheus accepts, in the spelling that both formats share. */
export function parseValue(text: string): number | undefined {
  if (text === "NaN") return Number.NaN;
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function parseTimestamp(text: string, format: Format): number | undefined {
  if (!(format === "text" ? TEXT_TIMESTAMP : OPENMETRICS_TIMESTAMP).test(text)) return undefined;
  return format === "text" ? Number(text) : Math.round(Number(text) * 1000);
}

function takeName(cursor: Cursor, pattern: RegExp, utf8: boolean): string {
  const plain = cursor.match(pattern);
  if (plain !== undefined) return plain[0];
  if (!utf8) throw cursor.refused("a name that is not plain");
  const name = cursor.quoted("a name");
  if (name === "") throw cursor.refused("an empty name");
  return name;
}

function takeLabel(cursor: Cursor, labels: Label[], utf8: boolean): void {
  const name = takeName(cursor, LABEL_NAME, utf8);
  if (name === "__name__") throw cursor.refused("a label __name__");
  if (labels.some(([known]) => known === name)) throw cursor.refused(`label ${name} twice`);
  if (!cursor.skip("=")) throw cursor.refused("no = after a label's name");
  labels.push([name, cursor.quoted("a label's value")]);
}

/** `{a="1",b="2"}` or, with the name inside, `{"my.name",a="1"}`. */
function takeBraces(cursor: Cursor, outer: string | undefined, utf8: boolean): { name: string; labels: Label[] } {
  const labels: Label[] = [];
  let name = outer;
  if (name === undefined) {
    if (!utf8) throw cursor.refused("a quoted name");
    name = cursor.quoted("a name");
    if (name === "") throw cursor.refused("an empty name");
    if (cursor.skip("}")) return { name, labels };
    if (!cursor.skip(",")) throw cursor.refused("no comma after the name");
  }
  do takeLabel(cursor, labels, utf8);
  while (cursor.skip(","));
  if (!cursor.skip("}")) throw cursor.refused("no } after the labels");
  return { name, labels };
}

function takeSeries(cursor: Cursor, utf8: boolean): { name: string; labels: Label[] } {
  const plain = cursor.match(METRIC_NAME)?.[0];
  if (cursor.skip("{")) return takeBraces(cursor, plain, utf8);
  if (plain === undefined) throw cursor.refused("no name");
  return { name: plain, labels: [] };
}

export function parseSample(line: string, format: Format, utf8: boolean): Sample {
  const cursor = new Cursor(line);
  const { name, labels } = takeSeries(cursor, utf8);
  if (!cursor.skip(" ")) throw cursor.refused("no space before the value");
  const [valueText = "", timestampText, ...more] = cursor.rest().split(" ");
  const value = parseValue(valueText);
  if (value === undefined) throw cursor.refused(`no value: "${valueText}"`);
  const timestampMs = timestampText === undefined ? undefined : parseTimestamp(timestampText, format);
  if (timestampText !== undefined && timestampMs === undefined)
    throw cursor.refused(`no timestamp: "${timestampText}"`);
  if (more.length > 0) throw cursor.refused("more after the timestamp");
  return { name, labels, value, timestampMs };
}

/** HELP texts: `\\` and `\n` in both; `\"` must be escaped in OpenMetrics and must not be in text. */
function parseHelp(cursor: Cursor, format: Format): string {
  const text = cursor.rest();
  const wanted = format === "text" ? /^(?:[^\\]|\\[\\n])*$/u : /^(?:[^\\"]|\\[\\n"])*$/u;
  if (!wanted.test(text)) throw cursor.refused("a wrong escape in a HELP text");
  return unescapeText(text);
}

export function parseMetadata(line: string, format: Format, utf8: boolean): Metadata {
  const kind = METADATA.exec(line)?.[1];
  const cursor = new Cursor(line);
  if (kind !== "TYPE" && kind !== "HELP" && kind !== "UNIT") throw cursor.refused("a comment that is no metadata");
  if (kind === "UNIT" && format === "text") throw cursor.refused("UNIT in the text format");
  cursor.at = "# TYPE ".length;
  const name = takeName(cursor, METRIC_NAME, utf8);
  if (!cursor.skip(" ")) throw cursor.refused(`no space after the name of a ${kind}`);
  return { kind, name, text: kind === "HELP" ? parseHelp(cursor, format) : cursor.rest() };
}
