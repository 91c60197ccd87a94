// Reads tests/cases/*.md, whose form tests/cases/README.md describes.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bytesOf, KEEP, type Options, REJECT, ROOT } from "./module.js";

export type Step =
  | { readonly kind: "at"; readonly nowMs: number }
  | { readonly kind: "input"; readonly connection: string | undefined; readonly bytes: Uint8Array }
  | { readonly kind: "close"; readonly connection: string }
  | Page
  | { readonly kind: "counters"; readonly body: string };

export interface Page {
  readonly kind: "page";
  readonly format: "text" | "openmetrics";
  readonly utf8: boolean;
  readonly body: string;
}

export interface Case {
  readonly title: string;
  readonly options: Options;
  readonly steps: readonly Step[];
}

interface Draft {
  readonly title: string;
  options: Options;
  readonly steps: Step[];
}

const FLAGS: Readonly<Record<string, number>> = { reject: REJECT, keep: KEEP };

export function readCases(): Case[] {
  const folder = join(ROOT, "tests/cases");
  const files = readdirSync(folder).filter((file) => file.endsWith(".md") && file !== "README.md");
  return files.sort().flatMap((file) => parseCases(readFileSync(join(folder, file), "utf8"), file));
}

export function parseCases(markdown: string, file: string): Case[] {
  const cases: Draft[] = [];
  const lines = markdown.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    const current = cases.at(-1);
    if (line.startsWith("## ")) {
      cases.push({ title: line.slice(3), options: {}, steps: [] });
    } else if (line.startsWith("```")) {
      const end = lines.indexOf("```", index + 1);
      if (current === undefined || end < 0) throw new Error(`${file}:${index + 1}: a block outside of a case, or open`);
      current.steps.push(block(line.slice(3).trim(), lines.slice(index + 1, end), `${file}:${index + 1}`));
      index = end;
    } else if (line.startsWith("- ") && current !== undefined) {
      directive(current, line.slice(2).trim(), `${file}:${index + 1}`);
    }
  }
  for (const { title, steps } of cases) if (steps.length === 0) throw new Error(`${file}: nothing in "${title}"`);
  return cases;
}

function directive(current: Draft, text: string, where: string): void {
  const [word = "", argument = "", ...more] = text.split(" ");
  if (word === "at") current.steps.push({ kind: "at", nowMs: Number(argument.replace(/ms$/, "")) });
  else if (word === "close") current.steps.push({ kind: "close", connection: argument });
  else current.options = { ...current.options, ...option(word, [argument, ...more], where) };
}

function option(word: string, values: readonly string[], where: string): Options {
  const number = Number((values[0] ?? "").replace(/ms$/, ""));
  if (word === "cache-size") return { cacheBytes: number };
  if (word === "ttl") return { ttlMs: number };
  if (word === "max-line") return { maxLine: number };
  if (word !== "flags") throw new Error(`${where}: unknown directive "${word}"`);
  return { flags: values.reduce((sum, name) => sum | (FLAGS[name] ?? 0), 0) };
}

function block(info: string, lines: readonly string[], where: string): Step {
  const [kind = "", argument] = info.split(" ");
  const body = lines.map((line) => `${line}\n`).join("");
  if (kind === "input") return { kind, connection: argument, bytes: unfold(body) };
  if (kind === "text" || kind === "openmetrics")
    return { kind: "page", format: kind, utf8: argument === "utf-8", body };
  if (kind === "counters") return { kind, body };
  throw new Error(`${where}: unknown block "${info}"`);
}

/** `⟨0D⟩` is a byte, `⟨x*20⟩` repeats, `⟨no LF⟩` takes away the line feed after it. */
function unfold(body: string): Uint8Array {
  const pieces = body.replace(/⟨no LF⟩\n/gu, "").split(/⟨([^⟩]*)⟩/u);
  return Buffer.concat(pieces.map((piece, index) => (index % 2 === 0 ? bytesOf(piece) : special(piece))));
}

function special(text: string): Uint8Array {
  const repeat = /^(.+)\*([0-9]+)$/u.exec(text);
  if (repeat !== null) return bytesOf((repeat[1] ?? "").repeat(Number(repeat[2])));
  if (!/^[0-9A-F]{2}$/.test(text)) throw new Error(`⟨${text}⟩ means nothing`);
  return Uint8Array.of(Number.parseInt(text, 16));
}
