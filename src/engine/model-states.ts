// Writes the states of a model to an engine: its weights, and its position embeddings if they are fixed.

import { fixedPositions } from '../model/fixed-positions.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { weightStates } from '../model/quantized-parameters.ts';
import type { Engine } from './engine.ts';

/**
 * Writes the fixed sinusoidal positions to the state `positions`. Does nothing if the model has none.
 */
export function writePositions(engine: Engine, c: ModelConfig): void {
  const table = fixedPositions(c);
  if (table) engine.write('positions', table);
}

/** Writes weights [p.size] to an engine, quantized if the list is, and the fixed positions. */
export function writeWeights(engine: Engine, c: ModelConfig, p: ParameterList, weights: Float32Array): void {
  for (const [name, data] of Object.entries(weightStates(p, weights))) engine.write(name, data);
  writePositions(engine, c);
}
