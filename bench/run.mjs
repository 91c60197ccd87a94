// npm run bench: measures, prints tables in Markdown, and writes JSON and plots to build/bench/.
//
//   npm run bench                    all of it, short
//   npm run bench -- full            all of it, long
//   npm run bench -- memory start    only these; with full, their long form
//   npm run bench -- full --readme   also writes the figures into README.md
//
// Each bench is measured in a process of its own, so that none depends on what ran before it: on compiled code, on the
// heap's size, which also costs every process that is started from it.
import { fork } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as core from "./core.mjs";
import * as density from "./density.mjs";
import { leftOut } from "./gateway.mjs";
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
/** First argument of a process that measures one bench for another that waits. */
const MEASURE = "measure";

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

/**
 * Measures a bench in a process of its own.
 * @returns { result, leftOut: lines }; undefined if it failed, which it has said
 */
function measureApart(name, form) {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(import.meta.url), [MEASURE, name, form], { serialization: "advanced" });
    let measured;
    child.on("message", (message) => {
      measured = message;
    });
    child.once("close", () => resolve(measured));
  });
}

/** Measures one bench for the process that waits for it, which may go first. */
async function measureHere(name, form) {
  process.once("disconnect", () => process.exit(1));
  const bench = BENCHES[name];
  const result = await bench.measure(bench.SCALES[form]);
  process.send({ result, leftOut: leftOut() }, () => process.exit(0));
}

async function run({ names, form, readme }) {
  const began = performance.now();
  mkdirSync(OUTPUT, { recursive: true });
  const machine = describeMachine();
  console.log(
    `${machineLine(machine)}\n\n${method()
      .map((line) => `* ${line}`)
      .join("\n")}\n`,
  );
  const seconds = (since) => `${Math.round((performance.now() - since) / 1000)} s`;
  const results = {};
  const left = new Set();
  const drawn = [];
  const failed = [];
  for (const name of names) {
    const bench = BENCHES[name];
    const beganOne = performance.now();
    const measured = await measureApart(name, form);
    if (measured === undefined) {
      failed.push(name);
      console.log(`${name}: failed after ${seconds(beganOne)}\n`);
      continue;
    }
    results[name] = measured.result;
    for (const text of measured.leftOut) left.add(text);
    console.log(bench.report(results[name]));
    console.log(`${name}: ${seconds(beganOne)}\n`);
    drawn.push(...(bench.plots?.(results[name]) ?? []));
  }
  rmSync(join(OUTPUT, "load"), { recursive: true, force: true });
  const goals = judge(results);
  console.log(reportGoals(goals));
  for (const text of left) console.log(`* ${text}`);
  const all = { machine, method: method(), form, results, goals, leftOut: [...left], failed };
  write("results.json", `${JSON.stringify(all, undefined, 1)}\n`);
  for (const { name, ...drawing } of drawn) write(`${name}.svg`, plot(drawing));
  console.log(`${form}: ${seconds(began)}`);
  if (failed.length > 0) {
    console.error(`failed: ${failed.join(", ")}${readme ? "; README.md is as it was" : ""}`);
    process.exitCode = 1;
  } else if (readme) {
    writeFileSync(README, replaceFigures(readFileSync(README, "utf8"), readmeFigures(all)));
    console.log("written: README.md");
  }
}

const words = process.argv.slice(2);
if (words[0] === MEASURE && process.send !== undefined) await measureHere(words[1], words[2]);
else await run(parse(words));
