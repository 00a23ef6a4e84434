// Golden cases of Hugging Face's families: model folders with a batch and the results of a float64 reference. Padding of
// targets is not masked in them, and labels of -100 are not counted.

import { HeddleError } from '../core/errors.ts';
import { sameShape, type Tensor } from '../core/tensor.ts';
import type { Files } from '../files/files.ts';
import { readJson } from '../files/json-files.ts';
import { readSafetensors, readSafetensorsHeader } from '../files/safetensors.ts';
import { parameterList, tensorsFromWeights } from '../model/parameters.ts';
import type { GoldenCase } from './golden-case.ts';
import { loadHf } from './hf/load-hf.ts';

/** Whether a folder has such a case. */
export async function isGoldenHf(files: Files, folder: string): Promise<boolean> {
  for (const name of ['config.json', 'batch.safetensors', 'expected.safetensors'])
    if (!(await files.exists(`${folder}/${name}`))) return false;
  return typeof (await readJson(files, `${folder}/config.json`)).model_type === 'string';
}

/** Reads a case. Throws a HeddleError that names the file and the problem. */
export async function readGoldenHf(files: Files, folder: string): Promise<GoldenCase> {
  const at = (name: string) => `${folder}/${name}`;
  const raw = await readJson(files, at('config.json'));
  const batch = readSafetensors(await files.read(at('batch.safetensors')), at('batch.safetensors'));
  const bytes = await files.read(at('expected.safetensors'));
  const expected = readSafetensors(bytes, at('expected.safetensors'));
  const { metadata } = readSafetensorsHeader(bytes, bytes.length, at('expected.safetensors'));
  const ids = (name: string): Tensor => {
    const tensor = batch[name];
    if (tensor?.dtype !== 'i32' || tensor.shape.length !== 2)
      throw new HeddleError(`${at('batch.safetensors')}: ${name} must be int64 with two axes`);
    return tensor;
  };
  const number = (field: string, fallback: number): number => {
    const value = metadata[field] === undefined ? fallback : Number(metadata[field]);
    if (!Number.isFinite(value))
      throw new HeddleError(`${at('expected.safetensors')}: ${field} is ${metadata[field]}, it must be a number`);
    return value;
  };
  const [source, targetIn, targetOut, mask] = [
    ids('input_ids'),
    ids('decoder_input_ids'),
    ids('labels'),
    ids('attention_mask'),
  ];
  const [B = 0, S = 0] = source.shape;
  const model = await loadHf(files, folder, raw);
  checkBatch(at('batch.safetensors'), { source, mask, targetIn, targetOut }, model.config.tgtVocab);
  const { positions } = model.config;
  const maxLength = number('max_length', 20);
  const longest = Math.max(model.config.maxLength, S, targetIn.shape[1] ?? 0, maxLength);
  // Only learned positions end at the configured length.
  const config = { ...model.config, ...(positions !== 'learned' && { maxLength: longest }) };
  const beams = number('num_beams', 1);
  return {
    name: folder.split('/').filter(Boolean).pop() ?? folder,
    config,
    optimizer: {
      steps: number('steps', 0),
      learningRate: number('lr', 1e-3),
      beta1: number('beta1', 0.9),
      beta2: number('beta2', 0.999),
      eps: number('eps', 1e-8),
      weightDecay: number('weight_decay', 0),
      clipNorm: number('clip_norm', 0),
      decayAll: false,
    },
    decodeLength: expected.greedy ? maxLength - 1 : 0,
    weights: tensorsFromWeights(parameterList(config), model.weights),
    source,
    targetIn,
    targetOut,
    expected,
    hf: {
      prefix: model.sourceCheckpoint?.prefix ?? '',
      sourceLengths: Uint32Array.from({ length: B }, (_, b) =>
        Array.from(mask.data.subarray(b * S, (b + 1) * S)).reduce((n, x) => n + x, 0),
      ),
      ignore: -100,
      decode: model.decode ?? {},
      ...(expected.beam && {
        beam: {
          method: 'beam',
          beams,
          lengthPenalty: { power: number('length_penalty', 1) },
          earlyStopping: metadata.early_stopping?.toLowerCase() === 'true',
        },
      }),
    },
  };
}

/** Throws a HeddleError unless shapes agree, ids are in the vocabulary, and padding is at the ends of the sources. */
function checkBatch(
  path: string,
  { source, mask, targetIn, targetOut }: Record<'source' | 'mask' | 'targetIn' | 'targetOut', Tensor>,
  vocab: number,
): void {
  const fail = (why: string): never => {
    throw new HeddleError(`${path}: ${why}`);
  };
  const [B, S = 0] = source.shape;
  if (!sameShape(source.shape, mask.shape)) fail('attention_mask and input_ids differ in shape');
  if (targetIn.shape[0] !== B || !sameShape(targetIn.shape, targetOut.shape))
    fail('decoder_input_ids and labels must have one shape, with the rows of input_ids');
  const named: [string, Tensor][] = [
    ['input_ids', source],
    ['decoder_input_ids', targetIn],
    ['labels', targetOut],
  ];
  for (const [name, { data }] of named)
    for (const id of data)
      if (!(id >= 0 && id < vocab) && !(id === -100 && name === 'labels'))
        fail(`${name} has the id ${id}; the vocabulary has ${vocab} tokens`);
  for (const [i, x] of mask.data.entries())
    if ((x !== 0 && x !== 1) || (x === 1 && i % S > 0 && mask.data[i - 1] === 0))
      fail(
        `attention_mask must be ones and then zeros in each row, as heddle pads at the end; row ${Math.floor(i / S)} is not`,
      );
}
