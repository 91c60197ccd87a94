import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import {
  createFolder,
  type Daemon,
  descriptorCount,
  fetchFrom,
  logged,
  manySeries,
  open,
  push,
  readAll,
  residentBytes,
  scrape,
  start,
  until,
  without,
  write,
} from "./daemon.js";

function warnings(daemon: Daemon): string[] {
  return daemon.log.filter((line) => line.level === "warn").map((line) => line.msg);
}

const TEXT = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS_2 =
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
const PROMETHEUS_3 =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

test("21: the format is what Accept prefers, and text 0.0.4 otherwise", async (t) => {
  const daemon = await start(t);
  await push(daemon.socket, "# TYPE x gauge\nx 1\n");
  const cases: [string | undefined, string][] = [
    [undefined, TEXT],
    ["*/*", TEXT],
    ["text/html", TEXT],
    ["text/plain", TEXT],
    [PROMETHEUS_2, OPENMETRICS],
    [PROMETHEUS_3, `${OPENMETRICS}; escaping=allow-utf-8`],
    ["application/openmetrics-text", OPENMETRICS],
    ["application/openmetrics-text;version=0.0.1", OPENMETRICS.replace("1.0.0", "0.0.1")],
    ["application/openmetrics-text;version=9.9.9", TEXT],
    ["application/openmetrics-text;q=0.1,text/plain;q=0.2", TEXT],
    ["text/plain;version=0.0.4;escaping=allow-utf-8", `${TEXT}; escaping=allow-utf-8`],
  ];
  for (const [accept, type] of cases) {
    const answer = await fetchFrom(daemon.http, "/metrics", { headers: accept === undefined ? {} : { accept } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-type"], type, accept);
    assert.equal(answer.headers.vary, without("gzip") ? "Accept" : "Accept, Accept-Encoding");
    assert.equal(answer.text.endsWith("# EOF\n"), type.startsWith("application/openmetrics"), accept);
    assert.match(answer.text, /^x 1/m);
  }
});

test("21: UTF-8 names are raw only for escaping=allow-utf-8", async (t) => {
  const daemon = await start(t);
  await push(daemon.socket, '{"my.name",a="b"} 1\n');
  const raw = await fetchFrom(daemon.http, "/metrics", { headers: { accept: "text/plain;escaping=allow-utf-8" } });
  assert.match(raw.text, /^\{"my\.name",a="b"\} 1$/m);
  const escaped = await fetchFrom(daemon.http, "/metrics", { headers: { accept: "text/plain;escaping=values" } });
  assert.equal(escaped.headers["content-type"], `${TEXT}; escaping=values`);
  assert.match(escaped.text, /^U__my_2e_name\{a="b"\} 1$/m);
});

test("21: gzip is the same page, when it is asked for and worth it", { skip: without("gzip") }, async (t) => {
  const daemon = await start(t, { args: ["--cache-size", "16MiB"] });
  await push(daemon.socket, "tiny 1\n");
  const ask = (encoding: string) => fetchFrom(daemon.http, "/metrics", { headers: { "accept-encoding": encoding } });
  assert.equal((await ask("gzip")).headers["content-encoding"], undefined, "not worth it");
  for (const count of [100, 20_000]) {
    await push(daemon.socket, manySeries(count));
    const plain = await fetchFrom(daemon.http, "/metrics");
    for (const encoding of ["gzip", "deflate, gzip;q=0.5", "*", "br, gzip"]) {
      const packed = await ask(encoding);
      assert.equal(packed.headers["content-encoding"], "gzip", encoding);
      assert.ok(packed.body.length < plain.body.length / 2);
      assert.deepEqual(gunzipSync(packed.body), plain.body);
    }
    for (const encoding of ["identity", "gzip;q=0", "gzip;q=0.1, identity;q=1", "*;q=0", "br"]) {
      const unpacked = await ask(encoding);
      assert.equal(unpacked.headers["content-encoding"], undefined, encoding);
      assert.deepEqual(unpacked.body, plain.body);
    }
  }
});

test("21: a page that fits in one piece has its length, a larger one comes whole in chunks", async (t) => {
  const daemon = await start(t, { args: ["--cache-size", "16MiB"] });
  await push(daemon.socket, "x 1\n");
  const small = await fetchFrom(daemon.http, "/metrics");
  assert.equal(Number(small.headers["content-length"]), small.body.length);
  await push(daemon.socket, manySeries(20_000));
  const large = await fetchFrom(daemon.http, "/metrics");
  assert.equal(large.headers["transfer-encoding"], "chunked");
  assert.equal(large.text.match(/^many\{/gm)?.length, 20_000);
});

for (const encoding of ["identity", "gzip"]) {
  test(`21: a scraper that has closed its sending half gets all it asked for, however large (${encoding})`, async (t) => {
    const daemon = await start(t, { args: ["--cache-size", "16MiB"] });
    const request = `GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: ${encoding}\r\n\r\n`;
    for (const seriesCount of [20, 20_000]) {
      await push(daemon.socket, manySeries(seriesCount));
      const whole = await open(daemon.http);
      const answer = readAll(whole);
      whole.write(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
      const page = (await answer).split("\r\n\r\n").slice(1).join("\r\n\r\n");
      const socket = await open(daemon.http);
      const answers = readAll(socket);
      socket.end(request.repeat(3));
      assert.equal((await answers).split(page).length - 1, 3, `${seriesCount} series`);
    }
  });
}

test("25: HEAD, health, readiness, 404 and 405", async (t) => {
  const daemon = await start(t);
  await push(daemon.socket, "x 1\n");
  const cases: [string, string, number][] = [
    ["GET", "/metrics", 200],
    ["GET", "/metrics?name=x", 200],
    ["GET", "/-/healthy", 200],
    ["GET", "/-/ready", 200],
    ["HEAD", "/metrics", 200],
    ["HEAD", "/-/healthy", 200],
    ["HEAD", "/-/ready", 200],
    ["GET", "/", 404],
    ["POST", "/", 404],
    ["GET", "/metrics/", 404],
    ["GET", "/Metrics", 404],
    ["GET", "//metrics", 404],
    ["GET", "/-/quit", 404],
    ["PUT", "/metrics/job/x", 404],
    ["POST", "/metrics", 405],
    ["PUT", "/metrics", 405],
    ["DELETE", "/-/healthy", 405],
    ["OPTIONS", "/metrics", 405],
    ["PATCH", "/-/ready", 405],
  ];
  for (const [method, path, status] of cases) {
    const answer = await fetchFrom(daemon.http, path, { method });
    assert.equal(answer.status, status, `${method} ${path}`);
    assert.equal(answer.headers.allow, status === 405 ? "GET, HEAD" : undefined, `${method} ${path}`);
    if (method === "HEAD") assert.equal(answer.body.length, 0);
    else assert.ok(answer.body.length > 0);
  }
  const head = await fetchFrom(daemon.http, "/metrics", { method: "HEAD" });
  assert.equal(head.headers["content-type"], TEXT);
});

test("25: a whole URL as target, HTTP/1.0, and a missing Host", async (t) => {
  const daemon = await start(t);
  await push(daemon.socket, "x 1\n");
  const ask = async (text: string): Promise<string> => {
    const socket = await open(daemon.http);
    const answer = readAll(socket);
    await write(socket, text);
    return answer;
  };
  assert.match(
    await ask("GET http://any/metrics HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n"),
    /200 OK[\s\S]*x 1\n/,
  );
  assert.match(await ask("GET /metrics HTTP/1.0\r\n\r\n"), /200 OK[\s\S]*x 1\n/);
  assert.match(await ask("GET /metrics HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 400 /);
  assert.match(await ask("nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
  assert.match(
    await ask("CONNECT any:80 HTTP/1.1\r\nHost: any\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n"),
    /^HTTP\/1\.1 405 Method Not Allowed\r\n(?:.+\r\n)*Allow: GET, HEAD\r\n(?:.+\r\n)*\r\nMethod not allowed\.\n$/,
  );
});

test("25: odd methods, targets and versions get the same answer from every gateway", async (t) => {
  const daemon = await start(t);
  const cases: [string, number][] = [
    ["FOO /metrics HTTP/1.1", 405],
    ["get /-/healthy HTTP/1.1", 405],
    [`${"M".repeat(40)} http://any/-/ready?x HTTP/1.1`, 405],
    ["PROPFIND /metrics HTTP/1.1", 405],
    ["CONNECT a:1 HTTP/1.1", 405],
    ["FOO /nothing HTTP/1.1", 404],
    ["FOO * HTTP/1.1", 404],
    ["OPTIONS * HTTP/1.1", 404],
    ["GET ftp://any/metrics HTTP/1.1", 404],
    ["GET http://any HTTP/1.1", 404],
    ["GET HTTP://any/metrics HTTP/1.1", 200],
    ["GET metrics HTTP/1.1", 400],
    ["GET any:80 HTTP/1.1", 400],
    ["GET http:/metrics HTTP/1.1", 400],
    ["GET ?x HTTP/1.1", 400],
    ["FOO metrics HTTP/1.1", 400],
    ["F(O /metrics HTTP/1.1", 400],
    ["FOO /metrics", 400],
    ["GET /metrics", 400],
    ["GET /metrics HTTP/0.9", 400],
    ["GET /metrics HTTP/1.2", 400],
    ["GET /metrics HTTP/2.0", 400],
    ["PRI * HTTP/2.0", 400],
    ["\x16\x03\x01", 400],
  ];
  for (const [line, status] of cases) {
    const socket = await open(daemon.http);
    const answer = readAll(socket);
    await write(socket, `${line}\r\nHost: any\r\nConnection: close\r\n\r\n`);
    const [head = "", body] = (await answer).split("\r\n\r\n");
    assert.equal(Number(head.split(" ")[1]), status, line);
    assert.equal(/^Allow: GET, HEAD$/m.test(head), status === 405, line);
    if (status === 405) assert.equal(body, "Method not allowed.\n", line);
    if (status === 404) assert.equal(body, "Not found.\n", line);
  }
});

test("30: headers over the limit are refused with 431", async (t) => {
  const daemon = await start(t, { args: ["--max-header-size", "1KiB"] });
  const fits = await fetchFrom(daemon.http, "/-/healthy", { headers: { "x-filler": "x".repeat(500) } });
  assert.equal(fits.status, 200);
  const socket = await open(daemon.http);
  const answer = readAll(socket);
  socket.write(`GET /-/healthy HTTP/1.1\r\nHost: x\r\nX-Filler: ${"x".repeat(2000)}\r\n\r\n`);
  assert.match(await answer, /^HTTP\/1\.1 431 /);
});

test("30: a body over the limit is refused with 413, one within it is read and dropped", async (t) => {
  const daemon = await start(t, { args: ["--max-body", "1KiB"] });
  const post = (body: string) => fetchFrom(daemon.http, "/metrics", { method: "POST", body });
  assert.equal((await post("\n".repeat(1024))).status, 405);
  assert.equal((await post("x".repeat(1025))).status, 413);
  const chunked = await open(daemon.http);
  const answer = readAll(chunked);
  const chunk = `400\r\n${"\n".repeat(1024)}\r\n`;
  chunked.write(`POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`);
  assert.match(await answer, /^HTTP\/1\.1 413 /);
  const kept = await open(daemon.http);
  const both = readAll(kept);
  const head = "Host: x\r\nContent-Length: 5";
  await write(
    kept,
    `POST /metrics HTTP/1.1\r\n${head}\r\n\r\na 1\n\nGET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  );
  assert.match(await both, /^HTTP\/1\.1 405 [\s\S]*HTTP\/1\.1 200 /);
});

test("30: a header that never ends, and a connection that says nothing, are closed after the header timeout", async (t) => {
  const daemon = await start(t, { args: ["--header-timeout", "200ms"] });
  const silent = await open(daemon.http);
  const slow = await open(daemon.http);
  const answers = [readAll(silent), readAll(slow)];
  await write(slow, "GET /metrics HTTP/1.1\r\nHost: x\r\n");
  for (const answer of answers) assert.match(await answer, /^HTTP\/1\.1 408 /);
});

test("30: a body that never comes is answered with 408, a broken one with 400", async (t) => {
  const daemon = await start(t, { args: ["--header-timeout", "200ms"] });
  const head = "POST /metrics HTTP/1.1\r\nHost: x\r\n";
  for (const [rest, status] of [
    ["Content-Length: 5\r\n\r\nab", 408],
    ["Transfer-Encoding: chunked\r\n\r\nno size\r\n", 400],
  ] as const) {
    const socket = await open(daemon.http);
    const answer = readAll(socket);
    await write(socket, head + rest);
    assert.match(await answer, new RegExp(`^HTTP/1\\.1 ${status} [^]*\\n$`));
  }
});

test("30: HTTP connections over the limit: an idle one makes room first", async (t) => {
  const daemon = await start(t, { args: ["--max-http-connections", "2"] });
  const health = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n";
  const silent = await open(daemon.http);
  const idle = await open(daemon.http);
  idle.write(health);
  await once(idle, "data");
  const ended = readAll(idle);
  const third = await open(daemon.http);
  third.write(health);
  await once(third, "data");
  assert.equal(await ended, "");
  silent.write(health);
  const [answer] = (await once(silent, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200 OK/);
  assert.deepEqual(warnings(daemon), []);
});

test("30: HTTP connections over the limit: of those that send no whole request the oldest makes room", async (t) => {
  const daemon = await start(t, { args: ["--max-http-connections", "4"] });
  await push(daemon.socket, "x 1\n");
  const starts = [
    "",
    "GET /metrics HTTP/1.1\r\nHost: x\r\n",
    "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
  ];
  const closed: number[] = [];
  for (let i = 0; i < 40; i++) {
    const socket = await open(daemon.http);
    socket.resume().once("close", () => closed.push(i));
    socket.write(starts[i % starts.length] as string);
    assert.match(await scrape(daemon), /^x 1$/m);
  }
  await until("all but the last ones are closed", () => closed.length >= 37);
  assert.deepEqual(
    closed,
    Array.from({ length: 37 }, (_, i) => i),
  );
  assert.equal((await logged(daemon, /request had not come/)).limit, 4);
});

test("30: HTTP connections over the limit are refused while all others are being answered", async (t) => {
  const folder = createFolder(t);
  const listen = `unix:${join(folder, "http.sock")}`;
  const daemon = await start(t, { folder, listen, args: ["--cache-size", "16MiB", "--max-http-connections", "2"] });
  await push(daemon.socket, manySeries(20_000));
  const busy = [await open(daemon.http), await open(daemon.http)];
  for (const socket of busy) {
    socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await once(socket, "readable");
  }
  assert.equal(await readAll(await open(daemon.http)), "");
  assert.equal((await logged(daemon, /HTTP connection refused/)).limit, 2);
  for (const page of await Promise.all(busy.map(readAll))) assert.equal(page.match(/^many\{/gm)?.length, 20_000);
});

test("30: a client that reads no answers is cut off after --stall-timeout, however small they are", async (t) => {
  const folder = createFolder(t);
  const listen = `unix:${join(folder, "http.sock")}`;
  const daemon = await start(t, { folder, listen, args: ["--stall-timeout", "300ms"] });
  const socket = (await open(daemon.http)).pause();
  const requests = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n".repeat(10_000);
  const written = new Promise<boolean>((resolve) => socket.write(requests.repeat(10), (error) => resolve(!error)));
  assert.equal(await written, false);
  await logged(daemon, /stalled/);
});

test("30: a thousand pipelined requests wait unread, cost bounded memory, and are all answered", async (t) => {
  const folder = createFolder(t);
  const listen = `unix:${join(folder, "http.sock")}`;
  const daemon = await start(t, { folder, listen, args: ["--cache-size", "1MiB"] });
  await push(daemon.socket, manySeries(400));
  const page = await scrape(daemon);
  const calm = residentBytes(daemon.pid);
  const socket = await open(daemon.http);
  socket.pause();
  await write(socket, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(999));
  socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  // Others are served meanwhile: by then the daemon has done with this connection what it will do.
  for (let i = 0; i < 50; i++) assert.equal(await scrape(daemon), page);
  const grown = residentBytes(daemon.pid) - calm;
  assert.ok(grown < 12 * 1024 * 1024, `grown by ${grown} for pages of ${page.length}`);
  const all = await readAll(socket);
  assert.equal(all.split("HTTP/1.1 200 OK\r\n").length - 1, 1000);
  assert.equal(all.split(page).length - 1, 1000);
});

test("30: no descriptor leaks, however scrapers end", async (t) => {
  const daemon = await start(t, { args: ["--cache-size", "16MiB"] });
  await push(daemon.socket, manySeries(20_000));
  await scrape(daemon);
  const calm = descriptorCount(daemon.pid);
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 6; i++) {
      const socket = await open(daemon.http);
      const encoding = i % 2 === 0 ? "gzip" : "identity";
      await write(socket, `GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: ${encoding}\r\n\r\n`);
      if (i % 3 === 0) await new Promise((resolve) => socket.once("data", resolve));
      if (i % 3 === 1) socket.resetAndDestroy();
      else socket.destroy();
    }
  }
  await until("all descriptors are closed", () => descriptorCount(daemon.pid) <= calm);
  assert.equal((await scrape(daemon)).match(/^many\{/gm)?.length, 20_000, "all places are free again");
});
