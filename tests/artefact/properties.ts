// How properties are run: reports carry the error that made them fail, and debug artefacts, which walk their whole structure
// after every call, get fewer runs.

import fc from "fast-check";
import type { Artefact } from "./module.js";

const DEBUG_SHARE = 8;

fc.configureGlobal({ includeErrorInReport: true });

export function runs(artefact: Artefact, many: number): { numRuns: number } {
  return { numRuns: artefact.debug ? Math.ceil(many / DEBUG_SHARE) : many };
}
