// npm run bench: measures, prints tables in Markdown, and writes JSON and plots to build/bench/.
//
//   npm run bench                    all of it, short
//   npm run bench -- full            all of it, long
//   npm run bench -- memory start    only these; with full, their long form
//   npm run bench -- full --readme   also writes the figures into README.md
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as core from "./core.mjs";
import * as density from "./density.mjs";
import { judge, reportGoals } from "./goals.mjs";
import * as ingest from "./ingest.mjs";
import { describeMachine, machineLine, method } from "./machine.mjs";
import * as memory from "./memory.mjs";
import * as native from "./native.mjs";
import { plot } from "./plot.mjs";
import { OUTPUT } from "./process.mjs";
import { readmeFigures, replaceFigures } from "./readme.mjs";
import * as scrape from "./scrape.mjs";
import * as start from "./start.mjs";

const BENCHES = { memory, density, ingest, core, scrape, start, native };
const README = fileURLToPath(new URL("../README.md", import.meta.url));
const USAGE = `usage: npm run bench -- [full] [${Object.keys(BENCHES).join("] [")}] [--readme]`;

function fail(text) {
  console.error(text);
  process.exit(2);
}

function parse(words) {
  const chosen = words.filter((word) => word in BENCHES);
  const unknown = words.find((word) => !(word in BENCHES) && word !== "full" && word !== "--readme");
  if (unknown !== undefined) fail(`${unknown}: unknown\n${USAGE}`);
  const names = chosen.length > 0 ? chosen : Object.keys(BENCHES);
  const readme = words.includes("--readme");
  if (readme && names.length < Object.keys(BENCHES).length) fail("--readme needs all benches");
  return { names, form: words.includes("full") ? "full" : "short", readme };
}

/** Writes a file into build/bench/ and says so. */
function write(name, text) {
  const path = join(OUTPUT, name);
  writeFileSync(path, text);
  console.log(`written: ${relative(process.cwd(), path)}`);
}

async function run({ names, form, readme }) {
  mkdirSync(OUTPUT, { recursive: true });
  const machine = describeMachine();
  console.log(
    `${machineLine(machine)}\n\n${method()
      .map((line) => `* ${line}`)
      .join("\n")}\n`,
  );
  const results = {};
  const drawn = [];
  for (const name of names) {
    const bench = BENCHES[name];
    const began = performance.now();
    results[name] = await bench.measure(bench.SCALES[form]);
    console.log(bench.report(results[name]));
    console.log(`${name}: ${Math.round((performance.now() - began) / 1000)} s\n`);
    drawn.push(...(bench.plots?.(results[name]) ?? []));
  }
  rmSync(join(OUTPUT, "load"), { recursive: true, force: true });
  const goals = judge(results);
  console.log(reportGoals(goals));
  write("results.json", `${JSON.stringify({ machine, method: method(), form, results, goals }, undefined, 1)}\n`);
  for (const { name, ...drawing } of drawn) write(`${name}.svg`, plot(drawing));
  if (!readme) return;
  const text = readFileSync(README, "utf8");
  writeFileSync(README, replaceFigures(text, readmeFigures({ machine, form, results, goals })));
  console.log("written: README.md");
}

await run(parse(process.argv.slice(2)));
