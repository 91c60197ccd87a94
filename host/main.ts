#!/usr/bin/env node
/** The program: options, signals, exit status. */
import { constants } from "node:os";
import { setFlagsFromString } from "node:v8";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
const SIGNAL_STATUS = 128;

// Starting up is not worth compiling: one run of V8's compilers brings 4 MiB of their own code into memory.
setFlagsFromString("--no-opt");
setFlagsFromString("--no-sparkplug");
// One core is what there is: compression needs one thread, not four with their own heaps.
process.env.UV_THREADPOOL_SIZE ??= "1";

const { FatalError } = await import("./errors.js");
await main().catch(fail);
setFlagsFromString("--opt");
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
