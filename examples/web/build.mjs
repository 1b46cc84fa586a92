/**
 * Writes the page with a model as a folder for any web server.
 *
 *     npm run build -- EXPORTED OUTPUT
 */

import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { argv } from "node:process";

import { siteContent, siteFiles } from "./site.mjs";

const [exported, output] = argv.slice(2);
try {
  if (!output || argv.length > 4) {
    throw new Error(
      "Expected an exported LiteRT directory and a folder to write. " +
        `Received: ${argv.slice(2).join(" ") || "nothing"}`,
    );
  }
  await build(exported, resolve(output));
} catch (error) {
  console.error(`build.mjs: ${error.message}`);
  process.exitCode = 2;
}

/** Written atomically: to a temporary folder, then renamed. */
async function build(exported, output) {
  const there = await readdir(output).catch(() => []);
  if (there.length) throw new Error(`Expected a new or empty folder. Received: ${output}`);
  await mkdir(dirname(output), { recursive: true });
  const temporary = await mkdtemp(`${output}-`);
  try {
    for (const [path, file] of siteFiles(exported)) {
      const target = join(temporary, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, await siteContent(path, file));
    }
    await rename(temporary, output);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
