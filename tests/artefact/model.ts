// The cache's semantics for metrics of one sample, in plain Maps and without any limit: identity, TTL per push, expiry,
// order of creation, metadata that goes with its family. What the module must equal while nothing overflows.

import type { Family } from "./exposition.js";
import type { Format, Label } from "./line.js";

export interface Metric {
  readonly labels: readonly Label[];
  value: number;
  pushedMs: number;
  ttlMs: number;
}

interface ModelFamily {
  readonly name: string;
  type: string | undefined;
  help: string | undefined;
  readonly metrics: Map<string, Metric>;
}

const TYPES_IN_OPENMETRICS: Readonly<Record<string, string>> = {
  gauge: "gauge",
  untyped: "unknown",
  counter: "unknown",
};

const SLACK = 1 / 10_000;

function key(labels: readonly Label[]): string {
  const set = labels.filter(([, value]) => value !== "").map(([name, value]) => JSON.stringify([name, value]));
  return set.sort().join();
}

export class Model {
  readonly families = new Map<string, ModelFamily>();
  readonly #defaultTtlMs: number;
  created = 0;
  expired = 0;

  constructor(defaultTtlMs: number) {
    this.#defaultTtlMs = defaultTtlMs;
  }

  /** The next time at which no metric is just between life and death: a long TTL may be rounded up a little. */
  clearTime(nowMs: number): number {
    const metrics = [...this.families.values()].flatMap((family) => [...family.metrics.values()]);
    let clear = nowMs;
    for (let before = -1; before !== clear; ) {
      before = clear;
      for (const { pushedMs, ttlMs } of metrics) {
        const end = pushedMs + ttlMs;
        if (clear >= end && clear <= end + ttlMs * SLACK) clear = Math.ceil(end + ttlMs * SLACK) + 1;
      }
    }
    return clear;
  }

  expire(nowMs: number): void {
    for (const family of this.families.values()) {
      for (const [id, metric] of family.metrics) {
        if (nowMs <= metric.pushedMs + metric.ttlMs) continue;
        family.metrics.delete(id);
        this.expired++;
      }
      if (family.metrics.size === 0) this.families.delete(family.name);
    }
  }

  push(name: string, labels: readonly Label[], value: number, nowMs: number, ttlMs = this.#defaultTtlMs): void {
    this.expire(nowMs);
    const family = this.families.get(name) ?? { name, type: undefined, help: undefined, metrics: new Map() };
    this.families.set(name, family);
    const id = key(labels);
    const known = family.metrics.get(id);
    if (known === undefined) this.created++;
    const metric = known ?? { labels, value, pushedMs: nowMs, ttlMs };
    Object.assign(metric, { value, pushedMs: nowMs, ttlMs: ttlMs === 0 ? Number.POSITIVE_INFINITY : ttlMs });
    family.metrics.set(id, metric);
  }

  /** TYPE or HELP of a family that lives; the model knows no family without metrics. */
  describe(name: string, field: "type" | "help", text: string, nowMs: number): void {
    this.expire(nowMs);
    const family = this.families.get(name);
    if (family !== undefined) family[field] = text;
  }

  has(name: string, nowMs: number): boolean {
    this.expire(nowMs);
    return this.families.has(name);
  }

  count(nowMs: number): number {
    this.expire(nowMs);
    return [...this.families.values()].reduce((sum, { metrics }) => sum + metrics.size, 0);
  }

  page(format: Format, nowMs: number): Family[] {
    this.expire(nowMs);
    return [...this.families.values()].map((family) => ({
      ...this.#heading(family, format),
      help: family.help,
      unit: undefined,
      samples: [...family.metrics.values()].map(({ labels, value }) => ({
        name: family.name,
        labels,
        value,
        timestampMs: undefined,
      })),
    }));
  }

  #heading({ name, type = "untyped" }: ModelFamily, format: Format): { name: string; type: string } {
    if (format === "text") return { name, type };
    const stem = name.replace(/_total$/, "");
    const taken = this.families.has(stem) || this.families.has(`${stem}_created`);
    if (type === "counter" && stem !== name && !taken) return { name: stem, type: "counter" };
    return { name, type: TYPES_IN_OPENMETRICS[type] ?? "unknown" };
  }
}
