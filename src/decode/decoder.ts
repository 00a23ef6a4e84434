// A decoder: the plans of one shape and mode, and the loop over decoding steps. The loop is pipelined: two
// steps are in flight while the host reads a third, so the GPU never waits; surplus steps are ignored. When
// few sentences are left, they move to a smaller batch.

import { check } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { Engine, Program } from '../engine/engine.ts';
import type { Outputs } from '../engine/gpu/output-ring.ts';
import { writeSampling } from '../engine/ops/decoding/next-token.ts';
import { createStepWriter, type StepScalars } from '../engine/ops/step-scalars.ts';
import { grownTo } from '../model/grown-positions.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import type { SourceKind } from '../model/source-kind.ts';
import { chooseBeams } from './beam-step.ts';
import type { DecodeSettings } from './decode-options.ts';
import type { DecodeMode, DecodeShape } from './decoding-graphs.ts';
import { encodeSources, type SourceEncoder, sourceGraph, stepGraph } from './decoding-graphs.ts';
import type { Search } from './hypotheses.ts';
import { shrinkGraph } from './shrink-graph.ts';
import { plainRules } from './token-rules.ts';

/** Sources that decode together. */
export interface DecodeBatch {
  /** Ids of each source, or what another kind of source has in their place; at most `shape.batch` sources. */
  readonly sources: readonly ArrayLike<number>[];
  /** Random stream of each source: with the seed it determines the samples, for any batch. */
  readonly streams: readonly number[];
  /** What the decoder reads after the start token, before the first generated token; see batch-prompts.ts. */
  readonly prompt?: {
    /** Number of its tokens, the start token included. */
    readonly length: number;
    /** Runs the steps of all but the last one, and writes the last one. */
    read(run: DecoderRun, engine: Engine): Promise<void>;
  };
}

/** The plans of one batch size, and how to continue with smaller ones. */
interface Stage {
  readonly shape: DecodeShape;
  readonly step: Program;
  readonly writeStep: (scalars: StepScalars) => void;
  /** The smaller batches, smallest first, and the programs that move sentences there. */
  readonly smaller: readonly { readonly stage: Stage; readonly shrink: Program }[];
}

/** A run of a decoder: its batch, and which sentence is at each place of the present stage. */
export interface DecoderRun {
  readonly batch: DecodeBatch;
  readonly settings: DecodeSettings;
  readonly srcLens: Uint32Array;
  stage: Stage;
  /** Sentence at each place of the batch; -1 if it is empty. */
  sentences: readonly number[];
}

/** A decoder for batches of one shape, with compiled plans. */
export class Decoder {
  /** Peak memory of its largest plan in bytes; 0 on the CPU. */
  readonly peak: number;
  readonly #engine: Engine;
  readonly #config: ModelConfig;
  readonly #kind: SourceKind;
  readonly #shape: DecodeShape;
  readonly #encoders: readonly SourceEncoder[];
  readonly #first: Stage;

  private constructor(
    engine: Engine,
    config: ModelConfig,
    kind: SourceKind,
    shape: DecodeShape,
    { encoders, first, peak }: { encoders: readonly SourceEncoder[]; first: Stage; peak: number },
  ) {
    this.#engine = engine;
    this.#config = config;
    this.#kind = kind;
    this.#shape = shape;
    this.#encoders = encoders;
    this.#first = first;
    this.peak = peak;
  }

  /**
   * Creates a decoder; resolves when its plans are compiled. The engine must have the weights before the first
   * run. Throws a HeddleError if the shape exceeds the model.
   */
  static async open(
    engine: Engine,
    model: ModelConfig,
    parameters: ParameterList,
    shape: DecodeShape,
    mode: DecodeMode,
  ): Promise<Decoder> {
    const { grown, graphs, lengths, shapes, moves } = decoderGraphs(
      model,
      parameters,
      shape,
      mode,
      engine.runsAtOnce,
    );
    const { config: c, parameters: p } = grown;
    const prepared = await engine.prepare(graphs);
    grown.write(engine);
    const steps = prepared.slice(lengths.length, lengths.length + shapes.length);
    const shrinks = prepared.slice(lengths.length + shapes.length);
    const stages = new Map<DecodeShape, Stage>();
    for (const [i, each] of [...shapes.entries()].reverse()) {
      const step = steps[i] as Program;
      const writeStep = createStepWriter(step.inputs.step as Uint32Array);
      const smaller = moves.flatMap(({ from, to }, m) =>
        from === each ? [{ stage: stages.get(to) as Stage, shrink: shrinks[m] as Program }] : [],
      );
      stages.set(each, { shape: each, step, writeStep, smaller: smaller.reverse() });
    }
    return new Decoder(engine, c, p.source, shape, {
      encoders: lengths.map((length, i) => ({ length, program: prepared[i] as Program })),
      first: stages.get(shape) as Stage,
      peak: Math.max(...prepared.map(({ plan }) => plan?.bytes.peak ?? 0)),
    });
  }

  /**
   * Decodes a batch into `search`; yields the number of steps after each one. Ends when all sentences are
   * finished or at the maximum length. Throws the signal's reason if it is aborted. Not reentrant: one run at
   * a time.
   */
  async *run(
    batch: DecodeBatch,
    settings: DecodeSettings,
    search: Search,
  ): AsyncGenerator<number, void, void> {
    const { maxNewTokens, startId, seed, signal } = settings;
    const { batch: B, target: T } = this.#shape;
    const first = (batch.prompt?.length ?? 1) - 1; // position of the last token of the prompt
    check(
      first + maxNewTokens <= T,
      msg`${first + maxNewTokens} tokens with those of the prompt, the decoder has ${T} positions`,
      { area: 'decode' },
    );
    const run: DecoderRun = {
      batch,
      settings,
      srcLens: encodeSources(
        this.#engine,
        this.#config,
        this.#kind,
        this.#shape,
        this.#encoders,
        batch,
        startId,
      ),
      stage: this.#first,
      sentences: Array.from({ length: B }, (_, b) => (b < batch.sources.length ? b : -1)),
    };
    this.#load(run);
    const pending: { readonly outputs: Promise<Outputs>; readonly sentences: readonly number[] }[] = [];
    let taken = 0;
    const ahead = this.#engine.runsAtOnce ? 0 : 2; // steps in flight while the host reads another
    try {
      await batch.prompt?.read(run, this.#engine);
      for (let t = 0; taken < maxNewTokens; t++) {
        signal?.throwIfAborted();
        const running = run.sentences.filter((b) => b >= 0 && !search.done(b));
        if (running.length === 0) break;
        const fitting = run.stage.smaller.find(({ stage }) => running.length <= stage.shape.batch);
        if (fitting) this.#shrink(run, fitting, running);
        if (t < maxNewTokens) {
          run.stage.writeStep({ ...noScalars, seed, step: t, position: first + t });
          pending.push({ outputs: run.stage.step.run(), sentences: run.sentences });
        }
        if (pending.length > ahead || t >= maxNewTokens) {
          const next = pending.shift() as (typeof pending)[number];
          search.take(await next.outputs, next.sentences);
          yield ++taken;
        }
      }
    } finally {
      await Promise.allSettled(pending.map(({ outputs }) => outputs));
    }
  }

  /** Moves the running sentences to a smaller batch. */
  #shrink(run: DecoderRun, { stage, shrink }: Stage['smaller'][number], running: readonly number[]): void {
    const order = Array.from({ length: stage.shape.batch }, (_, i) => running[i] ?? -1);
    const places = new Map(run.sentences.map((b, i) => [b, i]));
    shrink.inputs.indices?.set(order.map((b) => places.get(b) ?? 0));
    shrink.submit();
    run.stage = stage;
    run.sentences = order;
    this.#load(run);
  }

  /** Fills the inputs of a stage for its sentences. */
  #load({ stage, sentences, srcLens, batch, settings }: DecoderRun): void {
    const { inputs } = stage.step;
    const { beams: K = 1 } = this.#shape;
    const places = { sources: sentences.map((b) => batch.sources[b]), rows: K };
    plainRules(settings.rules, settings.prefixes).write(inputs, places);
    settings.tokenRules?.write(inputs, places);
    if (inputs.sampling) writeSampling(inputs.sampling as Float32Array, settings.sampling);
    for (const [i, b] of sentences.entries()) {
      (inputs.srcLens as Uint32Array)[i] = b < 0 ? 0 : (srcLens[b] as number);
      // The first sample of a sentence does not depend on the number of samples.
      for (let k = 0; inputs.streams && k < K; k++)
        inputs.streams[i * K + k] = (batch.streams[b] ?? 0) + k * 2 ** 26;
    }
  }
}

/**
 * The graphs of a decoder: encoders, one for each of `lengths`; steps, one for each of `shapes`; and `moves` to smaller
 * shapes. Throws a HeddleError if the shape exceeds the model. A forecast plans them without an engine.
 */
export function decoderGraphs(
  model: ModelConfig,
  parameters: ParameterList,
  shape: DecodeShape,
  mode: DecodeMode,
  runsAtOnce?: boolean,
) {
  const { source: S, target: T } = shape;
  const grown = grownTo(model, parameters, Math.max(S, T));
  const { config: c, parameters: p } = grown;
  const kind = p.source;
  check(
    S <= kind.maxLength(c) && T <= c.maxLength,
    msg`source of ${S} and target of ${T}, the model has ${kind.maxLength(c)} and ${c.maxLength}`,
    { area: 'decode' },
  );
  const shapes = shrinking(shape);
  const lengths = kind.hasShortPrograms ? sourceLengths(shape, runsAtOnce) : [S];
  // From each shape to each smaller one, so that caches are copied once however many sentences finish together.
  const moves = shapes.flatMap((from, i) => shapes.slice(i + 1).map((to) => ({ from, to })));
  const choose = mode.method === 'beam' ? chooseBeams(shape.beams ?? 1, mode) : undefined;
  const graphs = [
    ...lengths.map((length) => sourceGraph(c, p, shape, [], length)),
    ...shapes.map((each) => stepGraph(c, p, each, mode, [], choose)),
    ...moves.map(({ from, to }) => shrinkGraph(c, p, from, to)),
  ];
  return { grown, graphs, lengths, shapes, moves };
}

/** The scalars of a step that decoding does not use. */
const noScalars = { learningRate: 0, tokenWeight: 0, keep: 0 };

/** The number of source positions up to which a single sentence counts as short. */
const shortSource = 16;

/** Source lengths that get an encoder plan each, so that a short sentence is not padded to a long one. */
function sourceLengths({ batch, source }: DecodeShape, runsAtOnce = false): number[] {
  if (batch > 1 || source <= shortSource) return [source];
  // Without a GPU padding costs as much as tokens, and a length more costs nothing.
  const more = runsAtOnce ? Math.floor((source - 1) / shortSource) : 1;
  return [...Array.from({ length: more }, (_, i) => (i + 1) * shortSource), source];
}

/**
 * A shape followed by smaller ones, until there are fewer than four sentences: with half of them, and from fewer than 16
 * on a quarter, since few rows cost about as much as one.
 */
function shrinking(shape: DecodeShape): DecodeShape[] {
  const shapes = [shape];
  for (let { batch } = shape; batch >= 4; ) {
    batch = Math.ceil(batch / (batch >= 16 ? 2 : 4));
    shapes.push({ ...shape, batch });
  }
  return shapes;
}
