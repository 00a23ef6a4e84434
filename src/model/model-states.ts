// Writes the states of a model to an engine: its weights, and its positions if they are fixed.

import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from './model-config.ts';
import type { ParameterList } from './parameter-layout.ts';
import { writePositions } from './positions.ts';

/** Writes weights [p.size] to an engine, quantized if the list is, and the fixed positions. */
export function writeWeights(engine: Engine, c: ModelConfig, p: ParameterList, weights: Float32Array): void {
  if (!p.quantization) engine.write(`weights${p.stateSuffix ?? ''}`, weights);
  else
    for (const part of p.quantization.parts(p)) {
      const start = part.parameter.offset + part.first;
      for (const { state, offset, data } of part.states(weights.subarray(start, start + part.count)))
        engine.write(state, data, offset);
    }
  writePositions(engine, c, p.stateSuffix);
}
