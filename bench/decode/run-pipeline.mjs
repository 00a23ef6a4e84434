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
