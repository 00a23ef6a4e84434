// Loads the parts that only some models have, so that pages without such a model do not load their code.

import { loadFrameParts } from '../features/speech/frame-parts.ts';
import type { ModelConfig } from './model-config.ts';

type Optional = typeof import('./optional-sublayers.ts');

let loaded: Optional | undefined;

/** Positions that most models have. */
const common: readonly string[] = ['sinusoidal', 'sinusoidal-halves', 'learned', 'none'];

/**
 * Loads what a configuration needs, and a cache of the type. Call it before the graphs of the model are built.
 */
export async function loadSublayers(c: ModelConfig, cacheType?: 'f32' | 'f16'): Promise<void> {
  if (
    cacheType === 'f16' ||
    c.decoderSelfAttention === 'ssru' ||
    c.normQueriesOnly ||
    c.feedForwardType === 'gated' ||
    c.scaleOutput ||
    !common.includes(c.positions)
  )
    loaded ??= await import('./optional-sublayers.ts');
  await loadFrameParts(c);
}

/** The parts, which `loadSublayers` has loaded. */
export function optionalSublayers(): Optional {
  return loaded as Optional;
}
