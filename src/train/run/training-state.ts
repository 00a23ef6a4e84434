// Training state: its initialization on an engine, and its files in a checkpoint (the optimizer states and
// state.json), from which training continues in the same bits. Data order and dropout are functions of seed and step,
// so the step is the whole position.

import { check, HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { Tensor, TensorData } from '../../core/tensor.ts';
import type { Engine } from '../../engine/engine.ts';
import { counterAt, counterLength, lossScales } from '../../engine/ops/optimizer/clip.ts';
import type { KernelChoices } from '../../engine/plan/kernel-choices.ts';
import { type Files, readText } from '../../files/files.ts';
import { isCount, isObject, jsonBytes } from '../../files/json-files.ts';
import { checkpointNames } from '../../files/model-file.ts';
import { readSafetensors } from '../../files/safetensors.ts';
import { settledFolder } from '../../files/settled-folder.ts';
import { verifiedFiles } from '../../files/verified-files.ts';
import { writeSafetensors } from '../../files/write-safetensors.ts';
import { type InitScheme, initializeWeights } from '../../model/initialize-weights.ts';
import { initializeLora, type LoraConfig, loraParameters } from '../../model/lora.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { writeWeights } from '../../model/model-states.ts';
import type { ParameterLayout, ParameterList } from '../../model/parameter-layout.ts';
import { tensorsFromWeights } from '../../model/parameters.ts';
import type { WeightReader } from '../../model/quantized-parameters.ts';
import { readWeights } from '../../model/read-weights.ts';
import { weightsFromTensors } from '../../model/weights-from-tensors.ts';
import { createPace } from '../../session/job-pace.ts';
import type { StageState } from '../../text/batches/batch-source.ts';
import type { Fingerprint } from '../../text/corpus/pairs.ts';
import type { CompleteArguments } from '../settings/train-arguments.ts';
import type { SettingTable } from '../settings/train-settings.ts';
import { type OptimizerConfig, optimizerStates } from '../update/optimizer-config.ts';
import type { ScheduleConfig } from '../update/schedule.ts';
import type { TrainableParameters } from '../update/trainable-parameters.ts';
import type { ModelToTrain, UpdateConfig } from '../update/trainer-graphs.ts';
import type { BestState } from './best-model.ts';

/**
 * Initializes training state: weights (from the seed unless given), LoRA adapter,
 * EMA copy and loss scale. Moments and counters are zero on a new engine. Weights can be read in parts only
 * under a LoRA adapter.
 */
export async function initializeTraining(
  engine: Engine,
  { config, parameters }: ModelToTrain,
  recipe: Pick<UpdateConfig, 'seed' | 'init'> & { readonly optimizer?: OptimizerConfig },
  {
    weights,
    lora,
  }: {
    readonly weights?: Float32Array | WeightReader;
    readonly lora?: LoraConfig;
  } = {},
): Promise<void> {
  let trained = weights ?? (await initialWeights(config, parameters, recipe.seed, recipe.init));
  if ('read' in trained) await readWeights(engine, config, parameters, trained);
  else writeWeights(engine, config, parameters, trained);
  if (lora) {
    trained = initializeLora(config, loraParameters(config, lora), recipe.seed);
    engine.write('lora', trained);
  }
  const { emaDecay = 0, lossScaleGrowth = 0 } = recipe.optimizer ?? {};
  if (emaDecay > 0 && !('read' in trained)) engine.write('average', trained);
  if (lossScaleGrowth > 0) engine.write('counters', Float32Array.of(lossScales.first), counterAt.lossScale);
}

/** `initializeWeights`, which takes seconds for a large model: other work runs between the parameters. */
export async function initialWeights(
  c: ModelConfig,
  p: ParameterList,
  seed: number,
  init?: InitScheme,
): Promise<Float32Array> {
  const weights = new Float32Array(p.size);
  const pace = createPace({ emit: () => undefined });
  for (const one of p.all) {
    initializeWeights(c, { ...p, all: [one] }, seed, init, weights);
    await pace({ task: '', done: 0, total: 0 });
  }
  return weights;
}

/** Contents of state.json. */
export interface TrainingState {
  readonly version: 1;
  /** Number of the next update. */
  readonly step: number;
  /** Position in the data, for readers: it follows from the step. */
  readonly epoch?: number;
  readonly batch?: number;
  /** Planned number of updates. */
  readonly steps?: number;
  /** Seed of the data order, dropout and initial weights. */
  readonly seed?: number;
  readonly schedule?: ScheduleConfig;
  /** Fingerprint of the training pairs. */
  readonly data?: Fingerprint;
  /** Loss scale of the next update, for readers: the optimizer's counters have it too. */
  readonly lossScale?: number;
  /** Name of the engine, and the kernels it used: the same kernels give the same bits. */
  readonly engine: string;
  readonly choices: KernelChoices;
  /** Number of updates that were skipped because a gradient was not finite. */
  readonly skipped: number;
  /** Arguments of the run, with which it resumes. Absent if another program wrote the state. */
  readonly arguments?: CompleteArguments;
  /** The best evaluation so far, if there is one. */
  readonly best?: BestState;
  /** The stages that have started, if the run has stages. */
  readonly stages?: StageState;
}

/**
 * Names of weights in a checkpoint besides those of the model: the weights in training, and the best ones so
 * far.
 */
export const checkpointWeights = { running: 'running', best: 'best' } as const;

/**
 * Returns the files of a checkpoint: optimizer states and `buffers` (others of the weights' layout, by name)
 * under PyTorch's names, and state.json.
 */
export async function checkpointFiles(
  engine: Engine,
  trainable: ParameterLists,
  optimizer: OptimizerConfig,
  state: Omit<TrainingState, 'version' | 'engine' | 'choices' | 'lossScale'>,
  buffers: Readonly<Record<string, TensorData>> = {},
): Promise<Record<string, Uint8Array>> {
  const tensors: Record<string, Tensor> = {};
  const addBuffer = (name: string, data: TensorData) => {
    for (const [key, part] of Object.entries(tensorsFromWeights(listOf(trainable, name), data)))
      tensors[`${name}.${key}`] = part;
  };
  for (const name of optimizerStates(optimizer)) {
    const tensor = await engine.read(name);
    if (name === 'counters') tensors[name] = tensor;
    else addBuffer(name, tensor.data);
  }
  for (const [name, data] of Object.entries(buffers)) addBuffer(name, data);
  const lossScale = Number(tensors.counters?.data[counterAt.lossScale] ?? 0);
  const full: TrainingState = {
    version: 1,
    engine: engine.name,
    choices: engine.kernelChoices,
    lossScale: lossScale > 0 ? lossScale : undefined,
    ...state,
  };
  return {
    [checkpointNames.optimizer]: writeSafetensors(tensors, { format: 'heddle' }),
    [checkpointNames.state]: jsonBytes(full),
  };
}

/** All parameters of a state, and the trainable ones. */
export type ParameterLists = Pick<TrainableParameters, 'all' | 'parameters'>;

/**
 * Moments have the layout of the trainable parameters; all other buffers that of the state that the
 * parameters are in.
 */
const listOf = ({ all, parameters }: ParameterLists, buffer: string): ParameterLayout =>
  buffer.startsWith('moment') ? parameters : all;

/** Files that are compared with the manifest of a folder when they are read. */
const verified = async (files: Files, at: string): Promise<Files> => verifiedFiles(files, at);

/** Reads state.json of a folder. Throws a HeddleError if it is missing or broken. */
export async function readTrainingState(files: Files, folder: string): Promise<TrainingState> {
  const at = await settledFolder(files, folder);
  const path = `${at}/${checkpointNames.state}`;
  if (!(await files.exists(path)))
    throw new HeddleError(msg`there is no ${checkpointNames.state}, so nothing to resume; start a new run`, {
      area: folder,
      kind: 'not-found',
    });
  const text = await readText(await verified(files, at), path);
  let state: Partial<TrainingState>;
  try {
    state = Object(JSON.parse(text)) as Partial<TrainingState>;
  } catch {
    throw new HeddleError('not JSON; the file may be truncated', { area: path });
  }
  if (state.version !== 1)
    throw new HeddleError(
      msg`version ${JSON.stringify(state.version)}; this version of heddle reads version 1, so update heddle or start a new run`,
      { area: path },
    );
  if (!isCount(state.step))
    throw new HeddleError(msg`step is ${JSON.stringify(state.step)}, it must be a whole number`, {
      area: path,
    });
  return { choices: {}, engine: '', skipped: 0, ...state } as TrainingState;
}

/** The arguments in the checkpoint in `folder`, with the defaults of a table. Throws a HeddleError if it has none. */
export function argumentsIn(
  { arguments: args }: TrainingState,
  folder: string,
  table: SettingTable,
): CompleteArguments {
  check(
    isObject(args) && 'corpus' in args && 'schedule' in args,
    msg`${checkpointNames.state} has no arguments of the run; start a new run`,
    { area: folder },
  );
  return { ...table.defaults, ...args };
}

/**
 * Restores the optimizer states of a checkpoint on an engine; returns a reader of its other buffers
 * (undefined: there is none of the name). Throws a HeddleError that names what is missing or does not fit.
 */
export async function restoreOptimizer(
  engine: Engine,
  files: Files,
  folder: string,
  trainable: ParameterLists,
  optimizer: OptimizerConfig,
): Promise<(buffer: string) => Float32Array | undefined> {
  const at = await settledFolder(files, folder);
  const path = `${at}/${checkpointNames.optimizer}`;
  const tensors = readSafetensors(await (await verified(files, at)).read(path), path);
  const buffer = (name: string) => {
    const own = Object.entries(tensors).filter(([key]) => key.startsWith(`${name}.`));
    if (own.length === 0) return undefined;
    return weightsFromTensors(
      listOf(trainable, name),
      Object.fromEntries(own.map(([key, t]) => [key.slice(name.length + 1), t])),
    );
  };
  for (const name of optimizerStates(optimizer)) {
    if (name === 'counters') {
      const counters = tensors[name];
      if (counters?.dtype !== 'f32' || counters.data.length !== counterLength)
        throw new HeddleError(msg`${name} must be f32 [${counterLength}]`, { area: path });
      engine.write(name, counters.data);
      continue;
    }
    const data = buffer(name);
    if (!data)
      throw new HeddleError(msg`it has no ${name}; it was made by another optimizer`, { area: path });
    engine.write(name, data);
  }
  return buffer;
}
