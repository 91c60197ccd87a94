// Families of many series for tests of full caches, and what of them is visible.

import { seriesOf } from "./compare.js";
import { identity } from "./exposition.js";
import { type Artefact, Module, type Options } from "./module.js";

export const CACHE_BYTES = 10_240;
export const TTL_MS = 60_000;

export function full(artefact: Artefact, options: Options = {}): Module {
  return new Module(artefact, { cacheBytes: CACHE_BYTES, ttlMs: TTL_MS, ...options });
}

/** About as long as the labels of an ordinary exporter. */
export function line(family: string, index: number, value = index): string {
  return `${family}{instance="device-${index}",mode="some"} ${value}\n`;
}

export function keyOf(family: string, index: number): string {
  return identity(family, [
    ["instance", `device-${index}`],
    ["mode", "some"],
  ]);
}

export function range(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

export function pushSeries(
  module: Module,
  family: string,
  indexes: readonly number[],
  nowMs: number,
  value?: number,
): void {
  module.push(indexes.map((index) => line(family, index, value)).join(""), nowMs);
}

/** Pushes new series of one family until one is refused or another goes; how many are visible then. */
export function fill(module: Module, family: string, nowMs: number): number {
  const stopped = () => ["refused.family", "refused.full", "evicted"].some((name) => module.counter(name) > 0);
  for (let index = 0; index < 100_000 && !stopped(); index++) pushSeries(module, family, [index], nowMs, 0.5);
  return visible(module, family, nowMs).length;
}

/** The indexes of a family's series that a scrape sees, in the page's order. */
export function visible(module: Module, family: string, nowMs: number): number[] {
  const result: number[] = [];
  for (const key of seriesOf(module, nowMs).keys()) {
    if (!key.startsWith(`["${family}",`)) continue;
    result.push(Number(/device-([0-9]+)/.exec(key)?.[1] ?? -1));
  }
  return result;
}
