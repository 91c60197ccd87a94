/** What is in a page, read as loosely as exporters write: no part of what is tested. */

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s*(\S+)/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"/g;

/** The lines of a page that are samples. */
export function sampleLines(page: string): string[] {
  return page.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

/** A page with other values; the rest of each line stays. */
export function withValues(page: string, value: string): string {
  return page.replace(/^([^#\n].*) \S+$/gm, (_, series: string) => `${series} ${value}`);
}

/**
 * The samples of a page.
 * @returns values by series, the labels of which are sorted
 */
export function samplesOf(page: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of sampleLines(page)) {
    const match = SAMPLE.exec(line);
    if (match === null) throw new Error(`this is no sample: ${line}`);
    const labels = [...(match[2] ?? "").matchAll(LABEL)].map(([, name, value]) => [name!, value!]);
    labels.sort(([a], [b]) => (a! < b! ? -1 : 1));
    samples.set(JSON.stringify([match[1], labels]), numberOf(match[3]!));
  }
  return samples;
}

/** A number as Go's ParseFloat understands it. */
function numberOf(text: string): number {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (Number.isNaN(value) && !/^nan$/i.test(text)) throw new Error(`this is no number: ${text}`);
  return value;
}
