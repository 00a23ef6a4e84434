// The weights that a run trains: all weights of a model, or a LoRA adapter of one. They can be evaluated, kept as the
// best and saved.

import { check } from '../core/errors.ts';
import type { TextModel } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import { writeFolder } from '../files/files.ts';
import { checkLoraBase, fingerprintOfModel, loadLora, loraFiles } from '../formats/lora-folder.ts';
import { loadModelFolder } from '../formats/model-folder.ts';
import { saveModelFolder } from '../formats/save-heddle.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import { type LoraConfig, mergeLora } from '../model/lora.ts';
import type { OptimizerConfig } from '../trainer/optimizer-config.ts';
import type { TrainableParameters } from '../trainer/trainable-parameters.ts';
import type { CheckpointFolder } from './train-arguments.ts';

/** The trained weights; arrays have the layout of the trainable parameters. */
export interface TrainedWeights {
  /** Reads the weights to save: the moving average if the optimizer has one. */
  read(): Promise<Float32Array>;
  /** Runs `work` while the engine has these weights, then restores the training state exactly. */
  on<T>(work: () => Promise<T>): Promise<T>;
  /** Loads weights into the engine for inference. Training cannot continue after that. */
  put(weights: Float32Array): void;
  /** Returns all weights of the model: a LoRA adapter is merged into its base. */
  whole(weights: Float32Array): Promise<Float32Array>;
  /** Writes weights and further files into a folder, atomically. */
  save(place: CheckpointFolder, weights: Float32Array, extra: Readonly<Record<string, Uint8Array>>): Promise<void>;
  /** Reads saved weights. */
  load(place: CheckpointFolder): Promise<Float32Array>;
}

/** Options: the trained parameters and their engine. */
export interface TrainedWeightsOptions {
  readonly engine: Engine;
  readonly model: TextModel;
  readonly trainable: TrainableParameters;
  readonly optimizer: OptimizerConfig;
  /** The LoRA adapter, its base model and the folder of that, if an adapter is trained. */
  readonly lora?: LoraConfig | undefined;
  readonly start?: SavedModel | undefined;
  readonly baseFolder?: string | undefined;
}

/** Returns the trained weights. Throws a HeddleError if LoRA has no base model. */
export async function createTrainedWeights(options: TrainedWeightsOptions): Promise<TrainedWeights> {
  const { engine, model, trainable, optimizer, lora, start, baseFolder = '' } = options;
  const averaged = optimizer.emaDecay > 0;
  const { state } = trainable;
  const common = {
    read: async () => (await engine.read(averaged ? 'average' : state)).data as Float32Array,
    async on<T>(work: () => Promise<T>): Promise<T> {
      if (!averaged) return work();
      engine.swap(state, 'average');
      try {
        return await work();
      } finally {
        engine.swap(state, 'average');
      }
    },
    put: (weights: Float32Array) => engine.write(state, weights),
  };
  if (!lora)
    return {
      ...common,
      whole: async (weights) => weights,
      save: ({ files, folder }, weights, extra) => saveModelFolder(files, folder, { ...model, weights }, extra),
      load: async ({ files, folder }) => (await loadModelFolder(files, folder)).weights,
    };
  check(start, 'train: lora needs a trained model; name its folder with init (--init DIR)');
  const { config } = model;
  const baseFingerprint = await fingerprintOfModel(start);
  return {
    ...common,
    whole: async (weights) => {
      const { weights: base } = (await start.stored?.whole()) ?? start;
      return mergeLora(config, base, lora, weights);
    },
    save: ({ files, folder }, weights, extra) =>
      writeFolder(files, folder, { ...loraFiles(config, { lora, weights, baseFingerprint }, baseFolder), ...extra }),
    async load({ files, folder }) {
      const saved = await loadLora(files, folder, config);
      checkLoraBase(folder, saved, baseFingerprint);
      return saved.weights;
    },
  };
}
