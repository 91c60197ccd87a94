// How properties are run: reports carry the error that made them fail, and debug artefacts, which walk their whole structure
// after every call, get fewer runs. CI runs the same inputs each time, so that what lands is what was tested; everywhere
// else, and with FUZZ_SEED, they are others.

import fc from "fast-check";
import type { Artefact } from "./module.js";

const DEBUG_SHARE = 8;

const seed = process.env["FUZZ_SEED"] ?? (process.env["CI"] === undefined ? undefined : "20261122");

fc.configureGlobal({ includeErrorInReport: true, ...(seed === undefined ? {} : { seed: Number(seed) }) });

export function runs(artefact: Artefact, many: number): { numRuns: number } {
  return { numRuns: artefact.debug ? Math.ceil(many / DEBUG_SHARE) : many };
}
