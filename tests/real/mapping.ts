/** What becomes of families in the other format: statement 21, applied to what Prometheus knows of the source. */
import type { Metadata } from "./prometheus.js";
import { samplesOf } from "./samples.js";

export type Families = ReadonlyMap<string, Metadata>;

/** Without the families that nothing is known of: a TYPE line that says so may be there or not. */
export function telling(families: Families): Families {
  return new Map([...families].filter(([, { type, help, unit }]) => type !== "unknown" || help + unit !== ""));
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ["", "_total"],
  histogram: ["_bucket"],
  gaugehistogram: ["_bucket"],
  summary: ["_count"],
  info: ["_info"],
};

/** The families of a page that have samples; the gateway keeps no others. */
export function withSamples(families: Families, page: string): Families {
  const names = sampleNames(page);
  const hasSamples = (name: string, type: string): boolean =>
    (SUFFIXES[type] ?? [""]).some((suffix) => names.has(name + suffix));
  return new Map([...families].filter(([name, { type }]) => hasSamples(name, type)));
}

function sampleNames(page: string): Set<string> {
  return new Set([...samplesOf(page).keys()].map((key) => (JSON.parse(key) as [string])[0]));
}

/** Families of a text page, as an OpenMetrics page names and types them. */
export function expectedInOpenMetrics(families: Families): Families {
  const expected = new Map<string, Metadata>();
  for (const [name, metadata] of families) {
    const base = name.replace(/_total$/, "");
    const isFree = base !== name && !families.has(base) && !families.has(`${base}_created`);
    if (metadata.type !== "counter") expected.set(name, metadata);
    else if (isFree) expected.set(base, metadata);
    else expected.set(name, { ...metadata, type: "unknown" });
  }
  return expected;
}

/**
 * Families of an OpenMetrics page, as a text page names and types them.
 * @param page tells which of the samples are there that need a family of their own
 */
export function expectedInText(families: Families, page: string): Families {
  const expected = new Map<string, Metadata>();
  const names = sampleNames(page);
  for (const [name, { type, help }] of families) {
    const [mainName, mainType] = mainInText(name, type);
    expected.set(mainName, { type: mainType, help, unit: "" });
    for (const suffix of ["_gsum", "_gcount"]) {
      if (names.has(name + suffix)) expected.set(name + suffix, { type: "gauge", help, unit: "" });
    }
    // The help is the family's, not its time's.
    if (names.has(`${name}_created`)) expected.set(`${name}_created`, { type: "gauge", help: "", unit: "" });
  }
  return expected;
}

function mainInText(name: string, type: string): [string, string] {
  switch (type) {
    case "counter":
      return [`${name}_total`, type];
    case "info":
      return [`${name}_info`, "gauge"];
    case "stateset":
      return [name, "gauge"];
    case "gaugehistogram":
      return [`${name}_bucket`, "gauge"];
    default:
      return [name, type];
  }
}
