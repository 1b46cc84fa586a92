/** Reads and checks the files of an exported LiteRT directory from any source. */

import { ExportedFileError } from "./errors.js";

const FORMAT = "keras-bahdanau-litert";
const FORMAT_VERSION = 1;
const MANIFEST = "manifest.json";
const KEYS = [
  "beam_width",
  "files",
  "length_bound",
  "max_length",
  "max_target_length",
  "special_ids",
];
const NAMES = ["translator.tflite", "tokenizer.json"];

/**
 * The content of an exported directory.
 *
 * @typedef {object} ModelFiles
 * @property {object} manifest content of `manifest.json`.
 * @property {Uint8Array} model the content of `translator.tflite`.
 * @property {object} tokenizer content of `tokenizer.json`.
 */

/**
 * @param {(name: string, entry?: object) => Promise<Uint8Array>} read returns a file's content;
 *   `entry` is its entry in the manifest.
 * @returns {Promise<ModelFiles>}
 * @throws {ExportedFileError} a file is missing, damaged, or of a newer format.
 */
export async function readModelFiles(read) {
  const manifest = parseManifest(await read(MANIFEST));
  const [model, tokenizer] = await Promise.all(
    NAMES.map(async (name) => {
      const entry = manifest.files[name];
      if (!entry) throw new ExportedFileError(`Expected ${name} in ${MANIFEST}. Received: none`);
      return await checked(name, entry, await read(name, entry));
    }),
  );
  return { manifest, model, tokenizer: parse(tokenizer, "tokenizer.json") };
}

/** @returns {Promise<string>} SHA-256 of bytes, in hexadecimal. */
export async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) {
    throw new ExportedFileError(
      "Expected a page from https or localhost: elsewhere the model cannot be checked and kept. " +
        `Received: ${globalThis.location?.origin}`,
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function checked(name, entry, content) {
  if ((await sha256(content)) !== entry.sha256) {
    throw new ExportedFileError(
      `Expected the file that ${MANIFEST} names, of ${entry.bytes} bytes. ` +
        `Received: ${name}, ${content.length} bytes, which is damaged or another file`,
    );
  }
  return content;
}

function parseManifest(content) {
  const manifest = parse(content, MANIFEST);
  const { format, format_version: version } = manifest ?? {};
  const isKnown = format === FORMAT && Number.isInteger(version) && version <= FORMAT_VERSION;
  if (!isKnown || !KEYS.every((key) => key in manifest)) {
    throw new ExportedFileError(
      `Expected ${MANIFEST} of format ${FORMAT}, version ${FORMAT_VERSION} at most. ` +
        `Received: format ${format}, version ${version}`,
    );
  }
  return manifest;
}

function parse(content, name) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch (error) {
    throw new ExportedFileError(`Expected JSON. Received: ${name}, which is damaged`, {
      cause: error,
    });
  }
}
