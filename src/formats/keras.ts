// The format of Keras's English-to-Spanish example
// (https://keras.io/examples/nlp/neural_machine_translation_with_transformer): tensors are named by the paths of its
// weights file, `layers/LAYER/ATTRIBUTE/vars/N`, where vars/0 is a kernel or scale and vars/1 a bias. Kernels are [in,
// out], those of heads [D, H, W] and [H, W, D].

import { HeddleError } from '../core/errors.ts';
import { type Shape, sameShape, show, sizeOf, type Tensor } from '../core/tensor.ts';
import type { Files } from '../files/files.ts';
import { jsonBytes } from '../files/json-files.ts';
import { modelFileNames } from '../files/model-file.ts';
import { writeSafetensors } from '../files/write-safetensors.ts';
import { type ModelConfig, type StackSizes, stackSizes } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { parameterList } from '../model/parameters.ts';
import {
  configFromFields,
  type FieldNames,
  fieldsFromConfig,
  readFloatTensors,
  readTextSides,
  tokenizerFilesOf,
} from './layout-config.ts';
import { classicFields, requireFields, sameFields } from './shared/requirements.ts';
import { kerasFormat, type SavedModel } from './shared/saved-model.ts';
import { storedRows } from './shared/tensor-slices.ts';

const fields: FieldNames = {
  embed_dim: 'dModel',
  num_heads: 'heads',
  key_dim: 'headWidth',
  decoder_num_heads: 'decoderHeads',
  decoder_key_dim: 'decoderHeadWidth',
  encoder_layers: 'encoderLayers',
  decoder_layers: 'decoderLayers',
  latent_dim: 'feedForward',
  decoder_latent_dim: 'decoderFeedForward',
  source_vocab_size: 'srcVocab',
  vocab_size: 'tgtVocab',
  sequence_length: 'maxLength',
  label_smoothing: 'labelSmoothing',
  pad_id: 'padId',
  start_id: 'startId',
  end_id: 'endId',
  hide_padding: 'hidePadding',
  dropout: 'dropout',
};

/** Values that the example's layers fix. */
const fixed = {
  norm: 'post',
  finalNorm: false,
  embeddingNorm: false,
  activation: 'relu',
  positions: 'learned',
  positionOffset: 0,
  tie: 'none',
  scaleEmbedding: false,
  layerNormEps: 1e-3,
  outputBias: true,
} as const satisfies Partial<ModelConfig>;

/** A tensor: name, shape, offset in the parameter buffer, and rows and columns there if it is stored transposed. */
interface KerasTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly at: number;
  readonly transposed?: readonly [rows: number, cols: number];
}

function kerasTensors(c: ModelConfig, p: ParameterList): KerasTensor[] {
  const D = c.dModel;
  const out: KerasTensor[] = [];
  const put = (name: string, stored: string, shape?: Shape, row?: number, rows?: number) => {
    const piece = storedRows(p, stored, row, rows);
    const [r = 0, cols] = piece.shape;
    const transposed = shape && cols !== undefined ? ([r, cols] as const) : undefined;
    out.push({ name, shape: shape ?? piece.shape, at: piece.at, ...(transposed && { transposed }) });
  };
  const table = (name: string, stored: string) => put(`${name}/vars/0`, `${stored}.weight`);
  const dense = (name: string, stored: string, [from, to]: readonly [number, number]) => {
    put(`${name}/vars/0`, `${stored}.weight`, [from, to]);
    put(`${name}/vars/1`, `${stored}.bias`);
  };
  const norm = (name: string, stored: string) => {
    put(`${name}/vars/0`, `${stored}.weight`);
    put(`${name}/vars/1`, `${stored}.bias`);
  };
  const attention = (name: string, stored: string, { heads: H, headWidth: W }: StackSizes) => {
    for (const [i, part] of ['query', 'key', 'value'].entries()) {
      put(`${name}/${part}_dense/vars/0`, `${stored}.in_proj_weight`, [D, H, W], i * H * W, H * W);
      put(`${name}/${part}_dense/vars/1`, `${stored}.in_proj_bias`, [H, W], i * H * W, H * W);
    }
    put(`${name}/output_dense/vars/0`, `${stored}.out_proj.weight`, [H, W, D]);
    put(`${name}/output_dense/vars/1`, `${stored}.out_proj.bias`);
  };
  const numbered = (name: string, n: number) => `layers/${name}${n > 0 ? `_${n}` : ''}`;

  for (const [i, side] of ['src', 'tgt'].entries()) {
    table(`${numbered('positional_embedding', i)}/token_embeddings`, `${side}_embed`);
    table(`${numbered('positional_embedding', i)}/position_embeddings`, `${side}_pos`);
  }
  for (const [stack, layers] of [
    ['encoder', c.encoderLayers],
    ['decoder', c.decoderLayers],
  ] as const)
    for (let n = 0; n < layers; n++) {
      const [name, stored] = [numbered(`transformer_${stack}`, n), `transformer.${stack}.layers.${n}`];
      const cross = stack === 'decoder';
      const sizes = stackSizes(c, stack);
      attention(`${name}/${cross ? 'attention_1' : 'attention'}`, `${stored}.self_attn`, sizes);
      if (cross) attention(`${name}/attention_2`, `${stored}.multihead_attn`, sizes);
      dense(`${name}/dense_proj/layers/dense`, `${stored}.linear1`, [D, sizes.feedForward]);
      dense(`${name}/dense_proj/layers/dense_1`, `${stored}.linear2`, [sizes.feedForward, D]);
      for (let k = 1; k <= (cross ? 3 : 2); k++) norm(`${name}/layernorm_${k}`, `${stored}.norm${k}`);
    }
  dense('layers/dense', 'generator', [D, c.tgtVocab]);
  return out;
}

/** The transpose of `data` [rows, cols]. */
function transpose(data: Float32Array, rows: number, cols: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) out[c * rows + r] = data[r * cols + c] as number;
  return out;
}

/**
 * Exports a model: the files of the folder by name. Throws a HeddleError that names each field the example's layers do
 * not support.
 */
export function kerasFiles(model: SavedModel): Record<string, Uint8Array> {
  const { config: c, weights } = model;
  requireFields("Keras's example", [...sameFields(c, fixed), ...classicFields(c)]);
  const tensors: Record<string, Tensor> = {};
  for (const { name, shape, at, transposed } of kerasTensors(c, parameterList(c))) {
    const data = weights.subarray(at, at + sizeOf(shape));
    tensors[name] = { dtype: 'f32', shape, data: transposed ? transpose(data, ...transposed) : data };
  }
  return {
    [modelFileNames.config]: jsonBytes(fieldsFromConfig(kerasFormat, model, fields)),
    [modelFileNames.weights]: writeSafetensors(tensors, { format: kerasFormat }),
    ...tokenizerFilesOf(model),
  };
}

/**
 * Loads a folder in this format; `raw` is its config.json. Throws a HeddleError that names the file and the problem.
 */
export async function loadKeras(
  files: Files,
  folder: string,
  raw: Readonly<Record<string, unknown>>,
): Promise<SavedModel> {
  const c = configFromFields(raw, fields, fixed, `${folder}/${modelFileNames.config}`);
  const p = parameterList(c);
  const found = await readFloatTensors(files, folder);
  const path = `${folder}/${modelFileNames.weights}`;
  const weights = new Float32Array(p.size);
  for (const { name, shape, at, transposed } of kerasTensors(c, p)) {
    const tensor = found.get(name);
    if (!tensor) throw new HeddleError(`${path}: missing ${name}`);
    if (!sameShape(tensor.shape, shape))
      throw new HeddleError(`${path}: ${name} is ${show(tensor.shape)}, ${modelFileNames.config} says ${show(shape)}`);
    weights.set(transposed ? transpose(tensor.data, transposed[1], transposed[0]) : tensor.data, at);
    found.delete(name);
  }
  const [other] = found.keys();
  if (other !== undefined) throw new HeddleError(`${path}: unexpected tensor ${other}`);
  return { ...(await readTextSides(files, folder, raw, c)), weights };
}
