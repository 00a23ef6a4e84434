// What programs get as `heddle/engine`: the names of index.ts, whose functions with options throw a HeddleError for
// an option that they do not have. TypeScript finds a wrong name by itself; this is for programs in JavaScript. Types
// and documentation are those of index.ts, and the library does not load this file. Each list has all names of its
// type: the compiler finds one that is missing.

import { checkNames } from '../core/fields.ts';
import { call, checkOptions, type Names } from './checked-options.ts';
import * as engine from './index.ts';
import { tensorName } from './ops/named-tensors.ts';

export * from './index.ts';

// Devices, engines, plans and measurements.

const openDevice: typeof engine.openDevice = async (...args) =>
  call('openDevice', engine.openDevice, args, {
    1: { require: true, powerPreference: true, submissions: { maxMs: true, maxCost: true } },
  });

const prepareOptions: Names<engine.PrepareOptions> = { inFlight: true, kernelChoices: true };

class GpuEngine extends engine.GpuEngine {
  constructor(device: engine.Device, options?: engine.GpuEngineOptions) {
    checkOptions('gpuEngine', options, { kernels: true, kernelChoices: true, memoryLimit: true });
    super(device, options);
  }

  override async prepare(
    graphs: readonly engine.Graph[],
    options?: engine.PrepareOptions,
  ): Promise<engine.Runner[]> {
    checkOptions('engine.prepare', options, prepareOptions);
    return super.prepare(graphs, options);
  }

  override async preparePlans(
    plans: readonly engine.Plan[],
    options?: engine.RunnerOptions,
  ): Promise<engine.Runner[]> {
    checkOptions('engine.preparePlans', options, { inFlight: true });
    return super.preparePlans(plans, options);
  }
}

const gpuEngine: typeof engine.gpuEngine = (device, options) => new GpuEngine(device, options);

const cpuEngine: typeof engine.cpuEngine = (options) => {
  checkOptions('cpuEngine', options, { wideStates: true });
  const made = engine.cpuEngine(options);
  const { prepare } = made;
  return Object.assign(made, {
    async prepare(graphs: readonly engine.Graph[], running?: engine.PrepareOptions) {
      checkOptions('engine.prepare', running, prepareOptions);
      return prepare.call(made, graphs, running);
    },
  });
};

const makePlan: typeof engine.makePlan = (...args) =>
  call('makePlan', engine.makePlan, args, { 1: { traits: true, kernelChoices: true } });
const tuneKernels: typeof engine.tuneKernels = async (...args) =>
  call('tuneKernels', engine.tuneKernels, args, {
    2: {
      known: true,
      guessed: true,
      settled: true,
      budgetMs: true,
      measureAll: true,
      onMeasured: true,
      onGuessed: true,
      onDropped: true,
      onProgress: true,
    },
  });
const measureRoofs: typeof engine.measureRoofs = async (...args) =>
  call('measureRoofs', engine.measureRoofs, args, {
    1: { bytes: true, span: true, rounds: true, skipAbove: true, repeats: true },
  });
const printProfile: typeof engine.printProfile = (...args) =>
  call('printProfile', engine.printProfile, args, { 1: { rows: true, each: true } });

// Ops.

const attention: Names<engine.AttentionAttrs> = {
  heads: true,
  headWidth: true,
  causal: true,
  scale: true,
  dropout: true,
  site: true,
};
const selfAttention: typeof engine.selfAttention = (...args) =>
  call('selfAttention', engine.selfAttention, args, { 4: attention });
const crossAttention: typeof engine.crossAttention = (...args) =>
  call('crossAttention', engine.crossAttention, args, {
    5: { heads: true, headWidth: true, scale: true, dropout: true, site: true },
  });
const attentionWeights: typeof engine.attentionWeights = (...args) =>
  call('attentionWeights', engine.attentionWeights, args, {
    4: { heads: true, headWidth: true, scale: true, self: true, causal: true, scores: true },
  });
const maskedAttention: typeof engine.maskedAttention = (...args) =>
  call('maskedAttention', engine.maskedAttention, args, { 5: { scale: true, softcap: true } });
const attentionMask: typeof engine.attentionMask = (...args) =>
  call('attentionMask', engine.attentionMask, args, {
    0: { batch: true, heads: true, groups: true, queries: true, keys: true, offset: true, lens: true },
  });
const relativePositionBias: typeof engine.relativePositionBias = (...args) =>
  call('relativePositionBias', engine.relativePositionBias, args, {
    2: { maxDistance: true, bidirectional: true },
  });
const cachedAttention: Names<engine.CachedAttentionAttrs> = {
  heads: true,
  headWidth: true,
  beams: true,
  scale: true,
};
const cachedSelfAttention: typeof engine.cachedSelfAttention = (...args) =>
  call('cachedSelfAttention', engine.cachedSelfAttention, args, { 5: cachedAttention });
const cachedCrossAttention: typeof engine.cachedCrossAttention = (...args) =>
  call('cachedCrossAttention', engine.cachedCrossAttention, args, { 4: cachedAttention });
const beamSelect: typeof engine.beamSelect = (...args) =>
  call('beamSelect', engine.beamSelect, args, {
    1: { logProbs: true, tokens: true, ends: true },
    4: { shrinks: true },
  });
const cacheSlots: typeof engine.cacheSlots = (...args) =>
  call('cacheSlots', engine.cacheSlots, args, { 6: { beams: true, padId: true } });
const nextToken: Names<engine.NextTokenAttrs> = { endId: true, rules: true, vocab: true, forced: true };
const greedyToken: typeof engine.greedyToken = (...args) =>
  call('greedyToken', engine.greedyToken, args, { 5: nextToken });
const sampleToken: typeof engine.sampleToken = (...args) =>
  call('sampleToken', engine.sampleToken, args, { 5: { sampling: true, streams: true }, 6: nextToken });
const bestTokens: typeof engine.bestTokens = (...args) =>
  call('bestTokens', engine.bestTokens, args, { 5: { ...nextToken, wanted: true } });
const writeRules: typeof engine.writeRules = (...args) =>
  call('writeRules', engine.writeRules, args, {
    1: {
      minLength: true,
      forceEndAt: true,
      noRepeatNgram: true,
      firstToken: true,
      banned: true,
      bannedSequences: true,
    },
  });
const writeSampling: typeof engine.writeSampling = (...args) =>
  call('writeSampling', engine.writeSampling, args, { 1: { temperature: true, topP: true, topK: true } });
const addColumns: typeof engine.addColumns = (...args) =>
  call('addColumns', engine.addColumns, args, { 3: { first: true, scale: true } });
const takeColumns: typeof engine.takeColumns = (...args) =>
  call('takeColumns', engine.takeColumns, args, { 2: { first: true, scale: true, count: true } });
const dropoutNames: Names<engine.DropoutAttrs> = { rate: true, site: true };
const dropout: typeof engine.dropout = (...args) =>
  call('dropout', engine.dropout, args, { 3: dropoutNames });
const lookup: Names<engine.EmbeddingAttrs> = {
  scale: true,
  offset: true,
  decode: true,
  positions: true,
  rate: true,
  site: true,
  frozenId: true,
};
const embedding: typeof engine.embedding = (...args) =>
  call('embedding', engine.embedding, args, {
    3: {
      ...lookup,
      positionIds: true,
      learned: true,
      step: true,
      index: { rowStart: true, occurrences: true },
    },
  });
const packed: Names<engine.PackedValue> = { format: true, words: true, scales: true };
const packedEmbedding: typeof engine.packedEmbedding = (...args) =>
  call('packedEmbedding', engine.packedEmbedding, args, {
    2: packed,
    3: {
      width: true,
      scale: true,
      offset: true,
      decode: true,
      positions: true,
      positionIds: true,
      step: true,
    },
  });
const packedLinear: typeof engine.packedLinear = (...args) =>
  call('packedLinear', engine.packedLinear, args, { 2: packed });
const loss: Names<engine.LossAttrs> = { smoothing: true, ignore: true, classes: true, fused: true };
const crossEntropy: typeof engine.crossEntropy = (...args) =>
  call('crossEntropy', engine.crossEntropy, args, { 4: loss });
const tokenStats: typeof engine.tokenStats = (...args) =>
  call('tokenStats', engine.tokenStats, args, { 4: { ignore: true } });
const product: Names<engine.MatmulAttrs> = { transA: true, transB: true, batched: true };
const matmul: typeof engine.matmul = (...args) => call('matmul', engine.matmul, args, { 3: product });
const addNorm: Names<engine.AddLayerNormAttrs> = { eps: true, rate: true, site: true };
const addLayerNorm: typeof engine.addLayerNorm = (...args) =>
  call('addLayerNorm', engine.addLayerNorm, args, {
    1: { x: true, residual: true, gamma: true, beta: true, step: true },
    2: addNorm,
  });
const softmaxNames: Names<engine.SoftmaxAttrs> = { causal: true };
const softmax: typeof engine.softmax = (...args) =>
  call('softmax', engine.softmax, args, { 2: softmaxNames });
const clipScale: typeof engine.clipScale = (...args) =>
  call('clipScale', engine.clipScale, args, { 3: { maxNorm: true, beta1: true, beta2: true, growth: true } });
const update: Names<engine.UpdateInputs> = { weights: true, gradients: true, clip: true, step: true };
const adamInputs: Names<engine.AdamInputs> = { ...update, m: true, v: true, counters: true };
const adamNames: Names<engine.AdamAttrs> = {
  weightDecay: true,
  decayEnd: true,
  beta1: true,
  beta2: true,
  eps: true,
};
const adam: typeof engine.adam = (...args) =>
  call('adam', engine.adam, args, { 1: adamInputs, 2: adamNames });
const adamw: typeof engine.adamw = (...args) =>
  call('adamw', engine.adamw, args, { 1: adamInputs, 2: adamNames });
const rmsprop: typeof engine.rmsprop = (...args) =>
  call('rmsprop', engine.rmsprop, args, { 1: { ...update, v: true }, 2: { rho: true, eps: true } });
const sgd: typeof engine.sgd = (...args) =>
  call('sgd', engine.sgd, args, {
    1: { ...update, m: true },
    2: { weightDecay: true, decayEnd: true, momentum: true },
  });
const stepScalars: Names<engine.StepScalars> = {
  learningRate: true,
  tokenWeight: true,
  seed: true,
  step: true,
  keep: true,
  position: true,
};
const writeStep: typeof engine.writeStep = (...args) =>
  call('writeStep', engine.writeStep, args, { 1: stepScalars });

// Graphs, definitions of ops and their checks.

/** Ops of the program itself: the names of their attributes are not known. */
const ownOps = new WeakSet<engine.AnyOp>();

const defineOp: typeof engine.defineOp = (definition) => {
  checkOptions<engine.AnyOp>('defineOp', definition as engine.AnyOp, {
    name: true,
    inputs: true,
    outputs: true,
    attrs: true,
    shape: true,
    mutates: true,
    inPlace: true,
    f16Storage: true,
    f16StorageIf: true,
    variants: true,
    naive: true,
    sample: true,
    modelFlops: true,
    launch: true,
    grad: true,
    reference: true,
  });
  const op = engine.defineOp(definition);
  ownOps.add(op as engine.AnyOp);
  return op;
};

/** Attributes of the ops that index.ts exports, by their names. */
const attributes: Readonly<Record<string, object | undefined>> = {
  self_attention: attention,
  cross_attention: attention,
  activation: { kind: true },
  dropout: dropoutNames,
  log_mean: { count: true },
  softcap: { cap: true },
  embedding: lookup,
  cross_entropy: loss,
  linear: { activation: true, padded: true, rate: true, site: true },
  matmul: product,
  add_layer_norm: addNorm,
  layer_norm: { eps: true },
  rms_norm: { eps: true },
  softmax: softmaxNames,
};

class Graph extends engine.Graph {
  override apply<I extends string, O extends string, A extends engine.Attrs>(
    op: engine.Op<I, O, A>,
    inputs: engine.ByName<I, engine.Value>,
    ...attrs: engine.AttrsArgument<A>
  ): engine.ByName<O, engine.Value> {
    checkNames({ area: op.name, noun: 'input' }, op.inputs.map(tensorName), Object.keys(inputs));
    const known = attributes[op.name];
    if (known && !ownOps.has(op as engine.AnyOp)) checkOptions<unknown>(op.name, attrs[0], known);
    return super.apply(op, inputs, ...attrs);
  }

  override scope<T>(place: string | engine.Place, build: () => T): T {
    if (typeof place !== 'string')
      checkOptions('graph.scope', place, { stack: true, layer: true, sublayer: true, part: true });
    return super.scope(place, build);
  }
}

const opCase: Names<engine.OpCase<string, string, engine.Attrs>> = {
  inputs: true,
  attrs: true,
  wrt: true,
  through: true,
  step: stepScalars,
  tolerance: true,
  gradTolerance: true,
  variant: true,
  without: true,
  f16: true,
  traits: {
    maxBindingBytes: true,
    f16: true,
    subgroups: true,
    minSubgroup: true,
    matrices: true,
    maxWorkgroupBytes: true,
    maxInvocations: true,
    software: true,
  },
};

const checkOp: typeof engine.checkOp = async (...args) =>
  call('checkOp', engine.checkOp, args, { 2: opCase });
const checkGradient: typeof engine.checkGradient = (...args) =>
  call('checkGradient', engine.checkGradient, args, { 1: opCase, 2: { h: true, tolerance: true } });

export {
  adam,
  adamw,
  addColumns,
  addLayerNorm,
  attentionMask,
  attentionWeights,
  beamSelect,
  bestTokens,
  cachedCrossAttention,
  cachedSelfAttention,
  cacheSlots,
  checkGradient,
  checkOp,
  clipScale,
  cpuEngine,
  crossAttention,
  crossEntropy,
  defineOp,
  dropout,
  embedding,
  GpuEngine,
  Graph,
  gpuEngine,
  greedyToken,
  makePlan,
  maskedAttention,
  matmul,
  measureRoofs,
  openDevice,
  packedEmbedding,
  packedLinear,
  printProfile,
  relativePositionBias,
  rmsprop,
  sampleToken,
  selfAttention,
  sgd,
  softmax,
  takeColumns,
  tokenStats,
  tuneKernels,
  writeRules,
  writeSampling,
  writeStep,
};
