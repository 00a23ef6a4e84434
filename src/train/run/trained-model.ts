// The model that a run trains, on its engine: its trainer, at the first step or at that of a checkpoint, and its
// trained weights, which can be evaluated, kept as the best and saved.

import { check } from '../../core/errors.ts';
import { type Message, msg, option } from '../../core/message.ts';
import type { TextModel } from '../../decode/translator.ts';
import type { Engine } from '../../engine/engine.ts';
import { type WriteFolderOptions, writeFolder } from '../../files/owned-folder.ts';
import { checkLoraBase, fingerprintOfModel, loadLora, loraFiles } from '../../formats/lora-folder.ts';
import { loadModelFolder } from '../../formats/model-folder.ts';
import { saveModelFolder } from '../../formats/save-heddle.ts';
import { hfConfigOf, type SavedModel } from '../../formats/shared/saved-model.ts';
import { type LoraConfig, mergeLora } from '../../model/lora.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { parameterList } from '../../model/parameters.ts';
import { writePositions } from '../../model/positions.ts';
import type { Features } from '../../session/feature-table.ts';
import type { TrainingSession } from '../report/training-events.ts';
import { initFolder } from '../settings/run-defaults.ts';
import type { Recipe } from '../settings/training-recipe.ts';
import { attentionFitsF16, needsF32Residual } from '../update/f16-range.ts';
import { describeTrainable } from '../update/trainable-parameters.ts';
import { Trainer } from '../update/trainer.ts';
import type { TrainerOptions } from '../update/trainer-graphs.ts';
import type { Candidate } from './best-model.ts';
import { type ChangeList, settingsAfter } from './live-run.ts';
import type { OpenCheckpoint } from './open-checkpoint.ts';
import type { PreparedRun } from './prepared-run.ts';
import type { CheckpointFolder } from './train-result.ts';
import { checkpointWeights, initializeTraining, restoreOptimizer } from './training-state.ts';

/** A LoRA adapter that is trained: its configuration, its base model and the folder of that model. */
interface TrainedLora {
  readonly lora: LoraConfig;
  readonly base: SavedModel;
  readonly baseFingerprint: string;
  readonly folder: string;
}

/**
 * Returns the LoRA adapter of a run; undefined if it trains the weights themselves. Throws a HeddleError if
 * LoRA has no base model.
 */
async function trainedLora(
  lora: LoraConfig | undefined,
  base: SavedModel | undefined,
  folder = '',
): Promise<TrainedLora | undefined> {
  if (!lora) return undefined;
  check(base, msg`lora needs a trained model; name its folder with ${option('init')}`, { area: 'train' });
  return { lora, base, baseFingerprint: await fingerprintOfModel(base), folder };
}

/**
 * The weights that a run trains: all weights of a model, or a LoRA adapter of one. Arrays have the layout of the
 * trainable parameters.
 */
export class TrainedWeights {
  readonly #engine: Engine;
  readonly #model: TextModel;
  readonly #adapter: TrainedLora | undefined;
  /** The state that the optimizer updates. */
  readonly #state: string;
  /** Whether the weights of the model are a moving average (EMA) of the trained ones. */
  readonly #isAveraged: boolean;
  readonly #features: Features;

  /** `adapter`: the LoRA adapter, if one is trained. */
  constructor(
    engine: Engine,
    model: TextModel,
    trainer: Trainer,
    adapter: TrainedLora | undefined,
    features: Features,
  ) {
    this.#features = features;
    this.#engine = engine;
    this.#model = model;
    this.#adapter = adapter;
    this.#state = trainer.trainable.state;
    this.#isAveraged = trainer.recipe.optimizer.emaDecay > 0;
  }

  /** Reads the weights to save: the moving average if the optimizer has one. */
  async read(): Promise<Float32Array> {
    const { data } = await this.#engine.read(this.#isAveraged ? 'average' : this.#state);
    return data as Float32Array;
  }

  /** Runs `work` while the engine has these weights, then restores the training state exactly. */
  async on<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#isAveraged) return work();
    this.#engine.swap(this.#state, 'average');
    try {
      return await work();
    } finally {
      this.#engine.swap(this.#state, 'average');
    }
  }

  /** Loads weights into the engine for inference. Training cannot continue after that. */
  put(weights: Float32Array): void {
    this.#engine.write(this.#state, weights);
  }

  /** Returns all weights of the model: a LoRA adapter is merged into its base. */
  async whole(weights: Float32Array): Promise<Float32Array> {
    if (!this.#adapter) return weights;
    const { base, lora } = this.#adapter;
    const { weights: baseWeights } = (await base.stored?.whole()) ?? base;
    return mergeLora(
      this.#model.config,
      parameterList(this.#model.config, base.sourceKind),
      baseWeights,
      lora,
      weights,
    );
  }

  /** Writes weights and further files into a folder, all or nothing. `run`: id of the run. */
  async save(
    { files, folder }: CheckpointFolder,
    weights: Float32Array,
    extra: Readonly<Record<string, Uint8Array>>,
    run: string,
  ): Promise<void> {
    const options: WriteFolderOptions = { run, beside: true };
    const adapter = this.#adapter;
    if (!adapter) return saveModelFolder(files, folder, { ...this.#model, weights }, extra, options);
    const adapterFiles = loraFiles(this.#model.config, { ...adapter, weights }, adapter.folder);
    await writeFolder(files, folder, { ...adapterFiles, ...extra }, options);
  }

  /** Reads saved weights. */
  async load({ files, folder }: CheckpointFolder): Promise<Float32Array> {
    if (!this.#adapter) return (await loadModelFolder(files, folder, this.#features)).weights;
    const saved = await loadLora(files, folder, this.#model.config);
    checkLoraBase(folder, saved, this.#adapter.baseFingerprint);
    return saved.weights;
  }
}

/** The model that a run trains. */
export interface TrainedModel {
  readonly trainer: Trainer;
  readonly model: TextModel;
  readonly weights: TrainedWeights;
  /** The best evaluation in the checkpoint, with its weights, if there is one. */
  readonly kept: Candidate | undefined;
}

/** Options of a trainer that follow from the weights of its model: what mixed precision must keep in f32. */
export async function precisionOf(
  { args }: Recipe,
  config: ModelConfig,
  parameters: ParameterList,
  start: SavedModel | undefined,
): Promise<Pick<TrainerOptions, 'f32Residual' | 'f32Attention'>> {
  const f32Residual =
    args.precision === 'f16' &&
    needsF32Residual(config, start !== undefined && hfConfigOf(start) !== undefined);
  const base = start && baseWeights(start);
  const f32Attention =
    f32Residual && base !== undefined && !(await attentionFitsF16(config, parameters, base));
  return { f32Residual, f32Attention };
}

/** The weights of a model, or what reads them in parts. */
const baseWeights = ({ stored, weights }: SavedModel) => stored ?? weights;

/** The model that a run trains, without its weights. */
export function textModelOf({ start, data, parameters }: PreparedRun): TextModel {
  const { weights: _, stored: __, notes: ___, ...files } = start ?? {};
  const { config, source, target } = data;
  return { ...files, config, sourceKind: parameters.source, source, target };
}

/** Creates the trainer of a run and initializes its state, or restores the checkpoint. */
export async function openTrainer(
  engine: Engine,
  prepared: PreparedRun,
  { emit, signal, features }: Pick<TrainingSession, 'emit' | 'signal' | 'features'>,
  changes: ChangeList,
): Promise<TrainedModel> {
  signal.throwIfAborted();
  const { args, recipe, checkpoint, start, data, parameters, update } = prepared;
  const { lora } = recipe;
  const { config, batches } = data;
  const model = textModelOf(prepared);
  const message = (text: Message | string) => emit({ type: 'message', text });
  const precision = await precisionOf(recipe, config, parameters, start);
  if (precision.f32Attention)
    message('attention is computed in f32: with these weights it may exceed the range of f16');
  const begin = settingsAfter(prepared, changes.upTo(checkpoint?.state.step ?? 0));
  const trained = { config: begin.config, parameters };
  const trainer = await Trainer.open(engine, trained, update, batches.shapes, {
    ...recipe.trainer,
    ...precision,
  });
  signal.throwIfAborted();
  trainer.schedule = begin.schedule;
  const adapter = await trainedLora(lora, start, initFolder(args));
  const weights = new TrainedWeights(engine, model, trainer, adapter, features);
  const described = describeTrainable(trainer.trainable, parameters);
  if (described) message(described);
  if (!checkpoint || lora)
    await initializeTraining(engine, { config, parameters }, update, {
      weights: start && baseWeights(start),
      lora,
    });
  else writePositions(engine, config); // the weights are those of the checkpoint
  const kept = checkpoint && (await restore(engine, trainer, weights, checkpoint));
  signal.throwIfAborted();
  if (checkpoint) message(msg`resumed at step ${checkpoint.state.step}`);
  return { trainer, model, weights, kept };
}

/** Restores a checkpoint on the engine; returns the best weights in it. */
async function restore(
  engine: Engine,
  trainer: Trainer,
  weights: TrainedWeights,
  checkpoint: OpenCheckpoint,
): Promise<Candidate | undefined> {
  const { files, folder, state } = checkpoint;
  const model = await weights.load(checkpoint);
  const { trainable, recipe } = trainer;
  const saved = await restoreOptimizer(engine, files, folder, trainable, recipe.optimizer);
  engine.write(trainable.state, saved(checkpointWeights.running) ?? model);
  trainer.step = state.step;
  return state.best && { state: state.best, weights: saved(checkpointWeights.best) ?? model };
}
