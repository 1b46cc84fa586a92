/** The page: sends text to the worker and shows the translation token by token. */

import { WordLines } from "./word_lines.js";

const PAUSE = 250; // Debounce: milliseconds without input before a text is translated.
const PATIENCE = 1000; // Milliseconds that the page waits for the service worker.

const ids = ["form", "text", "beam", "status", "progress", "problem", "finished", "result"];
const page = Object.fromEntries(ids.map((id) => [id, document.getElementById(id)]));
const elements = ["source", "target", "says"].map((id) => [id, document.getElementById(id)]);
const words = new WordLines(Object.fromEntries(elements));

let worker = null;
let request = { id: 0, text: "", isBeam: false, parts: [], translation: "" };
let pause = null;
let frame = null;

/** Handlers of the worker's messages, by type. */
const answers = {
  progress({ loaded, total }) {
    page.progress.value = loaded / total;
    page.status.textContent = `Loading the model: ${megabytes(loaded)} of ${megabytes(total)}`;
  },
  ready({ bytes, isKept, problem }) {
    page.progress.hidden = true;
    const kept = isKept && navigator.serviceWorker?.controller;
    const where = kept ? "works without a network" : "not kept in this browser";
    page.status.textContent = `Ready. Model of ${megabytes(bytes)}, ${where}.`;
    if (problem) page.problem.textContent = `The model of before is used. ${problem}`;
    document.documentElement.dataset.state = "ready";
  },
  failed({ message }) {
    page.progress.hidden = true;
    page.status.textContent = "The model could not be loaded.";
    page.problem.textContent = message;
    document.documentElement.dataset.state = "failed";
  },
  token({ part, sourcePieces, piece, attention, text }) {
    request.parts[part] ??= { sourcePieces, pieces: [], rows: [] };
    request.parts[part].pieces.push(piece);
    request.parts[part].rows.push(attention);
    request.translation += text;
    drawSoon();
  },
  done() {
    request.isDone = true;
    page.result.ariaBusy = "false";
    page.finished.textContent = request.translation;
    drawSoon();
  },
  error({ message }) {
    page.result.ariaBusy = "false";
    page.problem.textContent = message;
  },
};

page.form.addEventListener("submit", (event) => {
  event.preventDefault();
  translate();
});
page.text.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(translate, PAUSE);
});
page.text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) page.form.requestSubmit();
});
page.beam.addEventListener("change", translate);

await isControlled();
worker = new Worker("worker.js");
worker.addEventListener("message", ({ data }) => {
  if (data.id === undefined || data.id === request.id) answers[data.type](data);
});
worker.addEventListener("error", ({ message }) => {
  answers.failed({
    message: `Expected a browser that runs this page's worker. Received: ${message}`,
  });
});
if (page.text.value) translate();

function translate() {
  clearTimeout(pause);
  if (document.documentElement.dataset.state === "failed") return;
  const { value: text } = page.text;
  const { checked: isBeam } = page.beam;
  request = { id: request.id + 1, text, isBeam, parts: [], translation: "" };
  page.problem.textContent = "";
  page.finished.textContent = "";
  page.result.ariaBusy = "true";
  worker?.postMessage({ id: request.id, text, isBeam });
}

/** Redraws at most once per animation frame. */
function drawSoon() {
  frame ??= requestAnimationFrame(() => {
    frame = null;
    words.show(request.parts);
    if (!request.isDone) words.markLast();
  });
}

/**
 * Waits until the service worker controls the page, so that it caches what is loaded from here on.
 * Without a service worker (it needs https or localhost) the page works, but not offline.
 */
async function isControlled() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  const controlled = new Promise((resolve) => {
    if (serviceWorker.controller) resolve();
    serviceWorker.addEventListener("controllerchange", resolve, { once: true });
  });
  const registered = serviceWorker.register("service_worker.js").catch(() => null);
  const tooLong = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  await Promise.race([Promise.all([registered, controlled]), tooLong]);
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)}\u00a0MB`;
}
