import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptsGzip, negotiateFormat } from "../../host/negotiate.js";

/** The negotiated format in a word: text or om, version, and what is said of escaping. */
function shape(accept: string | undefined): string {
  const { format, contentType } = negotiateFormat(accept);
  const [, version] = /version=([\d.]+)/.exec(contentType)!;
  const [, escaping = "-"] = /escaping=(\S+)/.exec(contentType) ?? [];
  assert.equal(contentType.startsWith("application/openmetrics-text; "), format.openMetrics);
  assert.match(contentType, /; charset=utf-8(;|$)/);
  return `${format.openMetrics ? "om" : "text"} ${version} ${escaping} ${format.utf8 ? "raw" : "escaped"}`;
}

test("21: formats as Prometheus' own exporters negotiate them", () => {
  const om = "application/openmetrics-text";
  const cases: [string | undefined, string][] = [
    [undefined, "text 0.0.4 - escaped"],
    ["", "text 0.0.4 - escaped"],
    ["*/*", "text 0.0.4 - escaped"],
    ["text/*", "text 0.0.4 - escaped"],
    ["application/json", "text 0.0.4 - escaped"],
    [
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
      "text 0.0.4 - escaped",
    ],
    [om, "om 1.0.0 - escaped"],
    [`${om};version=1.0.0`, "om 1.0.0 - escaped"],
    [`${om}; version="1.0.0"`, "om 1.0.0 - escaped"],
    [`${om};version=0.0.1`, "om 0.0.1 - escaped"],
    [`${om};version=2.0.0`, "text 0.0.4 - escaped"],
    [`${om.toUpperCase()};VERSION=1.0.0`, "om 1.0.0 - escaped"],
    [`${om};q=0.4,text/plain;q=0.5`, "text 0.0.4 - escaped"],
    [`${om};q=0.5,text/plain;q=0.5`, "om 1.0.0 - escaped"],
    [`text/plain;q=0.5,${om};q=0.5`, "text 0.0.4 - escaped"],
    [`*/*,${om}`, "om 1.0.0 - escaped"],
    [`*/*;q=0.9,${om};q=0.8`, "text 0.0.4 - escaped"],
    [`${om};q=0`, "text 0.0.4 - escaped"],
    [`${om};q=0,*/*`, "text 0.0.4 - escaped"],
    [`${om};q=bad,text/plain;q=0.9`, "om 1.0.0 - escaped"],
    [`text/plain;version=9,${om};q=0.1`, "om 1.0.0 - escaped"],
    [`${om};version=1.0.0;escaping=allow-utf-8`, "om 1.0.0 allow-utf-8 raw"],
    [`${om};version=1.0.0;escaping=values`, "om 1.0.0 values escaped"],
    [`${om};version=1.0.0;escaping=underscores`, "om 1.0.0 values escaped"],
    [`${om};version=1.0.0;escaping=dots`, "om 1.0.0 values escaped"],
    [`${om};version=1.0.0;escaping=whatever`, "om 1.0.0 - escaped"],
    ["text/plain;version=0.0.4;escaping=allow-utf-8", "text 0.0.4 allow-utf-8 raw"],
    [`${om};q=0.1;escaping=allow-utf-8,text/plain`, "text 0.0.4 - escaped"],
    [",;,=;q=,/", "text 0.0.4 - escaped"],
  ];
  for (const [accept, expected] of cases) assert.equal(shape(accept), expected, accept);
});

test("21: gzip is used when it is accepted and liked as much as nothing", () => {
  const yes = [
    "gzip",
    "GZIP",
    "x-gzip",
    "gzip;q=0.1",
    "deflate, gzip",
    "*",
    "*;q=0.5",
    "identity;q=0.5, gzip",
    "gzip, *;q=0",
  ];
  const no = [
    undefined,
    "",
    "identity",
    "deflate",
    "gzip;q=0",
    "gzip;q=0.0",
    "*;q=0",
    "gzip;q=0, *",
    "gzip;q=0.2, identity",
  ];
  for (const header of yes) assert.equal(acceptsGzip(header), true, header);
  for (const header of no) assert.equal(acceptsGzip(header), false, header);
});
