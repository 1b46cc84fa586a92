/**
 * Compares this runtime with the golden lines: text to ids to text, greedy search and beam search.
 *
 *     node check_golden.mjs EXPORTED
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { ExportedFileError } from "./errors.js";
import { loadTranslator } from "./litert_node.mjs";

const GOLDEN = "golden.jsonl";
const VECTORS = "tokenizer_vectors.jsonl";

try {
  const [directory, ...others] = process.argv.slice(2);
  if (!directory || others.length) {
    const received = process.argv.slice(2).join(" ") || "nothing";
    throw new ExportedFileError(`Expected an exported LiteRT directory. Received: ${received}`);
  }
  const translator = await loadTranslator(directory);
  const texts = checkTokenizer(translator.tokenizer, await readLines(directory, VECTORS));
  const lines = await checkTranslations(translator, await readLines(directory, GOLDEN));
  console.log(`${texts}\n${lines}`);
} catch (error) {
  if (!(error instanceof ExportedFileError)) throw error;
  console.error(`check_golden.mjs: ${error.message}`);
  process.exitCode = 2;
}

function checkTokenizer(tokenizer, lines) {
  for (const [index, { text, normalized, pieces, ids, decoded }] of lines.entries()) {
    const found = {
      normalized: tokenizer.normalizer.normalize(text),
      pieces: tokenizer.segment(text).map(({ piece }) => piece),
      ids: tokenizer.encode(text),
      decoded: tokenizer.decode(ids),
    };
    const expected = { normalized, pieces, ids, decoded };
    for (const name of Object.keys(found)) same(VECTORS, index, name, expected[name], found[name]);
  }
  return `${lines.length} texts: the same pieces as SentencePiece's`;
}

async function checkTranslations(translator, lines) {
  for (const [index, line] of lines.entries()) {
    const ids = translator.sourceIds(line.text);
    same(GOLDEN, index, "source_ids", line.source_ids, ids);
    same(GOLDEN, index, "max_length", line.max_length, translator.bound(ids.length));
    for (const [name, beamWidth] of Object.entries({ greedy: 1, beam: translator.beamWidth })) {
      const { tokenIds } = await translator.search(ids, beamWidth);
      same(GOLDEN, index, `${name}.token_ids`, line[name].token_ids, tokenIds);
      const translation = await translator.translate(line.text, beamWidth);
      same(GOLDEN, index, `${name}.translation`, line[name].translation, translation);
    }
  }
  return `${lines.length} lines, greedy and beam: the same translations as Python's`;
}

async function readLines(directory, name) {
  const path = join(directory, name);
  try {
    const lines = (await readFile(path, "utf8")).trim().split("\n");
    return lines.map((line) => JSON.parse(line));
  } catch (error) {
    throw new ExportedFileError(`Expected lines of JSON. Received: ${path} (${error.message})`);
  }
}

function same(file, index, name, expected, found) {
  if (JSON.stringify(expected) === JSON.stringify(found)) return;
  throw new ExportedFileError(
    `Expected what line ${index + 1} of ${file} says, ${name} ${JSON.stringify(expected)}. ` +
      `Received: ${JSON.stringify(found)}. It may be the file of another model`,
  );
}
