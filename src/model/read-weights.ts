// Reads weights from files in parts, for models that are larger than JavaScript memory should hold.

import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from './model-config.ts';
import type { ParameterList } from './parameter-layout.ts';
import { writePositions } from './positions.ts';
import { type WeightReader, weightParts } from './quantized-parameters.ts';

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
