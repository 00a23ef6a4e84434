// Golden cases of Hugging Face families: model folders with a batch and the results of transformers in
// float64. Padding of targets is not masked, and the loss ignores labels of -100.

import { HeddleError } from '../../../core/errors.ts';
import { type Message, msg } from '../../../core/message.ts';
import { sameShape, type Tensor } from '../../../core/tensor.ts';
import { baseName, type Files } from '../../../files/files.ts';
import { type Json, readJson } from '../../../files/json-files.ts';
import { loadHf } from '../../../formats/hf/load-hf.ts';
import { parameterList, tensorsFromWeights } from '../../../model/parameters.ts';
import { readCaseFiles } from './case-files.ts';
import { type GoldenCase, goldenOptimizer, lengthsOf, readGolden } from './golden-case.ts';

/** Reads a golden case of either kind. Throws a HeddleError that names the file and the problem. */
export async function readOtherGolden(files: Files, folder: string): Promise<GoldenCase> {
  for (const name of ['config.json', 'batch.safetensors', 'expected.safetensors'])
    if (!(await files.exists(`${folder}/${name}`))) return readGolden(files, folder);
  const raw = await readJson(files, `${folder}/config.json`);
  return typeof raw.model_type === 'string' ? readGoldenHf(files, folder, raw) : readGolden(files, folder);
}

async function readGoldenHf(files: Files, folder: string, raw: Json): Promise<GoldenCase> {
  const { at, expected, ids, number, beam } = await readCaseFiles(files, folder);
  const [source, mask] = [ids('input_ids'), ids('attention_mask')];
  const [targetIn, targetOut] = [ids('decoder_input_ids'), ids('labels')];
  const [B = 0, S = 0] = source.shape;
  const model = await loadHf(files, folder, raw, {});
  checkBatch(at('batch.safetensors'), { source, mask, targetIn, targetOut }, model.config.tgtVocab);
  const maxLength = number('max_length', 20);
  const longest = Math.max(model.config.maxLength, S, targetIn.shape[1] ?? 0, maxLength);
  // Learned positions end at the configured length; others are computed for any length.
  const isLearned = model.config.positions === 'learned';
  const config = isLearned ? model.config : { ...model.config, maxLength: longest, maxSource: longest };
  return {
    name: baseName(folder),
    config,
    optimizer: goldenOptimizer(number, { beta2: 0.999, eps: 1e-8, clipNorm: 0, decayAll: false }),
    decodeLength: expected.greedy ? maxLength - 1 : 0,
    weights: tensorsFromWeights(parameterList(config), model.weights),
    source,
    targetIn,
    targetOut,
    expected,
    hf: {
      prefix: model.sourceCheckpoint?.prefix ?? '',
      sourceLengths: lengthsOf(mask, B, S),
      ignore: -100,
      decode: model.decode ?? {},
      beam,
    },
  };
}

/** Throws a HeddleError if shapes differ, an id is out of range, or a source has padding before its end. */
function checkBatch(
  path: string,
  { source, mask, targetIn, targetOut }: Record<'source' | 'mask' | 'targetIn' | 'targetOut', Tensor>,
  vocab: number,
): void {
  const fail = (reason: Message): never => {
    throw new HeddleError(reason, { area: path });
  };
  const [B, S = 0] = source.shape;
  if (!sameShape(source.shape, mask.shape)) fail(msg`attention_mask and input_ids differ in shape`);
  if (targetIn.shape[0] !== B || !sameShape(targetIn.shape, targetOut.shape))
    fail(msg`decoder_input_ids and labels must have one shape, with the rows of input_ids`);
  for (const [name, { data }] of Object.entries({
    input_ids: source,
    decoder_input_ids: targetIn,
    labels: targetOut,
  }))
    for (const id of data)
      if (!(id >= 0 && id < vocab) && !(id === -100 && name === 'labels'))
        fail(msg`${name} has the id ${id}; the vocabulary has ${vocab} tokens`);
  for (const [i, x] of mask.data.entries())
    if ((x !== 0 && x !== 1) || (x === 1 && i % S > 0 && mask.data[i - 1] === 0))
      fail(
        msg`row ${Math.floor(i / S)} of attention_mask must be ones, then zeros: heddle supports padding at the end only`,
      );
}
