// The player of Node.js, Deno and Bun: node.js <artefact> <script>.

import { readFileSync, writeSync } from "node:fs";
import { play } from "./play.js";

const [artefact = "", script = ""] = process.argv.slice(2);
const written = play(readFileSync(script, "ascii"), readFileSync(artefact));
for (let at = 0; at < written.length; ) at += writeSync(1, written, at);
