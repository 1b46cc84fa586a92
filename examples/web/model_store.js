/** Fetches an exported directory and keeps it in the browser, for times without a network. */

import { ExportedFileError } from "./errors.js";

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
    this.kept = new Map();
  }

  /**
   * What `readModelFiles` takes. The manifest is the network's while there is one; the files are
   * the kept ones as long as the manifest names them.
   */
  read = async (name, entry) => {
    const key = new URL(entry ? `${name}?sha256=${entry.sha256}` : name, this.url).href;
    const found = entry ? await this.cache?.match(key) : null;
    const content = found
      ? new Uint8Array(await found.arrayBuffer())
      : await this.#fetch(key, entry).catch((error) => this.#fallBack(key, entry, error));
    this.kept.set(key, content);
    return content;
  };

  /**
   * Keeps what was read, and nothing else.
   *
   * @returns {Promise<boolean>} whether the browser did.
   */
  async keep() {
    if (!this.cache) return false;
    try {
      // The manifest was read first and is written last, when all that it names is there.
      for (const [key, content] of [...this.kept].reverse()) {
        if (key.includes("?") && (await this.cache.match(key))) continue;
        await this.cache.put(key, new Response(content));
      }
      for (const request of await this.cache.keys()) {
        if (!this.kept.has(request.url)) await this.cache.delete(request);
      }
      return true;
    } catch {
      return false;
    } finally {
      this.kept.clear();
    }
  }

  /** Forgets the model: the next visit fetches it again. */
  async clear() {
    await globalThis.caches?.delete(CACHE);
  }

  async #fetch(key, entry) {
    const response = await fetch(key, { cache: "no-cache" });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    if (!entry) return new Uint8Array(await response.arrayBuffer());
    const chunks = [];
    let loaded = 0;
    for (const reader = response.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
      chunks.push(value);
      loaded += value.length;
      if (key.includes(".tflite")) this.onProgress(loaded, entry.bytes);
    }
  }

  async #fallBack(key, entry, error) {
    const found = entry ? null : await this.cache?.match(key);
    if (found) return new Uint8Array(await found.arrayBuffer());
    throw new ExportedFileError(
      "Expected an exported LiteRT directory with translator.tflite, tokenizer.json and " +
        `manifest.json. Received: ${key}, which cannot be read (${error.message})`,
      { cause: error },
    );
  }
}
