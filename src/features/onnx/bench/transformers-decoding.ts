// The same decoding with transformers.js in WebAssembly, for the report of a device. The caller loads the library; the
// model goes to it through memory, as the ONNX files that heddle exports.

import {
  type DecodingTask,
  type MeasuredDecoding,
  type RandomModel,
  timeDecoding,
} from '../../../bench/device-decoding.ts';
import { equalRows, type TransformersLibrary } from '../../../bench/peer-library.ts';
import { onnxModelFiles } from '../export/save-onnx.ts';

/**
 * Decodes a task for each batch size with transformers.js. `expected`: the ids of heddle for each task; a task is timed
 * only if all of them are equal, else its speed is 0.
 */
export async function decodeWithTransformers(
  { env, AutoModelForSeq2SeqLM, Tensor }: TransformersLibrary,
  model: RandomModel,
  tasks: readonly { readonly task: DecodingTask; readonly expected: MeasuredDecoding['ids'] }[],
): Promise<MeasuredDecoding[]> {
  const files = onnxModelFiles(model);
  const name = 'heddle/random';
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useBrowserCache = false;
  env.useWasmCache = false;
  env.useCustomCache = true;
  env.customCache = {
    async match(address: string) {
      const [, path = ''] = address.split(`${name}/`);
      const bytes = files[path];
      return bytes && new Response(bytes as BodyInit, { headers: { 'content-length': `${bytes.length}` } });
    },
    async put() {}, // nothing is kept
  };
  const { endId } = model.config;
  const loaded = await AutoModelForSeq2SeqLM.from_pretrained(name, { device: 'wasm', dtype: 'fp32' });
  try {
    const out: MeasuredDecoding[] = [];
    for (const { task, expected } of tasks) {
      const { sources, tokens } = task;
      const shape = [sources.length, sources[0]?.length ?? 0];
      const numbers = sources.flatMap((ids) => [...ids]);
      const ids = new Tensor('int64', BigInt64Array.from(numbers, BigInt), shape);
      const mask = new Tensor('int64', new BigInt64Array(numbers.length).fill(1n), shape);
      const decode = async () => {
        const found = await loaded.generate({
          input_ids: ids,
          attention_mask: mask,
          num_beams: 1,
          do_sample: false,
          min_new_tokens: tokens - 1,
          max_new_tokens: tokens,
        });
        return found.tolist().map((row) => untilEnd(row.slice(1).map(Number), endId));
      };
      const accepts = (rows: MeasuredDecoding['ids']) => equalRows(rows, expected) === expected.length;
      out.push(await timeDecoding(task, decode, accepts));
    }
    return out;
  } finally {
    await loaded.dispose();
  }
}

const untilEnd = (ids: readonly number[], endId: number): readonly number[] => {
  const end = ids.indexOf(endId);
  return end < 0 ? ids : ids.slice(0, end);
};
