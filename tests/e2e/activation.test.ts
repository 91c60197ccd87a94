import assert from "node:assert/strict";
import { renameSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createFolder, type Daemon, fetchFrom, push, start, targetOf } from "./daemon.js";

/** A listening socket that is passed on as a descriptor, as systemd does it. */
interface Passed {
  server: Server;
  fd: number;
}

/** Listens on a path or a port. A path gets its name afterwards, so that closing here does not remove it. */
async function listening(t: TestContext, where: string | number): Promise<Passed> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    if (typeof where === "string") server.listen(`${where}.new`, resolve);
    else server.listen(where, "127.0.0.1", resolve);
  });
  if (typeof where === "string") renameSync(`${where}.new`, where);
  t.after(() => server.close());
  return { server, fd: (server as unknown as { _handle: { fd: number } })._handle.fd };
}

/** Starts a daemon with descriptors from 3 on. LISTEN_PID must be its own id, which only a shell before exec knows. */
async function startActivated(t: TestContext, passed: Passed[], names: string | undefined): Promise<Daemon> {
  const script = 'LISTEN_PID=$$ exec "$0" "$@"';
  const fds = passed.map(({ fd }) => fd);
  const daemon = await start(t, {
    bare: true,
    command: ["sh", "-c", script],
    stdio: ["ignore", "ignore", "pipe", ...fds],
    env: {
      LISTEN_FDS: String(fds.length),
      ...(names === undefined ? {} : { LISTEN_FDNAMES: names }),
      RUNTIME_DIRECTORY: createFolder(t),
    },
  });
  // Only the daemon accepts from now on.
  for (const { server } of passed) server.close();
  return daemon;
}

async function serves(socket: string, http: Parameters<typeof fetchFrom>[0]): Promise<void> {
  await push(socket, "activated 1\n");
  assert.match((await fetchFrom(http, "/metrics")).text, /^activated 1$/m);
}

for (const [names, first, why] of [
  ["push:http", "push", "names tell which is which"],
  ["metrics:socket", "http", "names tell which is which, in any order"],
  [undefined, "push", "without names the first Unix socket is for pushes"],
  ["push-gateway.socket:push-gateway.socket", "push", "systemd's default names say nothing"],
] as const) {
  test(`32: ${why} (${names}), both Unix sockets`, async (t) => {
    const folder = createFolder(t);
    const paths = { push: join(folder, "p.sock"), http: join(folder, "h.sock") };
    const pushes = await listening(t, paths.push);
    const scrapes = await listening(t, paths.http);
    const daemon = await startActivated(t, first === "push" ? [pushes, scrapes] : [scrapes, pushes], names);
    await serves(paths.push, { socketPath: paths.http });
    daemon.child.kill("SIGTERM");
    assert.deepEqual(await daemon.exited, { status: 0, signal: null });
    for (const path of Object.values(paths)) assert.ok(statSync(path).isSocket(), "systemd's files stay");
  });
}

for (const order of ["unix first", "tcp first"] as const) {
  test(`32: without names a TCP socket is HTTP's (${order})`, async (t) => {
    const path = join(createFolder(t), "p.sock");
    const pushes = await listening(t, path);
    const scrapes = await listening(t, 0);
    const { port } = scrapes.server.address() as { port: number };
    await startActivated(t, order === "unix first" ? [pushes, scrapes] : [scrapes, pushes], undefined);
    await serves(path, { port });
  });
}

test("32: one activated socket leaves the other side at its default", async (t) => {
  const scrapes = await listening(t, 0);
  const { port } = scrapes.server.address() as { port: number };
  const daemon = await startActivated(t, [scrapes], "http");
  assert.match(daemon.socket, /\/push-gateway\.sock$/);
  await serves(daemon.socket, { port });
});

test("32: sockets meant for another process are left alone", async (t) => {
  const path = join(createFolder(t), "p.sock");
  const { fd } = await listening(t, path);
  const daemon = await start(t, {
    stdio: ["ignore", "ignore", "pipe", fd],
    env: { LISTEN_FDS: "1", LISTEN_PID: "1", LISTEN_FDNAMES: "push" },
  });
  const started = daemon.log.find((line) => line.msg === "started")!;
  assert.deepEqual(started.push, [`unix:${daemon.socket}`]);
  await serves(daemon.socket, targetOf((started.http as string[])[0]!));
});
