// The workloads of the benchmarks.

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

/** Series number `i`: one label that no other has, two of few values. [name, [[label, value]...], value] */
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
