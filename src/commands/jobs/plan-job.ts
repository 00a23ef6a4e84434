// heddle plan: plans the passes and the memory of a run, without a GPU.

import { check, HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { fewestLaunches } from '../../engine/gpu/launch-tuning.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import { checkRewriteNames } from '../../engine/graph/rewrites.ts';
import { defaultTraits } from '../../engine/ops/device-traits.ts';
import type { KernelChoices } from '../../engine/plan/kernel-choices.ts';
import type { Plan } from '../../engine/plan/plan.ts';
import { makePlan } from '../../engine/plan/planner.ts';
import { hfConfigOf } from '../../formats/shared/saved-model.ts';
import { adaptedParameters, type LoraConfig, loraConfig } from '../../model/lora.ts';
import { type ModelConfig, modelConfig } from '../../model/model-config.ts';
import { type Quantization, weightBytes } from '../../model/parameter-layout.ts';
import { presets } from '../../model/presets.ts';
import { isQuantized, storedParameters, type WeightFormat } from '../../model/quantized-parameters.ts';
import { type SourceKind, sourceKindOf } from '../../model/source-kind.ts';
import type { Job } from '../../session/job.ts';
import { openModel } from '../../session/open-model.ts';
import type { BatchShape } from '../../text/batches/buckets.ts';
import { needsF32Residual } from '../../train/update/f16-range.ts';
import {
  type OptimizerConfig,
  optimizerConfig,
  type Precision,
  scaling,
} from '../../train/update/optimizer-config.ts';
import { scheduleConfig } from '../../train/update/schedule.ts';
import { type ModelToTrain, TrainerGraphs, type TrainerOptions } from '../../train/update/trainer-graphs.ts';
import { trainingMemory } from '../../train/update/training-memory.ts';
import { type DecodingRun, type PresetArguments, runGraphs } from './preset-graphs.ts';

/**
 * Arguments of the job; plain JSON. A length of 0 in `shape` is 32, or the model's maximum length if it is
 * less; for a source of frames it is the maximum length.
 */
export interface PlanArguments extends PresetArguments {
  /** Model folder to plan, instead of `preset` and `vocab`. */
  readonly folder?: string;
  readonly optimizer: Partial<OptimizerConfig>;
  /** For training; see GraphOptions. */
  readonly gradientCheckpointing: boolean;
  readonly precision: Precision;
  /** For training; see TrainableOptions. */
  readonly freeze?: readonly string[];
  readonly lora?: Partial<LoraConfig> & Pick<LoraConfig, 'rank'>;
  /** Format of the weights; in training of those under a LoRA adapter. [f32] */
  readonly weights?: WeightFormat;
  /** For decoding: beams, and the storage of keys and values. */
  readonly decoding?: DecodingRun;
  /** Whether to plan the fewest dispatches. [false] */
  readonly launchBound?: boolean;
  /** Layers that keep a larger format; see LoadOptions. */
  readonly weightsExclude?: readonly string[];
}

/** A planned model; plain JSON. */
export interface PlannedModel {
  /** Folder or preset. */
  readonly model: string;
  readonly parameters: number;
  readonly shape: BatchShape;
  /** One plan; two for decoding. */
  readonly plans: readonly NamedPlan[];
  /** GPU memory of a session with all plans. */
  readonly sessionBytes: number;
  /** GPU memory of an update with flags that save memory; only for training of a folder. */
  readonly savings?: readonly { readonly flags: string; readonly bytes: number }[];
  /** GPU memory of the weights. */
  readonly weightBytes: number;
  /** With quantized weights the matrices of each format, and those that stay f32. */
  readonly formats?: Readonly<Record<string, readonly string[]>>;
}

/** A plan and its purpose. */
export interface NamedPlan {
  readonly name: string;
  readonly plan: Plan;
  /**
   * Memory of the run without f16 and gradient checkpointing, if this one uses either and that one can be
   * planned.
   */
  readonly plain?: Pick<Plan['bytes'], 'slots' | 'peak'>;
}

/** Plans a run. Throws a HeddleError if the configuration is invalid or exceeds the limits of WebGPU. */
export const plan: Job<PlanArguments, PlannedModel> = async (args, session) => {
  const { preset, vocab, noFuse = [], gradientCheckpointing, precision } = args;
  checkRewriteNames(noFuse);
  const opened = args.folder ? await openModel(args.folder, session, { inParts: true }) : undefined;
  const base = opened?.config ?? { srcVocab: vocab, tgtVocab: vocab, ...presets[preset] };
  const config = modelConfig({ ...base, ...args.model });
  const kind = await sourceKindOf(config, session.features.sourceKinds);
  const f32Residual = needsF32Residual(config, opened !== undefined && hfConfigOf(opened) !== undefined);
  const { freeze = [], weights = 'f32', weightsExclude } = args;
  check(
    weights === 'f32' || args.run !== 'training' || args.lora,
    msg`weights as ${weights} cannot be trained; plan --run evaluation or decoding, or a LoRA adapter (--lora-rank N)`,
    { area: 'plan' },
  );
  const lora = args.lora && loraConfig(args.lora);
  const stored = storedParameters(config, { weights, weightsExclude }, kind);
  const p = adaptedParameters(stored, lora);
  const longest = Math.min(32, config.maxLength);
  const { batch, source, target } = args.shape;
  // A source that is no text is a whole window, as in training.
  const isWindow = !kind.hasShortPrograms;
  const shape = {
    batch,
    source: source || (isWindow ? kind.maxLength(config) : longest),
    target: isWindow ? Math.min(target || longest, config.maxLength) : target || longest,
  };
  const optimizer = optimizerConfig({ ...scaling(precision), ...args.optimizer });
  const trainingGraphs = (chosen: OptimizerConfig, options: TrainerOptions) =>
    trainerOf({ config, parameters: stored }, shape, chosen, { noFuse, freeze, lora, ...options })
      .training()
      .map(({ graph }): [string, Graph] => ['training', graph]);
  const plain = () => trainingGraphs(optimizerConfig(args.optimizer), {});
  const savesMemory = args.run === 'training' && (precision === 'f16' || gradientCheckpointing);
  const graphs =
    args.run === 'training'
      ? trainingGraphs(optimizer, { gradientCheckpointing, precision, f32Residual })
      : runGraphs(args.run, config, p, shape, { noFuse, decoding: args.decoding });
  const traits = traitsOf(precision);
  const choices = graphs.map(([, graph]) => (args.launchBound ? fewestLaunches(graph, traits) : {}));
  const plans = graphs.map(
    ([name, graph], i): NamedPlan => ({
      name,
      plan: args.folder
        ? planOf(graph, precision, choices[i] ?? {})
        : makePlan(graph, { traits, kernelChoices: choices[i] }),
      plain: savesMemory ? plainBytes(plain) : undefined,
    }),
  );
  return {
    model: args.folder ?? preset,
    parameters: p.count,
    shape,
    plans,
    weightBytes: weightBytes(p),
    formats: p.quantization && matricesByFormat(p.quantization),
    sessionBytes: sessionBytes(plans.map((entry) => entry.plan)),
    savings:
      args.folder && args.run === 'training'
        ? await savingsOf({ config, kind }, shape, f32Residual, args)
        : undefined,
  };
};

/** The names of the matrices of each format. */
function matricesByFormat({ matrices, plain }: Quantization): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [name, { format }] of matrices) found[format] = [...(found[format] ?? []), name];
  const whole = plain.all.filter(isQuantized);
  if (whole.length > 0) found.f32 = whole.map(({ name }) => name);
  return found;
}

const traitsOf = (precision: Precision) => ({ ...defaultTraits, f16: precision === 'f16' });

/** Maximum binding size that an adapter may allow: 4 GiB. */
const maxBinding = 2 ** 32;

/**
 * Plans for an adapter with large enough bindings: the size that every adapter allows, or twice, four times
 * ... that.
 */
function planOf(graph: Graph, precision: Precision, kernelChoices: KernelChoices): Plan {
  const traits = traitsOf(precision);
  for (let maxBindingBytes = traits.maxBindingBytes; ; maxBindingBytes *= 2)
    try {
      return makePlan(graph, { traits: { ...traits, maxBindingBytes }, kernelChoices });
    } catch (error) {
      if (!(error instanceof HeddleError) || error.kind !== 'memory' || maxBindingBytes >= maxBinding)
        throw error;
    }
}

/** Bytes of all plans of a session: each state once, and the slots of the largest plan. */
function sessionBytes(plans: readonly Plan[]): number {
  const states = new Map(
    plans.flatMap((plan) => Object.entries(plan.states).map(([name, v]) => [name, v.range.bytes])),
  );
  const sum = (list: Iterable<number>) => [...list].reduce((a, b) => a + b, 0);
  return (
    sum(states.values()) +
    Math.max(...plans.map(({ bytes }) => bytes.slots)) +
    sum(plans.map((p) => p.bytes.inputs))
  );
}

/** Seed, schedule and initialization, which do not change the memory of a training. */
const anyUpdate = {
  seed: 1,
  init: 'xavier',
  schedule: scheduleConfig({ learningRate: 1 }, { steps: 1, dModel: 1 }),
} as const;

/** The graphs of a trainer on batches of one shape. */
const trainerOf = (
  model: ModelToTrain,
  shape: BatchShape,
  optimizer: OptimizerConfig,
  options: TrainerOptions,
  gradientAccumulationSteps = 1,
): TrainerGraphs =>
  new TrainerGraphs(model, { ...anyUpdate, optimizer, gradientAccumulationSteps }, [shape], options);

/** Options that save memory. */
type SavingOptions = TrainerOptions & { readonly weights?: WeightFormat };

/** GPU memory of an update with each combination of memory-saving flags. */
async function savingsOf(
  { config, kind }: { readonly config: ModelConfig; readonly kind: SourceKind },
  shape: BatchShape,
  f32Residual: boolean,
  args: PlanArguments,
): Promise<PlannedModel['savings']> {
  const lora = loraConfig(args.lora ?? { rank: 8 });
  const traits = { ...defaultTraits, f16: true, maxBindingBytes: 2 ** 40 };
  const batches = Math.min(4, shape.batch);
  const part = { ...shape, batch: Math.ceil(shape.batch / batches) };
  const memory = async ({ weights, ...options }: SavingOptions, accumulate = 1): Promise<number> => {
    const optimizer = optimizerConfig({ ...scaling(options.precision ?? 'f32'), ...args.optimizer });
    const model = { config, parameters: storedParameters(config, { weights }, kind) };
    const own = { ...options, f32Residual };
    const trainer = trainerOf(model, accumulate > 1 ? part : shape, optimizer, own, accumulate);
    return trainingMemory(await trainer.plan(traits), trainer.parameters.count, 0).peak;
  };
  const accumulation = `--gradient-accumulation-steps ${batches} (${part.batch} rows each)`;
  const rows: readonly (readonly [flags: string, options: SavingOptions, accumulate?: number])[] = [
    ['all weights in f32', {}],
    ['--precision f16', { precision: 'f16' }],
    ['--gradient-checkpointing', { gradientCheckpointing: true }],
    [accumulation, {}, batches],
    [`--lora-rank ${lora.rank}`, { lora }],
    [`--lora-rank ${lora.rank} --weights f16`, { lora, weights: 'f16' }],
    [`--lora-rank ${lora.rank} --weights int8`, { lora, weights: 'int8' }],
    [`--lora-rank ${lora.rank} --weights int4`, { lora, weights: 'int4' }],
    [`--lora-rank ${lora.rank} --weights int8 ${accumulation}`, { lora, weights: 'int8' }, batches],
    [
      `--lora-rank ${lora.rank} --weights int8 --precision f16 --gradient-checkpointing`,
      { lora, weights: 'int8', precision: 'f16', gradientCheckpointing: true },
    ],
  ];
  const savings: { flags: string; bytes: number }[] = [];
  for (const [flags, options, accumulate] of rows)
    savings.push({ flags, bytes: await memory(options, accumulate) });
  return savings;
}

/** Memory without f16 and gradient checkpointing; undefined if it exceeds the limits. */
function plainBytes(graphs: () => [string, Graph][]): NamedPlan['plain'] {
  try {
    const [[, graph] = []] = graphs();
    if (!graph) return undefined;
    const { slots, peak } = makePlan(graph).bytes;
    return { slots, peak };
  } catch (error) {
    if (error instanceof HeddleError) return undefined;
    throw error;
  }
}
