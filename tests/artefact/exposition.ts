// A strict parser of a whole page in either format. It refuses whatever Prometheus, promtool or the OpenMetrics
// specification would refuse of a page: duplicates, families in pieces, metadata after samples or twice, types and units that
// the format does not have, sample names that a type does not have, two families that claim one name, a missing `# EOF`.

import {
  type Format,
  type Label,
  type Metadata,
  parseMetadata,
  parseSample,
  parseValue,
  Refused,
  type Sample,
} from "./line.js";

export interface Family {
  readonly name: string;
  type: string | undefined;
  help: string | undefined;
  unit: string | undefined;
  readonly samples: Sample[];
}

export interface PageOptions {
  readonly format: Format;
  /** Names beyond `[a-zA-Z0-9_:]` may stand in quotes. */
  readonly utf8?: boolean;
}

/** Each type's sample names: the suffixes that it may have in this format. */
export const SUFFIXES: Readonly<Record<Format, Readonly<Record<string, readonly string[]>>>> = {
  text: {
    counter: [""],
    gauge: [""],
    untyped: [""],
    histogram: ["_bucket", "_sum", "_count"],
    summary: ["", "_sum", "_count"],
  },
  openmetrics: {
    counter: ["_total", "_created"],
    gauge: [""],
    unknown: [""],
    histogram: ["_bucket", "_sum", "_count", "_created"],
    summary: ["", "_sum", "_count", "_created"],
    gaugehistogram: ["_bucket", "_gsum", "_gcount"],
    info: ["_info"],
    stateset: [""],
  },
};

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A series' identity: its name and the set of its labels that are not empty. */
export function identity(name: string, labels: readonly Label[]): string {
  const set = labels.filter(([, value]) => value !== "").sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, set]);
}

/** The type to go by: no TYPE is the format's word for nothing known. */
export function typeOf(family: Family, format: Format): string {
  return family.type ?? (format === "text" ? "untyped" : "unknown");
}

function suffixesOf(family: Family, format: Format): readonly string[] {
  return SUFFIXES[format][typeOf(family, format)] ?? [""];
}

class Page {
  readonly families: Family[] = [];
  readonly #format: Format;
  readonly #names = new Set<string>();
  readonly #series = new Set<string>();
  readonly #metrics = new Set<string>();
  #metric = "";

  constructor(format: Format) {
    this.#format = format;
  }

  #begin(name: string): Family {
    if (this.#names.has(name)) throw new Refused(`family ${name} is in more than one piece`);
    this.#names.add(name);
    const family: Family = { name, type: undefined, help: undefined, unit: undefined, samples: [] };
    this.families.push(family);
    this.#metrics.clear();
    this.#metric = "";
    return family;
  }

  metadata({ kind, name, text }: Metadata): void {
    const last = this.families.at(-1);
    const family = last !== undefined && last.name === name ? last : this.#begin(name);
    if (family.samples.length > 0) throw new Refused(`${kind} of ${name} after its samples`);
    const field = kind === "TYPE" ? "type" : kind === "HELP" ? "help" : "unit";
    if (family[field] !== undefined) throw new Refused(`a second ${kind} of ${name}`);
    if (kind === "TYPE" && SUFFIXES[this.#format][text] === undefined)
      throw new Refused(`type ${text} in ${this.#format}`);
    if (kind === "UNIT" && !name.endsWith(`_${text}`)) throw new Refused(`unit ${text} is no suffix of ${name}`);
    family[field] = text;
  }

  sample(sample: Sample): void {
    const last = this.families.at(-1);
    const family = last !== undefined && this.#owns(last, sample.name) ? last : this.#begin(sample.name);
    const key = identity(sample.name, sample.labels);
    if (this.#series.has(key)) throw new Refused(`series ${key} twice`);
    this.#series.add(key);
    this.#member(family, sample);
    family.samples.push(sample);
  }

  #owns(family: Family, name: string): boolean {
    return suffixesOf(family, this.#format).some((suffix) => family.name + suffix === name);
  }

  /** The rules inside a family of samples with several suffixes. */
  #member(family: Family, sample: Sample): void {
    const type = typeOf(family, this.#format);
    const suffix = sample.name.slice(family.name.length);
    const special = type === "summary" && suffix === "" ? "quantile" : suffix === "_bucket" ? "le" : undefined;
    if (special !== undefined) requireNumber(sample, special);
    if (suffixesOf(family, this.#format).length < 2) return;
    const metric = identity(
      "",
      sample.labels.filter(([name]) => name !== special),
    );
    if (metric === this.#metric) return;
    if (this.#metrics.has(metric)) throw new Refused(`metric ${family.name}${metric} is in more than one piece`);
    this.#metrics.add(metric);
    this.#metric = metric;
  }

  /** No two families may claim one name. */
  end(): Family[] {
    const owners = new Map<string, string>();
    for (const family of this.families) {
      for (const claimed of new Set([family.name, ...suffixesOf(family, this.#format).map((s) => family.name + s)])) {
        const owner = owners.get(claimed);
        if (owner !== undefined) throw new Refused(`families ${owner} and ${family.name} both claim ${claimed}`);
        owners.set(claimed, family.name);
      }
    }
    return this.families;
  }
}

function requireNumber(sample: Sample, labelName: string): void {
  const text = sample.labels.find(([name]) => name === labelName)?.[1];
  if (text === undefined) throw new Refused(`${sample.name} without ${labelName}`);
  if (parseLoosely(text) === undefined)
    throw new Refused(`${sample.name} with ${labelName}="${text}", which is no number`);
}

/** What Go's ParseFloat accepts, which is all that is asked of `le` and `quantile`. */
export function parseLoosely(text: string): number | undefined {
  if (/^[+-]?inf(?:inity)?$/i.test(text))
    return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  return parseValue(text);
}

function linesOf(page: string | Uint8Array): string[] {
  const text = typeof page === "string" ? page : decoder.decode(page);
  if (text === "") return [];
  if (!text.endsWith("\n")) throw new Refused("the last line has no LF");
  return text.slice(0, -1).split("\n");
}

export function parsePage(page: string | Uint8Array, { format, utf8 = false }: PageOptions): Family[] {
  const lines = linesOf(page);
  if (format === "openmetrics" && lines.pop() !== "# EOF") throw new Refused("the page does not end in # EOF");
  const result = new Page(format);
  for (const line of lines) {
    if (line.startsWith("#")) result.metadata(parseMetadata(line, format, utf8));
    else result.sample(parseSample(line, format, utf8));
  }
  return result.end();
}
