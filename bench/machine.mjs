// The machine, the versions, and how it was measured.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { CORES, has, PINNED } from "./process.mjs";

/** First line of what a command prints; undefined if it cannot be run. */
function firstLine(program, ...args) {
  if (!has(program)) return undefined;
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8", cwd: new URL(".", import.meta.url) });
  return (stdout || stderr).split("\n")[0].trim() || undefined;
}

/** The machine and the versions, as plain values. */
export function describeMachine() {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const commit = firstLine("git", "rev-parse", "--short", "HEAD");
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model ?? arch(),
    cores: availableParallelism(),
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    system: `${type()} ${release()} ${arch()}`,
    load: loadavg()[0],
    versions: {
      "push-gateway": commit === undefined ? version : `${version} (${commit})`,
      node: process.versions.node,
      v8: process.versions.v8,
      cc: firstLine("cc", "--version")?.replace(/^cc /, ""),
      pushgateway: firstLine("prometheus-pushgateway", "--version")?.match(/version (\S+)/)?.[1],
    },
  };
}

/** The machine in one line. */
export function machineLine(machine) {
  const { processor, cores, memoryMiB, system, load, versions, date } = machine;
  const known = Object.entries(versions).filter(([, version]) => version !== undefined);
  const list = known.map(([name, version]) => `${name} ${version}`).join(", ");
  return `${date}; ${processor}, ${cores} cores, ${memoryMiB} MiB, load average ${load.toFixed(1)} before; ${system}; ${list}`;
}

/** How it was measured, as sentences. */
export function method() {
  const where = PINNED
    ? `the gateway is kept on core ${CORES.gateway}, the load generator on core ${CORES.load}`
    : "nothing is pinned, for want of a second core or of a C compiler";
  return [
    "CPU is the kernel's accounting of the gateway's process: /proc/PID/task/*/schedstat in nanoseconds, and the ticks of /proc/PID/stat where threads have ended",
    where,
    "what is compared runs in turns; figures are the median of the turns, ratios the median of each turn's ratio",
    "each bench has a process of its own, and each gateway is started from a small one",
    "where the load generator is busy all the time, the rate is its own; CPU a sample is the gateway's in any case",
    "memory is VmRSS, RssAnon and VmHWM of /proc/PID/status",
    "every gateway that counts must have taken exactly what was sent, or the run fails",
  ];
}
