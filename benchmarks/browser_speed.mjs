/**
 * What `browser_speed.py` starts: times the runtime of examples/web/ under Node or in Chromium.
 *
 *     node browser_speed.mjs EXPORTED node|PATH-OF-CHROMIUM < texts.json > timings.json
 */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { loadTranslator } from "../examples/web/litert_node.mjs";
import { timed } from "./browser_timing.js";

const EXAMPLE = new URL("../examples/web/", import.meta.url);
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
// A worker as the page's own, with the clock around each translation.
const WORKER = `
  self.onmessage = async ({ data: texts }) => {
    try {
      const names = ["litert/core", "litert", "model_store", "translator", "browser_timing"];
      const [litert, { startLiteRt }, { ModelStore }, { Translator }, { timed }] =
        await Promise.all(names.map((name) => import("./" + name + ".js")));
      await startLiteRt(litert, new URL("litert/wasm/", self.location.href).href);
      const store = await ModelStore.open("model/", () => {});
      const translator = await Translator.load((await store.load()).files, litert);
      self.postMessage({ found: await timed(translator, texts) });
    } catch (error) {
      self.postMessage({ problem: String(error) });
    }
  };`;

const [exported, where] = argv.slice(2);
const texts = JSON.parse(readFileSync(0, "utf8"));
const found =
  where === "node" ? await timed(await loadTranslator(exported), texts) : await inChromium();
console.log(JSON.stringify(found));

async function inChromium() {
  const { chromium } = createRequire(new URL("package.json", EXAMPLE))("playwright-core");
  const server = spawn("node", [fileURLToPath(new URL("serve.mjs", EXAMPLE)), exported, "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const profile = mkdtempSync(join(tmpdir(), "browser-speed-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: where,
    args: FLAGS,
    serviceWorkers: "block",
  });
  try {
    const [url] = await new Promise((resolve) => {
      createInterface({ input: server.stdout }).on("line", (line) => resolve([line]));
    });
    const timing = readFileSync(new URL("browser_timing.js", import.meta.url), "utf8");
    const scripts = { "timing_worker.js": WORKER, "browser_timing.js": timing };
    for (const [name, body] of Object.entries(scripts)) {
      const answer = { body, contentType: "text/javascript" };
      await context.route(`**/${name}`, (route) => route.fulfill(answer));
    }
    const page = await context.newPage();
    await page.goto(`${url}icon.svg`);
    const { found, problem } = await page.evaluate(inWorker, texts);
    if (problem) throw new Error(problem);
    return found;
  } finally {
    await context.close();
    server.kill();
    rmSync(profile, { recursive: true, force: true });
  }
}

function inWorker(texts) {
  const worker = new Worker("/timing_worker.js");
  worker.postMessage(texts);
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve({ problem: message });
  });
}
