import assert from "node:assert/strict";
import { test } from "node:test";
import { HTTP, METRICS, methodOf, sniff, UNDECIDED, type Verdict } from "../../host/sniff.js";

function look(text: string): Verdict {
  const bytes = Buffer.from(`before${text}after /x HTTP/1.1\n`, "latin1");
  return sniff(bytes, 6, 6 + text.length);
}

/** The verdict after each byte, undecided ones left out. */
function verdicts(text: string): Set<Verdict> {
  const found = new Set<Verdict>();
  for (let i = 1; i <= text.length; i++) {
    const verdict = look(text.slice(0, i));
    if (verdict !== UNDECIDED) found.add(verdict);
  }
  return found;
}

test("33: request lines are HTTP, byte by byte, and never metrics on the way", () => {
  const lines = [
    "GET /metrics HTTP/1.1\r\n",
    "GET / HTTP/1.0\n",
    "GET  / HTTP/1.0\n",
    "PUT /metrics/job/x HTTP/1.1\r\n",
    "OPTIONS * HTTP/1.1\r\n",
    "CONNECT host:80 HTTP/1.1\r\n",
    "GET http://x/ HTTP/1.1\r\n",
    "M-SEARCH * HTTP/1.1\r\n",
    "purge /x HTTP/1.1\r\n",
    "FOO  /x HTTP/1.1\r\n",
    "PRI * HTTP/2.0\r\n",
    "\r\n\nGET /x HTTP/1.1\r\n",
    "CONNECT 127.0.0.1:80 HTTP/1.1\r\n",
    "CONNECT [::1]:80 HTTP/1.1\r\n",
    "GET index HTTP/1.1\r\n",
    `${"M".repeat(33)} /x HTTP/1.1\r\n`,
  ];
  for (const line of lines) assert.deepEqual(verdicts(line), new Set([HTTP]), line);
});

test("33: lines of metrics are metrics, byte by byte, and never HTTP on the way", () => {
  const lines = [
    "GET 1\n",
    "GET  1 1700000000\r\n",
    "PUT_x 3\n",
    'GET{path="/ HTTP/1.1"} 1\n',
    'GET {path="/ HTTP/1.1"} 1\n',
    'GET  {path="/"} 1\n',
    "GET NaN\n",
    'GET 1 # {url="http://x/"} 1\n',
    `${"x".repeat(64)} 1\n`,
    "GET +Inf\n",
    "# GET / HTTP/1.1\n",
    "# TYPE x gauge\n",
    "unknown /x\n",
    "http_requests_total 1 # {} 1\n",
    ":colon 1\n",
    '{"GET / HTTP/1.1"} 1\n',
    "\n\nup 1\n",
    " GET / HTTP/1.1\n",
    "\0\n",
    "\xff\n",
  ];
  for (const line of lines) {
    assert.deepEqual(verdicts(line), new Set([METRICS]), line);
  }
});

test("33: what more bytes could decide is waited for, a known method only up to its target", () => {
  for (const text of [
    "",
    "\r\n",
    "G",
    "GET",
    "GET ",
    "up 1",
    "CONNECT host",
    "FOO http://x/ HTTP/1.",
    "x".repeat(99),
  ]) {
    assert.equal(look(text), UNDECIDED, text);
  }
  for (const text of ["GET /", "OPTIONS *", "GET http:", "CONNECT host:"]) assert.equal(look(text), HTTP, text);
});

test("33: the method is found behind empty lines", () => {
  const bytes = Buffer.from("..\r\nHEAD / HTTP/1.1\r\n");
  assert.equal(methodOf(bytes, 2, bytes.length), "HEAD");
});
