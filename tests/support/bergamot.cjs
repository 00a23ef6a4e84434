// Translates the lines of a file with Marian's own engine, bergamot-translator's wasm, and prints the translations:
// node bergamot.cjs PACKAGE OPTIONS MODEL SOURCE_VOCABULARY TARGET_VOCABULARY TEXTS [SHORTLIST]

const { readFileSync } = require('node:fs');
const { runInThisContext } = require('node:vm');

const [, , folder, options, modelPath, sourcePath, targetPath, textsPath, shortlistPath] = process.argv;
const file = (name) => readFileSync(`${folder}/worker/bergamot-translator-worker.${name}`);
// The products of int8 matrices, which a browser may bring along; these are the package's own.
const products = [
  ...['int8_prepare_a', 'int8_prepare_b', 'int8_prepare_b_from_transposed', 'int8_prepare_bias'],
  ...['int8_prepare_b_from_quantized_transposed', 'int8_multiply_and_add_bias', 'int8_select_columns_of_b'],
];
const fallback = (name) => `${name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())}Fallback`;

function translate() {
  const { AlignedMemory, AlignedMemoryList, BlockingService, TranslationModel } = globalThis.Module;
  const { VectorString, VectorResponseOptions } = globalThis.Module;
  const memory = (bytes, alignment) => {
    const block = new AlignedMemory(bytes.length, alignment);
    block.getByteArrayView().set(bytes);
    return block;
  };
  const vocabularies = new AlignedMemoryList();
  for (const path of [sourcePath, targetPath]) vocabularies.push_back(memory(readFileSync(path), 64));
  const weights = memory(readFileSync(modelPath), 256);
  const shortlist = memory(shortlistPath ? readFileSync(shortlistPath) : new Uint8Array(0), 64);
  const model = new TranslationModel(options, weights, shortlist, vocabularies, null);
  const service = new BlockingService({ cacheSize: 0 });
  for (const text of readFileSync(textsPath, 'utf8').trim().split('\n')) {
    const [input, settings] = [new VectorString(), new VectorResponseOptions()];
    input.push_back(text);
    settings.push_back({ alignment: false, html: false, qualityScores: false });
    console.log(service.translate(model, input, settings).get(0).getTranslatedText());
  }
  process.exit(0);
}

globalThis.self = globalThis;
globalThis.importScripts = () => {};
globalThis.WorkerGlobalScope = () => {};
globalThis.location = { href: 'file:///bergamot' };
globalThis.Module = {
  print: () => {},
  printErr: () => {},
  onRuntimeInitialized: translate,
  instantiateWasm(imports, accept) {
    const own = products.map((name) => [name, (...args) => globalThis.Module.asm[fallback(name)](...args)]);
    WebAssembly.instantiate(file('wasm'), { ...imports, wasm_gemm: Object.fromEntries(own) }).then(
      ({ instance }) => accept(instance),
    );
    return {};
  },
};
runInThisContext(file('js').toString());
