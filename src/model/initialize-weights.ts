// Random initialization of the weights of a model.

import { keyOf, random } from '../core/random.ts';
import { sizeOf } from '../core/tensor.ts';
import type { ModelConfig } from './model-config.ts';
import type { ParameterLayout } from './parameter-layout.ts';

/**
 * Initialization schemes. `xavier`: matrices as in PyTorch's nn.Transformer (uniform; Glorot and Bengio,
 * 2010), embeddings normal with std 1 / sqrt(dModel). `truncated-normal`: both with std 0.02, cut at 2 std.
 */
export const initSchemes = ['xavier', 'truncated-normal'] as const;
/** Name of an initialization scheme. */
export type InitScheme = (typeof initSchemes)[number];

/** Initializes `weights` [list.size], and returns them: they depend only on configuration, scheme and seed. */
export function initializeWeights(
  c: ModelConfig,
  list: ParameterLayout,
  seed: number,
  scheme: InitScheme = 'xavier',
  weights = new Float32Array(list.size),
): Float32Array {
  for (const p of list.all) {
    if (p.init.kind === 'embedding' && p.init.of === 'positions' && p.init.values) {
      weights.set(p.init.values(), p.offset);
      continue;
    }
    const r = random(seed, keyOf('init'), keyOf(p.name));
    const values = weights.subarray(p.offset, p.offset + sizeOf(p.shape));
    const truncated = () => {
      for (;;) {
        const z = r.normal();
        if (Math.abs(z) <= 2) return 0.02 * z;
      }
    };
    const draw = (): number => {
      const { init } = p;
      switch (init.kind) {
        case 'constant':
          return init.value;
        case 'uniform':
          return scheme === 'truncated-normal' ? 0 : (2 * r.uniform() - 1) * init.bound;
        case 'matrix':
          if (scheme === 'truncated-normal') return truncated();
          return (2 * r.uniform() - 1) * Math.sqrt(6 / (init.fanIn + init.fanOut));
        case 'embedding':
          if (scheme === 'truncated-normal') return truncated();
          return r.normal() / Math.sqrt(c.dModel);
      }
    };
    for (let i = 0; i < values.length; i++) values[i] = draw();
    // The embedding of padding starts at zero, as in torch.nn.Embedding(padding_idx).
    if (c.padId >= 0 && p.init.kind === 'embedding' && p.init.of === 'tokens')
      values.fill(0, c.padId * c.dModel, (c.padId + 1) * c.dModel);
  }
  return weights;
}
