/** HTTP content negotiation, as Prometheus' own exporters do it (client_golang's expfmt and promhttp). */
import type { PageFormat } from "./core.js";

/** What a scraper gets. */
export interface Negotiated {
  format: PageFormat;
  contentType: string;
}

interface Range {
  /** Type and subtype in lower case, or a content coding. */
  name: string;
  params: Map<string, string>;
  /** 0 to 1. */
  quality: number;
}

const OPENMETRICS = "application/openmetrics-text";
const OPENMETRICS_VERSIONS = ["1.0.0", "0.0.1"];
const TEXT = "text/plain";
const TEXT_VERSION = "0.0.4";
const TEXT_WILDCARDS = ["*/*", "text/*"];
const ESCAPINGS = ["allow-utf-8", "underscores", "dots", "values"];

/**
 * Chooses the format of a page.
 * @param accept the request's Accept header
 * @returns text 0.0.4 unless the header prefers OpenMetrics; never a refusal
 */
export function negotiateFormat(accept: string | undefined): Negotiated {
  for (const range of parseRanges(accept ?? "").sort(byPreference)) {
    if (range.quality === 0) continue;
    const version = range.params.get("version") ?? "";
    if (range.name === OPENMETRICS && (version === "" || OPENMETRICS_VERSIONS.includes(version))) {
      return describe(true, OPENMETRICS, version || OPENMETRICS_VERSIONS[0]!, range);
    }
    if (range.name === TEXT && (version === "" || version === TEXT_VERSION)) {
      return describe(false, TEXT, TEXT_VERSION, range);
    }
    if (TEXT_WILDCARDS.includes(range.name)) break;
  }
  return describe(false, TEXT, TEXT_VERSION, undefined);
}

/** Names are raw if the scraper allows it; any other escaping it may ask for is answered with `values`. */
function describe(openMetrics: boolean, type: string, version: string, range: Range | undefined): Negotiated {
  const asked = range?.params.get("escaping")?.toLowerCase() ?? "";
  const utf8 = asked === "allow-utf-8";
  const escaping = ESCAPINGS.includes(asked) ? `; escaping=${utf8 ? asked : "values"}` : "";
  return { format: { openMetrics, utf8 }, contentType: `${type}; version=${version}; charset=utf-8${escaping}` };
}

/**
 * Tells whether a response may and should be compressed.
 * @param acceptEncoding the request's Accept-Encoding header
 * @returns whether gzip is accepted, and liked as much as no coding at all
 */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  let gzip: number | undefined;
  let identity: number | undefined;
  let any: number | undefined;
  for (const { name, quality } of parseRanges(acceptEncoding ?? "")) {
    if (name === "gzip" || name === "x-gzip") gzip = quality;
    else if (name === "identity") identity = quality;
    else if (name === "*") any = quality;
  }
  const liking = gzip ?? any ?? 0;
  return liking > 0 && liking >= (identity ?? 0);
}

/** Highest quality first, then the specific before wildcards, then in the order of the header. */
function byPreference(a: Range, b: Range): number {
  if (a.quality !== b.quality) return b.quality - a.quality;
  return Number(a.name.includes("*")) - Number(b.name.includes("*"));
}

function parseRanges(header: string): Range[] {
  const ranges: Range[] = [];
  for (const element of header.split(",")) {
    const [name, ...rest] = element.split(";");
    const params = new Map<string, string>();
    for (const param of rest) {
      const at = param.indexOf("=");
      if (at > 0) params.set(param.slice(0, at).trim().toLowerCase(), unquote(param.slice(at + 1).trim()));
    }
    if (name!.trim() !== "") ranges.push({ name: name!.trim().toLowerCase(), params, quality: qualityOf(params) });
  }
  return ranges;
}

/** RFC 9110, 12.4.2. What is no quality counts as none given. */
function qualityOf(params: ReadonlyMap<string, string>): number {
  const text = params.get("q");
  if (text === undefined || text === "") return 1;
  const quality = Number(text);
  return quality >= 0 && quality <= 1 ? quality : 1;
}

function unquote(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
