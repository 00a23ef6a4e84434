// transformers.js as the build of the page copies it: its files, and how the worker of the lab loads them.

import type { TransformersLibrary } from '../../src/bench/peer-library.ts';
import { msg } from '../../src/core/message.ts';
import { HeddleError } from '../../src/entries/heddle.ts';

/**
 * Loads transformers.js from the folder of the page, with the runtime beside it. Throws a HeddleError if it does not
 * load.
 */
export async function loadTransformers(page: string): Promise<TransformersLibrary> {
  const address = (file: string) => new URL(`transformers/${file}`, page).href;
  let library: TransformersLibrary;
  try {
    library = await import(/* @vite-ignore */ address('transformers.min.js'));
  } catch {
    throw new HeddleError(msg`transformers.js did not load. Measure again without it.`);
  }
  const [mjs, wasm] = ['mjs', 'wasm'].map((end) => address(`ort-wasm-simd-threaded.${end}`));
  library.env.backends.onnx.wasm.wasmPaths = { mjs, wasm };
  return library;
}
