/** Prints how many tensors each way to translate makes, and how many of them it never frees. */

import { readFileSync } from "node:fs";

import { Tensor } from "@litertjs/core";

import { loadTranslator } from "./litert_node.mjs";

const { exported, texts } = JSON.parse(readFileSync(0, "utf8"));
const translator = await loadTranslator(exported);
const [made, live] = [new Set(), new Set()];
watch(translator);
const ways = {
  greedy: (text) => translator.translate(text, 1),
  beam: (text) => translator.translate(text),
  stream: async (text) => {
    for await (const _ of translator.stream(text)) continue;
  },
  "a stream that is left": async (text) => {
    for await (const _ of translator.stream(text, translator.beamWidth)) break;
  },
  "ids that are refused": () => translator.search(new Array(99).fill(5)).catch(() => null),
  "a run that fails": async (text) => {
    const { run } = translator.model;
    translator.model.run = () => Promise.reject(new Error("no"));
    await translator.translate(text).catch(() => null);
    translator.model.run = run;
  },
};
const found = {};
for (const [name, translate] of Object.entries(ways)) {
  made.clear();
  for (const text of texts) await translate(text);
  found[name] = { made: made.size, live: live.size };
  live.clear();
}
console.log(JSON.stringify(found));

function watch(translator) {
  const add = (tensor) => [made, live].forEach((tensors) => tensors.add(tensor));
  const free = Tensor.prototype.delete;
  Tensor.prototype.delete = function () {
    live.delete(this);
    free.call(this);
  };
  translator.Tensor = class extends Tensor {
    constructor(...values) {
      super(...values);
      add(this);
    }
  };
  const run = translator.model.run.bind(translator.model);
  translator.model.run = async (name, inputs) => {
    const outputs = await run(name, inputs);
    Object.values(outputs).forEach(add);
    return outputs;
  };
}
