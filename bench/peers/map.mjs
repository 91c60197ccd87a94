// A gateway as it would be written in an hour: lines into a Map, keyed by their text, without limit or expiry.
// usage: node map.mjs SOCKET        SIGTERM: prints {"samples":N,"series":N} and ends
import { createServer } from "node:net";

/** Lines kept by their series' text. */
export class SeriesMap {
  /** Text of name and labels, to value. */
  series = new Map();
  samples = 0;
  #rest = "";

  /** Takes the next piece of a stream. */
  take(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line === "" || line.startsWith("#")) continue;
      const space = line.lastIndexOf(" ");
      this.series.set(line.slice(0, space), Number(line.slice(space + 1)));
      this.samples++;
    }
  }
}

if (process.argv[1]?.endsWith("map.mjs")) {
  const all = [];
  const series = new Map();
  createServer((socket) => {
    const stream = new SeriesMap();
    stream.series = series;
    all.push(stream);
    socket.setEncoding("utf8");
    socket.on("data", (text) => stream.take(text));
  }).listen(process.argv[2], () => console.error("ready"));
  process.on("SIGTERM", () => {
    console.log(JSON.stringify({ samples: all.reduce((sum, one) => sum + one.samples, 0), series: series.size }));
    process.exit(0);
  });
}
