/**
 * Translates in a worker thread, so that the page stays responsive.
 *
 * This is a classic worker, not a module, since LiteRT.js loads its code with `importScripts`.
 *
 * Takes `{id, text, isBeam}`; a newer request ends an older one. Posts messages of a `type`:
 * `progress` with `loaded` and `total` bytes, then `ready` with `bytes`, `isKept` and `problem`,
 * or `failed` with `message`; for a request, with its `id`, `token` with what `Translator.stream`
 * yields, then `done`, or `error` with `message`.
 */
"use strict";

const loading = load();
let latest = null;

self.onmessage = async ({ data: { id, text, isBeam } }) => {
  latest = id;
  try {
    const translator = await loading;
    if (translator) await translate(translator, id, text, isBeam);
  } catch (error) {
    self.postMessage({ type: "error", id, message: error.message });
  }
};

async function translate(translator, id, text, isBeam) {
  for await (const token of translator.stream(text, isBeam ? translator.beamWidth : 1)) {
    self.postMessage({ type: "token", id, ...token });
    await otherMessages();
    if (latest !== id) return;
  }
  self.postMessage({ type: "done", id });
}

async function load() {
  try {
    const [{ ModelStore }, { Translator }, litert] = await Promise.all([
      import("./model_store.js"),
      import("./translator.js"),
      loadLiteRt(),
    ]);
    const onProgress = (loaded, total) => self.postMessage({ type: "progress", loaded, total });
    const store = await ModelStore.open("model/", onProgress);
    const { files, isKept, problem } = await store.load();
    const translator = await Translator.load(files, litert);
    self.postMessage({ type: "ready", bytes: files.model.length, isKept, problem });
    return translator;
  } catch (error) {
    self.postMessage({ type: "failed", message: error.message });
    return null;
  }
}

async function loadLiteRt() {
  const [litert, { startLiteRt }] = await Promise.all([
    import("./litert/core.js"),
    import("./litert.js"),
  ]);
  return await startLiteRt(litert, new URL("litert/wasm/", self.location.href).href);
}

/** Lets the event loop handle pending messages. */
function otherMessages() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
