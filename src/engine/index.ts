/**
 * The low-level API, `heddle/engine`: devices, graphs, ops, plans and engines. docs/engine.md builds a model
 * with it, and docs/add-an-op.md an op.
 *
 * @module heddle/engine
 */

// Devices, tensors, random numbers, errors.
export { check, type ErrorKind, HeddleError } from '../core/errors.ts';
export type { AdapterInfo } from '../core/host-name.ts';
export { keyOf, type Random, random } from '../core/random.ts';
export { relativeError } from '../core/relative-error.ts';
export {
  type DType,
  dim,
  f32,
  i32,
  matrixOf,
  type Shape,
  show,
  sizeOf,
  type Tensor,
  type TensorData,
  type TensorType,
  tensorType,
} from '../core/tensor.ts';
export { checkGradient, checkOp, type OpCase, type OpCheckInputs, randomTensor } from './check-op.ts';
export {
  adapterName,
  attrsOf,
  defineOp,
  GpuEngine,
  gpuEngine,
  makePlan,
  openDevice,
  profilePasses,
  tuneKernels,
  wrapDevice,
  writeRules,
  writeSampling,
  writeStep,
} from './checked-calls.ts';
// Engines, sessions, checks of ops, measurements.
export { type CpuExecutor, createCpuExecutor } from './cpu/executor.ts';
export { type CpuEngineOptions, cpuEngine } from './cpu-engine.ts';
export type { Engine, Program } from './engine.ts';
export type { DroppedKernel, KernelTiming, TuneKernelsOptions } from './gpu/auto-tuning.ts';
export type { Device, DeviceOptions } from './gpu/device.ts';
export type { GpuEngineOptions, KernelChooser, PrepareOptions } from './gpu/gpu-engine.ts';
export type { Outputs } from './gpu/output-ring.ts';
export type { Kernel, KernelKey, Pipelines } from './gpu/pipelines.ts';
export type { TimeOptions, Timing } from './gpu/plan-timing.ts';
export type { PassSpan, PassTime, ProfileTable } from './gpu/profile.ts';
export { chromeTrace, type Profile, printProfile } from './gpu/profile.ts';
export { measureRoofs, type Roof, type RoofOptions, type Roofs } from './gpu/roofs.ts';
export type { Runner, RunnerOptions } from './gpu/runner.ts';
export type { Shader } from './gpu/shaders.ts';
export type { SubmissionLimits, SubmissionPace, Submissions } from './gpu/submission-pace.ts';
export type { Timestamps } from './gpu/timestamps.ts';
export type { Binding, Field } from './gpu/wgsl.ts';
// Graphs and the definition of ops.
export { gradients } from './graph/gradient.ts';
export { Graph, printGraph } from './graph/graph.ts';
export type { SegmentOf } from './graph/recompute.ts';
export { fuseBackward, fuseForward, fusePlaced, rewriteNames } from './graph/rewrites.ts';
// Ops: each as a function that adds a node to a graph and returns its outputs, and as a definition.
export {
  crossAttention,
  crossAttentionOp,
  selfAttention,
  selfAttentionOp,
} from './ops/attention/attention.ts';
export type { AttentionVariant } from './ops/attention/attention-launch.ts';
export type { AttentionAttrs } from './ops/attention/attention-layout.ts';
export { type AttentionWeightsAttrs, attentionWeights } from './ops/attention/attention-weights.ts';
export {
  type AttentionMaskOptions,
  attentionMask,
  type MaskedAttentionOptions,
  maskedAttention,
  rotaryEmbedding,
} from './ops/attention/masked-attention.ts';
export { type RelativePositionAttrs, relativePositionBias } from './ops/attention/relative-position-bias.ts';
export {
  type WeightedValuesAttrs,
  weightedValues,
} from './ops/attention/weighted-values.ts';
export { type BeamSelectAttrs, type BeamStep, beamSelect } from './ops/decoding/beam-select.ts';
export { type BestTokens, type BestTokensAttrs, bestTokens } from './ops/decoding/best-tokens.ts';
export { type CacheSlotsAttrs, cacheSlots } from './ops/decoding/cache-slots.ts';
export type { CachedAttentionAttrs } from './ops/decoding/cached-attention.ts';
export { cachedCrossAttention, cachedSelfAttention } from './ops/decoding/cached-attention.ts';
export {
  type ChosenTokens,
  greedyToken,
  type NextTokenAttrs,
  type NextTokenRules,
  rulesSize,
  type Sampling,
  sampleToken,
  samplingSize,
} from './ops/decoding/next-token.ts';
export { type DeviceTraits, defaultTraits, type MatrixConfig } from './ops/device-traits.ts';
export { columnSum } from './ops/elementwise/column-sum.ts';
export {
  type AddColumnsAttrs,
  addColumns,
  type TakeColumnsAttrs,
  takeColumns,
} from './ops/elementwise/columns.ts';
export type { Activation, ActivationAttrs, DropoutAttrs } from './ops/elementwise/elementwise-ops.ts';
export {
  activation,
  activationOp,
  add,
  addOp,
  dropout,
  dropoutOp,
  logMean,
  logMeanOp,
} from './ops/elementwise/elementwise-ops.ts';
export { intervene } from './ops/elementwise/intervene.ts';
export { joinColumns } from './ops/elementwise/join-columns.ts';
export {
  multiply,
  multiplyOp,
  type SoftcapAttrs,
  softcap,
  softcapOp,
  tanh,
} from './ops/elementwise/products.ts';
export { takeNumbers, takeRows } from './ops/elementwise/take-rows.ts';
export type {
  EmbeddingAttrs,
  EmbeddingOptions,
  FrozenId,
  LookupAttrs,
} from './ops/embedding/embedding.ts';
export { embedding, embeddingOp } from './ops/embedding/embedding.ts';
export { type PackedEmbeddingOptions, packedEmbedding } from './ops/embedding/packed-embedding.ts';
export { type SinusoidLayout, sinusoids } from './ops/embedding/sinusoids.ts';
export type { CrossEntropyAttrs, Loss, LossAttrs, TokenStatsAttrs } from './ops/loss/cross-entropy.ts';
export { crossEntropy, crossEntropyOp, tokenStats } from './ops/loss/cross-entropy.ts';
export { type LinearAttrs, linear, linearOp } from './ops/matmul/linear.ts';
export { type MatmulAttrs, matmul, matmulOp } from './ops/matmul/matmul.ts';
export type { ProductVariant } from './ops/matmul/matmul-kernels.ts';
export { type PackedValue, packedLinear } from './ops/matmul/packed-linear.ts';
export { type PackedFormat, pack, wordsOf } from './ops/matmul/packed-weights.ts';
export type { ByName, NameOf } from './ops/named-tensors.ts';
export type { AddLayerNormAttrs, LayerNormAttrs } from './ops/norm/layer-norm.ts';
export {
  addLayerNorm,
  addLayerNormOp,
  layerNorm,
  layerNormOp,
  rmsNorm,
  rmsNormOp,
} from './ops/norm/layer-norm.ts';
export { type SoftmaxAttrs, type SoftmaxVariant, softmax, softmaxOp } from './ops/norm/softmax.ts';
export type {
  AnyOp,
  Attrs,
  AttrsArgument,
  AttrsType,
  Builder,
  Launch,
  LaunchContext,
  NoAttrs,
  Node,
  Op,
  OpReference,
  Place,
  ShaderSource,
  SomeByName,
  Value,
  Variant,
} from './ops/op.ts';
export { accumulate, difference, ema } from './ops/optimizer/buffer-sums.ts';
export { type ClipAttrs, clipAt, clipScale, counterLength } from './ops/optimizer/clip.ts';
export type {
  AdamAttrs,
  AdamInputs,
  Decay,
  RmspropAttrs,
  SgdAttrs,
  UpdateInputs,
} from './ops/optimizer/optimizers.ts';
export { adam, adamw, rmsprop, sgd } from './ops/optimizer/optimizers.ts';
export { ReferenceTensor } from './ops/reference-tensor.ts';
export { type StepScalars, stepWords } from './ops/step-scalars.ts';
export { expectType } from './ops/type-checks.ts';
export { type ElementwiseVariant, gridOf, type RowGroup } from './ops/work-division.ts';
// Plans: the passes and the memory of a graph as plain data.
export type { KernelChoices } from './plan/kernel-choices.ts';
export { type Pass, type Placement, type Plan, type PlanBuffer, printPlan, type Range } from './plan/plan.ts';
export type { PlanOptions } from './plan/planner.ts';
