// Saves a model in heddle's format or in the formats of other tools.

import { check } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import type { FirefoxOptions } from '../features/marian/files/save-marian.ts';
import type { MeasuredModel } from '../features/marian/measure-inputs.ts';
import { pytorchFiles } from '../features/pytorch/pytorch.ts';
import type { Files } from '../files/files.ts';
import { memoryFiles } from '../files/memory-files.ts';
import { packFolder } from '../files/model-archives.ts';
import { checkpointNames } from '../files/model-file.ts';
import { hfFiles } from '../formats/hf/save-hf.ts';
import { symbolDifference } from '../formats/hf/transformers-tokenizer.ts';
import { kerasFiles } from '../formats/keras.ts';
import { loraFiles, type TrainedLora } from '../formats/lora-folder.ts';
import { type HeddleDtype, heddleDtypes, heddleFiles } from '../formats/save-heddle.ts';
import {
  type HfType,
  hfTypes,
  type MarianFormat,
  type ModelFormat,
  modelFormats,
} from '../formats/shared/model-formats.ts';
import {
  type OnnxDtype,
  onnxDtypes,
  type SavedModel,
  type WeightDtype,
  weightDtypes,
} from '../formats/shared/saved-model.ts';
import type { ModelEngine } from './model-engine.ts';

/** Options of `Model.save` and `Model.toBlob`. */
export interface SaveOptions {
  /** `lora`: only the LoRA adapter that `train` made, as PEFT stores it. ['heddle'] */
  readonly format?: ModelFormat | 'lora';
  /**
   * dtype of the weights. heddle: f32, f16, or int8 (matrices, with a scale per row) [f32]. Formats of
   * transformers: f32, f16 or bf16 [as in the source checkpoint, or f32]. onnx: fp32, fp16, q8 (int8 with a scale
   * per row), q4 or q4f16 (int4) [fp32].
   */
  readonly dtype?: 'f32' | 'f16' | 'bf16' | 'int8' | OnnxDtype;
  /**
   * firefox: languages in the names of the files, such as `enes`; multipliers of the inputs of int8 products by
   * name, or texts on which they are measured; a shortlist or lexical table. [those of the files that were loaded]
   */
  readonly firefox?: FirefoxOptions;
  /** Receives a warning if transformers, or transformers.js, tokenizes some texts differently than heddle. */
  readonly onWarning?: (text: string) => void;
  /**
   * Whether to replace a checkpoint in the folder, whose optimizer is lost then, and files of heddle's that were
   * changed since. Files that heddle did not write are never replaced. [false: an error]
   */
  readonly force?: boolean;
}

const optionNames: Readonly<Record<keyof SaveOptions, true>> = {
  format: true,
  dtype: true,
  firefox: true,
  onWarning: true,
  force: true,
};

const firefoxNames: readonly (keyof FirefoxOptions)[] = ['pair', 'multipliers', 'calibration', 'shortlist'];

/** Parts of a model that are written. */
interface ToSave {
  readonly model: SavedModel;
  readonly lora: TrainedLora | undefined;
  readonly options: SaveOptions;
}
/** How a format is written: the dtypes that it offers, and its files by name. */
interface Format {
  readonly dtypes: readonly string[];
  files(saved: ToSave): Parts | Promise<Parts>;
}
type Parts = Readonly<Record<string, Uint8Array>>;

const ofTransformers = (type: HfType): Format => ({
  dtypes: weightDtypes.map((dtype) => dtype.toLowerCase()),
  files({ model, options: { dtype, onWarning } }) {
    const files = hfFiles(model, type, dtype?.toUpperCase() as WeightDtype | undefined);
    const difference = !model.sourceCheckpoint && symbolDifference(model.source);
    if (difference) onWarning?.(difference);
    return files;
  },
});
const ofMarian = (name: MarianFormat): Format => ({
  dtypes: [],
  async files({ model, options }) {
    const { marianFiles } = await import('../features/marian/files/save-marian.ts');
    return marianFiles(model, name, options.firefox);
  },
});

/** The formats by name. */
const formats: Readonly<Record<ModelFormat | 'lora', Format>> = {
  heddle: {
    dtypes: heddleDtypes,
    files: ({ model, options }) => heddleFiles(model, options.dtype as HeddleDtype | undefined),
  },
  bart: ofTransformers('bart'),
  marian: ofTransformers('marian'),
  mbart: ofTransformers('mbart'),
  m2m_100: ofTransformers('m2m_100'),
  pegasus: ofTransformers('pegasus'),
  t5: ofTransformers('t5'),
  mt5: ofTransformers('mt5'),
  whisper: ofTransformers('whisper'),
  pytorch: { dtypes: [], files: ({ model }) => pytorchFiles(model) },
  keras: { dtypes: [], files: ({ model }) => kerasFiles(model) },
  onnx: {
    dtypes: onnxDtypes,
    async files({ model, options: { dtype, onWarning } }) {
      const { onnxFiles } = await import('../features/onnx/export/save-onnx.ts');
      return onnxFiles(model, { dtype: dtype as OnnxDtype | undefined, onWarning });
    },
  },
  'marian-npz': ofMarian('marian-npz'),
  'marian-bin': ofMarian('marian-bin'),
  firefox: ofMarian('firefox'),
  lora: {
    dtypes: [],
    files({ model, lora }) {
      check(lora, 'save: the model has no LoRA adapter; train with { lora: { rank } }');
      return loraFiles(model.config, lora, lora.base);
    },
  },
};

/** The options with the multipliers that calibration on an engine measured, if they ask for it. */
async function calibrated(engine: MeasuredModel, options: SaveOptions): Promise<SaveOptions> {
  const { calibration, ...firefox } = options.firefox ?? {};
  if (!calibration || options.format !== 'firefox') return options;
  const { inputMultipliers } = await import('../features/marian/measure-inputs.ts');
  return { ...options, firefox: { ...firefox, multipliers: await inputMultipliers(engine, calibration) } };
}

/**
 * Saves the model of an engine under a name; see `Model.save`. Throws a HeddleError that
 * names the fields that the format does not support, or the files of others in the folder.
 */
export async function saveModel(
  engine: ModelEngine,
  name: string,
  lora: TrainedLora | undefined,
  options: SaveOptions = {},
): Promise<void> {
  check(typeof name === 'string', 'save: give a folder or a name');
  const { files, host } = engine.session;
  await writeModel(files, host.modelPath(name), engine, lora, options);
}

/** The model of an engine as a zip archive. Throws as `saveModel`. */
export async function exportModel(
  engine: ModelEngine,
  lora: TrainedLora | undefined,
  options: SaveOptions = {},
): Promise<Blob> {
  const files = memoryFiles();
  await writeModel(files, 'model', engine, lora, options);
  return new Blob((await packFolder(files, 'model')) as BlobPart[], { type: 'application/zip' });
}

/**
 * Writes a model to a folder or a .zip file; replaces only files that heddle wrote. Throws a HeddleError that
 * names the fields that the format does not support, or the files of others in the folder.
 */
async function writeModel(
  files: Files,
  folder: string,
  engine: ModelEngine,
  lora: TrainedLora | undefined,
  given: SaveOptions,
): Promise<void> {
  checkNames({ area: 'save' }, Object.keys(optionNames), Object.keys(given));
  const { format: name = 'heddle', dtype, force, firefox = {} } = given;
  checkNames({ area: 'save: firefox' }, firefoxNames, Object.keys(firefox));
  check(
    Object.hasOwn(formats, name),
    `save: there is no format ${name}; the formats are ${modelFormats.join(', ')} and lora`,
  );
  const format = formats[name];
  check(!dtype || format.dtypes.includes(dtype), () =>
    format.dtypes.length > 0
      ? `save: ${name} has no dtype ${dtype}; it has ${format.dtypes.join(', ')}`
      : `save: ${name} has no choice of dtypes; dtype is for ${['heddle', ...hfTypes, 'onnx'].join(', ')}`,
  );
  const options = await calibrated(engine, given);
  const parts = await format.files({ model: await engine.merged(), lora, options });
  if (!force) await checkReplaced(files, folder);
  const { writeFolder } = await import('../files/owned-folder.ts');
  await writeFolder(files, folder, parts);
}

/**
 * Throws a HeddleError if a folder is a checkpoint, whose optimizer a saved model would replace, or has a file of
 * heddle's that was changed after it was written.
 */
async function checkReplaced(files: Files, folder: string): Promise<void> {
  const isThere = folder !== '' && (await files.exists(folder));
  const { readManifest } = await import('../files/owned-folder.ts');
  const written = (isThere ? await readManifest(files, folder) : undefined)?.files ?? {};
  check(
    !(checkpointNames.state in written),
    `${folder}: it is the checkpoint of a training run; saving a model there loses its optimizer. Use another folder, or force to replace it`,
  );
  const { fileHasChecksum } = await import('../files/checksums.ts');
  for (const [name, checksum] of Object.entries(written)) {
    const path = `${folder}/${name}`;
    check(
      !(await files.exists(path)) || (await fileHasChecksum(files, path, checksum)),
      `${path}: it changed after heddle wrote it; move it away, or force to replace it`,
    );
  }
}
