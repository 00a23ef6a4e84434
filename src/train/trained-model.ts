// What a training makes: all weights of a model, or an adapter for one that stays as it is. Either way a bank of numbers on the engine,
// which can stand in for the model for a while, be chosen as the best, and go into a folder.

import { check } from '../core/errors.ts';
import type { TextModel } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import { writeFolder } from '../files/files.ts';
import { loadLora, loraFiles } from '../formats/lora-folder.ts';
import { loadModelFolder, saveModelFolder } from '../formats/model-folder.ts';
import { type LoraConfig, mergeLora } from '../model/lora.ts';
import type { OptimizerConfig } from '../trainer/optimizer-config.ts';
import type { TrainableParameters } from '../trainer/trainable-parameters.ts';
import type { CheckpointFolder } from './checkpointer.ts';

/** The bank that is trained, and what can be done with it. */
export interface TrainedWeights {
  /** The bank as it would be saved now: the moving average where the optimizer keeps one. */
  read(): Promise<Float32Array>;
  /** Does something while the engine computes with that bank, and puts back what was there. */
  on<T>(work: () => Promise<T>): Promise<T>;
  /** Makes a bank what the engine computes with, for the rest of its life. */
  put(bank: Float32Array): void;
  /** Writes a bank, and further files, into a folder as a whole. */
  save(place: CheckpointFolder, bank: Float32Array, extra: Readonly<Record<string, Uint8Array>>): Promise<void>;
  /** Reads a bank back. */
  load(place: CheckpointFolder): Promise<Float32Array>;
}

/** What a training is of. */
export interface TrainedWeightsOptions {
  readonly engine: Engine;
  readonly model: TextModel;
  readonly tuned: TrainableParameters;
  readonly optimizer: OptimizerConfig;
  /** Where an adapter is trained: how, the weights that it is for, and the folder that they are from. */
  readonly lora?: LoraConfig | undefined;
  readonly base?: Float32Array | undefined;
  readonly baseFolder?: string | undefined;
}

/** The bank of a training. Throws a HeddleError where an adapter is for no model. */
export function createTrainedWeights({
  engine,
  model,
  tuned,
  optimizer,
  lora,
  base,
  baseFolder = '',
}: TrainedWeightsOptions): TrainedWeights {
  const averaged = optimizer.emaDecay > 0;
  const bankOf = async (state: string) => (await engine.read(state)).data as Float32Array;
  const read = () => bankOf(averaged ? 'average' : tuned.state);
  if (!lora)
    return {
      read,
      async on(work) {
        if (!averaged) return work();
        const training = await bankOf('weights');
        engine.write('weights', await read());
        try {
          return await work();
        } finally {
          engine.write('weights', training);
        }
      },
      put: (bank) => engine.write('weights', bank),
      save: ({ files, folder }, weights, extra) => saveModelFolder(files, folder, { ...model, weights }, extra),
      load: async ({ files, folder }) => (await loadModelFolder(files, folder)).weights,
    };
  check(base, 'lora: an adapter is for a model that is trained already; name its folder by --init');
  const { config } = model;
  const none = new Float32Array(tuned.all.size);
  const put = (bank: Float32Array) => {
    engine.write('weights', mergeLora(config, base, lora, bank));
    engine.write('lora', none);
  };
  return {
    read,
    // Decoding knows nothing of adapters: for a while it is in the weights, and none beside them.
    async on(work) {
      const training = await bankOf('lora');
      put(await read());
      try {
        return await work();
      } finally {
        engine.write('weights', base);
        engine.write('lora', training);
      }
    },
    put,
    save: ({ files, folder }, weights, extra) =>
      writeFolder(files, folder, { ...loraFiles(config, { lora, weights }, baseFolder), ...extra }),
    load: async ({ files, folder }) => (await loadLora(files, folder, config)).weights,
  };
}
