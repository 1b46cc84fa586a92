/**
 * Checks that this runtime does what Python does: text to ids to text, greedy and beam.
 *
 *     node check_golden.mjs EXPORTED
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { ExportedFileError } from "./errors.js";
import { loadTranslator } from "./litert_node.mjs";

const directory = process.argv[2];
try {
  if (!directory)
    throw new ExportedFileError("Expected an exported LiteRT directory. Received: nothing");
  console.log(await checkGolden(directory));
} catch (error) {
  if (!(error instanceof ExportedFileError)) throw error;
  console.error(`check_golden.mjs: ${error.message}`);
  process.exitCode = 2;
}

async function checkGolden(directory) {
  const translator = await loadTranslator(directory);
  const lines = await readGolden(join(directory, "golden.jsonl"));
  for (const [index, line] of lines.entries()) {
    const found = translator.sourceIds(line.text);
    same(index, "source_ids", line.source_ids, found);
    same(index, "max_length", line.max_length, translator.bound(found.length));
    for (const [name, beamWidth] of Object.entries({ greedy: 1, beam: translator.beamWidth })) {
      const { tokenIds } = await translator.search(found, beamWidth);
      same(index, `${name}.token_ids`, line[name].token_ids, tokenIds);
      const translation = await translator.translate(line.text, beamWidth);
      same(index, `${name}.translation`, line[name].translation, translation);
    }
  }
  return `${lines.length} lines, greedy and beam: the same as Python's`;
}

async function readGolden(path) {
  try {
    return (await readFile(path, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  } catch (error) {
    throw new ExportedFileError(`Expected lines of JSON. Received: ${path} (${error.message})`);
  }
}

function same(index, name, expected, found) {
  if (JSON.stringify(expected) === JSON.stringify(found)) return;
  throw new ExportedFileError(
    `Expected what line ${index + 1} of golden.jsonl says, ${name} ${JSON.stringify(expected)}. ` +
      `Received: ${JSON.stringify(found)}. It may be the golden file of another model`,
  );
}
