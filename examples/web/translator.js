/** Translates with an exported LiteRT directory, in a browser, its workers, or Node. */

import { ExportedFileError } from "./errors.js";
import { isBlank, splitAtSentences } from "./splitting.js";
import { Tokenizer } from "./tokenizer.js";

const SIGNATURES = ["encode", "decode_step", "translate", "translate_beam"];

/**
 * A loaded model. Its translations are those of `keras_bahdanau.export.runtime`.
 *
 *     const translator = await Translator.load(await readModelFiles(read), litert);
 *     await translator.translate("A dog runs.");
 *     for await (const { text } of translator.stream("A dog runs.")) write(text);
 */
export class Translator {
  /**
   * @param {import("./model_files.js").ModelFiles} files
   * @param {object} litert the module `@litertjs/core`, after its `loadLiteRt`.
   * @throws {ExportedFileError} LiteRT cannot run the model.
   */
  static async load(files, litert) {
    const tokenizer = new Tokenizer(files.tokenizer);
    try {
      const model = await litert.loadAndCompile(files.model, { accelerator: "wasm" });
      return new Translator(files.manifest, tokenizer, model, litert.Tensor);
    } catch (error) {
      throw new ExportedFileError(
        `Expected a LiteRT file that runs here. Received: translator.tflite, ${error.message}`,
        { cause: error },
      );
    }
  }

  /** @private Call `load`. */
  constructor(manifest, tokenizer, model, Tensor) {
    const absent = SIGNATURES.filter((name) => !(name in model.signatures));
    if (absent.length) throw new Error(`which has no signature ${absent.join(", ")}`);
    this.manifest = manifest;
    this.tokenizer = tokenizer;
    this.maxLength = manifest.max_length;
    this.beamWidth = manifest.beam_width;
    this.special = manifest.special_ids;
    this.model = model;
    this.Tensor = Tensor;
  }

  /**
   * Translates a text. One beyond the model's limit is split at sentence ends (else at spaces),
   * translated part by part and joined. A blank text has a blank translation.
   *
   * @param {string} text
   * @param {number} beamWidth 1 for greedy search, or the file's own beam width, the default.
   * @returns {Promise<string>}
   */
  async translate(text, beamWidth = this.beamWidth) {
    const translations = [];
    for (const part of this.parts(text)) {
      const { tokenIds } = await this.search(this.sourceIds(part), beamWidth);
      translations.push(this.#text(tokenIds));
    }
    return translations.filter(Boolean).join(" ");
  }

  /**
   * Translates a text and yields each token with its attention weights.
   *
   * Greedy search yields tokens as they are generated. Beam search finds a part's whole
   * translation first.
   *
   * @param {string} text
   * @param {number} beamWidth as in `translate`, but 1 is the default.
   * @yields {{text: string, piece: string, attention: Float32Array, part: number,
   *   sourcePieces: string[]}} All `text`s joined are the translation that `translate` returns.
   *   `attention` has a weight for each of `sourcePieces` and one for the end of the part.
   */
  async *stream(text, beamWidth = 1) {
    this.#checkBeamWidth(beamWidth);
    let isFirst = true;
    for (const [part, partText] of this.parts(text).entries()) {
      const sourcePieces = this.tokenizer.segment(partText).map(({ piece }) => piece);
      const tokenIds = [];
      let written = "";
      const tokens = this.#tokens(this.sourceIds(partText), beamWidth);
      for await (const { tokenId, attention } of tokens) {
        tokenIds.push(tokenId);
        const partTranslation = this.#text(tokenIds);
        const added = partTranslation.slice(written.length);
        const lead = added && !written && !isFirst ? " " : "";
        written = partTranslation;
        if (written) isFirst = false;
        const piece = this.tokenizer.pieces[tokenId];
        yield { text: lead + added, piece, attention, part, sourcePieces };
      }
    }
  }

  /** @returns {string[]} the text, its parts if it is beyond the limit, or none if it is blank. */
  parts(text) {
    if (typeof text !== "string") throw new TypeError(`Expected a text. Received: ${typeof text}`);
    const length = this.sourceLength(text);
    if (length === 1 || isBlank(text)) return [];
    if (length <= this.maxLength) return [text];
    return splitAtSentences(text, (part) => this.sourceLength(part), this.maxLength);
  }

  /** @returns {number[]} ids of a text's pieces and the end token: input of the signatures. */
  sourceIds(text) {
    return [...this.tokenizer.encode(text), this.special.end_id];
  }

  /** @returns {number} length of a text in pieces, the end token included. */
  sourceLength(text) {
    return this.sourceIds(text).length;
  }

  /** @returns {number} maximum length of the translation of a source, in tokens. */
  bound(sourceLength) {
    const { factor, offset } = this.manifest.length_bound;
    return Math.min(factor * sourceLength + offset, this.manifest.max_target_length);
  }

  /**
   * Runs `translate` or `translate_beam` on ids.
   *
   * @param {number[]} sourceIds with the end token, at most `maxLength`.
   * @param {number} beamWidth as in `translate`.
   * @returns {Promise<{tokenIds: number[], logProbability?: number, score?: number}>} the end
   *   token is among the ids where it was generated.
   */
  async search(sourceIds, beamWidth = this.beamWidth) {
    this.#checkBeamWidth(beamWidth);
    const inputs = {
      ...this.#source(sourceIds),
      max_length: this.#scalar(this.bound(sourceIds.length)),
    };
    const found = await this.#run(beamWidth > 1 ? "translate_beam" : "translate", inputs, inputs);
    const numbers = (name) => found[name].toTypedArray();
    const tokenIds = Array.from(numbers("token_ids").subarray(0, numbers("length")[0]));
    const scores =
      beamWidth > 1
        ? { logProbability: numbers("log_probability")[0], score: numbers("score")[0] }
        : {};
    free(found);
    return { tokenIds, ...scores };
  }

  /** Frees the model's memory. */
  delete() {
    this.model.delete();
  }

  /** The tokens of a translation one by one, each with its attention, without the end token. */
  async *#tokens(sourceIds, beamWidth) {
    const chosen = beamWidth > 1 ? (await this.search(sourceIds, beamWidth)).tokenIds : null;
    const source = this.#source(sourceIds);
    const { source_length } = source;
    const { memory, keys, ...start } = await this.#run("encode", source, {
      source_ids: source.source_ids,
    });
    let states = start;
    let last = this.special.start_id;
    try {
      const bound = chosen ? chosen.length : this.bound(sourceIds.length);
      for (let index = 0; index < bound; index += 1) {
        const used = { token_id: this.#scalar(last), ...states };
        const step = await this.#run("decode_step", { ...used, memory, keys, source_length }, used);
        const { logits, attention_scores, ...next } = step;
        states = next;
        last = chosen ? chosen[index] : this.#best(logits.toTypedArray());
        const attention = attention_scores.toTypedArray().slice(0, sourceIds.length);
        free({ logits, attention_scores });
        if (last === this.special.end_id) return;
        yield { tokenId: last, attention };
      }
    } finally {
      free({ memory, keys, source_length, ...states });
    }
  }

  #best(logits) {
    const never = [this.special.pad_id, this.special.unknown_id, this.special.start_id];
    for (const id of never) logits[id] = -Infinity;
    return logits.reduce((best, value, id) => (value > logits[best] ? id : best), 0);
  }

  #text(tokenIds) {
    const special = Object.values(this.special);
    return this.tokenizer.decode(tokenIds.filter((id) => !special.includes(id)));
  }

  #source(sourceIds) {
    if (sourceIds.length < 1 || sourceIds.length > this.maxLength) {
      throw new RangeError(
        `Expected 1 to ${this.maxLength} source ids. Received: ${sourceIds.length}`,
      );
    }
    const padded = new Int32Array(this.maxLength).fill(this.special.pad_id);
    padded.set(sourceIds);
    return {
      source_ids: new this.Tensor(padded, [1, this.maxLength]),
      source_length: this.#scalar(sourceIds.length),
    };
  }

  #scalar(number) {
    return new this.Tensor(Int32Array.of(number), [1]);
  }

  #checkBeamWidth(beamWidth) {
    if (beamWidth !== 1 && beamWidth !== this.beamWidth) {
      throw new RangeError(
        `Expected beamWidth 1 (greedy) or ${this.beamWidth} (fixed in the file). ` +
          `Received: beamWidth=${beamWidth}`,
      );
    }
  }

  /** Runs a signature and frees the tensors that are no longer needed. */
  async #run(name, inputs, used) {
    try {
      return await this.model.run(name, inputs);
    } finally {
      free(used);
    }
  }
}

/** Deletes tensors, which LiteRT.js never frees itself. */
function free(tensors) {
  for (const tensor of Object.values(tensors)) tensor.delete();
}
