/** Fetches an exported directory and caches it in the browser for offline use. */

import { ExportedFileError } from "./errors.js";
import { readModelFiles } from "./model_files.js";

const CACHE = "keras-bahdanau-model";

/**
 * The files of one model, cached by the SHA-256 that the manifest gives. A new export has other
 * checksums, so its files are fetched and replace the old ones.
 */
export class ModelStore {
  /**
   * @param {string} url of an exported directory, with a slash at the end.
   * @param {(loaded: number, total: number) => void} onProgress bytes of the model's file.
   */
  static async open(url, onProgress) {
    // A browser may refuse to cache, for example in a private window.
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
   * Reads the server's model, or the cached one where that fails, and caches it.
   *
   * @returns {Promise<{files: import("./model_files.js").ModelFiles, isKept: boolean,
   *   problem: ?string}>} `problem`: why a newer model on the server could not be used.
   * @throws {ExportedFileError} neither could be read.
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
        // The cached files are unusable: the next visit fetches them again.
        await globalThis.caches?.delete(CACHE);
        throw error;
      }
    }
  }

  /** The server's manifest, if it answers. The files that it names may come from the cache. */
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

  /** Caches the files that were read and deletes all others; returns whether that succeeded. */
  async #keep(read) {
    if (!this.cache) return false;
    try {
      // The manifest is written last, after all files that it names.
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
