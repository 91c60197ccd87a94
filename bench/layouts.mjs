// Arithmetic: how many series three layouts keep in 10 KiB, everything counted. Run: node bench/layouts.mjs
import { readFileSync } from "node:fs";
import { threeLabels } from "./workload.mjs";

const BUDGET = 10240;
const BUCKETS = 384;

/** The labelled samples of a real page: [name, [[label, value]...], value]. */
function labelled() {
  const page = readFileSync(new URL("./fixtures/node_exporter.txt", import.meta.url), "utf8");
  return page
    .split("\n")
    .filter((line) => line.includes("{") && line[0] !== "#")
    .map((line) => line.match(/^([^{]+)\{(.*)\} (\S+)$/))
    .map(([, name, labels, value]) => [
      name,
      [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((m) => [m[1], m[2]]),
      value,
    ]);
}

/** A label value as stem and trailing number. */
function split(value) {
  const [, stem, number] = value.match(/^(.*?)((?:0|[1-9][0-9]{0,8})?)$/s);
  return { stem, number };
}

const varint = (n) => (n < 128 ? 1 : n < 16384 ? 2 : n < 2097152 ? 3 : 4);

/** Bytes of each series as it comes, for a layout that keeps what it has seen. */
function fits(series, layout) {
  let used = BUCKETS;
  let count = 0;
  for (const one of series) {
    used += layout(one);
    if (used > BUDGET) break;
    ++count;
  }
  return count;
}

/** The key's text, a double, time, length and index entry of each series. */
function plain() {
  return ([name, labels]) =>
    name.length + labels.reduce((sum, [n, v]) => sum + n.length + v.length + 4, 1) + 8 + 4 + 2 + 4;
}

/** Texts kept once; metrics in cells of 24 bytes with a double, two lists, chain, time; texts and names in cells, too. */
function cells() {
  const seen = new Set();
  const text = (s, head) => {
    if (seen.has(s)) return 0;
    seen.add(s);
    return Math.ceil((s.length + head) / 22) * 24;
  };
  return ([name, labels]) => {
    let bytes = text(`family ${name}`, 16 - 7) + text(`names ${labels.map(([n]) => n)}`, 7 - 6);
    let key = 1;
    for (const [, value] of labels) {
      const { stem, number } = split(value);
      bytes += text(stem, 7);
      key += 1 + (number === "" ? 0 : varint(Number(number)));
    }
    return bytes + 24 * (1 + Math.ceil(Math.max(0, key - 7) / 22));
  };
}

/** What is built: blocks of up to sixteen metrics that share family and label names; values as text, two to a byte. */
function blocks() {
  const texts = new Map();
  const families = new Set();
  const sizes = new Map();
  const text = (s) => {
    if (texts.has(s)) return 0;
    texts.set(s, texts.size);
    return 2 + 2 + 2 + 1 + s.length;
  };
  return ([name, labels, value]) => {
    let bytes = families.has(name) ? 0 : 2 + 13 + name.length;
    families.add(name);
    const names = labels.map(([n]) => n).join();
    bytes += text(`${names},`);
    const size = sizes.get(`${name} ${names}`) ?? 0;
    if (size % 16 === 0) bytes += 14;
    sizes.set(`${name} ${names}`, size + 1);
    let record = 1 + 2 + 2 + 1 + Math.ceil(value.length / 2);
    for (const [, v] of labels) {
      const { stem, number } = split(v);
      if (stem !== "") bytes += text(stem);
      record += (texts.get(stem) < 96 || stem === "" ? 1 : 2) + (number === "" ? 0 : varint(Number(number)));
    }
    return bytes + record;
  };
}

console.log("| layout | three labels, 10 families | node_exporter, labelled |\n|---|---|---|");
const page = labelled();
const generated = Array.from({ length: 2000 }, (_, i) => threeLabels(i));
for (const [what, layout] of [
  ["plain entries", plain],
  ["cells of 24 bytes, linked", cells],
  ["blocks", blocks],
]) {
  console.log(`| ${what} | ${fits(generated, layout())} | ${fits(page, layout())} of ${page.length} |`);
}
