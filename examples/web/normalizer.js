/** SentencePiece's text normalization, from the compiled rules in `tokenizer.json`. */

const SPACE = 0x20;
const SPACE_SYMBOL = [0xe2, 0x96, 0x81]; // U+2581 in UTF-8.
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Applies the rules, collapses spaces and escapes them, exactly as SentencePiece does
 * (`Normalizer::Normalize` in its `src/normalizer.cc`).
 */
export class Normalizer {
  /** @param {object} description the content of `tokenizer.json`. */
  constructor(description) {
    const charsmap = base64Bytes(description.charsmap);
    this.removesSpaces = description.remove_extra_whitespaces;
    this.addsPrefix = description.add_dummy_prefix;
    this.space = description.escape_whitespaces ? SPACE_SYMBOL : [SPACE];
    // The size of a double-array trie, the trie, then the replacements, each NUL-terminated.
    const trieSize = charsmap.length ? new DataView(charsmap.buffer).getUint32(0, true) : 0;
    const units = new DataView(charsmap.buffer, charsmap.length ? 4 : 0, trieSize);
    this.trie = Uint32Array.from({ length: trieSize / 4 }, (_, i) => units.getUint32(4 * i, true));
    this.replacements = charsmap.subarray(4 + trieSize);
  }

  /** @returns {string} the normalized text. */
  normalize(text) {
    const bytes = encoder.encode(text);
    const found = bytes.length && this.addsPrefix ? [...this.space] : [];
    let followsSpace = this.removesSpaces;
    for (let at = 0; at < bytes.length;) {
      const [length, replacement] = this.#prefix(bytes, at);
      at += length;
      let from = 0;
      while (followsSpace && replacement[from] === SPACE) from += 1;
      if (from === replacement.length) continue;
      for (const byte of replacement.subarray(from)) {
        if (byte === SPACE) found.push(...this.space);
        else found.push(byte);
      }
      followsSpace = this.removesSpaces && replacement.at(-1) === SPACE;
    }
    if (this.removesSpaces) this.#strip(found);
    return decoder.decode(Uint8Array.from(found));
  }

  /** Longest matching rule at a position: number of bytes and their replacement. */
  #prefix(bytes, at) {
    const [length, start] = this.#longestRule(bytes, at);
    if (length) {
      return [length, this.replacements.subarray(start, this.replacements.indexOf(0, start))];
    }
    const size = characterSize(bytes[at]);
    return [size, bytes.subarray(at, at + size)];
  }

  /** Walks the trie, in the layout of Darts-clone (https://github.com/s-yata/darts-clone). */
  #longestRule(bytes, at) {
    let [length, value] = [0, 0];
    if (!this.trie.length) return [length, value];
    let node = offset(this.trie[0]);
    for (let end = at; end < bytes.length;) {
      node ^= bytes[end];
      const unit = this.trie[node];
      // A unit with the top bit set holds a value.
      if ((unit & 0x800000ff) !== bytes[end]) break;
      end += 1;
      node ^= offset(unit);
      if ((unit >>> 8) & 1) [length, value] = [end - at, this.trie[node] & 0x7fffffff];
    }
    return [length, value];
  }

  #strip(bytes) {
    const { space } = this;
    while (bytes.length && space.every((byte, i) => byte === bytes.at(i - space.length))) {
      bytes.length -= space.length;
    }
  }
}

function offset(unit) {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

function characterSize(byte) {
  if (byte < 0x80) return 1;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : 4;
}

function base64Bytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
