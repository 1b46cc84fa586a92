/** Fetches an exported directory and keeps it in the browser, for times without a network. */

import { ExportedFileError } from "./errors.js";
import { readModelFiles } from "./model_files.js";

const CACHE = "keras-bahdanau-model";

/**
 * The files of one model. They are kept under their SHA-256 of the manifest: when a server has a
 * new export, the manifest names other files, which are fetched and replace the old ones.
 */
export class ModelStore {
  /**
   * @param {string} url of an exported directory, with a slash at the end.
   * @param {(loaded: number, total: number) => void} onProgress bytes of the model's file.
   */
  static async open(url, onProgress) {
    // A browser may refuse to keep anything, in a private window for one.
    const cache = await globalThis.caches?.open(CACHE).catch(() => null);
    return new ModelStore(new URL(url, location.href), onProgress, cache);
  }

  /** @private Call `open`. */
  constructor(url, onProgress, cache) {
    this.url = url;
    this.onProgress = onProgress;
    this.cache = cache;
  }

  /**
   * Reads the server's model, or the kept one where that fails, and keeps what it has read.
   *
   * @returns {Promise<{files: import("./model_files.js").ModelFiles, isKept: boolean,
   *   problem: ?string}>} `problem` is what is wrong with a newer model on the server.
   * @throws {ExportedFileError} there is neither.
   */
  async load() {
    const read = new Map();
    try {
      const files = await readModelFiles(async (name, entry) => {
        const content = await this.#newest(name, entry);
        read.set(this.#key(name, entry), content);
        return content;
      });
      return { files, isKept: await this.#keep(read), problem: null };
    } catch (error) {
      try {
        const files = await readModelFiles((name, entry) => this.#kept(name, entry));
        return { files, isKept: true, problem: error.message };
      } catch {
        // What is kept is of no use: the next visit fetches all of it again.
        await globalThis.caches?.delete(CACHE);
        throw error;
      }
    }
  }

  /** The manifest of the server, if it answers. Files that the manifest names may be kept ones. */
  async #newest(name, entry) {
    if (entry) return await this.#kept(name, entry).catch(() => this.#fetch(name, entry));
    return await this.#fetch(name).catch((error) =>
      this.#kept(name).catch(() => {
        throw error;
      }),
    );
  }

  async #kept(name, entry) {
    const found = await this.cache?.match(this.#key(name, entry));
    if (!found) throw new ExportedFileError(`Expected a kept ${name}. Received: none`);
    return new Uint8Array(await found.arrayBuffer());
  }

  async #fetch(name, entry) {
    const key = this.#key(name, entry);
    try {
      const response = await fetch(key, { cache: "no-cache" });
      if (!response.ok) throw new Error(`HTTP status ${response.status}`);
      if (!name.endsWith(".tflite")) return new Uint8Array(await response.arrayBuffer());
      return await this.#watched(response.body.getReader(), entry.bytes);
    } catch (error) {
      throw new ExportedFileError(
        "Expected an exported LiteRT directory with translator.tflite, tokenizer.json and " +
          `manifest.json. Received: ${key}, which cannot be read (${error.message})`,
        { cause: error },
      );
    }
  }

  async #watched(reader, total) {
    const chunks = [];
    for (let loaded = 0; ;) {
      const { done, value } = await reader.read();
      if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
      chunks.push(value);
      loaded += value.length;
      this.onProgress(loaded, total);
    }
  }

  /** Keeps what was read, and nothing else. Says whether the browser did. */
  async #keep(read) {
    if (!this.cache) return false;
    try {
      // The manifest was read first and is written last, when all that it names is there.
      for (const [key, content] of [...read].reverse()) {
        if (key.includes("?") && (await this.cache.match(key))) continue;
        await this.cache.put(key, new Response(content));
      }
      for (const request of await this.cache.keys()) {
        if (!read.has(request.url)) await this.cache.delete(request);
      }
      return true;
    } catch {
      return false;
    }
  }

  #key(name, entry) {
    return new URL(entry ? `${name}?sha256=${entry.sha256}` : name, this.url).href;
  }
}
