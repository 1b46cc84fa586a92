/** Text to token ids and back, from `tokenizer.json`: the pieces are SentencePiece's own. */

import { ExportedFileError } from "./errors.js";
import { Normalizer } from "./normalizer.js";

const FORMAT = "keras-bahdanau-tokenizer";
const FORMAT_VERSION = 1;
const UNKNOWN_PENALTY = 10;
const UNKNOWN_TEXT = " \u2047 ";
const KEYS = ["charsmap", "pieces", "space_symbol"];

/**
 * A SentencePiece unigram model.
 *
 * Scores are added in float32 and the first of equal scores wins, as in SentencePiece's
 * `Model::EncodeOptimized` (`src/unigram_model.cc`).
 */
export class Tokenizer {
  /**
   * @param {object} description the content of `tokenizer.json`.
   * @throws {ExportedFileError} its format or model type is not supported.
   */
  constructor(description) {
    check(description);
    this.spaceSymbol = description.space_symbol;
    this.stripsAll = description.remove_extra_whitespaces;
    this.stripsPrefix = description.add_dummy_prefix || this.stripsAll;
    this.pieces = description.pieces.map(([piece]) => piece);
    this.types = description.pieces.map(([, , type]) => type);
    this.unknownId = this.types.indexOf("unknown");
    this.ids = new Map();
    this.scores = new Float64Array(this.pieces.length);
    this.longest = 0;
    description.pieces.forEach(([piece, score, type], id) => {
      if (type !== "normal") return;
      this.ids.set(piece, id);
      this.longest = Math.max(this.longest, piece.length);
      this.scores[id] = score;
    });
    const scores = Array.from(this.ids.values(), (id) => this.scores[id]);
    const least = scores.reduce((one, other) => Math.min(one, other), Infinity);
    this.unknownScore = Math.fround(least - UNKNOWN_PENALTY);
    this.normalizer = new Normalizer(description);
  }

  /** @returns {number[]} the ids of a text's pieces. */
  encode(text) {
    return this.segment(text).map(({ id }) => id);
  }

  /**
   * Splits a text into pieces.
   *
   * @returns {{id: number, piece: string}[]} an unknown piece as in the text.
   */
  segment(text) {
    const normalized = this.normalizer.normalize(text);
    const starts = this.#bestStarts(normalized);
    const found = [];
    for (let end = normalized.length; end > 0;) {
      const [start, id] = starts[end];
      const piece = normalized.slice(start, end);
      // Consecutive unknown pieces are merged.
      if (id === this.unknownId && found.at(-1)?.id === id) {
        found.at(-1).piece = piece + found.at(-1).piece;
      } else {
        found.push({ id, piece });
      }
      end = start;
    }
    return found.reverse();
  }

  /** Viterbi: start and id of the last piece of the best segmentation up to each position. */
  #bestStarts(text) {
    const scores = new Float32Array(text.length + 1);
    const starts = new Array(text.length + 1);
    const offer = (start, end, id, score) => {
      const sum = Math.fround(scores[start] + score);
      if (starts[end] && sum <= scores[end]) return;
      scores[end] = sum;
      starts[end] = [start, id];
    };
    for (let start = 0; start < text.length;) {
      const next = start + characterLength(text, start);
      let isKnown = false;
      const last = Math.min(text.length, start + this.longest);
      for (let end = next; end <= last; end += characterLength(text, end)) {
        const id = this.ids.get(text.slice(start, end));
        if (id === undefined) continue;
        offer(start, end, id, this.scores[id]);
        isKnown ||= end === next;
      }
      if (!isKnown) offer(start, next, this.unknownId, this.unknownScore);
      start = next;
    }
    return starts;
  }

  /** @returns {string} the text of ids. Control ids are left out. */
  decode(ids) {
    let text = "";
    let isStart = this.stripsPrefix;
    for (const id of ids) {
      const piece = this.pieces[id];
      if (piece === undefined) {
        throw new RangeError(`Expected ids below ${this.pieces.length}. Received: ${id}`);
      }
      if (this.types[id] === "control") continue;
      const isPrefixed = isStart && piece.startsWith(this.spaceSymbol);
      const rest = isPrefixed ? piece.slice(this.spaceSymbol.length) : piece;
      text += id === this.unknownId ? UNKNOWN_TEXT : rest.replaceAll(this.spaceSymbol, " ");
      isStart &&= !text && !(isPrefixed && !this.stripsAll);
    }
    return text;
  }
}

function characterLength(text, at) {
  return text.codePointAt(at) > 0xffff ? 2 : 1;
}

function check(description) {
  const { format, format_version: version } = description ?? {};
  const isKnown = format === FORMAT && Number.isInteger(version) && version <= FORMAT_VERSION;
  if (!isKnown || !KEYS.every((key) => key in description)) {
    throw new ExportedFileError(
      `Expected a tokenizer of format ${FORMAT}, version ${FORMAT_VERSION} at most. ` +
        `Received: format ${format}, version ${version}`,
    );
  }
  const types = new Set(description.pieces.map(([, , type]) => type));
  const isOther = description.model_type !== "unigram" || description.byte_fallback;
  if (isOther || types.has("user_defined") || types.has("byte")) {
    throw new ExportedFileError(
      "Expected a tokenizer of model type unigram without bytes and symbols of the user. " +
        `Received: model type ${description.model_type}, pieces ${[...types].join(", ")}`,
    );
  }
}
