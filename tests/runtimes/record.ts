// Writes the recorded calls into build/runtimes/.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readCases } from "../artefact/cases.js";
import { ROOT } from "../artefact/module.js";
import { casesScript } from "./calls.js";
import { workloadScript } from "./workload.js";

/** The folder of the recorded calls. */
export const CALLS_FOLDER = join(ROOT, "build", "runtimes");

/** Writes all scripts anew. */
export function record(): void {
  mkdirSync(CALLS_FOLDER, { recursive: true });
  writeFileSync(join(CALLS_FOLDER, "cases.calls"), casesScript(readCases()));
  writeFileSync(join(CALLS_FOLDER, "workload-10KiB.calls"), workloadScript(10 * 1024));
  writeFileSync(join(CALLS_FOLDER, "workload-64KiB.calls"), workloadScript(64 * 1024));
}

if (process.argv[1] === import.meta.filename) record();
