/** Times a translator of examples/web/, the same under Node and in a browser. */

// Engines compile what runs often a second time, and better.
const WARM_UP = 60;

/**
 * @param {import("../examples/web/translator.js").Translator} translator
 * @param {string[]} texts
 * @returns {Promise<object>} by the name of a way to translate, the milliseconds and the
 *   translation of each text.
 */
export async function timed(translator, texts) {
  const ways = {
    greedy: (text) => translator.translate(text, 1),
    beam: (text) => translator.translate(text),
    "token by token": (text) => streamed(translator, text),
  };
  const found = {};
  for (const [name, translate] of Object.entries(ways)) {
    for (const text of texts.slice(0, WARM_UP)) await translate(text);
    found[name] = { milliseconds: [], translations: [] };
    for (const text of texts) {
      const start = performance.now();
      found[name].translations.push(await translate(text));
      found[name].milliseconds.push(performance.now() - start);
    }
  }
  return found;
}

async function streamed(translator, text) {
  let translation = "";
  for await (const token of translator.stream(text)) translation += token.text;
  return translation;
}
