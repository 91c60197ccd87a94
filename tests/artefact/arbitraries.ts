// What fast-check makes: lines that are likely to meet each other in names, labels, types and suffixes, good and bad ones;
// and real pages, whole or damaged.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { ROOT } from "./module.js";

const NAMES = ["x", "x_total", "x_created", "x_bucket", "x_sum", "x_count", "x_info", "x_gsum", "x_gcount"];
const MORE_NAMES = ["x_count_total", "y_seconds", "y_seconds_total", "y", "z:z", "_", "U__z", "x_total_total"];
const QUOTED_NAMES = ['"my.name"', '"my.name_total"', '"my.name_bucket"', '"my.name_count"', '"my.name_sum"', '"x"'];
const LABELS = ["a", "b", "le", "quantile", "x", "y", '"l.n"', '"a"', '"a:b"', "instance"];
const LABEL_VALUES = ["", "1", "0.5", "+Inf", "v", "on", '\\"', "\\\\", "\\n", "é", "} 1", "1e3", "long ".repeat(20)];
const VALUES = [
  "0",
  "-0",
  "1",
  "2.5",
  "1e300",
  "NaN",
  "+Inf",
  "-inf",
  "5e-324",
  "0.1000000000000000055511151231257827",
];
const TYPES = ["gauge", "counter", "histogram", "summary", "untyped", "unknown", "info", "stateset", "gaugehistogram"];
const HELPS = ["", "h", 'a "b" \\\\ \\n c', '\\"', "\\x", "help ".repeat(30), "größe"];
const UNITS = ["seconds", "s", "total", "bytes", ""];
const ODD_LINES = [
  "",
  "#",
  "# EOF",
  "# hello",
  "# TTL 5s",
  "# TTL never",
  "# TTL 1m",
  "# TTL x",
  "m",
  "{} 1",
  "x{ 1",
  "x{a=} 2",
  'x{a="1"',
  "x 1 1700000000000",
  "x 1 1700000000.5",
  "x 1 z",
  "1 1",
  "x 0x1",
  "# TYPE x",
  "# TYPE x gauge gauge",
  "# UNIT y_seconds seconds",
  'x_total 1 # {a="b"} 1',
];

const pick = (values: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...values);
const plainName = pick([...NAMES, ...MORE_NAMES]);
const anyName = fc.oneof({ weight: 4, arbitrary: plainName }, { weight: 1, arbitrary: pick(QUOTED_NAMES) });
const label = fc.tuple(pick(LABELS), pick(LABEL_VALUES)).map(([name, value]) => `${name}="${value}"`);

/** A line of a sample; its labels may repeat or be wrong for its type. */
export const sampleLine: fc.Arbitrary<string> = fc
  .tuple(anyName, fc.array(label, { maxLength: 3 }), pick(VALUES))
  .map(([name, labels, value]) => {
    if (name.startsWith('"')) return `{${[name, ...labels].join(",")}} ${value}`;
    return labels.length === 0 ? `${name} ${value}` : `${name}{${labels.join(",")}} ${value}`;
  });

const metadataName = fc.oneof(plainName, pick(QUOTED_NAMES));
export const metadataLine: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(metadataName, pick(TYPES)).map(([name, type]) => `# TYPE ${name} ${type}`),
  fc.tuple(metadataName, pick(HELPS)).map(([name, help]) => `# HELP ${name} ${help}`),
  fc.tuple(metadataName, pick(UNITS)).map(([name, unit]) => `# UNIT ${name} ${unit}`),
);

const bucketLine = fc
  .tuple(pick(["x", "y"]), pick(["0.5", "1", "2", "+Inf"]), pick(["", 'a="1",', 'a="2",']), fc.nat(9))
  .map(([name, le, more, value]) => `${name}_bucket{${more}le="${le}"} ${value}`);

export const anyLine: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: sampleLine },
  { weight: 3, arbitrary: bucketLine },
  { weight: 3, arbitrary: metadataLine },
  { weight: 2, arbitrary: pick(ODD_LINES) },
);

/** Lines that end as they should. */
export const stream: fc.Arbitrary<string> = fc
  .array(anyLine, { maxLength: 60 })
  .map((lines) => lines.map((line) => `${line}\n`).join(""));

export const REAL_PAGES: Readonly<Record<string, string>> = Object.fromEntries(
  ["node_exporter.txt", "prometheus.txt", "openmetrics.txt"].map((file) => [
    file,
    readFileSync(join(ROOT, "tests/artefact/pages", file), "utf8"),
  ]),
);

interface Damage {
  readonly kind: "delete" | "duplicate" | "swap" | "byte" | "cut";
  readonly at: number;
  readonly other: number;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom("delete", "duplicate", "swap", "byte", "cut"),
  at: fc.nat(),
  other: fc.nat(),
});

function damaged(lines: readonly string[], hits: readonly Damage[]): string {
  const result = [...lines];
  for (const { kind, at, other } of hits) {
    const index = at % result.length;
    const line = result[index] ?? "";
    if (kind === "delete" && result.length > 1) result.splice(index, 1);
    else if (kind === "duplicate") result.splice(other % result.length, 0, line);
    else if (kind === "swap")
      [result[index], result[other % result.length]] = [result[other % result.length] ?? line, line];
    else if (kind === "byte") result[index] = withByte(line, other);
    else result[index] = line.slice(0, other % (line.length + 1));
  }
  return result.map((line) => `${line}\n`).join("");
}

function withByte(line: string, other: number): string {
  const at = (other >> 8) % Math.max(1, line.length);
  return line.slice(0, at) + String.fromCharCode(other & 255) + line.slice(at + 1);
}

/** Some hundred consecutive lines of a real page, damaged here and there; each character is a byte. */
export const damagedPage: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...Object.values(REAL_PAGES)), fc.nat(), fc.array(damage, { maxLength: 30 }))
  .map(([page, start, hits]) => {
    const lines = Buffer.from(page.trimEnd()).toString("latin1").split("\n");
    const first = start % lines.length;
    return damaged(lines.slice(first, first + 120), hits);
  });

/** Some sizes to cut a stream at, used in turn. */
export const cuts: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4000 })),
  { minLength: 1, maxLength: 12 },
);
