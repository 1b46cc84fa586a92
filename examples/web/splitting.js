/** Splits long texts by the rules of `keras_bahdanau/export/runtime.py`. */

// Python's white space: JavaScript's has U+FEFF too, and lacks U+001C to U+001F and U+0085.
const WHITE =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const SENTENCE_END = new RegExp(`(?<=[.!?\\u2026])[${WHITE}]+|(?<=[\\u3002\\uff01\\uff1f])`, "u");
const SPACES = new RegExp(`[${WHITE}]+`, "u");
const OUTER_SPACES = new RegExp(`^[${WHITE}]+|[${WHITE}]+$`, "gu");

/** @returns {boolean} whether a text is blank (white space only). */
export function isBlank(text) {
  return stripped(text) === "";
}

/**
 * Splits a text at sentence ends, else at spaces, else within words.
 *
 * @param {string} text
 * @param {(text: string) => number} measure
 * @param {number} limit maximum of `measure` for each part.
 * @returns {string[]}
 */
export function splitAtSentences(text, measure, limit) {
  const parts = [];
  for (const sentence of stripped(text).split(SENTENCE_END)) {
    for (const unit of measure(sentence) <= limit ? [sentence] : words(sentence)) {
      const joined = parts.length ? `${parts.at(-1)} ${unit}` : unit;
      if (parts.length && measure(joined) <= limit) parts[parts.length - 1] = joined;
      else parts.push(...halves([...unit], measure, limit));
    }
  }
  return parts;
}

/** @param {string[]} characters code points, so that no surrogate pair is split. */
function halves(characters, measure, limit) {
  const word = characters.join("");
  if (characters.length < 2 || measure(word) <= limit) return word ? [word] : [];
  const middle = Math.floor(characters.length / 2);
  return [characters.slice(0, middle), characters.slice(middle)].flatMap((half) =>
    halves(half, measure, limit),
  );
}

function stripped(text) {
  return text.replace(OUTER_SPACES, "");
}

function words(text) {
  return text.split(SPACES).filter(Boolean);
}
