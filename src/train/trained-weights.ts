// The weights that a run trains: all weights of a model, or a LoRA adapter of one. They can be evaluated, kept as the
// best and saved.

import { check } from '../core/errors.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import { sizeOf } from '../core/tensor.ts';
import type { TextModel } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import { writeFolder } from '../files/files.ts';
import { checkLoraBase, loadLora, loraFiles } from '../formats/lora-folder.ts';
import { loadModelFolder, saveModelFolder } from '../formats/model-folder.ts';
import { type LoraConfig, loraTargets, mergeLora } from '../model/lora.ts';
import { parameterList } from '../model/parameters.ts';
import type { OptimizerConfig } from '../trainer/optimizer-config.ts';
import type { TrainableParameters } from '../trainer/trainable-parameters.ts';
import type { CheckpointFolder } from './train-arguments.ts';

/** The trained weights; their arrays are laid out as the trainable parameters are. */
export interface TrainedWeights {
  /** Reads the weights as they would be saved: the moving average if the optimizer has one. */
  read(): Promise<Float32Array>;
  /** Runs `work` while the engine computes with those weights, then restores the training state exactly. */
  on<T>(work: () => Promise<T>): Promise<T>;
  /** Loads weights into the engine for inference. Training cannot continue after that. */
  put(weights: Float32Array): void;
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
  /** The LoRA adapter, if one is trained, the weights that it adapts, and their folder. */
  readonly lora?: LoraConfig | undefined;
  readonly base?: Float32Array | undefined;
  readonly baseFolder?: string | undefined;
}

/** Returns the trained weights. Throws a HeddleError if LoRA has no base model. */
export function createTrainedWeights(options: TrainedWeightsOptions): TrainedWeights {
  const { engine, model, trainable, optimizer, lora, base, baseFolder = '' } = options;
  const averaged = optimizer.emaDecay > 0;
  const readState = async (state: string) => (await engine.read(state)).data as Float32Array;
  const read = () => readState(averaged ? 'average' : trainable.state);
  if (!lora)
    return {
      read,
      async on(work) {
        if (!averaged) return work();
        engine.swap('weights', 'average');
        try {
          return await work();
        } finally {
          engine.swap('weights', 'average');
        }
      },
      put: (weights) => engine.write('weights', weights),
      save: ({ files, folder }, weights, extra) => saveModelFolder(files, folder, { ...model, weights }, extra),
      load: async ({ files, folder }) => (await loadModelFolder(files, folder)).weights,
    };
  check(base, 'train: lora needs a trained model; name its folder with init (--init DIR)');
  const { config } = model;
  const baseFingerprint = fingerprintOf([base]);
  const adapted = new Set(loraTargets(config, lora.targetModules).map(({ weight }) => weight));
  const parameters = parameterList(config).all.filter(({ name }) => adapted.has(name));
  const none = new Float32Array(trainable.all.size);
  /** Uploads the parameters that LoRA adapts; all others are always those of the base model. */
  const upload = (weights: Float32Array) => {
    for (const { offset, shape } of parameters)
      engine.write('weights', weights.subarray(offset, offset + sizeOf(shape)), offset);
  };
  // Decoding has no LoRA layers: the adapter is merged into the weights, and its own state is zero.
  const put = (weights: Float32Array) => {
    upload(mergeLora(config, base, lora, weights));
    engine.write('lora', none);
  };
  return {
    read,
    async on(work) {
      const training = await readState('lora');
      put(averaged ? await readState('average') : training);
      try {
        return await work();
      } finally {
        upload(base);
        engine.write('lora', training);
      }
    },
    put,
    save: ({ files, folder }, weights, extra) =>
      writeFolder(files, folder, { ...loraFiles(config, { lora, weights, baseFingerprint }, baseFolder), ...extra }),
    async load({ files, folder }) {
      const saved = await loadLora(files, folder, config);
      checkLoraBase(folder, saved, base);
      return saved.weights;
    },
  };
}
