// A decoder: the plans of one shape and mode, and the loop that runs them for a batch of sources. The GPU never waits for the host:
// two steps are on their way while the results of a third are looked at, and what they did too much is not looked at.

import type { Engine, Program } from '../engine.ts';
import { check, HeddleError } from '../errors.ts';
import type { Outputs } from '../gpu/runner.ts';
import type { ModelConfig } from '../model/config.ts';
import type { ParameterList } from '../model/parameters.ts';
import { writeRules } from '../ops/next-token.ts';
import { writeSampling } from '../ops/sample-token.ts';
import { createStepWriter } from '../ops/step.ts';
import { fillLengths } from '../train/lengths.ts';
import { type DecodeMode, type DecodeShape, decodeStates, sourceGraph, stepGraph } from './graphs.ts';
import type { Search } from './hypotheses.ts';
import type { DecodeSettings } from './options.ts';

/** What to decode together. */
export interface DecodeBatch {
  /** Ids of each source, at most as many as the shape's batch. */
  readonly sources: readonly ArrayLike<number>[];
  /** A number for each source, the same whatever decodes beside it: with the seed it decides what is drawn. */
  readonly streams: readonly number[];
}

/** A decoder for batches of one shape, its plans ready. */
export interface Decoder {
  readonly shape: DecodeShape;
  /**
   * Decodes a batch into `search`; yields after each step that it took, with the number of steps so far. Ends when all sentences are
   * done or the greatest length is reached; throws the reason of the signal where it is aborted. One at a time.
   */
  run(batch: DecodeBatch, settings: DecodeSettings, search: Search): AsyncGenerator<number, void, void>;
}

/** Makes a decoder on an engine that holds the weights, or gets them before the first run. */
export async function createDecoder(
  engine: Engine,
  c: ModelConfig,
  p: ParameterList,
  shape: DecodeShape,
  mode: DecodeMode,
): Promise<Decoder> {
  const { batch: B, beams: K = 1, source: S, target: T } = shape;
  check(
    S <= c.maxLength && T <= c.maxLength,
    `decode: source of ${S} and target of ${T} positions, the model has maxLength ${c.maxLength}`,
  );
  const graphs = [sourceGraph(c, p, shape), stepGraph(c, p, shape, mode)];
  const [source, step] = (await engine.prepare(graphs)) as [Program, Program];
  const states = decodeStates(c, shape);
  const start = new Int32Array(B * K).fill(c.startId);
  const own = Int32Array.from(start, (_, r) => r % K);
  const writeStep = createStepWriter(step.inputs.step as Uint32Array);

  const begin = ({ sources, streams }: DecodeBatch, { rules, sampling }: DecodeSettings): void => {
    check(sources.length <= B, `decode: ${sources.length} sources for a batch of ${B}`);
    const src = source.inputs.src as Int32Array;
    src.fill(c.padId);
    for (const [b, ids] of sources.entries()) {
      if (ids.length > S)
        throw new HeddleError(`decode: a source of ${ids.length} tokens, at most ${S} fit; shorten it`);
      src.set(ids, b * S);
    }
    fillLengths(source.inputs.srcLens as Uint32Array, src, S, c.padId, c.srcVocab, 'source');
    step.inputs.srcLens?.set(source.inputs.srcLens as Uint32Array);
    writeRules(step.inputs.rules as Int32Array, rules);
    if (step.inputs.sampling) writeSampling(step.inputs.sampling as Float32Array, sampling);
    for (let r = 0; step.inputs.streams && r < B * K; r++)
      step.inputs.streams[r] = (streams[Math.floor(r / K)] ?? 0) + (r % K) * 2 ** 26;
    source.submit();
    engine.write(states.token.name, start);
    engine.write(states.parent.name, own);
  };

  return {
    shape,
    async *run(batch, settings, search) {
      const { maxLength, seed, signal } = settings;
      check(maxLength <= T, `decode: a greatest length of ${maxLength}, the decoder has ${T} positions`);
      begin(batch, settings);
      const sentences = Array.from({ length: B }, (_, b) => (b < batch.sources.length ? b : -1));
      const pending: Promise<Outputs>[] = [];
      const finished = () => sentences.every((b) => b < 0 || search.done(b));
      let taken = 0;
      try {
        for (let t = 0; taken < maxLength && !finished(); t++) {
          signal?.throwIfAborted();
          if (t < maxLength) {
            writeStep({ learningRate: 0, tokenWeight: 0, seed, step: t, keep: 0, position: t });
            pending.push(step.run());
          }
          if (pending.length > 2 || t >= maxLength) {
            search.take(await (pending.shift() as Promise<Outputs>), sentences);
            yield ++taken;
          }
        }
      } finally {
        await Promise.allSettled(pending);
      }
    },
  };
}
