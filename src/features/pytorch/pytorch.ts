// PyTorch format: the state_dict of a module with an nn.Transformer `transformer`, nn.Embeddings `src_embed`
// and `tgt_embed`, and an nn.Linear `generator`. Tied tensors are stored once. Learned positions are
// `src_pos.weight` and `tgt_pos.weight`, norms of embeddings `src_embed_norm` and `tgt_embed_norm`. If
// final_norm is false, encoder and decoder have no final norm (custom_encoder, custom_decoder).
// tests/features/pytorch/nn_transformer.py builds such a module.

import { HeddleError, withArea } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { sameValues, type Tensor } from '../../core/tensor.ts';
import type { Files } from '../../files/files.ts';
import type { Json } from '../../files/json-files.ts';
import { modelFileNames } from '../../files/model-file.ts';
import { writeSafetensors } from '../../files/write-safetensors.ts';
import {
  configFromFields,
  layoutFiles,
  readFloatTensors,
  readTextSides,
} from '../../formats/layout-config.ts';
import type { ReadOrigin } from '../../formats/model-format.ts';
import { pytorchFields } from '../../formats/pytorch-fields.ts';
import { classicFields, requireFields, sharedWidths } from '../../formats/shared/requirements.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { parameterList, tensorsFromWeights } from '../../model/parameters.ts';
import { weightsFromTensors } from '../../model/weights-from-tensors.ts';
import { pytorchFormat } from './pytorch-format.ts';

/**
 * The files of a model folder by name. Throws a HeddleError that lists the fields that nn.Transformer does
 * not support.
 */
export function pytorchFiles(model: SavedModel): Record<string, Uint8Array> {
  const { config: c, sourceKind, weights } = model;
  requireFields('nn.Transformer', [...sharedWidths(c), ...classicFields(c)]);
  const tensors = tensorsFromWeights(parameterList(c, sourceKind), weights);
  return layoutFiles(pytorchFormat, model, pytorchFields, writeSafetensors(tensors, { format: 'pt' }));
}

/**
 * Loads a folder in this format; `raw` is its config.json. Throws a HeddleError that names the file and the
 * problem.
 */
export async function loadPytorch(
  files: Files,
  folder: string,
  raw: Json,
  readOrigin: ReadOrigin,
): Promise<SavedModel> {
  const c = configFromFields(raw, pytorchFields, {}, `${folder}/${modelFileNames.config}`);
  const stored = await readFloatTensors(files, folder);
  const tensors: Record<string, Tensor> = Object.fromEntries(stored);
  for (const [name, original] of tiedNames(c)) {
    const copy = stored.get(name)?.data;
    if (!copy) continue;
    if (!sameValues(copy, stored.get(original)?.data))
      throw new HeddleError(msg`${name} must equal ${original}, since tie is ${c.tie}`, { area: folder });
    delete tensors[name];
  }
  const sides = await readTextSides(files, folder, raw, c, readOrigin);
  return {
    ...sides,
    weights: withArea(`${folder}/${modelFileNames.weights}`, () =>
      weightsFromTensors(parameterList(c), tensors),
    ),
  };
}

/** Names of tied tensors in a state_dict, each with the name under which heddle stores the tensor. */
const tiedNames = ({ tie }: ModelConfig): [string, string][] => {
  if (tie === 'none') return [];
  if (tie === 'target') return [['generator.weight', 'tgt_embed.weight']];
  return ['generator.weight', 'tgt_embed.weight'].map((name) => [name, 'src_embed.weight']);
};
