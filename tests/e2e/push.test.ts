import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import {
  type Daemon,
  descriptorCount,
  logged,
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

/** Both ways of reading must do the same. */
const READS = without("data events") ? (["window"] as const) : (["window", "data"] as const);

for (const read of READS) {
  const env = { PUSH_GATEWAY_READ: read };

  test(`1: connections short and long, many at once (${read})`, async (t) => {
    const daemon = await start(t, { env, args: ["--cache-size", "1MiB", "--max-connections", "1024"] });
    const long = await open(daemon.socket);
    await write(long, "long_first 1\n");
    await Promise.all(Array.from({ length: 200 }, (_, i) => push(daemon.socket, `short{i="${i}"} ${i}\n`)));
    await write(long, "long_second 2\n");
    const page = await until("the long connection's lines are there", async () => {
      const text = await scrape(daemon);
      return text.includes("long_second 2\n") ? text : undefined;
    });
    assert.match(page, /^long_first 1$/m);
    for (let i = 0; i < 200; i++) assert.ok(page.includes(`short{i="${i}"} ${i}\n`), `${i}`);
    long.destroy();
  });

  test(`3: lines cut anywhere are whole again, also with others in between (${read})`, async (t) => {
    const daemon = await start(t, { env });
    const sockets = await Promise.all([open(daemon.socket), open(daemon.socket)]);
    const texts = ["a", "b"].map((name) => `cut_${name}{label="value ${name}"} 1.5\r\n`);
    for (let i = 0; i < texts[0]!.length; i++) {
      for (const [j, socket] of sockets.entries()) await write(socket, texts[j]![i]!);
    }
    for (const socket of sockets) {
      const closed = readAll(socket);
      socket.end();
      await closed;
    }
    const page = await scrape(daemon);
    for (const name of ["a", "b"])
      assert.match(page, new RegExp(`^cut_${name}\\{label="value ${name}"\\} 1\\.5\\r?$`, "m"));
    assert.deepEqual(warnings(daemon), []);
  });

  test(`3: chunks larger than any window come through (${read})`, async (t) => {
    const daemon = await start(t, { env, args: ["--cache-size", "4MiB"] });
    let text = "";
    for (let i = 0; i < 10_000; i++) text += `bulk{number="${i}"} ${i}\n`;
    await push(daemon.socket, text);
    const lines = new Set((await scrape(daemon)).split("\n"));
    for (let i = 0; i < 10_000; i++) assert.ok(lines.has(`bulk{number="${i}"} ${i}`), `${i}`);
  });

  test(`4: a pusher killed in the middle of a line leaves no wrong value (${read})`, async (t) => {
    const daemon = await start(t, { env });
    await push(daemon.socket, "survivor 1\n");
    const script = `
      const socket = require("node:net").connect(${JSON.stringify(daemon.socket)});
      socket.write("whole 1\\nhalf 12", () => process.stdout.write("written"));
    `;
    const pusher = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
    await once(pusher.stdout, "data");
    pusher.kill("SIGKILL");
    assert.equal((await logged(daemon, /bad line/)).reason, "incomplete");
    const page = await scrape(daemon);
    assert.match(page, /^survivor 1$/m);
    assert.match(page, /^whole 1$/m);
    assert.doesNotMatch(page, /half/);
  });

  test(`5: a line longer than the limit is skipped, whatever its length, and the next is taken (${read})`, async (t) => {
    const daemon = await start(t, { env, args: ["--max-line", "100"] });
    await push(daemon.socket, `before 1\nlong{a="${"x".repeat(500_000)}"} 1\nafter 2\n`);
    const page = await scrape(daemon);
    assert.match(page, /^before 1$/m);
    assert.match(page, /^after 2$/m);
    assert.doesNotMatch(page, /long/);
    assert.equal((await logged(daemon, /bad line/)).reason, "too long");
  });

  test(`5: the longest line allowed may come in any two parts (${read})`, async (t) => {
    const daemon = await start(t, { env });
    const line = `longest{a="${"x".repeat(4096 - 15)}"} 1`;
    assert.equal(line.length, 4096);
    for (const cut of [1, 2048, 4095, 4096, 4097]) {
      const socket = await open(daemon.socket);
      await write(socket, `${line}\r\n`.slice(0, cut));
      await write(socket, `${line}\r\n`.slice(cut));
      const closed = readAll(socket);
      socket.end();
      await closed;
    }
    assert.ok((await scrape(daemon)).includes(line));
    assert.deepEqual(warnings(daemon), []);
  });

  test(`30: connections over the limit are refused, counted in the log, and the others go on (${read})`, async (t) => {
    const daemon = await start(t, { env, args: ["--max-connections", "3"] });
    const open3 = await Promise.all([open(daemon.socket), open(daemon.socket), open(daemon.socket)]);
    for (const socket of open3) await write(socket, "taken 1\n");
    await until("all three are taken", async () => (await scrape(daemon)).includes("taken 1\n"));
    assert.equal(await readAll(await open(daemon.socket)), "");
    assert.equal((await logged(daemon, /refused/)).limit, 3);
    const [first, ...others] = open3;
    const closed = readAll(first!);
    first!.end();
    await closed;
    await until("there is room again", async () => {
      await push(daemon.socket, "room 1\n");
      return (await scrape(daemon)).includes("room 1\n");
    });
    for (const socket of others) socket.destroy();
  });

  test(`33: HTTP on the push socket is answered with 501 and never taken for metrics (${read})`, async (t) => {
    const daemon = await start(t, { env });
    const head = "Host: x\r\nDNT: 1\r\nUser-Agent: y\r\n";
    const requests = [
      `GET /metrics HTTP/1.1\r\n${head}\r\n`,
      `POST /metrics/job/x HTTP/1.1\r\n${head}Content-Length: 4\r\n\r\na 1\n`,
      `PUT /metrics/job/x HTTP/1.0\r\n${head}\r\na 1\n`,
      `DELETE /metrics/job/x HTTP/1.1\r\n${head}\r\n`,
      `OPTIONS * HTTP/1.1\r\n${head}\r\n`,
      `MKCALENDAR /x HTTP/1.1\r\n${head}\r\n`,
      `GET http://x/metrics HTTP/1.1\r\n${head}\r\n`,
      `CONNECT a:1 HTTP/1.1\r\n${head}\r\n`,
      `CONNECT 127.0.0.1:80 HTTP/1.1\r\n${head}\r\n`,
      `GET metrics HTTP/1.1\r\n${head}\r\n`,
      `GET http://${"x".repeat(5000)}/metrics HTTP/1.1\r\n${head}\r\n`,
      `${"M".repeat(33)} /metrics HTTP/1.1\r\n${head}\r\n`,
      `\r\nPATCH /x HTTP/1.1\n${head}\n`,
    ];
    for (const request of requests) {
      const socket = await open(daemon.socket);
      const answer = readAll(socket);
      socket.end(request);
      assert.match(
        await answer,
        /^HTTP\/1\.1 501 Not Implemented\r\n[\s\S]*\r\n\r\nHTTP is not served[^\n]*\n$/,
        request,
      );
    }
    const headOnly = await open(daemon.socket);
    headOnly.end(`HEAD / HTTP/1.1\r\n${head}\r\n`);
    assert.match(await readAll(headOnly), /^HTTP\/1\.1 501 [\s\S]*\r\n\r\n$/);
    assert.doesNotMatch(await scrape(daemon), /DNT|^a 1/m);
    assert.equal((await logged(daemon, /HTTP request/)).method, "GET");
  });

  test(`33: a method of any length is HTTP, in one piece or many, and shortened in the log (${read})`, async (t) => {
    const request = `${"M".repeat(2000)} /x HTTP/1.1\r\nDNT: 1\r\n\r\n`;
    for (const size of [request.length, 1000, 7]) {
      const daemon = await start(t, { env });
      const socket = await open(daemon.socket);
      const answer = readAll(socket);
      for (let at = 0; at < request.length; at += size) await write(socket, request.slice(at, at + size));
      assert.match(await answer, /^HTTP\/1\.1 501 /);
      assert.equal((await logged(daemon, /HTTP request/)).method, `${"M".repeat(80)}...`);
      assert.equal(await scrape(daemon), "");
    }
  });

  test(`33: an HTTP request in small pieces is known, and a client that goes on writing is not kept for ever (${read})`, async (t) => {
    const daemon = await start(t, { env, args: ["--header-timeout", "200ms"] });
    await push(daemon.socket, "x 1\n");
    const calm = descriptorCount(daemon.pid);
    const socket = connect({ path: daemon.socket, allowHalfOpen: true });
    await once(socket, "connect");
    for (const byte of "PUT /x HT") if (socket.writable) socket.write(byte);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 501 /);
    await until("its descriptor is closed", () => descriptorCount(daemon.pid) <= calm);
    socket.destroy();
  });

  test(`33: metrics that are called like methods are metrics (${read})`, async (t) => {
    const daemon = await start(t, { env });
    await push(daemon.socket, "GET 1\nPOST /no\n");
    await push(daemon.socket, "PUT_x 3\n");
    await push(daemon.socket, 'DELETE{path="/x HTTP/1.1"} 4\n');
    await push(daemon.socket, "HEAD  5\n");
    await push(daemon.socket, 'OPTIONS {path="*:/"} 7\n');
    const socket = await open(daemon.socket);
    for (const byte of "PATCH 6\n") await write(socket, byte);
    const closed = readAll(socket);
    socket.end();
    assert.equal(await closed, "");
    const page = await scrape(daemon);
    assert.match(page, /^GET 1$/m);
    assert.match(page, /^PUT_x 3$/m);
    assert.match(page, /^DELETE\{path="\/x HTTP\/1\.1"\} 4$/m);
    assert.match(page, /^HEAD +5$/m);
    assert.match(page, /^PATCH 6$/m);
    assert.match(page, /^OPTIONS *\{path="\*:\/"\} 7$/m);
  });
}

function warnings(daemon: Daemon): string[] {
  return daemon.log.filter((line) => line.level === "warn").map((line) => line.msg);
}

test("16: metrics expire without any scrape or push", async (t) => {
  const daemon = await start(t, { args: ["--ttl", "100ms", "--log-level", "debug"] });
  await push(daemon.socket, "short_lived 1\n");
  assert.equal((await logged(daemon, /metrics expired/)).count, 1);
  assert.doesNotMatch(await scrape(daemon), /short_lived/);
});

test("30: a silent push connection is closed after --idle-timeout, and one that talks is not", async (t) => {
  const daemon = await start(t, { args: ["--idle-timeout", "300ms"] });
  const silent = await open(daemon.socket);
  assert.equal(await readAll(silent), "");
  await push(daemon.socket, "works 1\n");
  assert.match(await scrape(daemon), /^works 1$/m);
});

test("30: no descriptor leaks, however connections end", async (t) => {
  const daemon = await start(t);
  await push(daemon.socket, "x 1\n");
  await scrape(daemon);
  const calm = descriptorCount(daemon.pid);
  for (let round = 0; round < 20; round++) {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(daemon.socket)));
    for (const [i, socket] of sockets.entries()) {
      if (i % 4 === 0) socket.destroy();
      else if (i % 4 === 1) socket.end("x 2\n");
      else if (i % 4 === 2) socket.write("x 3\nhalf", () => socket.destroy());
      else socket.end("GET / HTTP/1.1\r\n\r\n");
      socket.resume();
    }
  }
  await until("all descriptors are closed", () => descriptorCount(daemon.pid) <= calm);
  await push(daemon.socket, "x 4\n");
  assert.match(await scrape(daemon), /^x 4$/m);
});

test("30: short connections cost bounded memory, however many there were", async (t) => {
  const daemon = await start(t);
  const churn = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 20) {
      await Promise.all(Array.from({ length: 20 }, () => push(daemon.socket, "x 1\n")));
    }
  };
  await churn(200);
  const calm = residentBytes(daemon.pid);
  await churn(8000);
  const grown = residentBytes(daemon.pid) - calm;
  assert.ok(grown < 8 * 1024 * 1024, `grown by ${grown}`);
});

test("31: warnings are one line each, name the reason with an excerpt, and are limited", async (t) => {
  const daemon = await start(t);
  await push(daemon.socket, "!bad\u0007\u2028line\n".repeat(1000));
  const line = await logged(daemon, /bad line/);
  assert.match(String(line.line), /^!bad..line$/u);
  assert.ok(typeof line.reason === "string");
  await push(daemon.socket, "!bad again\n".repeat(1000));
  await push(daemon.socket, "good 1\n");
  assert.match(await scrape(daemon), /^good 1$/m);
  assert.equal(daemon.log.filter((entry) => /bad line/.test(entry.msg)).length, 1);
});
