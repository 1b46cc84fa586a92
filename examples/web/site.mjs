/** The files of the site: page, LiteRT.js and model. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const PAGE = [
  ...["index.html", "style.css", "icon.svg", "page.js", "word_lines.js", "words.js"],
  ...["worker.js", "service_worker.js", "litert.js", "model_store.js", "model_files.js"],
  ...["translator.js", "tokenizer.js", "normalizer.js", "splitting.js", "errors.js"],
];
const MODEL = ["manifest.json", "translator.tflite", "tokenizer.json"];
// The second is for browsers without relaxed SIMD instructions.
const LITERT = ["litert_wasm_internal", "litert_wasm_compat_internal"];
const TYPES = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
  wasm: "application/wasm",
};

/**
 * @param {string} exported an exported LiteRT directory.
 * @returns {Map<string, string>} the path of a file by its path in the site.
 */
export function siteFiles(exported) {
  const core = dirname(require.resolve("@litertjs/core/package.json"));
  const files = new Map(PAGE.map((name) => [name, join(HERE, name)]));
  files.set("litert/core.js", join(core, "dist", "index.js"));
  files.set("litert/wasm_utils.js", require.resolve("@litertjs/wasm-utils"));
  for (const name of LITERT.flatMap((stem) => [`${stem}.js`, `${stem}.wasm`])) {
    files.set(`litert/wasm/${name}`, join(core, "wasm", name));
  }
  for (const name of MODEL) files.set(`model/${name}`, join(exported, name));
  return files;
}

/** @returns {Promise<Buffer>} the content of a file of the site. */
export async function siteContent(path, file) {
  const content = await readFile(file);
  if (path !== "litert/core.js") return content;
  // Workers have no import map.
  return Buffer.from(content.toString().replace('"@litertjs/wasm-utils"', '"./wasm_utils.js"'));
}

/** @returns {string} the media type of a file of the site. */
export function mediaType(path) {
  return TYPES[path.split(".").at(-1)] ?? "application/octet-stream";
}
