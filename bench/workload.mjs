// The workloads of the benchmarks. A series is [name, [[label, value]...], value]; a page is a list of series.
import { readFileSync } from "node:fs";

/** Ten families as an edge application has them. */
export const FAMILIES = [
  "edge_http_requests_total",
  "edge_http_request_errors_total",
  "edge_sensor_temperature_celsius",
  "edge_sensor_humidity_ratio",
  "edge_mqtt_messages_received_total",
  "edge_mqtt_messages_sent_total",
  "edge_device_battery_volts",
  "edge_device_uptime_seconds",
  "edge_queue_depth_messages",
  "edge_bytes_written_total",
];
const SITES = ["north", "south", "east", "west"];
const METHODS = ["GET", "PUT", "POST"];

/** Series number `i`: one label that no other has, two of few values. */
export function threeLabels(i, value = (i * 7919) % 1000003) {
  const labels = [
    ["device", `dev-${String(i).padStart(4, "0")}`],
    ["site", SITES[Math.floor(i / 10) % 4]],
    ["method", METHODS[Math.floor(i / 10) % 3]],
  ];
  return [FAMILIES[i % 10], labels, String(value)];
}

/** A series as a line of text. */
export function line([name, labels, value]) {
  return `${name}{${labels.map(([n, v]) => `${n}="${v}"`).join(",")}} ${value}\n`;
}

/** The value of series `i` in round `round`: a counter that has moved a little since the last one. */
export function valueAt(i, round) {
  return ((i * 7919) % 1000003) + round * (1 + (i % 13));
}

/** Series `first` to `first + count` with three labels, the families in turn: as many processes send them. */
export function inTurn(count, first = 0, round = 0) {
  return Array.from({ length: count }, (_, i) => threeLabels(first + i, valueAt(first + i, round)));
}

/** The same as a page: the lines of a family stand together (Prometheus, "Exposition formats", "Grouping and sorting"). */
export function page(count, first = 0, round = 0) {
  const series = inTurn(count, first, round);
  return FAMILIES.flatMap((family) => series.filter(([name]) => name === family));
}

/** A whole number below `limit`, by a generator whose numbers are always the same for a seed (xorshift). */
function randoms(seed) {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** A page in another order, another one for each seed from 1. */
export function shuffle(series, seed) {
  const random = randoms(seed * 2654435);
  const result = [...series];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

/** Series number `i` with one long label that no other has. */
export function longLabel(i) {
  const random = randoms(i * 7919 + 1);
  const id = Array.from({ length: 4 }, () =>
    random(2 ** 24)
      .toString(16)
      .padStart(6, "0"),
  ).join("-");
  return ["edge_transfer_bytes_total", [["path", `/var/lib/edge/outbox/${id}.bin`]], String(valueAt(i, 0))];
}

const BOUNDS = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf"];
/** Series of a histogram: its buckets, sum and count. */
export const HISTOGRAM_SERIES = BOUNDS.length + 2;

/** Histogram number `i`, of 12 buckets and +Inf. */
export function histogram(i) {
  const name = "edge_http_request_duration_seconds";
  const labels = [
    ["method", METHODS[i % 3]],
    ["path", `/api/v1/resource-${i}`],
  ];
  let count = 0;
  const buckets = BOUNDS.map((le, b) => {
    count += (i * 31 + b * 17) % 97;
    return [`${name}_bucket`, [...labels, ["le", le]], String(count)];
  });
  return [...buckets, [`${name}_sum`, labels, String(count / 8)], [`${name}_count`, labels, String(count)]];
}

/** A page of node_exporter as it was captured. */
export function nodeExporter() {
  return readFileSync(new URL("./fixtures/node_exporter.txt", import.meta.url), "utf8");
}

/** Its labelled samples, and the TYPE lines of their families if asked for. */
export function nodeExporterLabelled({ types = false } = {}) {
  const lines = nodeExporter().split("\n");
  const labelled = lines.filter((text) => text.includes("{") && !text.startsWith("#"));
  const families = new Set(labelled.map((text) => text.slice(0, text.indexOf("{"))));
  const kept = lines.filter((text) => {
    if (!text.startsWith("#")) return text.includes("{");
    const [, kind, name] = text.split(" ");
    return types && kind === "TYPE" && (families.has(name) || families.has(`${name}_bucket`));
  });
  return `${kept.join("\n")}\n`;
}

/** Lines that are bad for many reasons. */
export const BAD_LINES = [
  'edge_http_requests_total{device="dev-0001",site="north" 17',
  'edge_http_requests_total{device="dev-0001",site="north"} 0x11',
  'edge_http_requests_total{device="dev-0001",device="dev-0002"} 17',
  'edge http requests total{device="dev-0001",site="north"} 17',
  'edge_http_requests_total{device="dev-0001",1site="north"} 17',
  'edge_http_requests_total{device="dev-\\q",site="north"} 17',
  'edge_http_requests_total{device="dev-0001",site="north"} 17 yesterday',
  'edge_http_requests_total{__name__="x",site="north"} 17',
];
