/**
 * Drives the page in a real browser. Standard input has in JSON `{browser, scenario, ...}`; what
 * was seen is printed in JSON.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update"],
];
const TYPED = 12;

const scenarios = {
  /** Enters sentences and reads their translations: some by keys and button, the rest faster. */
  async translations(page, { exported, sentences }) {
    const server = await serve(exported);
    await open(page, server.url);
    const found = {};
    for (const [search, texts] of Object.entries(sentences)) {
      await page.setChecked("#beam", search === "beam");
      found[search] = [];
      for (const [index, text] of texts.slice(0, TYPED).entries()) {
        found[search].push(await typed(page, text, index % 2 ? "button" : "keys"));
      }
      found[search].push(...(await page.evaluate(submitted, texts.slice(TYPED))));
    }
    server.stop();
    return found;
  },

  /** Uses the keyboard alone, and lets the page translate while it is typed. */
  async keyboard(page, { exported, text }) {
    const server = await serve(exported);
    await open(page, server.url);
    await page.keyboard.press("Tab");
    await page.keyboard.type(text, { delay: 5 });
    await page.waitForFunction(() => document.getElementById("finished").textContent);
    const found = { translation: await page.textContent("#finished"), stops: [] };
    for (const key of ["Tab", "Tab", "Tab", "ArrowRight", "End", "ArrowDown", "Home", "Tab"]) {
      await page.keyboard.press(key);
      found.stops.push(await page.evaluate(focused));
    }
    await page.keyboard.press("Shift+Tab");
    found.linked = await page.locator("#target .word.linked").count();
    found.says = await page.textContent("#says");
    await page.keyboard.press("Escape");
    found.marked = await page.locator(".word.active, .word.linked").count();
    found.outline = await page.locator("main").ariaSnapshot();
    server.stop();
    return found;
  },

  /** Visits again with no server, then with servers that have another export and a broken one. */
  async offline(page, { exported, next, broken, text }) {
    const server = await serve(exported);
    await open(page, server.url);
    const found = { first: await typed(page, text, "keys") };
    server.stop();
    await open(page, server.url);
    found.offline = await typed(page, text, "keys");
    found.offlineStatus = await page.textContent("#status");
    const newer = await serve(next, new URL(server.url).port);
    await open(page, server.url);
    found.next = await typed(page, text, "keys");
    newer.stop();
    await open(page, server.url);
    found.nextOffline = await typed(page, text, "keys");
    const failing = await serve(broken, new URL(server.url).port);
    await open(page, server.url);
    found.problem = await page.textContent("#problem");
    found.broken = await typed(page, text, "keys");
    failing.stop();
    found.kept = await page.evaluate(keptModelFiles);
    return found;
  },

  /** Opens the page with broken models, then with a whole one. */
  async broken(page, { broken, exported }) {
    const found = [];
    for (const directory of [...broken, exported]) {
      const server = await serve(directory);
      await open(page, server.url);
      found.push(await page.textContent("#problem"));
      server.stop();
    }
    return found;
  },

  /** The width of the page in windows of several widths. */
  async widths(page, { exported, text, widths }) {
    const server = await serve(exported);
    await open(page, server.url);
    await typed(page, text, "keys");
    const found = [];
    for (const width of widths) {
      await page.setViewportSize({ width, height: 700 });
      found.push(await page.evaluate(() => document.documentElement.scrollWidth));
    }
    server.stop();
    return found;
  },
};

const { browser, scenario, ...question } = JSON.parse(readFileSync(0, "utf8"));
const profile = mkdtempSync(join(tmpdir(), "web-page-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: browser,
  args: FLAGS,
});
const troubles = [];
try {
  const page = await context.newPage();
  page.on("console", (line) => line.type() === "error" && troubles.push(line.text()));
  page.on("pageerror", (error) => troubles.push(String(error)));
  const found = await scenarios[scenario](page, question);
  console.log(JSON.stringify({ found, troubles }));
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}

async function serve(exported, port = "0") {
  const process = spawn("node", ["serve.mjs", exported, port], { stdio: ["ignore", "pipe", 2] });
  for await (const url of createInterface({ input: process.stdout })) {
    return { url, stop: () => process.kill() };
  }
  throw new Error("the server has ended");
}

async function open(page, url) {
  await page.goto(url);
  await page.waitForSelector("html[data-state]", { state: "attached" });
}

/** Types a text in place of what is there, asks for it and reads the translation. */
async function typed(page, text, how) {
  await page.fill("#text", text);
  if (how === "keys") await page.press("#text", "Control+Enter");
  else await page.click("button");
  return (await page.evaluate(submitted, [null]))[0];
}

/** In the page: submits texts one by one, or nothing for null, and reads their translations. */
async function submitted(texts) {
  const [form, text, result, finished, target] = [
    "form",
    "text",
    "result",
    "finished",
    "target",
  ].map((id) => document.getElementById(id));
  const frame = () => new Promise(requestAnimationFrame);
  const found = [];
  for (const each of texts) {
    if (each !== null) {
      text.value = each;
      form.requestSubmit();
    }
    while (result.ariaBusy === "true") await frame();
    await frame();
    found.push({ finished: finished.textContent, shown: target.textContent });
  }
  return found;
}

function focused() {
  const { activeElement: element } = document;
  if (!element.matches(".word")) return element.id || element.tagName;
  const line = element.parentElement;
  return `${line.id} ${[...line.children].indexOf(element)}`;
}

async function keptModelFiles() {
  const cache = await caches.open("keras-bahdanau-model");
  return (await cache.keys()).map(({ url }) => url.replace(/.*\/model\//, ""));
}
