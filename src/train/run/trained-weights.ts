// The weights that a run trains: all weights of a model, or a LoRA adapter of one. They can be evaluated,
// kept as the best and saved.

import { check } from '../../core/errors.ts';
import type { TextModel } from '../../decode/translator.ts';
import type { Engine } from '../../engine/engine.ts';
import { writeFolder } from '../../files/files.ts';
import { checkLoraBase, fingerprintOfModel, loadLora, loraFiles } from '../../formats/lora-folder.ts';
import { loadModelFolder } from '../../formats/model-folder.ts';
import { saveModelFolder } from '../../formats/save-heddle.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import { type LoraConfig, mergeLora } from '../../model/lora.ts';
import type { OptimizerConfig } from '../update/optimizer-config.ts';
import type { TrainableParameters } from '../update/trainable-parameters.ts';
import type { CheckpointFolder } from './train-result.ts';

/** The trained weights; arrays have the layout of the trainable parameters. */
export type TrainedWeights = Awaited<ReturnType<typeof createTrainedWeights>>;

/** Options: the trained parameters and their engine. */
export interface TrainedWeightsOptions {
  readonly engine: Engine;
  readonly model: TextModel;
  readonly trainable: TrainableParameters;
  readonly optimizer: OptimizerConfig;
  /** If a LoRA adapter is trained: its configuration, its base model and the folder of the base model. */
  readonly lora?: LoraConfig | undefined;
  readonly start?: SavedModel | undefined;
  readonly baseFolder?: string | undefined;
}

/** Returns the trained weights. Throws a HeddleError if LoRA has no base model. */
export async function createTrainedWeights(options: TrainedWeightsOptions) {
  const { engine, model, trainable, optimizer, lora, start, baseFolder = '' } = options;
  const averaged = optimizer.emaDecay > 0;
  const { state } = trainable;
  const { config } = model;
  check(!lora || start, 'train: lora needs a trained model; name its folder with init (--init DIR)');
  const adapter = lora && start && { lora, base: start, baseFingerprint: await fingerprintOfModel(start) };
  return {
    /** Reads the weights to save: the moving average if the optimizer has one. */
    read: async () => (await engine.read(averaged ? 'average' : state)).data as Float32Array,
    /** Runs `work` while the engine has these weights, then restores the training state exactly. */
    async on<T>(work: () => Promise<T>): Promise<T> {
      if (!averaged) return work();
      engine.swap(state, 'average');
      try {
        return await work();
      } finally {
        engine.swap(state, 'average');
      }
    },
    /** Loads weights into the engine for inference. Training cannot continue after that. */
    put: (weights: Float32Array) => engine.write(state, weights),
    /** Returns all weights of the model: a LoRA adapter is merged into its base. */
    async whole(weights: Float32Array): Promise<Float32Array> {
      if (!adapter) return weights;
      const { weights: base } = (await adapter.base.stored?.whole()) ?? adapter.base;
      return mergeLora(config, base, adapter.lora, weights);
    },
    /** Writes weights and further files into a folder, atomically. */
    async save(
      { files, folder }: CheckpointFolder,
      weights: Float32Array,
      extra: Readonly<Record<string, Uint8Array>>,
    ): Promise<void> {
      if (!adapter) return saveModelFolder(files, folder, { ...model, weights }, extra);
      await writeFolder(files, folder, {
        ...loraFiles(config, { ...adapter, weights }, baseFolder),
        ...extra,
      });
    },
    /** Reads saved weights. */
    async load({ files, folder }: CheckpointFolder): Promise<Float32Array> {
      if (!adapter) return (await loadModelFolder(files, folder)).weights;
      const saved = await loadLora(files, folder, config);
      checkLoraBase(folder, saved, adapter.baseFingerprint);
      return saved.weights;
    },
  };
}
