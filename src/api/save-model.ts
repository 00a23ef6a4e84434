// Saves a model in heddle's format or in the formats of other tools.

import { check } from '../core/errors.ts';
import type { Files } from '../files/files.ts';
import { memoryFiles } from '../files/memory-files.ts';
import { packFolder } from '../files/model-archives.ts';
import { checkpointNames } from '../files/model-file.ts';
import { hfFiles } from '../formats/hf/save-hf.ts';
import { kerasFiles } from '../formats/keras.ts';
import { loraFiles, type SavedLora } from '../formats/lora-folder.ts';
import type { FirefoxOptions } from '../formats/marian/save-marian.ts';
import { pytorchFiles } from '../formats/pytorch.ts';
import { heddleFiles } from '../formats/save-heddle.ts';
import {
  type HfType,
  hfTypes,
  type ModelFormat,
  marianFormats,
  modelFormats,
} from '../formats/shared/model-formats.ts';
import {
  type OnnxDtype,
  onnxDtypes,
  type SavedModel,
  type WeightDtype,
} from '../formats/shared/saved-model.ts';

/** Options of `Model.save` and `Model.toBlob`. */
export interface SaveOptions {
  /** `lora`: only the LoRA adapter that `train` made, as PEFT stores it. ['heddle'] */
  readonly format?: ModelFormat | 'lora';
  /**
   * dtype of the weights. heddle: f32 or f16 [f32]. Formats of transformers: f32, f16 or bf16 [as in the
   * source checkpoint, or f32]. onnx: fp32, fp16, or q8 (int8 with a scale per row) [fp32].
   */
  readonly dtype?: 'f32' | 'f16' | 'bf16' | OnnxDtype;
  /**
   * firefox: languages in the names of the files, such as `enes`; multipliers of the inputs of int8 products by
   * name; a shortlist file. [those of the files that were loaded; no shortlist]
   */
  readonly firefox?: FirefoxOptions;
  /** onnx: receives a warning if transformers.js tokenizes some texts differently than heddle. */
  readonly onWarning?: (text: string) => void;
  /**
   * Whether to replace a checkpoint in the folder: its optimizer is lost then. Files that heddle did not write
   * are never replaced. [false: an error]
   */
  readonly force?: boolean;
}

/** A trained LoRA adapter, and the name or folder of its base model. */
export type TrainedLora = SavedLora & { readonly base: string };

/**
 * Writes a model to a folder or a .zip file; replaces only files that heddle wrote. Throws a HeddleError that
 * names the fields that the format does not support, or the files of others in the folder.
 */
export async function saveModel(
  files: Files,
  folder: string,
  model: SavedModel,
  lora: TrainedLora | undefined,
  { format = 'heddle', dtype, onWarning, force, firefox }: SaveOptions = {},
): Promise<void> {
  const hf = hfTypes.find((type): type is HfType => type === format);
  const allowed: readonly string[] =
    format === 'onnx' ? onnxDtypes : format === 'heddle' ? ['f32', 'f16'] : hf ? ['f32', 'f16', 'bf16'] : [];
  check(!dtype || allowed.includes(dtype), () =>
    allowed.length > 0
      ? `save: ${format} has no dtype ${dtype}; it has ${allowed.join(', ')}`
      : `save: ${format} stores float32 weights; dtype is for ${['heddle', ...hfTypes, 'onnx'].join(', ')}`,
  );
  const write = async (parts: Readonly<Record<string, Uint8Array>>) => {
    if (!force) await checkNoCheckpoint(files, folder);
    const { writeFolder } = await import('../files/owned-folder.ts');
    await writeFolder(files, folder, parts);
  };
  if (format === 'lora') {
    check(lora, 'save: the model has no LoRA adapter; train with { lora: { rank } }');
    return write(loraFiles(model.config, lora, lora.base));
  }
  if (hf) return write(hfFiles(model, hf, dtype?.toUpperCase() as WeightDtype | undefined));
  if (format === 'onnx') {
    const { onnxFiles } = await import('../export/onnx/save-onnx.ts');
    return write(onnxFiles(model, { dtype: dtype as OnnxDtype | undefined, onWarning }));
  }
  const marian = marianFormats.find((name) => name === format);
  if (marian) {
    const { marianFiles } = await import('../formats/marian/save-marian.ts');
    return write(marianFiles(model, marian, firefox));
  }
  if (format === 'pytorch') return write(pytorchFiles(model));
  if (format === 'keras') return write(kerasFiles(model));
  check(
    format === 'heddle',
    `save: there is no format ${format}; the formats are ${modelFormats.join(', ')} and lora`,
  );
  return write(heddleFiles(model, dtype as 'f32' | 'f16' | undefined));
}

/** Throws a HeddleError if a folder is a checkpoint, whose optimizer a saved model would replace. */
async function checkNoCheckpoint(files: Files, folder: string): Promise<void> {
  const isThere = folder !== '' && (await files.exists(folder));
  const { readManifest } = await import('../files/owned-folder.ts');
  const manifest = isThere ? await readManifest(files, folder) : undefined;
  check(
    !manifest || !(checkpointNames.state in manifest.files),
    `${folder}: it is the checkpoint of a training run; saving a model there loses its optimizer. Use another folder, or force to replace it`,
  );
}

/** The parts of a zip archive of a model. Throws as `saveModel`. */
export async function exportModel(
  model: SavedModel,
  lora: TrainedLora | undefined,
  options?: SaveOptions,
): Promise<Uint8Array[]> {
  const files = memoryFiles();
  await saveModel(files, 'model', model, lora, options);
  return packFolder(files, 'model');
}
