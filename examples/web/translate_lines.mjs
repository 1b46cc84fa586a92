/**
 * Translates lines: standard input to standard output, one line for each line.
 *
 *     node translate_lines.mjs EXPORTED [--greedy] < sentences.en > sentences.de
 */

import { ExportedFileError } from "./errors.js";
import { loadTranslator } from "./litert_node.mjs";

const flags = process.argv.slice(2).filter((argument) => argument.startsWith("--"));
const directories = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

if (directories.length !== 1 || flags.some((flag) => flag !== "--greedy")) {
  stop("Expected an exported LiteRT directory, then --greedy or nothing", process.argv.slice(2));
} else {
  try {
    await translateLines(directories[0], flags.length > 0);
  } catch (error) {
    if (!(error instanceof ExportedFileError)) throw error;
    console.error(`translate_lines.mjs: ${error.message}`);
    process.exitCode = 2;
  }
}

async function translateLines(directory, isGreedy) {
  const translator = await loadTranslator(directory);
  for await (const line of linesOf(process.stdin.setEncoding("utf8"))) {
    const translation = await translator.translate(line, isGreedy ? 1 : translator.beamWidth);
    process.stdout.write(`${translation}\n`);
  }
}

/** Lines end at "\n" alone, as for the shell's tools. */
async function* linesOf(stream) {
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    yield* lines;
  }
  if (rest) yield rest;
}

function stop(expected, received) {
  console.error(`translate_lines.mjs: ${expected}. Received: ${received.join(" ") || "nothing"}`);
  process.exitCode = 2;
}
