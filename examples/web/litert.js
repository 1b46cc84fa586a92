/** Starts LiteRT.js without its chatter. */

/**
 * @param {object} litert the module `@litertjs/core`.
 * @param {string} wasm the folder of its compiled code, with a slash at the end.
 * @returns {Promise<object>} the module, ready to compile models.
 */
export async function startLiteRt(litert, wasm) {
  // LiteRT's loader takes its options from here. What it notes is no error of a page.
  self.Module = {
    locateFile: (name) => wasm + name,
    printErr: (line) => /^(INFO|WARNING):/.test(line) || console.error(line),
  };
  const { warn } = console;
  // It looks for a GPU, which is not used here, and warns where there is none.
  console.warn = () => {};
  try {
    await litert.loadLiteRt(wasm);
  } finally {
    console.warn = warn;
  }
  return litert;
}
