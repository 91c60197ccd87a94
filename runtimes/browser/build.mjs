// Puts the page, the package's core and both artefacts into one file that needs no server: build/browser/index.html.
// Modules go in as they are, as data: URLs that an import map names; only "./core.js" gets a name that such a URL can have.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const here = (path) => new URL(path, import.meta.url);
const root = new URL("../../", import.meta.url);
const read = (path) => readFileSync(path, "utf8");
const base64 = (path) => readFileSync(path, "base64");
const module = (text) => `data:text/javascript;base64,${Buffer.from(text).toString("base64")}`;

const imports = {
  "@assemblyscript/loader": module(read(new URL("node_modules/@assemblyscript/loader/index.js", root))),
  "#core": module(read(new URL("build/host/core.js", root))),
  "push-gateway/core": module(read(new URL("build/host/cache.js", root)).replaceAll('"./core.js"', '"#core"')),
  "#inspect": module(read(here("inspect.js"))),
};
const page = read(here("page.js")).replace('"./inspect.js"', '"#inspect"');
const scripts = [
  `<script type="importmap">${JSON.stringify({ imports })}</script>`,
  `<script type="text/plain" id="example">${read(here("example.txt"))}</script>`,
  `<script type="application/wasm" id="one-page">${base64(new URL("build/push-gateway.wasm", root))}</script>`,
  `<script type="application/wasm" id="imported">${base64(new URL("build/push-gateway.imported.wasm", root))}</script>`,
  `<script type="module">\n${page}</script>`,
];
const html = read(here("index.html"))
  .replace('<link rel="stylesheet" href="style.css">', () => `<style>\n${read(here("style.css"))}</style>`)
  .replace('<script type="module" src="page.js"></script>', () => scripts.join("\n"));

mkdirSync(new URL("build/browser/", root), { recursive: true });
writeFileSync(new URL("build/browser/index.html", root), html);
console.log(`build/browser/index.html: ${html.length} bytes`);
