import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Listener, listen } from "../../host/sockets.js";
import { type Handle, openSource, type Source } from "../../host/source.js";

const KINDS = ["handle", "socket"] as const;
type Kind = (typeof KINDS)[number];

/** A listener that hands over connections of one kind, and of no other. */
async function serve(
  t: TestContext,
  kind: Kind,
  take: (connection: Socket | Handle) => void,
): Promise<{ path: string; listener: Listener }> {
  const folder = mkdtempSync(join(tmpdir(), "pg-"));
  const path = join(folder, "push.sock");
  const listener = await listen({ kind: "unix", path }, 0o600, {
    connection: (socket) => {
      assert.equal(kind, "socket", "this Node.js has handles that can be read");
      take(socket);
    },
    handle: kind === "handle" ? take : undefined,
    acceptError: (error) => assert.fail(error),
  });
  t.after(() => {
    listener.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { path, listener };
}

for (const kind of KINDS) {
  test(`a source hands over all bytes in the region, answers, reads on, and ends once (${kind})`, async (t) => {
    const region = Buffer.alloc(10);
    let text = "";
    let endCount = 0;
    const { promise: ended, resolve: end } = deferred();
    const { path } = await serve(t, kind, (connection) => {
      const source: Source = openSource(connection, region, {
        take: (length) => {
          text += region.toString("latin1", 0, length);
          if (text === "a question that is long") source.answer("answer");
        },
        end: () => {
          endCount++;
          end();
        },
      });
    });
    const client = connect({ path, allowHalfOpen: true });
    let answer = "";
    client.setEncoding("latin1").on("data", (piece) => {
      answer += piece;
    });
    const answered = once(client, "end");
    client.write("a question that is long");
    await answered;
    assert.equal(answer, "answer");
    client.end(", and more");
    await ended;
    assert.equal(text, "a question that is long, and more");
    assert.equal(endCount, 1);
  });

  test(`a source that is closed ends its connection, and says so once (${kind})`, async (t) => {
    let endCount = 0;
    const { promise: ended, resolve: end } = deferred();
    const { path } = await serve(t, kind, (connection) => {
      const source: Source = openSource(connection, Buffer.alloc(10), {
        take: () => {
          source.close();
          source.close();
        },
        end: () => {
          endCount++;
          end();
        },
      });
    });
    const client = connect(path);
    client.write("x");
    client.resume();
    await Promise.all([once(client, "close"), ended]);
    assert.equal(endCount, 1);
  });

  test(`a source reads on where what came has just filled the region, up to its end (${kind})`, async (t) => {
    const region = Buffer.alloc(10);
    let text = "";
    let took = deferred();
    const { promise: ended, resolve: end } = deferred();
    const { path } = await serve(t, kind, (connection) => {
      openSource(connection, region, {
        take: (length) => {
          text += region.toString("latin1", 0, length);
          took.resolve();
        },
        end,
      });
    });
    const client = connect(path);
    client.resume();
    for (const piece of ["ten bytes.", "ten, again"]) {
      took = deferred();
      client.write(piece);
      await took.promise;
      // The read behind it has found nothing by then.
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.end("the end is ten more.");
    await ended;
    assert.equal(text, "ten bytes.ten, againthe end is ten more.");
  });

  test(`28: a listener whose file was replaced takes nothing more when it is closed (${kind})`, async (t) => {
    const { path, listener } = await serve(t, kind, () => assert.fail("nothing is taken"));
    renameSync(path, `${path}.aside`);
    writeFileSync(path, "another's");
    listener.close();
    const client = connect(`${path}.aside`);
    client.resume();
    await once(client, "close");
  });
}

/** Promise.withResolvers, which Node 20 does not have. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
