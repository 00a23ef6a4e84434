// Marian in a worker of the page: bergamot-translator's wasm, without the worker of the package, whose
// settings are fixed (a shortlist of words, at most twice the length of the source). A message { id, call,
// args } gets the answer { id, result } or { id, error }.

let model;
let service;

/** Loads the wasm and a model. `options`: of Marian and bergamot-translator. Returns when it is ready. */
async function load({ folder, options }) {
  const fetched = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
  const [wasm, weights, vocabulary] = await Promise.all(
    ['/marian/bergamot-translator-worker.wasm', `${folder}/model.bin`, `${folder}/vocab.spm`].map(fetched),
  );
  await new Promise((resolve, reject) => {
    // The products of int8 matrices, which the browser may bring along; these are the package's own.
    const products = {
      int8_prepare_a: 'int8PrepareAFallback',
      int8_prepare_b: 'int8PrepareBFallback',
      int8_prepare_b_from_transposed: 'int8PrepareBFromTransposedFallback',
      int8_prepare_b_from_quantized_transposed: 'int8PrepareBFromQuantizedTransposedFallback',
      int8_prepare_bias: 'int8PrepareBiasFallback',
      int8_multiply_and_add_bias: 'int8MultiplyAndAddBiasFallback',
      int8_select_columns_of_b: 'int8SelectColumnsOfBFallback',
    };
    self.Module = {
      print: () => {},
      printErr: () => {},
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
    importScripts('/marian/bergamot-translator-worker.js');
  });
  const { AlignedMemory, AlignedMemoryList, BlockingService, TranslationModel } = self.Module;
  const memory = (bytes, alignment) => {
    const block = new AlignedMemory(bytes.length, alignment);
    block.getByteArrayView().set(bytes);
    return block;
  };
  const vocabularies = new AlignedMemoryList();
  vocabularies.push_back(memory(vocabulary, 64));
  const yaml = Object.entries(options).map(([name, value]) => `${name}: ${value}\n`);
  const shortlist = memory(new Uint8Array(0), 64);
  model = new TranslationModel(yaml.join(''), memory(weights, 256), shortlist, vocabularies, null);
  service = new BlockingService({ cacheSize: 0 });
}

/** Translates texts in one batch. */
function translate({ texts }) {
  const { VectorString, VectorResponseOptions } = self.Module;
  const [input, options] = [new VectorString(), new VectorResponseOptions()];
  for (const text of texts) {
    input.push_back(text);
    options.push_back({ alignment: false, html: false, qualityScores: false });
  }
  const responses = service.translate(model, input, options);
  const found = texts.map((_, i) => responses.get(i).getTranslatedText());
  for (const object of [input, options, responses]) object.delete();
  return found;
}

const calls = { load, translate, bytes: () => self.Module.HEAPU8.byteLength };

self.onmessage = async ({ data: { id, call, args } }) => {
  try {
    self.postMessage({ id, result: await calls[call](args) });
  } catch (error) {
    self.postMessage({ id, error: String(error?.message ?? error) });
  }
};
