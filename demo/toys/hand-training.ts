// A training of one pair, one update at a time, that shows what an update does to a single weight: for the page
// Learn. It computes with the float64 references, in which a finite difference has six digits.

import { type Model, originOf } from '../../src/api/model.ts';
import { check } from '../../src/core/errors.ts';
import { msg } from '../../src/core/message.ts';
import { type CpuExecutor, createCpuExecutor } from '../../src/engine/cpu/executor.ts';
import { stepWords, writeStep } from '../../src/engine/ops/step-scalars.ts';
import type { SavedModel } from '../../src/formats/shared/saved-model.ts';
import type { DropoutRates, ModelConfig } from '../../src/model/model-config.ts';
import type { Parameter, ParameterLayout, ParameterList } from '../../src/model/parameter-layout.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { fixedPositions } from '../../src/model/positions.ts';
import { type BatchArrays, fillBatch, fillTokenIndices } from '../../src/text/batches/batches.ts';
import { encodePairs, sourceLength, targetLength } from '../../src/text/batches/encoded-corpus.ts';
import type { Pair } from '../../src/text/corpus/pairs.ts';
import { tokenLabel } from '../../src/text/tokenizers/tokenizer.ts';
import { type OptimizerConfig, optimizerConfig } from '../../src/train/update/optimizer-config.ts';
import { learningRate } from '../../src/train/update/schedule.ts';
import {
  type TrainableParameters,
  trainableParameters,
} from '../../src/train/update/trainable-parameters.ts';
import { evaluationGraph, trainingGraph } from '../../src/train/update/training-graphs.ts';

/** A weight: its matrix, and its row and column in it, from 0. */
export interface WeightPlace {
  readonly name: string;
  readonly row: number;
  readonly column: number;
}

/** The pair at one moment of the training. */
export interface PairState {
  /** Mean loss per target token, in nats. */
  readonly loss: number;
  /** The most probable token after each token of the target, as text; the last one is to be the end. */
  readonly likeliest: readonly string[];
  /** Number of these that are the target's. */
  readonly hits: number;
  readonly tokens: number;
}

/** What an update did. */
export interface HandUpdate {
  /** Number of the update, from 1. */
  readonly step: number;
  readonly learningRate: number;
  readonly before: PairState;
  readonly after: PairState;
  /** The weight before and after the update. */
  readonly weight: readonly [before: number, after: number];
  /** Derivative of the mean loss by the weight, from the backward pass. */
  readonly gradient: number;
  /** The same by (loss(w + h) - loss(w - h)) / 2h. */
  readonly difference: number;
  readonly h: number;
  /** The moments of AdamW after the update, before their correction by the number of updates. */
  readonly moments: readonly [m: number, v: number];
  readonly optimizer: Pick<OptimizerConfig, 'beta1' | 'beta2' | 'eps'>;
}

/** Step of the finite difference: its error, of the order of h², and that of rounding are both below 1e-6. */
const h = 1e-4;

/** The training; it changes a copy of the model's weights. */
export class HandTraining {
  /** The matrices of the model and their shapes, in the order of the parameters. */
  readonly matrices: readonly Pick<Parameter, 'name' | 'shape'>[];
  readonly #model: SavedModel;
  readonly #parameters: ParameterList;
  readonly #trainable: TrainableParameters;
  readonly #optimizer = optimizerConfig({ clipNorm: 0 });
  readonly #states = new Map<string, Float64Array>();
  readonly #training: CpuExecutor;
  readonly #evaluation: CpuExecutor;
  readonly #batch: BatchArrays;
  readonly #tokens: number;
  #steps = 0;
  #now: PairState;

  private constructor(model: SavedModel, pair: Pair) {
    // Dropout and label smoothing would make the loss another one than that of the finite difference.
    const config: ModelConfig = { ...model.config, dropout: noDropout, labelSmoothing: 0 };
    this.#model = model;
    this.#parameters = parameterList(config);
    this.#trainable = trainableParameters(config, this.#parameters);
    this.matrices = this.#trainable.parameters.all
      .filter(({ shape }) => shape.length === 2)
      .map(({ name, shape }) => ({ name, shape }));
    const limits = { maxSource: config.maxSource, maxTarget: config.maxLength };
    const corpus = encodePairs([pair], model.source, model.target, limits);
    check(corpus.pairIndex.length === 1, 'the pair is empty or longer than the model allows', {
      area: 'train',
    });
    const [source, target] = [sourceLength(corpus, 0), targetLength(corpus, 0)];
    const shape = { batch: 1, source, target };
    const ints = (n: number) => new Int32Array(n);
    const words = (n: number) => new Uint32Array(n);
    this.#batch = {
      src: ints(source),
      tgtIn: ints(target),
      tgtOut: ints(target),
      srcLens: words(1),
      tgtLens: words(1),
      srcRowStart: words(config.srcVocab + 1),
      srcOccurrences: words(source),
      tgtRowStart: words(config.tgtVocab + 1),
      tgtOccurrences: words(target),
    };
    this.#tokens = fillBatch(this.#batch, shape, corpus, Uint32Array.of(0));
    fillTokenIndices(this.#batch);
    const graph = trainingGraph(config, this.#parameters, shape, this.#optimizer);
    this.#training = createCpuExecutor(graph, this.#states);
    this.#evaluation = createCpuExecutor(
      evaluationGraph(config, this.#parameters, shape, { logits: true }),
      this.#states,
    );
    this.#training.state('weights').set(model.weights);
    const positions = fixedPositions(config);
    if (positions) this.#training.state('positions').set(positions);
    this.#now = this.#evaluate();
  }

  /** Throws a HeddleError if the pair is empty or too long, or the source of the model is not text. */
  static async open(model: Model, pair: Pair): Promise<HandTraining> {
    const saved = await originOf(model).saved();
    check(saved.config.source === 'tokens', 'a training by hand needs a model whose source is text', {
      area: 'train',
    });
    return new HandTraining(saved, pair);
  }

  /** The pair before the next update. */
  get now(): PairState {
    return this.#now;
  }

  /**
   * Does an update by AdamW and reports what it did to the weight at `place`. The rate rises linearly over the first
   * `warmupSteps` updates. Throws a HeddleError if there is no such weight.
   */
  update(place: WeightPlace, rate: number, warmupSteps = 0): HandUpdate {
    const weights = this.#training.state('weights');
    const at = offsetOf(this.#parameters, place);
    const inBuffer = offsetOf(this.#trainable.parameters, place);
    const before = this.#now;
    const weight = weights[at] as number;
    const lossAt = (w: number): number => {
      weights[at] = w;
      return this.#evaluate().loss;
    };
    const difference = (lossAt(weight + h) - lossAt(weight - h)) / (2 * h);
    weights[at] = weight;
    const schedule = {
      kind: 'constant',
      learningRate: rate,
      warmupSteps,
      steps: 1,
      minLearningRate: 0,
      dModel: 1,
    } as const;
    const ofStep = learningRate(schedule, this.#steps);
    const scalars = { learningRate: ofStep, tokenWeight: 1 / this.#tokens, step: this.#steps };
    this.#run(this.#training, scalars);
    this.#steps++;
    this.#now = this.#evaluate();
    const stateAt = (name: string) => this.#training.state(name)[inBuffer] as number;
    return {
      step: this.#steps,
      learningRate: ofStep,
      before,
      after: this.#now,
      weight: [weight, weights[at] as number],
      gradient: stateAt('gradients'),
      difference,
      h,
      moments: [stateAt('moment1'), stateAt('moment2')],
      optimizer: this.#optimizer,
    };
  }

  #run(executor: CpuExecutor, scalars: Parameters<typeof writeStep>[1]): Record<string, Float64Array> {
    const step = new Uint32Array(stepWords);
    writeStep(step, scalars);
    return executor.run({ ...this.#batch, step });
  }

  #evaluate(): PairState {
    const { stats = [], logits = [] } = this.#run(this.#evaluation, {});
    const { tgtVocab } = this.#model.config;
    const columns = logits.length / this.#batch.tgtOut.length;
    const likeliest = Array.from(this.#batch.tgtOut, (_, t) => {
      let best = 0;
      for (let id = 1; id < tgtVocab; id++)
        if ((logits[t * columns + id] as number) > (logits[t * columns + best] as number)) best = id;
      return tokenLabel(this.#model.target, best);
    });
    const [loss = Number.NaN, tokens = 0, hits = 0] = stats;
    return { loss: loss / tokens, likeliest, hits, tokens };
  }
}

const noDropout: DropoutRates = {
  embedding: 0,
  attention: 0,
  feedForward: 0,
  residual: 0,
  memory: 0,
  output: 0,
};

/** Offset of a weight in the buffer of a list. */
function offsetOf({ byName }: ParameterLayout, { name, row, column }: WeightPlace): number {
  const parameter = byName.get(name);
  const [rows = 0, columns = 0] = parameter?.shape ?? [];
  check(
    parameter && row >= 0 && row < rows && column >= 0 && column < columns,
    () => msg`${name} has no weight in row ${row}, column ${column}; its shape is ${rows} x ${columns}`,
    { area: 'train' },
  );
  return parameter.offset + row * columns + column;
}
