// A decoder: the plans of one shape and mode, and the loop over decoding steps. The loop is pipelined: two
// steps are in flight while the host reads a third, so the GPU never waits; surplus steps are ignored. When
// few sentences are left, they move to a smaller batch.
import { check } from '../core/errors.ts';
import type { Engine, Program } from '../engine/engine.ts';
import type { Outputs } from '../engine/gpu/output-ring.ts';
import { writeRules, writeSampling } from '../engine/ops/decoding/next-token.ts';
import { createStepWriter, type StepScalars } from '../engine/ops/step-scalars.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { fillLengths } from '../text/batches/batch-inputs.ts';
import type { DecodeSettings } from './decode-options.ts';
import type { DecodeMode, DecodeShape } from './decoding-graphs.ts';
import { decodeStates, shrinkGraph, sourceGraph, stepGraph } from './decoding-graphs.ts';
import type { Search } from './hypotheses.ts';

/** Sources that decode together. */
export interface DecodeBatch {
  /** Ids of each source; at most `shape.batch` sources. */
  readonly sources: readonly ArrayLike<number>[];
  /** Random stream of each source: with the seed it determines the samples, for any batch. */
  readonly streams: readonly number[];
}

/** A decoder for batches of one shape, with compiled plans. */
export interface Decoder {
  /** Peak memory of its largest plan in bytes; 0 on the CPU. */
  readonly peak: number;
  /**
   * Decodes a batch into `search`; yields the number of steps after each one. Ends when all sentences are
   * finished or at the maximum length. Throws the signal's reason if it is aborted. Not reentrant: one run at
   * a time.
   */
  run(batch: DecodeBatch, settings: DecodeSettings, search: Search): AsyncGenerator<number, void, void>;
}

/** The plans of one batch size, and how to continue with a smaller one. */
interface Stage {
  readonly shape: DecodeShape;
  readonly step: Program;
  readonly writeStep: (scalars: StepScalars) => void;
  readonly smaller?: { readonly stage: Stage; readonly shrink: Program };
}

/**
 * Creates a decoder. The engine must have the weights before the first run. Throws a HeddleError if the shape
 * exceeds the model.
 */
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
  const shapes = shrinking(shape);
  const lengths = sourceLengths(shape);
  const prepared = await engine.prepare([
    ...lengths.map((length) => sourceGraph(c, p, shape, [], length)),
    ...shapes.map((shape) => stepGraph(c, p, shape, mode)),
    ...shapes.slice(1).map((fewer, i) => shrinkGraph(c, p, shapes[i] as DecodeShape, fewer)),
  ]);
  const [encoders, programs] = [prepared.slice(0, lengths.length), prepared.slice(lengths.length)];
  const stageAt = (i: number): Stage => {
    const [step, shrink] = [programs[i] as Program, programs[shapes.length + i]];
    const writeStep = createStepWriter(step.inputs.step as Uint32Array);
    const smaller = shrink && { stage: stageAt(i + 1), shrink };
    return { shape: shapes[i] as DecodeShape, step, writeStep, ...(smaller && { smaller }) };
  };
  const first = stageAt(0);
  const states = decodeStates(c, shape);
  const identityParents = Int32Array.from({ length: B * K }, (_, r) => r % K);

  /** Encodes the sources; returns their lengths. */
  const begin = ({ sources }: DecodeBatch, startId: number): Uint32Array => {
    check(sources.length <= B, `decode: ${sources.length} sources for a batch of ${B}`);
    const longest = sources.reduce((max, ids) => Math.max(max, ids.length), 0);
    const place = lengths.findIndex((length) => longest <= length);
    check(place >= 0, `decode: a source of ${longest} tokens, at most ${S} fit; shorten it`);
    const [encoder, width] = [encoders[place] as Program, lengths[place] as number];
    const src = encoder.inputs.src as Int32Array;
    src.fill(c.padId);
    for (const [b, ids] of sources.entries()) src.set(ids, b * width);
    const srcLens = encoder.inputs.srcLens as Uint32Array;
    fillLengths(srcLens, src, width, c.hidePadding ? c.padId : -1, c.srcVocab, 'source');
    // Hugging Face's models may attend to a padding token inside a source.
    if (!c.hidePadding) for (let b = 0; b < B; b++) srcLens[b] = sources[b]?.length ?? 0;
    encoder.submit();
    engine.write(states.token.name, new Int32Array(B * K).fill(startId));
    engine.write(states.parent.name, identityParents);
    return srcLens;
  };

  /** Fills the inputs of a stage for its sentences. */
  const load = (
    { step: { inputs } }: Stage,
    sentences: readonly number[],
    srcLens: Uint32Array,
    { streams }: DecodeBatch,
    settings: DecodeSettings,
  ): void => {
    writeRules(inputs.rules as Int32Array, settings.rules);
    if (inputs.sampling) writeSampling(inputs.sampling as Float32Array, settings.sampling);
    for (const [i, b] of sentences.entries()) {
      (inputs.srcLens as Uint32Array)[i] = b < 0 ? 0 : (srcLens[b] as number);
      // The first sample of a sentence does not depend on the number of samples.
      for (let k = 0; inputs.streams && k < K; k++)
        inputs.streams[i * K + k] = (streams[b] ?? 0) + k * 2 ** 26;
    }
  };

  return {
    peak: Math.max(...prepared.map(({ plan }) => plan?.bytes.peak ?? 0)),
    async *run(batch, settings, search) {
      const { maxNewTokens, startId, seed, signal } = settings;
      check(maxNewTokens <= T, `decode: maxNewTokens is ${maxNewTokens}, the decoder has ${T} positions`);
      const srcLens = begin(batch, startId);
      let stage = first;
      let sentences = Array.from({ length: B }, (_, b) => (b < batch.sources.length ? b : -1));
      load(stage, sentences, srcLens, batch, settings);
      const pending: { readonly outputs: Promise<Outputs>; readonly sentences: readonly number[] }[] = [];
      let taken = 0;
      try {
        for (let t = 0; taken < maxNewTokens; t++) {
          signal?.throwIfAborted();
          const running = sentences.filter((b) => b >= 0 && !search.done(b));
          if (running.length === 0) break;
          for (
            let { smaller } = stage;
            smaller && running.length <= smaller.stage.shape.batch;
            { smaller } = stage
          ) {
            const order = Array.from({ length: smaller.stage.shape.batch }, (_, i) => running[i] ?? -1);
            const places = new Map(sentences.map((b, i) => [b, i]));
            smaller.shrink.inputs.indices?.set(order.map((b) => places.get(b) ?? 0));
            smaller.shrink.submit();
            [stage, sentences] = [smaller.stage, order];
            load(stage, sentences, srcLens, batch, settings);
          }
          if (t < maxNewTokens) {
            stage.writeStep({ learningRate: 0, tokenWeight: 0, seed, step: t, keep: 0, position: t });
            pending.push({ outputs: stage.step.run(), sentences });
          }
          if (pending.length > 2 || t >= maxNewTokens) {
            const next = pending.shift() as (typeof pending)[number];
            search.take(await next.outputs, next.sentences);
            yield ++taken;
          }
        }
      } finally {
        await Promise.allSettled(pending.map(({ outputs }) => outputs));
      }
    },
  };
}

/** The number of source positions up to which a single sentence counts as short. */
const shortSource = 16;

/** Source lengths that get an encoder plan each, so that a short sentence is not padded to a long one. */
const sourceLengths = ({ batch, source }: DecodeShape): number[] =>
  batch === 1 && source > shortSource ? [shortSource, source] : [source];

/**
 * A shape followed by smaller ones, each with a quarter of the sentences, until there are fewer than four.
 */
function shrinking(shape: DecodeShape): DecodeShape[] {
  const shapes = [shape];
  for (let { batch } = shape; batch >= 4; ) {
    batch = Math.ceil(batch / 4);
    shapes.push({ ...shape, batch });
  }
  return shapes;
}
