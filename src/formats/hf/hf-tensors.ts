// Names, shapes and places of the tensors of a Hugging Face model.

import { type Shape, sizeOf } from '../../core/tensor.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { ParameterLayout } from '../../model/parameter-layout.ts';
import { hfNames } from '../../model/parameter-names.ts';
import type { HfPrefix } from '../shared/saved-model.ts';
import type { HfFamily } from './hf-families.ts';

/** Prefix of the tensor names. */
export const prefixOf = (tensors: ReadonlyMap<string, unknown>): HfPrefix =>
  [...tensors.keys()].some((name) => name.startsWith('model.')) ? 'model.' : '';

/** Whether a tensor is a table of sinusoidal positions, which heddle computes. */
export const isComputedTable = (c: ModelConfig, prefix: HfPrefix, name: string): boolean =>
  c.positions === 'sinusoidal-halves' &&
  ['encoder', 'decoder'].some((stack) => name === `${prefix}${stack}.embed_positions.weight`);

/** A tensor of a model in transformers. */
export interface HfTensor {
  readonly name: string;
  readonly shape: Shape;
  /** Offset of the first element in the parameter buffer. */
  readonly at: number;
}

/**
 * All tensors of a model, in the order of its parameters. A parameter that joins several tensors (q, k and v)
 * has their rows one after another, so every tensor is contiguous. All names except the head's start with
 * `prefix`.
 */
export const hfTensors = (c: ModelConfig, p: ParameterLayout, prefix: HfPrefix = 'model.'): HfTensor[] =>
  p.all.flatMap((parameter) => {
    const names = hfNames(c, parameter);
    if (names.length === 0) throw new Error(`weights: ${parameter.name} has no name in transformers`);
    const shape = parameter.name === 'generator.bias' ? [1, c.tgtVocab] : parameter.shape;
    const [rows = 0, ...inner] = shape;
    const part = rows / names.length;
    return names
      .map((name, i) => ({
        name: name.replace(/^model\./, prefix),
        shape: [part, ...inner],
        at: parameter.offset + i * part * sizeOf(inner),
      }))
      .filter(({ name }) => c.keyBias || !name.endsWith('.k_proj.bias'));
  });

/** Aliases of tied tensors, each with the name under which the tensor is stored. */
export function tiedNames(
  c: ModelConfig,
  prefix: HfPrefix,
  { own }: HfFamily,
): Readonly<Record<string, string>> {
  const [encoder, decoder] = [`${prefix}encoder.embed_tokens.weight`, `${prefix}decoder.embed_tokens.weight`];
  const table = `${prefix}shared.weight`;
  if (c.tie === 'all') return { [encoder]: table, [decoder]: table, 'lm_head.weight': table };
  if (c.tie === 'embeddings') return { [encoder]: table, [decoder]: table };
  return c.tie === 'target' ? { [own?.head ?? 'lm_head.weight']: decoder } : {};
}
