/** Starts LiteRT.js without its log lines. */

/**
 * @param {object} litert the module `@litertjs/core`.
 * @param {string} wasm the folder of its compiled code, with a slash at the end.
 * @returns {Promise<object>} the module, ready to compile models.
 */
export async function startLiteRt(litert, wasm) {
  // LiteRT's loader takes its options from here. INFO and WARNING lines are dropped.
  self.Module = {
    locateFile: (name) => wasm + name,
    printErr: (line) => /^(INFO|WARNING):/.test(line) || console.error(line),
  };
  const { warn } = console;
  // It warns if there is no GPU, which is not used here.
  console.warn = () => {};
  try {
    await litert.loadLiteRt(wasm);
  } finally {
    console.warn = warn;
  }
  return litert;
}
