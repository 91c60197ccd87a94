// The strict parser is what other tests lean on: here it refuses what it must, and accepts what the formats allow.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePage } from "./exposition.js";
import { Refused } from "./line.js";

const BAD_TEXT: Readonly<Record<string, string>> = {
  "a series twice": "m 1\nm 2\n",
  "a series twice, labels in another order": 'm{a="1",b="2"} 1\nm{b="2",a="1"} 2\n',
  "a series twice, once with an empty label": 'm{a=""} 1\nm 2\n',
  "a family in two pieces": 'm{a="1"} 1\nn 1\nm{a="2"} 1\n',
  "metadata after samples": "m 1\n# TYPE m gauge\n",
  "TYPE twice": "# TYPE m gauge\n# TYPE m gauge\nm 1\n",
  "HELP twice": "# HELP m a\n# HELP m b\nm 1\n",
  "a type of OpenMetrics": "# TYPE m unknown\nm 1\n",
  "an info": "# TYPE m info\nm_info 1\n",
  "# EOF": "m 1\n# EOF\n",
  "a comment": "# hello\nm 1\n",
  UNIT: "# UNIT m_seconds seconds\nm_seconds 1\n",
  "a wrong escape in a label": 'm{a="\\t"} 1\n',
  "a raw quote in a label": 'm{a="""} 1\n',
  "a wrong escape in a HELP text": '# HELP m \\"\nm 1\n',
  "a bucket without le": "# TYPE h histogram\nh_bucket 1\n",
  "a bucket whose le is no number": '# TYPE h histogram\nh_bucket{le="x"} 1\n',
  "a quantile that is no number": '# TYPE s summary\ns{quantile="x"} 1\n',
  "a plain sample of a histogram": "# TYPE h histogram\nh 1\nh_count 1\nh_sum 1\nh 2\n",
  "a name that a histogram owns": '# TYPE h histogram\nh_bucket{le="1"} 1\n# TYPE h_count gauge\nh_count 1\n',
  "a histogram's metric in two pieces": '# TYPE h histogram\nh_sum{a="1"} 1\nh_sum{a="2"} 1\nh_count{a="1"} 1\n',
  "a label twice": 'm{a="1",a="2"} 1\n',
  "a label __name__": 'm{__name__="x"} 1\n',
  "a label with a colon": 'm{a:b="x"} 1\n',
  "a quoted name": '{"m.n"} 1\n',
  "no LF at the end": "m 1",
  "a blank line": "m 1\n\nn 1\n",
  "a name that starts with a digit": "1m 1\n",
  "a value in hexadecimal": "m 0x10\n",
  "a value with an underscore": "m 1_0\n",
  "an overflow": "m 1e309\n",
  "another spelling of an infinity": "m Inf\n",
  "a timestamp with a fraction": "m 1 1.5\n",
  "empty braces": "m{} 1\n",
  "a trailing comma": 'm{a="1",} 1\n',
};

const BAD_OPENMETRICS: Readonly<Record<string, string>> = {
  "no # EOF": "m 1\n",
  "# EOF twice": "m 1\n# EOF\n# EOF\n",
  "a line after # EOF": "# EOF\nm 1\n",
  "a type of the text format": "# TYPE m untyped\nm 1\n# EOF\n",
  "a counter without _total": "# TYPE c counter\nc 1\n# EOF\n",
  "an info without _info": "# TYPE i info\ni 1\n# EOF\n",
  "a unit that is no suffix": "# UNIT m seconds\nm 1\n# EOF\n",
  "a unit that is the whole name": "# UNIT seconds seconds\nseconds 1\n# EOF\n",
  "a raw quote in a HELP text": '# HELP m "x"\nm 1\n# EOF\n',
  "a gauge beside a counter of its name": "# TYPE x gauge\nx 1\n# TYPE x counter\nx_total 1\n# EOF\n",
  "a family x_total beside a counter x": "# TYPE x counter\nx_total 1\n# TYPE x_created gauge\nx_created 1\n# EOF\n",
  "a counter's metric in two pieces":
    '# TYPE c counter\nc_total{a="1"} 1\nc_total{a="2"} 1\nc_created{a="1"} 1\n# EOF\n',
};

test("22 · the parser refuses what Prometheus or promtool refuse of a text page", () => {
  for (const [what, page] of Object.entries(BAD_TEXT)) {
    assert.throws(() => parsePage(page, { format: "text" }), Refused, what);
  }
});

test("22 · the parser refuses what OpenMetrics refuses", () => {
  for (const [what, page] of Object.entries(BAD_OPENMETRICS)) {
    assert.throws(() => parsePage(page, { format: "openmetrics" }), Refused, what);
  }
});

test("6, 22 · the parser refuses invalid UTF-8", () => {
  assert.throws(() => parsePage(Uint8Array.of(109, 123, 97, 61, 34, 255, 34, 125, 32, 49, 10), { format: "text" }));
});

test("22 · the parser reads names, labels, values and timestamps", () => {
  const page = '# HELP m a \\\\ b\\nc "d"\n# TYPE m gauge\nm{z="\\"\\\\\\n",a=""} -0 1700000000123\nm NaN\n';
  const [family] = parsePage(page, { format: "text" });
  assert.equal(family?.help, 'a \\ b\nc "d"');
  assert.equal(family?.type, "gauge");
  const labels = [
    ["z", '"\\\n'],
    ["a", ""],
  ];
  assert.deepEqual(family?.samples, [
    { name: "m", labels, value: -0, timestampMs: 1_700_000_000_123 },
    { name: "m", labels: [], value: Number.NaN, timestampMs: undefined },
  ]);
});

test("22 · the parser reads every type of OpenMetrics", () => {
  const page = [
    '# TYPE c counter\nc_total 1\nc_created 2\n# TYPE g_s gauge\n# UNIT g_s s\n# HELP g_s x \\"\ng_s 1 1700000000.123',
    '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n# TYPE i info\ni_info{a="b"} 1',
    '# TYPE s stateset\ns{s="a"} 1\n# TYPE gh gaugehistogram\ngh_bucket{le="+Inf"} 1\ngh_gsum 1\ngh_gcount 1',
    '# TYPE y summary\ny{quantile="0.5"} 1\ny_sum 1\ny_count 1\n# TYPE u unknown\nu 1\n{"my.name"} 1\n# EOF\n',
  ].join("\n");
  const families = parsePage(page, { format: "openmetrics", utf8: true });
  assert.deepEqual(
    families.map(({ name }) => name),
    ["c", "g_s", "h", "i", "s", "gh", "y", "u", "my.name"],
  );
  assert.equal(families[1]?.samples[0]?.timestampMs, 1_700_000_000_123);
});
