// The tensors of BART and MarianMT in model.safetensors: their names and shapes, and where each lies in this engine's bank of weights.
// Queries, keys and values are apart there and one block here, in the same order, so every tensor is one piece of the bank.

import type { Shape } from '../../core/tensor.ts';
import { type ModelConfig, stackSizes } from '../../model/model-config.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import type { HfPrefix } from '../shared/hf-source.ts';
import { pieceOf } from '../shared/tensor-slices.ts';

/** One tensor. */
export interface HfTensor {
  readonly name: string;
  readonly shape: Shape;
  /** Its first element in the bank. */
  readonly at: number;
}

/** All tensors that a model of this configuration has. `prefix` is that of all but the head's. */
export function hfTensors(c: ModelConfig, p: ParameterList, prefix: HfPrefix = 'model.'): HfTensor[] {
  const out: HfTensor[] = [];
  const put = (name: string, stored: string, part?: { row: number; rows: number }, shape?: Shape): void => {
    const piece = pieceOf(p, stored, part?.row, part?.rows);
    out.push({ name, shape: shape ?? piece.shape, at: piece.at });
  };
  const both = (name: string, stored: string): void => {
    put(`${name}.weight`, `${stored}.weight`);
    put(`${name}.bias`, `${stored}.bias`);
  };
  const attention = (name: string, stored: string, inner: number): void => {
    for (const kind of ['weight', 'bias'])
      for (const [i, part] of ['q_proj', 'k_proj', 'v_proj'].entries())
        put(`${name}.${part}.${kind}`, `${stored}.in_proj_${kind}`, { row: i * inner, rows: inner });
    both(`${name}.out_proj`, `${stored}.out_proj`);
  };

  if (c.tie === 'all') put(`${prefix}shared.weight`, 'src_embed.weight');
  else {
    put(`${prefix}encoder.embed_tokens.weight`, 'src_embed.weight');
    put(`${prefix}decoder.embed_tokens.weight`, 'tgt_embed.weight');
  }
  for (const [stack, side, layers] of [
    ['encoder', 'src', c.encoderLayers],
    ['decoder', 'tgt', c.decoderLayers],
  ] as const) {
    if (c.positions === 'learned') put(`${prefix}${stack}.embed_positions.weight`, `${side}_pos.weight`);
    if (c.embeddingNorm) both(`${prefix}${stack}.layernorm_embedding`, `${side}_embed_norm`);
    const { heads, headWidth } = stackSizes(c, stack);
    for (let n = 0; n < layers; n++) {
      const [name, stored] = [`${prefix}${stack}.layers.${n}`, `transformer.${stack}.layers.${n}`];
      attention(`${name}.self_attn`, `${stored}.self_attn`, heads * headWidth);
      both(`${name}.self_attn_layer_norm`, `${stored}.norm1`);
      if (stack === 'decoder') {
        attention(`${name}.encoder_attn`, `${stored}.multihead_attn`, heads * headWidth);
        both(`${name}.encoder_attn_layer_norm`, `${stored}.norm2`);
      }
      both(`${name}.fc1`, `${stored}.linear1`);
      both(`${name}.fc2`, `${stored}.linear2`);
      both(`${name}.final_layer_norm`, `${stored}.${stack === 'decoder' ? 'norm3' : 'norm2'}`);
    }
    if (c.finalNorm) both(`${prefix}${stack}.layer_norm`, `transformer.${stack}.norm`);
  }
  if (c.tie === 'none') put('lm_head.weight', 'generator.weight');
  if (c.outputBias) put('final_logits_bias', 'generator.bias', undefined, [1, c.tgtVocab]);
  return out;
}

/** Other names under which a file may hold a tied tensor again, by the tensor's own name. */
export function aliasesOf(c: ModelConfig, prefix: HfPrefix): Readonly<Record<string, string>> {
  const [encoder, decoder] = [`${prefix}encoder.embed_tokens.weight`, `${prefix}decoder.embed_tokens.weight`];
  const table = `${prefix}shared.weight`;
  if (c.tie === 'all') return { [encoder]: table, [decoder]: table, 'lm_head.weight': table };
  return c.tie === 'target' ? { 'lm_head.weight': decoder } : {};
}
