// The tensors of Marian's model files, and where they are in the parameters of a model.

import { HeddleError } from '../../../core/errors.ts';
import { listed, msg } from '../../../core/message.ts';
import { type Shape, sameShape, show, sizeOf } from '../../../core/tensor.ts';
import { type ModelConfig, sharesEmbeddings, stepsAround } from '../../../model/model-config.ts';
import type { Parameter, ParameterLayout } from '../../../model/parameter-layout.ts';
import { type MarianItem, transposed } from './marian-items.ts';

/** A tensor of a model file. */
export interface MarianTensor {
  readonly name: string;
  /** The shape in the file: [in, out] of a matrix, [1, n] of a vector, [V, d] of embeddings and output. */
  readonly shape: Shape;
  /** Offset of its first element in the parameter buffer. */
  readonly at: number;
  /** Whether its rows are the columns of the parameter. */
  readonly isTransposed: boolean;
}

/** Names of the norms around a sub-layer: after it, and before it. */
interface NormNames {
  readonly post: string;
  readonly pre: string;
}

const ofAttention = (prefix: string): NormNames => ({
  post: `${prefix}_Wo_ln_#`,
  pre: `${prefix}_Wo_ln_#_pre`,
});
const ofFeedForward = (prefix: string): NormNames => ({
  post: `${prefix}_ffn_ln_#`,
  pre: `${prefix}_ffn_ln_#_pre`,
});
const ofSsru = (prefix: string): NormNames => ({ post: `${prefix}_ffn_ln_#`, pre: `${prefix}_ln_#_pre` });

/** The norms of a layer `layer` (`decoder_l1`), by their names in nn.Transformer. */
function normsOf(c: ModelConfig, stack: string, layer: string): Record<string, NormNames> {
  const ffn = ofFeedForward(`${layer}_ffn`);
  if (stack === 'encoder') return { norm1: ofAttention(`${layer}_self`), norm2: ffn };
  const first = c.decoderSelfAttention === 'ssru' ? ofSsru(`${layer}_rnn`) : ofAttention(`${layer}_self`);
  return { norm1: first, norm2: ofAttention(`${layer}_context`), norm3: ffn };
}

/**
 * The names of a parameter outside the layers; more than one if it holds several tensors one after another.
 */
function namesOutside(c: ModelConfig, name: string, oldOutput: boolean): string[] | undefined {
  const one: Readonly<Record<string, string>> = {
    'src_embed.weight': sharesEmbeddings(c) ? 'Wemb' : 'encoder_Wemb',
    'tgt_embed.weight': 'decoder_Wemb',
    'generator.weight': oldOutput ? 'decoder_ff_logit_out_W' : 'decoder_ff_logit_out_Wt',
    'generator.bias': 'decoder_ff_logit_out_b',
    'src_embed_norm.weight': 'encoder_emb_ln_scale_pre',
    'src_embed_norm.bias': 'encoder_emb_ln_bias_pre',
    'tgt_embed_norm.weight': 'decoder_emb_ln_scale_pre',
    'tgt_embed_norm.bias': 'decoder_emb_ln_bias_pre',
    'transformer.encoder.norm.weight': 'encoder_top_ln_scale',
    'transformer.encoder.norm.bias': 'encoder_top_ln_bias',
    'transformer.decoder.norm.weight': 'decoder_top_ln_scale',
    'transformer.decoder.norm.bias': 'decoder_top_ln_bias',
  };
  const found = one[name];
  return found === undefined ? undefined : [found];
}

/** Names of the parts of attention and SSRU, with % for W or b. */
const parts: Readonly<Record<string, readonly string[]>> = {
  'self_attn.in_proj': ['self_%q', 'self_%k', 'self_%v'],
  'self_attn.q_proj': ['self_%q'],
  'self_attn.kv_proj': ['self_%k', 'self_%v'],
  'self_attn.out_proj': ['self_%o'],
  'multihead_attn.q_proj': ['context_%q'],
  'multihead_attn.kv_proj': ['context_%k', 'context_%v'],
  'multihead_attn.out_proj': ['context_%o'],
  'ssru.in_proj': ['rnn_%', 'rnn_%f'],
};

/** Marian's names of a parameter, in the order of their rows. */
export function tensorNamesOf(c: ModelConfig, { name }: Parameter, oldOutput = false): string[] {
  const outside = namesOutside(c, name, oldOutput);
  if (outside) return outside;
  const [, stack = '', number, ...rest] = name.split('.'); // transformer.STACK.layers.N.PART
  const at = Number(rest.shift() ?? Number.NaN);
  const layer = number === 'layers' ? `${stack}_l${at + 1}` : '';
  const last = rest.join('.');
  const end = last.endsWith('bias') ? 'bias' : 'weight';
  const part = last.slice(0, -end.length - 1);
  if (last === 'ssru.gate_bias') return [`${layer}_rnn_bf`];
  if (part.startsWith('linear')) return [`${layer}_ffn_${end === 'bias' ? 'b' : 'W'}${part.slice(6)}`];
  const [norm = '', before] = part.split('_');
  const names = normsOf(c, stack, layer)[norm];
  if (names) {
    const isPre = before === 'pre' || !stepsAround(c).after.includes('norm');
    return [(isPre ? names.pre : names.post).replace('#', end === 'bias' ? 'bias' : 'scale')];
  }
  const found = parts[part];
  if (!found) throw new HeddleError(msg`${name} has no name in Marian's files`, { area: 'marian' });
  return found.map((each) => `${layer}_${each.replace('%', end === 'bias' ? 'b' : 'W')}`);
}

/** All tensors of a model in the order of its parameters. */
export const marianTensors = (c: ModelConfig, p: ParameterLayout, oldOutput = false): MarianTensor[] =>
  p.all.flatMap((parameter) => {
    const names = tensorNamesOf(c, parameter, oldOutput);
    const [rows = 0, cols] = parameter.shape;
    const own = rows / names.length;
    const isTable =
      parameter.name.includes('_embed.') || (parameter.name === 'generator.weight' && !oldOutput);
    return names.map((name, i): MarianTensor => {
      const at = parameter.offset + i * own * (cols ?? 1);
      if (cols === undefined) return { name, shape: [1, own], at, isTransposed: false };
      return { name, shape: isTable ? [own, cols] : [cols, own], at, isTransposed: !isTable };
    });
  });

/**
 * The parameter buffer [p.size] of a model with the tensors of a file. Throws a HeddleError that starts with
 * `path` and names a tensor that is missing, unknown or of another shape.
 */
export function weightsFromMarian(
  c: ModelConfig,
  p: ParameterLayout,
  tensors: ReadonlyMap<string, MarianItem>,
  path: string,
  oldOutput: boolean,
): Float32Array {
  const weights = new Float32Array(p.size);
  const expected = marianTensors(c, p, oldOutput);
  for (const { name, shape, at, isTransposed } of expected) {
    const item = tensors.get(name);
    if (!item) throw new HeddleError(msg`${name} is missing`, { area: path });
    if (!sameShape(item.shape, shape))
      throw new HeddleError(msg`${name} is ${show(item.shape)}, model.yml says ${show(shape)}`, {
        area: path,
      });
    const [rows = 0, cols = 0] = shape;
    weights.set(isTransposed ? transposed(item.data, rows, cols) : item.data, at);
  }
  const names = new Set(expected.map(({ name }) => name));
  const unknown = [...tensors.keys()].filter((name) => !names.has(name));
  if (unknown.length > 0)
    throw new HeddleError(
      msg`tensors that model.yml does not describe: ${listed(unknown.slice(0, 5))}${unknown.length > 5 ? msg` and ${unknown.length - 5} more` : ''}`,
      { area: path },
    );
  return weights;
}

/** The tensors of a file from the parameter buffer of a model, by name in the order of the parameters. */
export function marianItems(
  c: ModelConfig,
  p: ParameterLayout,
  weights: Float32Array,
  oldOutput: boolean,
): Map<string, MarianItem> {
  return new Map(
    marianTensors(c, p, oldOutput).map(({ name, shape, at, isTransposed }) => {
      const data = weights.slice(at, at + sizeOf(shape));
      const [rows = 0, cols = 0] = shape;
      return [name, { shape, data: isTransposed ? transposed(data, cols, rows) : data }];
    }),
  );
}
