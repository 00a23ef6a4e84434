// Greedy decoding: the most probable token at each step, a batch of sources together, with keys and values kept.

import type { Engine, Program } from '../engine.ts';
import { HeddleError } from '../errors.ts';
import type { ModelConfig } from '../model/config.ts';
import type { ParameterList } from '../model/parameters.ts';
import { createStepWriter } from '../ops/step.ts';
import { fillLengths } from '../train/lengths.ts';
import { type DecodeShape, sourceGraph, stepGraph, tokenState } from './graphs.ts';

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
  if (shape.source > c.maxLength || shape.target > c.maxLength)
    throw new HeddleError(
      `decode: source of ${shape.source} and target of ${shape.target} positions, the model has maxLength ${c.maxLength}`,
    );
  const [source, step] = (await engine.prepare([sourceGraph(c, p, shape), stepGraph(c, p, shape)])) as [
    Program,
    Program,
  ];
  const { batch: B, source: S } = shape;
  const start = new Int32Array(B).fill(c.startId);
  const write = createStepWriter(step.inputs.step as Uint32Array);
  return {
    shape,
    async decode(sources, limit = shape.target) {
      if (sources.length > B) throw new Error(`decode: ${sources.length} sources for a batch of ${B}`);
      const src = source.inputs.src as Int32Array;
      src.fill(c.padId);
      for (const [b, ids] of sources.entries()) {
        if (ids.length > S)
          throw new HeddleError(`decode: a source of ${ids.length} tokens, at most ${S} fit; shorten it`);
        src.set(ids, b * S);
      }
      fillLengths(source.inputs.srcLens as Uint32Array, src, S, c.padId, c.srcVocab, 'source');
      step.inputs.srcLens?.set(source.inputs.srcLens as Uint32Array);
      source.submit();
      engine.write(tokenState(shape), start);

      const ids: number[][] = sources.map(() => []);
      const ended = sources.map(() => false);
      const take = (tokens: ArrayLike<number>) => {
        for (const [b, row] of ids.entries()) {
          if (ended[b]) continue;
          if (tokens[b] === c.endId) ended[b] = true;
          else row.push(tokens[b] as number);
        }
      };
      const steps = Math.min(limit, shape.target);
      // Two steps are on their way while a third one's tokens are looked at: the GPU never waits for the host.
      const pending: Promise<Record<string, ArrayLike<number>>>[] = [];
      for (let t = 0; t < steps && !ended.every(Boolean); t++) {
        write({
          learningRate: 0,
          tokenWeight: 0,
          seed: 0,
          step: t,
          keep: 0,
          position: t,
        });
        pending.push(step.run());
        if (pending.length > 2) take((await (pending.shift() as (typeof pending)[number])).token ?? []);
      }
      for (const rest of pending) take((await rest).token ?? []);
      return { ids, ended };
    },
  };
}
