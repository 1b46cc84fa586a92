/** Runs functions of the example on what standard input has in JSON, and prints their results. */

import { readFileSync } from "node:fs";

import { splitAtSentences } from "./splitting.js";
import { Tokenizer } from "./tokenizer.js";
import { mergePieces, wordAttention } from "./words.js";

const functions = {
  tokenize({ tokenizer, texts }) {
    const loaded = new Tokenizer(tokenizer);
    return texts.map((text) => {
      const ids = loaded.encode(text);
      const pieces = loaded.segment(text).map(({ piece }) => piece);
      return [loaded.normalizer.normalize(text), ids, pieces, loaded.decode(ids)];
    });
  },
  split({ texts, limit }) {
    return texts.map((text) => splitAtSentences(text, (part) => [...part].length, limit));
  },
  merge({ sentences }) {
    return sentences.map(({ source, target, rows }) => {
      const [sourceWords, targetWords] = [mergePieces(source), mergePieces(target)];
      return {
        source: sourceWords.map(({ text }) => text),
        target: targetWords.map(({ text }) => text),
        weights: wordAttention(rows, sourceWords, targetWords),
      };
    });
  },
};

const { name, ...question } = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(functions[name](question)));
