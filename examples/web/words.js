/** Merges attention of pieces to attention of words, as `alignments/words.py` does. */

const WORD_START = "\u2581";
// Scripts without spaces between words: each piece counts as a word.
const SCRIPTS = ["Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"];
const SPACELESS = new RegExp(
  `[${SCRIPTS.map((name) => `\\p{Script=${name}}`).join("")}\\u3000-\\u3003\\uff01-\\uff5e]`,
  "u",
);

/**
 * Merges pieces to words. A piece that begins with "\u2581" starts a word; in scripts without
 * spaces every piece does.
 *
 * @param {string[]} pieces in the order of the text.
 * @returns {{text: string, indices: number[], isSpaced: boolean}[]} the words, the indices of their
 *   pieces, and whether a space is in front of them.
 */
export function mergePieces(pieces) {
  const groups = [];
  pieces.forEach((piece, index) => {
    if (index === 0 || opensWord(piece, pieces[index - 1])) groups.push([index]);
    else groups.at(-1).push(index);
  });
  return groups.map((indices) => {
    const spelled = indices.map((index) => pieces[index]).join("");
    // A lone "\u2581" stays visible: an empty word could not be selected.
    const text = spelled.replaceAll(WORD_START, " ").trim() || WORD_START;
    return { text, indices, isSpaced: spelled.startsWith(WORD_START) };
  });
}

/**
 * Merges attention weights: those on the pieces of a source word are summed, those of the pieces
 * of a target word are averaged.
 *
 * @param {ArrayLike<number>[]} rows the weights of each target piece on the source pieces.
 * @param {{indices: number[]}[]} sourceWords of `mergePieces`.
 * @param {{indices: number[]}[]} targetWords of `mergePieces`.
 * @returns {number[][]} the weights of each target word on the source words.
 */
export function wordAttention(rows, sourceWords, targetWords) {
  return targetWords.map(({ indices }) =>
    sourceWords.map((source) => {
      const sums = indices.map((row) => sum(source.indices.map((column) => rows[row][column])));
      return sum(sums) / indices.length;
    }),
  );
}

function opensWord(piece, previous) {
  if (piece.startsWith(WORD_START)) return true;
  return SPACELESS.test([...piece][0] ?? "") && SPACELESS.test([...previous].at(-1) ?? "");
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
