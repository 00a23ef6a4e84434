// Writes the states of a model to an engine: its weights, and its position embeddings if they are fixed.

import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from './model-config.ts';
import type { ParameterList } from './parameter-layout.ts';
import { fixedPositions } from './parameters.ts';
import type { WeightReader } from './quantized-parameters.ts';

/** Writes the fixed sinusoidal positions to the state `positions`. Does nothing if the model has none. */
export function writePositions(engine: Engine, c: ModelConfig, suffix = ''): void {
  const table = fixedPositions(c);
  if (table) engine.write(`positions${suffix}`, table);
}

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

/** Maximum bytes of writes that may be pending before the host waits. */
const maxQueued = 64 * 2 ** 20;

/**
 * Reads weights in parts and writes them to an engine, as `writeWeights`. The host never holds all of them.
 */
export async function readWeights(
  engine: Engine,
  c: ModelConfig,
  p: ParameterList,
  from: WeightReader,
): Promise<void> {
  const { weightParts } = await import('./quantized-parameters.ts');
  let queued = 0;
  for (const part of weightParts(p)) {
    const values = await from.read(part.parameter, part.first, part.count);
    for (const { state, offset, data } of part.states(values)) {
      engine.write(state, data, offset);
      queued += data.byteLength;
    }
    if (queued < maxQueued) continue;
    await engine.written?.();
    queued = 0;
  }
  writePositions(engine, c, p.stateSuffix);
}
