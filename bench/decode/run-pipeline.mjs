// Runs a pipeline of transformers.js over texts, in Node and in a page.

/**
 * Translates texts in batches. Returns for each text its source ids, the ids that were generated for it, and
 * its translation.
 *
 * @param pipe a pipeline of transformers.js
 * @param {readonly string[]} texts
 * @param {number} batchSize
 * @param {(done: number) => void} [onProgress]
 */
export async function runPipeline(pipe, texts, batchSize, onProgress = () => {}) {
  const generate = pipe.model.generate.bind(pipe.model);
  let [sources, generated] = [[], []];
  pipe.model.generate = async (inputs) => {
    const ids = await generate(inputs);
    [sources, generated] = [inputs.input_ids.tolist(), ids.tolist()];
    return ids;
  };
  const out = [];
  for (let at = 0; at < texts.length; at += batchSize) {
    const translations = await pipe(texts.slice(at, at + batchSize), { max_new_tokens: 256 });
    for (const [i, ids] of generated.entries())
      out.push({
        source: sources[i].map(Number),
        ids: ids.map(Number),
        text: Object.values(translations[i])[0],
      });
    onProgress(out.length);
  }
  return out;
}

/**
 * Transcribes recordings. Returns the ids that were generated for each, those of the prompt included, and its text.
 *
 * @param pipe a pipeline `automatic-speech-recognition` of transformers.js
 * @param {readonly (readonly number[])[]} sounds samples at 16 kHz
 * @param {Record<string, unknown>} options of the pipeline
 */
export async function runSpeech(pipe, sounds, options) {
  const generate = pipe.model.generate.bind(pipe.model);
  let ids = [];
  pipe.model.generate = async (inputs) => {
    const generated = await generate(inputs);
    ids = (generated.sequences ?? generated).tolist()[0].map(Number);
    return generated;
  };
  const out = [];
  for (const sound of sounds) {
    const { text } = await pipe(Float32Array.from(sound), options);
    out.push({ ids, text });
  }
  return out;
}
