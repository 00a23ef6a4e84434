// Training graphs: forward, backward, clipping and optimizer in one graph, and the model in evaluation.

import { dim } from '../../core/tensor.ts';
import type { Program } from '../../engine/engine.ts';
import { storeResultsAsF16, storeWeightsAsF16 } from '../../engine/graph/f16-storage.ts';
import { gradients } from '../../engine/graph/gradient.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { fuseBackward, fuseForward, fusePlaced } from '../../engine/graph/rewrites.ts';
import { readRoundedWeights } from '../../engine/graph/rounded-weights.ts';
import { zeroRange } from '../../engine/ops/elementwise/zero-range.ts';
import { crossEntropy, tokenStats } from '../../engine/ops/loss/cross-entropy.ts';
import type { Value } from '../../engine/ops/op.ts';
import { accumulate, difference } from '../../engine/ops/optimizer/buffer-sums.ts';
import { counterLength, gradientNormOp, scaleStep } from '../../engine/ops/optimizer/clip.ts';
import { stepWords } from '../../engine/ops/step-scalars.ts';
import { adaptedParameters } from '../../model/lora.ts';
import type { LossPart } from '../../model/loss-part.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { feedForwardOf, isBounded, layerOf } from '../../model/model-nodes.ts';
import { openTransformer } from '../../model/open-transformer.ts';
import { ensembleLogits, type ParameterList } from '../../model/parameter-layout.ts';
import { type Transformer, weight } from '../../model/scope.ts';
import { type SourceKind, tokenInput } from '../../model/source-kind.ts';
import { decode, encode, project } from '../../model/transformer.ts';
import { type BatchArrays, paddingLabel } from '../../text/batches/batches.ts';
import type { BatchShape } from '../../text/batches/buckets.ts';
import { applyOptimizer, type OptimizerConfig, type Precision } from './optimizer-config.ts';
import { roundedMatrices } from './rounded-matrices.ts';
import type { TrainableOptions, TrainableParameters } from './trainable-parameters.ts';
import { rangeValues, trainableParameters } from './trainable-parameters.ts';

/** Options of the graphs. */
export interface GraphOptions extends TrainableOptions {
  /** Rewrites to disable. */
  readonly noFuse?: readonly string[];
  /** Also read the logits back. */
  readonly logits?: boolean;
  /** In evaluation, also read the loss of each target token back: `nll` [B,T], 0 for padding. */
  readonly tokenLosses?: boolean;
  /** Gradient checkpointing: recompute each layer in the backward pass (less memory, more compute). */
  readonly gradientCheckpointing?: boolean;
  /**
   * Maximum bytes of logits at once; above it the loss is computed in chunks of rows. [16 MiB, or an eighth
   * of all logits if that is more, at most 128 MiB]
   */
  readonly logitBytes?: number;
  /** Target id without loss, as PyTorch's `ignore_index`. [padding] */
  readonly ignore?: number;
  /** Mixed precision, see `Precision`. [f32] */
  readonly precision?: Precision;
  /**
   * In mixed precision, whether the residual stream, the hidden layers and all gradients of a pre-norm model
   * stay f32, since those of large models exceed f16. [true with RMSNorm]
   */
  readonly f32Residual?: boolean;
  /**
   * Quantization-aware training: the number of bits to which matrices and embeddings are rounded in the forward and
   * backward pass. Their gradients go to the weights as they are. 0: not rounded. [0]
   */
  readonly quantizeBits?: number;
  /** With `f32Residual`, whether attention stays f32 too; see `attentionFitsF16`. [false] */
  readonly f32Attention?: boolean;
  /** Parts of the loss beside the cross-entropy of the target tokens. [none] */
  readonly lossParts?: readonly LossPart[];
}

/** Adds the inputs of a batch, with the names of `BatchArrays`. */
function batchInputs(
  graph: Graph,
  c: ModelConfig,
  kind: SourceKind,
  { batch: B, source: S, target: T }: BatchShape,
  trains: boolean,
) {
  return {
    source: kind.input(graph, c, B, S, trains),
    target: tokenInput(graph, 'tgt', 'tgtIn', B, T, trains ? c.tgtVocab : undefined),
    labels: graph.input('tgtOut', 'i32', [B, T]),
  };
}

/**
 * Adds loss and statistics of a batch with step scalars `step`; returns the losses [B,T]. The output `stats`
 * is [4]: sum of losses, number of target tokens, number of target tokens that are the most probable token,
 * 0.
 */
function lossOf(
  m: Transformer,
  logits: Value,
  labels: Value,
  step: Value,
  ignore: number = paddingLabel({ pad: m.config.padId, end: m.config.endId }),
): Value {
  const { graph, config } = m;
  return graph.scope('loss', () => {
    const settings = { smoothing: config.labelSmoothing, ignore, fused: m.training };
    const classes = dim(logits, -1) > config.tgtVocab ? config.tgtVocab : undefined;
    const { nll, hit } = crossEntropy(graph, logits, labels, step, { ...settings, classes });
    graph.output('stats', tokenStats(graph, nll, hit, labels, { ignore }));
    return nll;
  });
}

/**
 * Forward and backward pass. The gradients of the loss, times step.tokenWeight and the loss scale, are in the
 * state `gradients`, laid out as the trainable parameters; the output `stats` is that of `lossOf`.
 */
export function gradientGraph(
  c: ModelConfig,
  p: ParameterList,
  shape: BatchShape,
  options: GraphOptions = {},
): { graph: Graph; model: Transformer; gradients: Value; trainable: TrainableParameters } {
  const graph = new Graph();
  const model = openTransformer(graph, c, adaptedParameters(p, options.lora), true);
  const trainable = trainableParameters(c, p, options);
  const { source, target, labels } = batchInputs(graph, c, p.source, shape, true);
  const logits = project(
    model,
    decode(model, target, encode(model, p.source, source), source.lengths),
    !options.logits,
  );
  if (options.logits) graph.output('logits', logits);
  const isF16 = options.precision === 'f16';
  const step = isF16
    ? scaleStep(graph, model.step, graph.state('counters', 'f32', [counterLength]))
    : model.step;
  const parts = (options.lossParts ?? []).map((part) => part.add(model, labels, step));
  const nll = lossOf(model, logits, labels, step, options.ignore);
  const trained = trainable.parameters.all;
  const values = model.lora?.values ?? trained.map(({ name }) => weight(model, name));
  fuseForward(graph, options.noFuse, options.logitBytes, new Set(values));
  const buffer = graph.state('gradients', 'f32', [trainable.parameters.size]);
  // Quantized weights are chosen to save memory, so the largest activations are recomputed (selective
  // recomputation).
  const ofPacked = p.quantization && feedForwardOf;
  const parameterGradients = gradients(
    graph,
    nll,
    values,
    options.gradientCheckpointing ? layerOf : ofPacked,
    parts,
  );
  fuseBackward(graph, options.noFuse);
  trained.forEach((parameter, i) => {
    const d = parameterGradients[i];
    if (!d) return;
    const gradient = parameter.zeros ? zeroRange(graph, d, parameter.zeros) : d;
    graph.place(gradient, buffer, parameter.offset);
  });
  fusePlaced(graph, options.noFuse);
  if (options.quantizeBits) readRoundedWeights(graph, model.weightBuffer, roundedMatrices(p));
  if (isF16 && (options.f32Residual ?? c.normType === 'rms')) {
    // Logits in chunks have the dtype of the inputs of the output projection (`projectedLossOp`), so these
    // stay f32.
    const projected = new Set(
      graph.nodes.filter(({ part }) => part === 'generator').flatMap((node) => node.inputs),
    );
    storeResultsAsF16(graph, (v) => isBounded(v, !options.f32Attention) && !projected.has(v));
  } else if (isF16) {
    storeResultsAsF16(graph);
    storeWeightsAsF16(graph, model.weightBuffer);
  }
  return { graph, model, gradients: buffer, trainable };
}

/**
 * A whole training step: `gradientGraph`, then clipping and the optimizer; see `applyOptimizer` for the
 * output `clip`.
 */
export function trainingGraph(
  c: ModelConfig,
  p: ParameterList,
  shape: BatchShape,
  optimizer: OptimizerConfig,
  options: GraphOptions = {},
): Graph {
  const { graph, model, gradients: buffer, trainable } = gradientGraph(c, p, shape, options);
  applyOptimizer(graph, model.step, trainable, buffer, optimizer);
  return graph;
}

/**
 * Gradient accumulation: adds the gradients of a batch to the state `accumulated`, which step.keep = 0 clears
 * first.
 */
export function gradientAccumulationGraph(
  c: ModelConfig,
  p: ParameterList,
  shape: BatchShape,
  options: GraphOptions = {},
): Graph {
  const { graph, model, gradients: buffer, trainable } = gradientGraph(c, p, shape, options);
  accumulate(graph, graph.state('accumulated', 'f32', [trainable.parameters.size]), buffer, model.step);
  return graph;
}

/** Clipping and optimizer on the state `accumulated`, after the last batch of an update. */
export function updateGraph(trainable: TrainableParameters, optimizer: OptimizerConfig): Graph {
  const graph = new Graph();
  const step = graph.input('step', 'u32', [stepWords]);
  const buffer = graph.state('accumulated', 'f32', [trainable.parameters.size]);
  applyOptimizer(graph, step, trainable, buffer, optimizer);
  return graph;
}

/**
 * Norms of the last update and of the weights: the state `previous` has the weights before the update, and the
 * update after it. The outputs are those of `gradientNormOp` for each range of trainable weights; see
 * `updateRatio`.
 */
export function updateNormGraph(trainable: TrainableParameters): Graph {
  const graph = new Graph();
  const partsOf = (name: string) =>
    rangeValues(graph, graph.state(name, 'f32', [trainable.all.size]), trainable, 'inState');
  const weights = partsOf(trainable.state);
  for (const [i, previous] of partsOf('previous').entries()) {
    const after = weights[i] as Value;
    difference(graph, previous, after);
    graph.output(`update${i}`, graph.apply(gradientNormOp, { gradients: previous }).partials);
    graph.output(`weights${i}`, graph.apply(gradientNormOp, { gradients: after }).partials);
  }
  return graph;
}

/** Norm of the update over the norm of the weights, from the outputs of `updateNormGraph`. */
export function updateRatio(outputs: Readonly<Record<string, ArrayLike<number>>>): number {
  const squares = (kind: string) =>
    Object.entries(outputs).reduce((sum, [name, partials]) => {
      if (!name.startsWith(kind)) return sum;
      for (let block = 0; block < partials.length; block += 2) sum += partials[block] as number;
      return sum;
    }, 0);
  return Math.sqrt(squares('update') / squares('weights'));
}

/**
 * The model in evaluation, with the LoRA adapter if there is one: output `stats`, and `logits` if the option
 * is set.
 */
export function evaluationGraph(
  c: ModelConfig,
  p: ParameterList,
  shape: BatchShape,
  options: GraphOptions = {},
): Graph {
  const graph = new Graph();
  const model = openTransformer(graph, c, adaptedParameters(p, options.lora), false);
  const { source, target, labels } = batchInputs(graph, c, p.source, shape, false);
  const models = [
    model,
    ...(p.ensemble?.others ?? []).map((m) => openTransformer(graph, m.config, m.parameters, false)),
  ];
  const padded = !options.logits && !p.ensemble; // in an ensemble the mean of probabilities may not include padded columns
  const logits = ensembleLogits(
    graph,
    p,
    models.map((m) => project(m, decode(m, target, encode(m, p.source, source), source.lengths), padded)),
  );
  if (options.logits) graph.output('logits', logits);
  const nll = lossOf(model, logits, labels, model.step, options.ignore);
  if (options.tokenLosses) graph.output('nll', nll);
  fuseForward(graph, options.noFuse, options.logitBytes);
  if (options.quantizeBits) readRoundedWeights(graph, model.weightBuffer, roundedMatrices(p));
  return graph;
}

/** Input arrays of a batch, and the step scalars [stepWords]. */
export interface InputArrays extends BatchArrays {
  readonly step: Uint32Array;
}

const types = {
  src: Int32Array,
  tgtIn: Int32Array,
  tgtOut: Int32Array,
  srcLens: Uint32Array,
  tgtLens: Uint32Array,
  step: Uint32Array,
};

/**
 * Returns the inputs of a program of trainingGraph, gradientGraph or evaluationGraph. Throws if one is
 * missing.
 */
export function inputArrays({ inputs }: Program): InputArrays {
  const arrays = inputs.src ? inputs : { ...inputs, src: new Int32Array() };
  checkArrays(arrays);
  return arrays;
}

function checkArrays(inputs: object): asserts inputs is InputArrays {
  const arrays = new Map<string, unknown>(Object.entries(inputs));
  for (const [name, type] of Object.entries(types))
    if (!(arrays.get(name) instanceof type))
      throw new Error(`the program has no input ${name} in a ${type.name}`);
}
