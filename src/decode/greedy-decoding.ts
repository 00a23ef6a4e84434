// Greedy decoding of ids: the most probable token at each step, a batch of sources together. Translators do more (translator.ts).

import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { decodeSettings } from './decode-options.ts';
import { createDecoder } from './decoder.ts';
import { type DecodeShape, plainGreedy } from './decoding-graphs.ts';
import { createLines } from './hypotheses.ts';

/** A decoder for batches of one shape, its plans ready. */
export interface GreedyDecoder {
  readonly shape: DecodeShape;
  /**
   * Decodes up to `shape.batch` sources of ids; resolves to the target ids of each, without start and end. At most `limit` tokens
   * (default: as many as the shape has), the end token included. `ended` says which rows reached the end token.
   */
  decode(sources: readonly ArrayLike<number>[], limit?: number): Promise<{ ids: number[][]; ended: boolean[] }>;
}

/** Makes a decoder on an engine that holds the weights. */
export async function greedyDecoder(
  engine: Engine,
  c: ModelConfig,
  p: ParameterList,
  shape: DecodeShape,
): Promise<GreedyDecoder> {
  const decoder = await createDecoder(engine, c, p, shape, plainGreedy);
  return {
    shape,
    async decode(sources, limit = shape.target) {
      const settings = decodeSettings({ maxLength: Math.min(limit, shape.target) }, c, shape.target);
      const lines = createLines(sources.length, c.endId, settings);
      for await (const _ of decoder.run({ sources, streams: [] }, settings, lines));
      const found = lines.finish().map(([line]) => line as NonNullable<typeof line>);
      return { ids: found.map(({ ids }) => [...ids]), ended: found.map(({ ended }) => ended) };
    },
  };
}
