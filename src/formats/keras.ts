// The format of Keras's English-to-Spanish example
// (https://keras.io/examples/nlp/neural_machine_translation_with_transformer). Tensor names are paths in its
// weights file, `layers/LAYER/ATTRIBUTE/vars/N`: vars/0 is a kernel or scale, vars/1 a bias. Kernels are [in,
// out]; those of attention heads are [D, H, W] and [H, W, D].

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { type Shape, sameShape, show, sizeOf, type Tensor, transposed } from '../core/tensor.ts';
import type { Files } from '../files/files.ts';
import type { Json } from '../files/json-files.ts';
import { modelFileNames } from '../files/model-file.ts';
import { writeSafetensors } from '../files/write-safetensors.ts';
import { type ModelConfig, type StackSizes, stackSizes } from '../model/model-config.ts';
import type { Parameter, ParameterList } from '../model/parameter-layout.ts';
import { parameterList } from '../model/parameters.ts';
import {
  configFromFields,
  type FieldNames,
  layoutFiles,
  readFloatTensors,
  readTextSides,
} from './layout-config.ts';
import type { ReadOrigin } from './model-format.ts';
import { classicFields, requireFields, sameFields } from './shared/requirements.ts';
import { kerasFormat, type SavedModel } from './shared/saved-model.ts';

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

/** Values of the model configuration that the layers of the example fix. */
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

/** A tensor of the format. */
interface KerasTensor {
  readonly name: string;
  readonly shape: Shape;
  /** Offset of the first element in the parameter buffer. */
  readonly at: number;
  /** Rows and columns in the parameter buffer, if the format has the transpose. */
  readonly matrix?: readonly [rows: number, cols: number];
}

function kerasTensors(c: ModelConfig, p: ParameterList): KerasTensor[] {
  const D = c.dModel;
  const out: KerasTensor[] = [];
  /**
   * Adds `rows` rows, from `row` on, of the tensor with PyTorch's name `stored`, of which a parameter may
   * hold only some. Default: all rows of the parameter that holds `row`.
   */
  const put = (name: string, stored: string, shape?: Shape, row = 0, rows?: number) => {
    const from = ({ stored: { name: tensor, row: first }, shape: [height = 0] }: Parameter) =>
      tensor === stored && row >= first && row < first + height;
    const { offset, stored: place, shape: held } = p.all.find(from) as Parameter;
    const [height = 0, ...cols] = held;
    const r = rows ?? height;
    const at = offset + (row - place.row) * sizeOf(cols);
    const matrix = shape && cols[0] !== undefined ? ([r, cols[0]] as const) : undefined;
    out.push({ name, shape: shape ?? [r, ...cols], at, matrix });
  };
  const table = (name: string, stored: string) => put(`${name}/vars/0`, `${stored}.weight`);
  /** A linear layer whose kernel has the shape [in, out], or a norm without `shape`. */
  const layer = (name: string, stored: string, shape?: Shape) => {
    put(`${name}/vars/0`, `${stored}.weight`, shape);
    put(`${name}/vars/1`, `${stored}.bias`);
  };
  const attention = (name: string, stored: string, { heads: H, headWidth: W }: StackSizes) => {
    for (const [i, part] of ['query', 'key', 'value'].entries()) {
      put(`${name}/${part}_dense/vars/0`, `${stored}.in_proj_weight`, [D, H, W], i * H * W, H * W);
      put(`${name}/${part}_dense/vars/1`, `${stored}.in_proj_bias`, [H, W], i * H * W, H * W);
    }
    layer(`${name}/output_dense`, `${stored}.out_proj`, [H, W, D]);
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
      layer(`${name}/dense_proj/layers/dense`, `${stored}.linear1`, [D, sizes.feedForward]);
      layer(`${name}/dense_proj/layers/dense_1`, `${stored}.linear2`, [sizes.feedForward, D]);
      for (let k = 1; k <= (cross ? 3 : 2); k++) layer(`${name}/layernorm_${k}`, `${stored}.norm${k}`);
    }
  layer('layers/dense', 'generator', [D, c.tgtVocab]);
  return out;
}

/**
 * The files of a model folder by name. Throws a HeddleError that lists the fields that the example does not
 * support.
 */
export function kerasFiles(model: SavedModel): Record<string, Uint8Array> {
  const { config: c, weights } = model;
  requireFields("Keras's example", [...sameFields(c, fixed), ...classicFields(c)]);
  const tensors: Record<string, Tensor> = {};
  for (const { name, shape, at, matrix } of kerasTensors(c, parameterList(c))) {
    const data = weights.subarray(at, at + sizeOf(shape));
    tensors[name] = { dtype: 'f32', shape, data: matrix ? transposed(data, ...matrix) : data };
  }
  return layoutFiles(kerasFormat, model, fields, writeSafetensors(tensors, { format: kerasFormat }));
}

/**
 * Loads a folder in this format; `raw` is its config.json. Throws a HeddleError that names the file and the
 * problem.
 */
export async function loadKeras(
  files: Files,
  folder: string,
  raw: Json,
  readOrigin: ReadOrigin,
): Promise<SavedModel> {
  const c = configFromFields(raw, fields, fixed, `${folder}/${modelFileNames.config}`);
  const p = parameterList(c);
  const stored = await readFloatTensors(files, folder);
  const path = `${folder}/${modelFileNames.weights}`;
  const weights = new Float32Array(p.size);
  for (const { name, shape, at, matrix } of kerasTensors(c, p)) {
    const tensor = stored.get(name);
    if (!tensor) throw new HeddleError(msg`missing ${name}`, { area: path });
    if (!sameShape(tensor.shape, shape))
      throw new HeddleError(
        msg`${name} is ${show(tensor.shape)}, ${modelFileNames.config} says ${show(shape)}`,
        { area: path },
      );
    weights.set(matrix ? transposed(tensor.data, matrix[1], matrix[0]) : tensor.data, at);
    stored.delete(name);
  }
  const [other] = stored.keys();
  if (other !== undefined) throw new HeddleError(msg`unexpected tensor ${other}`, { area: path });
  return { ...(await readTextSides(files, folder, raw, c, readOrigin)), weights };
}
