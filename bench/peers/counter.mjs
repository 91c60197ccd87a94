// Node's floor: takes streams on a Unix socket, and only counts their bytes.
// usage: node counter.mjs SOCKET [static]        SIGTERM: prints {"bytes":N} and ends
// static: all connections read into one buffer, in an undocumented way: host/source.ts goes one step further.
import { createServer, Socket } from "node:net";

const [path, mode] = process.argv.slice(2);
const BUFFER_BYTES = 65_536;
let bytes = 0;

const count = (length) => {
  bytes += length;
  return true;
};

function takePlain(socket) {
  socket.on("data", (chunk) => count(chunk.length));
  socket.on("end", () => socket.end());
  socket.resume();
}

const buffer = Buffer.alloc(BUFFER_BYTES);
function takeStatic(raw) {
  const handle = raw._handle;
  raw._handle = null;
  raw.destroy();
  new Socket({ handle, onread: { buffer, callback: count }, readable: true, writable: true });
}

createServer({ pauseOnConnect: true }, mode === "static" ? takeStatic : takePlain).listen(path, () => {
  console.error("ready");
});
process.on("SIGTERM", () => {
  console.log(JSON.stringify({ bytes }));
  process.exit(0);
});
