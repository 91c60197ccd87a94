#!/usr/bin/env node
/** The program: options, signals, exit status. */
import { constants } from "node:os";
import { setFlagsFromString } from "node:v8";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
const SIGNAL_STATUS = 128;

// Memory first: one run of V8's optimizing compiler brings its own code into memory, at start for nothing. Under load it
// would save little: the time is spent in the kernel and in the module, which has a compiler of its own that this does
// not turn off. Only small pages would be much cheaper, which matters at a thousand scrapes a second.
setFlagsFromString("--no-opt");
setFlagsFromString("--no-sparkplug");
// The young generation stays as small as it starts. Short connections would make it grow to 16 MiB twice over: what
// they leave is garbage before long, and a scavenge of a small space is short.
setFlagsFromString("--semi-space-growth-factor=1");
// The module is built for size: many small functions. V8 inlines them by itself from Node.js 24 on, and before if told.
if (["20", "22"].includes(process.versions.node.split(".", 1)[0] as string)) {
  setFlagsFromString("--experimental-wasm-inlining");
}

const { FatalError } = await import("./errors.js");
await main().catch(fail);
setFlagsFromString("--sparkplug");

async function main(): Promise<void> {
  const { parseCommandLine, version } = await import("./cli.js");
  const options = parseCommandLine(process.argv.slice(2), process.env);
  if (options === undefined) return;
  const { Log } = await import("./log.js");
  const { startDaemon } = await import("./daemon.js");
  const daemon = startDaemon(options, new Log(options.logLevel, options.logFormat), version());
  let stopping = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stopping) process.exit(SIGNAL_STATUS + constants.signals[signal]);
      stopping = true;
      daemon.then((running) => running.stop(signal)).then(() => process.exit(0), fail);
    });
  }
  await daemon;
}

/** Ends the process: with one line for what a user can mend, with a stack for a bug. */
function fail(error: unknown): void {
  const text = error instanceof FatalError ? `push-gateway: ${error.message}` : String((error as Error).stack ?? error);
  process.stderr.write(`${text}\n`);
  process.exit(error instanceof FatalError ? error.status : 1);
}
