// Worker with the engine of Firefox Translations: Marian as WebAssembly (bergamot-translator). A classic worker,
// since the engine's script is one; it answers the calls of demo/common/worker-client.ts. The wasm and its script are
// beside this file; they load with the first model. bench/decode runs it too.

let model;
let service;

/** The products of int8 matrices, which Firefox brings along; these are the engine's own. */
const products = {
  int8_prepare_a: 'int8PrepareAFallback',
  int8_prepare_b: 'int8PrepareBFallback',
  int8_prepare_b_from_transposed: 'int8PrepareBFromTransposedFallback',
  int8_prepare_b_from_quantized_transposed: 'int8PrepareBFromQuantizedTransposedFallback',
  int8_prepare_bias: 'int8PrepareBiasFallback',
  int8_multiply_and_add_bias: 'int8MultiplyAndAddBiasFallback',
  int8_select_columns_of_b: 'int8SelectColumnsOfBFallback',
};

async function openEngine() {
  const response = await fetch('bergamot-translator-worker.wasm');
  if (!response.ok) throw new Error(`the engine could not be downloaded (HTTP ${response.status})`);
  const wasm = await response.arrayBuffer();
  await new Promise((resolve, reject) => {
    self.Module = {
      print: () => {},
      printErr: () => {},
      onAbort: (reason) => reject(new Error(String(reason))),
      instantiateWasm(imports, accept) {
        const own = Object.entries(products).map(([name, from]) => [
          name,
          (...args) => self.Module.asm[from](...args),
        ]);
        WebAssembly.instantiate(wasm, { ...imports, wasm_gemm: Object.fromEntries(own) })
          .then(({ instance }) => accept(instance))
          .catch(reject);
        return {};
      },
      onRuntimeInitialized: resolve,
    };
    importScripts('bergamot-translator-worker.js');
  });
}

/** Loads a model. `options`: the configuration of Marian as YAML; `files`: bytes. Returns when it is ready. */
async function load({ options, files: { weights, shortlist, vocabularies } }) {
  if (!self.Module) await openEngine();
  const { AlignedMemory, AlignedMemoryList, BlockingService, TranslationModel } = self.Module;
  const memory = (bytes, alignment) => {
    const block = new AlignedMemory(bytes.length, alignment);
    block.getByteArrayView().set(bytes);
    return block;
  };
  const list = new AlignedMemoryList();
  for (const bytes of vocabularies) list.push_back(memory(bytes, 64));
  model?.delete();
  model = new TranslationModel(options, memory(weights, 256), memory(shortlist, 64), list, null);
  service ??= new BlockingService({ cacheSize: 0 });
}

/** Translates texts in one batch. Returns the translations and the milliseconds. */
function translate({ texts }) {
  const { VectorString, VectorResponseOptions } = self.Module;
  const [input, options] = [new VectorString(), new VectorResponseOptions()];
  for (const text of texts) {
    input.push_back(text);
    options.push_back({ alignment: false, html: false, qualityScores: false });
  }
  const begin = performance.now();
  const responses = service.translate(model, input, options);
  const milliseconds = performance.now() - begin;
  const translations = texts.map((_, i) => responses.get(i).getTranslatedText());
  for (const object of [input, options, responses]) object.delete();
  return { translations, milliseconds };
}

const calls = { load, translate, bytes: () => self.Module.HEAPU8.byteLength };

self.onmessage = async ({ data: { id, name, args } }) => {
  try {
    self.postMessage({ type: 'result', id, value: await calls[name](...args) });
  } catch (error) {
    self.postMessage({ type: 'error', id, message: String(error?.message ?? error) });
  }
};
