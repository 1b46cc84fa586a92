/** Runs LiteRT.js, which is written for browsers, in Node. */

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import v8 from "node:v8";
import vm from "node:vm";

import { ExportedFileError } from "./errors.js";
import { startLiteRt } from "./litert.js";
import { readModelFiles } from "./model_files.js";
import { Translator } from "./translator.js";

const require = createRequire(import.meta.url);

/**
 * @param {string} directory an exported LiteRT directory.
 * @returns {Promise<Translator>}
 * @throws {ExportedFileError} a file is missing, damaged, or of a newer format.
 */
export async function loadTranslator(directory) {
  const files = await readModelFiles((name) => readFileOf(directory, name));
  return await Translator.load(files, await nodeLiteRt());
}

let started;

/** LiteRT.js, loaded once per process. */
function nodeLiteRt() {
  started ??= (async () => {
    // Relaxed SIMD rounds as native code does; Node 20 has it behind a flag.
    if (process.version.startsWith("v20.")) {
      v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
    }
    // The two globals of a worker that LiteRT.js uses to load its WebAssembly.
    globalThis.self = globalThis;
    globalThis.importScripts = runScript;
    const litert = await import("@litertjs/core");
    const wasm = join(dirname(require.resolve("@litertjs/core/package.json")), "wasm", "/");
    return await startLiteRt(litert, wasm);
  })();
  return started;
}

/** Runs LiteRT's loader as a classic script that has the names of a CommonJS module. */
function runScript(path) {
  const source = `(function (require, __dirname, __filename) {${readFileSync(path, "utf8")}
    return ModuleFactory; })`;
  const factory = vm.runInThisContext(source, { filename: path });
  globalThis.ModuleFactory = factory(createRequire(path), dirname(path), path);
}

async function readFileOf(directory, name) {
  const path = join(directory, name);
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    throw new ExportedFileError(
      "Expected an exported LiteRT directory with translator.tflite, tokenizer.json and " +
        `manifest.json. Received: ${path}, which cannot be read (${error.code})`,
      { cause: error },
    );
  }
}
