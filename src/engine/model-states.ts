// Putting a model's states on an engine: initial or loaded weights, and the table of positions where it is not trained.

import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { weightStates } from '../model/quantized-parameters.ts';
import { sinusoids } from '../ops/embedding/position-tables.ts';
import type { Engine } from './engine.ts';

/** Fills the state `positions` where the model has one: fixed sinusoids, [maxLength, D]. */
export function writePositions(engine: Engine, c: ModelConfig): void {
  if (c.positions === 'learned') return;
  engine.write('positions', sinusoids(c.maxLength, c.dModel, c.positions === 'sinusoidal' ? 'interleaved' : 'halves'));
}

/** Puts weights, a bank laid out as the list is, on an engine in the format that the list says, and the table of positions. */
export function writeWeights(engine: Engine, c: ModelConfig, p: ParameterList, weights: Float32Array): void {
  for (const [name, data] of Object.entries(weightStates(p, weights))) engine.write(name, data);
  writePositions(engine, c);
}
