// Pages as plain values that `assert.deepEqual` of node:assert/strict can compare: numbers are compared as Object.is does, a
// missing TYPE is the format's word for it, a family without samples is nothing, the metrics of a family may stand in any order
// (order.test.ts holds which), and so may what a histogram or summary has beside its buckets or quantiles.

import { type Family, identity, parsePage, typeOf } from "./exposition.js";
import type { Format, Label, Sample } from "./line.js";
import { type Module, OPENMETRICS, UTF8 } from "./module.js";

export interface PlainFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string | undefined;
  readonly unit: string | undefined;
  readonly samples: readonly Sample[];
}

export interface View {
  readonly format: Format;
  readonly utf8: boolean;
  readonly flags: number;
}

export const TEXT: View = { format: "text", utf8: false, flags: 0 };
export const UTF8_TEXT: View = { format: "text", utf8: true, flags: UTF8 };
export const OM: View = { format: "openmetrics", utf8: false, flags: OPENMETRICS };
export const VIEWS: readonly View[] = [
  TEXT,
  OM,
  UTF8_TEXT,
  { format: "openmetrics", utf8: true, flags: OPENMETRICS | UTF8 },
];

const COMPLEX = new Set(["histogram", "summary", "gaugehistogram"]);

function bounds(labels: readonly Label[]): boolean {
  return labels.some(([name]) => name === "le" || name === "quantile");
}

/** Metrics by their labels; within each, buckets or quantiles as they stand, then the rest by name. */
function ordered(samples: readonly Sample[], complex: boolean): Sample[] {
  const metrics = new Map<string, { bounded: Sample[]; rest: Sample[] }>();
  for (const sample of samples) {
    const outer = sample.labels.filter(([name]) => !complex || (name !== "le" && name !== "quantile"));
    const key = identity("", outer);
    const metric = metrics.get(key) ?? { bounded: [], rest: [] };
    (complex && bounds(sample.labels) ? metric.bounded : metric.rest).push(sample);
    metrics.set(key, metric);
  }
  const byName = (a: Sample, b: Sample) => (a.name < b.name ? -1 : 1);
  const byKey = [...metrics].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, metric]) => metric);
  return byKey.flatMap(({ bounded, rest }) => [...bounded, ...rest.sort(byName)]);
}

export function plain(families: readonly Family[], format: Format): PlainFamily[] {
  return families
    .filter((family) => family.samples.length > 0)
    .map((family) => {
      const type = typeOf(family, format);
      const samples = ordered(family.samples, COMPLEX.has(type));
      return { name: family.name, type, help: family.help, unit: family.unit, samples };
    });
}

/** The module's page, parsed strictly. */
export function scrape(module: Module, view: View, nowMs: number): Family[] {
  return parsePage(module.page(view.flags, nowMs), view);
}

/** Every page that the module can render now parses strictly. */
export function scrapeAll(module: Module, nowMs: number): void {
  for (const view of VIEWS) scrape(module, view, nowMs);
}

/** All samples of the text page by identity. */
export function seriesOf(module: Module, nowMs: number): Map<string, number> {
  const result = new Map<string, number>();
  for (const family of scrape(module, TEXT, nowMs)) {
    for (const sample of family.samples) result.set(identity(sample.name, sample.labels), sample.value);
  }
  return result;
}
