// The page of bench-decode.mjs: loads a model in heddle and in transformers.js, compares their token ids, and times them in
// turns on the same adapter.

/** Median of numbers. */
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

/** The contestants by name. Each has translate(texts, batchSize) -> token ids without start and end, and stream(text) -> times of its tokens. */
async function contestants({ model, threads, endId }) {
  const { loadModel } = await import('/dist/heddle.js');
  const { env, pipeline, BaseStreamer } = await import('/transformers/transformers.min.js');
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = '/models/';
  env.backends.onnx.wasm.wasmPaths = new URL('/ort/', location.href).href;
  env.backends.onnx.wasm.numThreads = threads;
  const cut = (ids) => {
    const end = ids.indexOf(endId);
    return end < 0 ? ids : ids.slice(0, end);
  };
  const heddle = async () => {
    const loaded = await loadModel(new URL(`/models/${model}-heddle/`, location.href).href);
    return {
      async translate(texts, batchSize) {
        const found = await loaded.generate(texts, { batchSize });
        return found.map(([best]) => cut(best.ids));
      },
      async stream(text) {
        const times = [];
        await loaded.generate([text], { batchSize: 1, onPiece: () => times.push(performance.now()) });
        return times;
      },
      dispose: () => loaded.dispose(),
    };
  };
  const transformers = (device) => async () => {
    const { tokenizer, model: loaded } = await pipeline('translation', model, { device, dtype: 'fp32' });
    const run = async (texts, streamer) => {
      const inputs = tokenizer(texts, { padding: true, truncation: true });
      const out = await loaded.generate({ ...inputs, max_new_tokens: 256, ...(streamer && { streamer }) });
      return out.tolist().map((row) => cut(row.slice(1).map(Number)));
    };
    return {
      async translate(texts, batchSize) {
        // Sorted by length, as heddle does, so that no time goes into padding.
        const order = texts.map((_, i) => i).sort((a, b) => texts[a].length - texts[b].length);
        const out = [];
        for (let at = 0; at < order.length; at += batchSize) {
          const part = order.slice(at, at + batchSize);
          for (const [i, ids] of (await run(part.map((n) => texts[n]))).entries()) out[part[i]] = ids;
        }
        return out;
      },
      async stream(text) {
        const times = [];
        class Clock extends BaseStreamer {
          put() {
            times.push(performance.now());
          }
          end() {}
        }
        await run([text], new Clock());
        return times.slice(1); // the first call has the start token
      },
      dispose: () => loaded.dispose(),
    };
  };
  return { heddle, 'transformers.js webgpu': transformers('webgpu'), 'transformers.js wasm': transformers('wasm') };
}

/** Measures one model. Returns rows: contestant, batch, tokens/s, and for batch 1 the times of tokens. */
globalThis.measureDecoding = async (options) => {
  const { texts, batches, rounds, only } = options;
  const makers = Object.entries(await contestants(options)).filter(([name]) => !only || only.includes(name));
  const ready = {};
  const first = {};
  const loaded = {};
  const results = {};
  for (const [name, make] of makers) {
    const start = performance.now();
    loaded[name] = await make();
    ready[name] = performance.now() - start;
    const before = performance.now();
    results[name] = await loaded[name].translate(texts, batches.at(-1)); // compiles, tunes and warms up
    first[name] = ready[name] + performance.now() - before;
    heddleReport(`${name}: ready`);
  }
  const names = Object.keys(loaded);
  const [reference] = names;
  const same = Object.fromEntries(
    names.map((name) => [
      name,
      texts.filter((_, i) => String(results[name][i]) === String(results[reference][i])).length,
    ]),
  );
  const rows = [];
  for (const batch of batches) {
    const speeds = Object.fromEntries(names.map((name) => [name, []]));
    for (const name of names) await loaded[name].translate(texts.slice(0, batch), batch);
    for (let round = 0; round < rounds; round++)
      for (const name of names) {
        const start = performance.now();
        const ids = await loaded[name].translate(texts, batch);
        const seconds = (performance.now() - start) / 1000;
        speeds[name].push(ids.reduce((sum, row) => sum + row.length + 1, 0) / seconds);
        heddleReport(`batch ${batch}, round ${round + 1}: ${name}`);
      }
    for (const name of names)
      rows.push({
        ...{ contestant: name, batch, tokensPerSecond: median(speeds[name]) },
        ratio: median(speeds[reference].map((x, i) => x / speeds[name][i])),
      });
  }
  const tokens = {};
  for (const name of names) {
    const [start, end, ttft] = [[], [], []];
    for (const text of texts.slice(0, 8)) {
      const began = performance.now();
      const times = await loaded[name].stream(text);
      ttft.push(times[0] - began);
      const gaps = times.slice(1).map((time, i) => time - times[i]);
      start.push(...gaps.slice(0, 8));
      end.push(...gaps.slice(-8));
    }
    tokens[name] = { firstMs: median(ttft), startMs: median(start), endMs: median(end) };
  }
  for (const name of names) await loaded[name].dispose();
  return { same, of: texts.length, readyMs: ready, firstResultMs: first, rows, tokens };
};
