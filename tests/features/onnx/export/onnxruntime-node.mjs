// Logits of exported models in onnxruntime-node: node onnxruntime-node.mjs PACKAGE DIR ... reads { source, mask,
// target, suffix, options } from stdin, where options are those of a session, and prints the logits of one run over
// all target tokens for each folder.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

const [packageFolder = '', ...folders] = process.argv.slice(2);
const ort = createRequire(import.meta.url)(packageFolder);
const { source, mask, target, suffix, options } = /** @type {any} */ (await json(process.stdin));
/** @param {number[][]} rows */
const ids = (rows) =>
  new ort.Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]?.length ?? 0]);
const results = [];
for (const folder of folders) {
  /** @param {string} name */
  const open = (name) => ort.InferenceSession.create(join(folder, 'onnx', `${name}${suffix}.onnx`), options);
  const [encoder, decoder] = [await open('encoder_model'), await open('decoder_model_merged')];
  const encoder_attention_mask = ids(mask);
  const memory = await encoder.run({ input_ids: ids(source), attention_mask: encoder_attention_mask });
  /** @type {Record<string, any>} */
  const feeds = {
    input_ids: ids(target),
    encoder_hidden_states: memory.last_hidden_state,
    encoder_attention_mask,
  };
  for (const { name, shape } of decoder.inputMetadata)
    if (name.startsWith('past_key_values'))
      feeds[name] = new ort.Tensor('float32', [], [source.length, shape[1], 0, shape[3]]);
  const { logits } = await decoder.run(feeds, ['logits']);
  const [, T, V] = logits.dims;
  results.push(
    source.map((/** @type {unknown} */ _, /** @type {number} */ b) =>
      Array.from({ length: T }, (_, t) => [...logits.data.subarray((b * T + t) * V, (b * T + t + 1) * V)]),
    ),
  );
}
console.log(JSON.stringify(results));
