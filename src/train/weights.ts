// Putting a model's states on an engine: initial or loaded weights, and the table of positions where it is not trained.

import type { Engine } from '../engine.ts';
import type { ModelConfig } from '../model/config.ts';
import { sinusoids } from '../ops/positions.ts';

/** Fills the state `positions` where the model has one: fixed sinusoids, [maxLength, D]. */
export function writePositions(engine: Engine, c: ModelConfig): void {
  if (c.positions === 'learned') return;
  engine.write('positions', sinusoids(c.maxLength, c.dModel, c.positions === 'sinusoidal' ? 'interleaved' : 'halves'));
}
