// Saves a model in heddle's format or in the formats of other tools.

import { check } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import { listed, type Message, msg, option, renderMessage } from '../core/message.ts';
import { fileHasChecksum } from '../files/checksums.ts';
import { baseName, type Files } from '../files/files.ts';
import { memoryFiles } from '../files/memory-files.ts';
import { checkpointNames } from '../files/model-file.ts';
import { readManifest, writeFolder } from '../files/owned-folder.ts';
import type { TrainedLora } from '../formats/lora-folder.ts';
import { allFormats } from '../formats/main-formats.ts';
import type { FolderParts, ModelFormat } from '../formats/model-format.ts';
import type { HfType } from '../formats/shared/hf-types.ts';
import type { TrainResult } from '../train/run/train-result.ts';
import { cardName, factsOfFolder, factsOfResult, modelCard, writeCard } from './model-card.ts';
import type { ModelEngine } from './model-engine.ts';

/** Options of `Model.save` and `Model.toBlob`. */
export interface SaveOptions {
  /**
   * Name of the format: heddle; the model types of Hugging Face's transformers; keras; `lora`: only the LoRA adapter
   * that `train` made, as PEFT stores it; pytorch, onnx (for transformers.js), marian-npz, marian-bin, firefox; `html`: one
   * file that translates without a network. An unknown name is an error that lists them. ['heddle']
   */
  readonly format?: 'heddle' | HfType | 'keras' | 'lora' | (string & {});
  /**
   * dtype of the weights. heddle: f32, f16, or int8 (matrices, with a scale per row) [f32]. Formats of
   * transformers: f32, f16 or bf16 [as in the source checkpoint, or f32]. onnx: fp32, fp16, q8 (int8 with a scale
   * per row), q4 or q4f16 (int4) [fp32]. fp32, fp16 and q8 are other names of f32, f16 and int8 in every format.
   */
  readonly dtype?: 'f32' | 'f16' | 'bf16' | 'int8' | (string & {});
  /**
   * Options that only this format has. firefox: `languagePair`, the languages in the names of the files, such as
   * `enes`; `multipliers` of the inputs of int8 products by name, or `calibration`, texts on which they are measured;
   * `shortlist`, the bytes of one or of a lexical table. html: `title`, the headline of the page. [those of the files that were loaded]
   */
  readonly formatOptions?: Readonly<Record<string, unknown>>;
  /** Receives a warning if transformers, or transformers.js, tokenizes some texts differently than heddle. */
  readonly onWarning?: (text: string, template: Message) => void;
  /**
   * Whether to replace what heddle wrote there before: a model, or a checkpoint, whose optimizer is lost then. Files
   * that heddle did not write are never replaced. [false: an error]
   */
  readonly force?: boolean;
  /**
   * Whether to write a model card, README.md: what the model is, data, settings and scores of its training with their
   * signatures, and how it is loaded. A README.md of your own is never replaced. [true]
   */
  readonly card?: boolean;
}

/** What a model knows of its training. */
export interface Trained {
  readonly lora?: TrainedLora;
  readonly training?: TrainResult;
  /** Folder that the model was loaded from. */
  readonly name: string;
}

const optionNames: Readonly<Record<keyof SaveOptions, true>> = {
  format: true,
  dtype: true,
  formatOptions: true,
  onWarning: true,
  force: true,
  card: true,
};

/**
 * Saves the model of an engine under a name; see `Model.save`. Throws a HeddleError that
 * names the fields that the format does not support, or the files of others in the folder.
 */
export async function saveModel(
  engine: ModelEngine,
  name: string,
  trained: Trained,
  options: SaveOptions = {},
): Promise<void> {
  check(typeof name === 'string', 'give a folder or a name', { area: 'save' });
  const { files, host } = engine.session;
  await writeModel(files, host.modelPath(name), engine, trained, options);
}

/** The model of an engine as a zip archive, or as the file of a format that is one file. Throws as `saveModel`. */
export async function exportModel(
  engine: ModelEngine,
  trained: Trained,
  options: SaveOptions = {},
): Promise<Blob> {
  const files = memoryFiles();
  const formats = allFormats(engine.session.features.formats);
  const { fileEnding = '.zip' } = checkedFormat(options.format ?? 'heddle', formats);
  const name = `model${fileEnding}`;
  await writeModel(files, name, engine, trained, options);
  const type = fileEnding === '.html' ? 'text/html' : 'application/zip';
  return new Blob([(await files.read(name)) as BlobPart], { type });
}

/**
 * Writes a model to a folder or a .zip file; replaces only files that heddle wrote. Throws a HeddleError that
 * names the fields that the format does not support, or the files of others in the folder.
 */
async function writeModel(
  files: Files,
  folder: string,
  engine: ModelEngine,
  { lora, training, name }: Trained,
  given: SaveOptions,
): Promise<void> {
  checkNames({ area: 'save' }, Object.keys(optionNames), Object.keys(given));
  const { format = 'heddle', force, formatOptions = {}, onWarning, card = true } = given;
  const row = checkedFormat(format, allFormats(engine.session.features.formats));
  const dtype = ownDtype(row, format, given.dtype, allFormats(engine.session.features.formats));
  const { write, options = {} } = row;
  checkNames({ area: `save: ${format}` }, Object.keys(options), Object.keys(formatOptions));
  const warn = (warning: Message) => onWarning?.(renderMessage(warning), warning);
  const outgoing = { lora, running: engine, format, dtype, options: formatOptions, onWarning: warn };
  const model = await engine.merged();
  const parts = await write({ ...outgoing, model });
  if (row.fileEnding !== undefined) {
    await writeFile(files, folder, row.fileEnding, parts, force);
    return;
  }
  if (!force) await checkReplaced(files, folder);
  const isArchive = /\.zip$/i.test(folder);
  const text = card
    ? modelCard({
        name: baseName(folder).replace(/\.zip$/i, ''),
        config: model.config,
        parameters: engine.parameters.count,
        format: row,
        formatName: format,
        dtype,
        openedBy: model.config.source === 'tokens' ? undefined : model.sourceKind?.openedBy,
        languages: model.languages ? [model.languages.source, model.languages.target] : [],
        training: training ? factsOfResult(training) : await factsOfFolder(engine.session.files, name),
      })
    : '';
  const isPart = isArchive && text !== '';
  await writeFolder(files, folder, isPart ? { ...parts, [cardName]: new TextEncoder().encode(text) } : parts);
  if (text !== '' && !isArchive) await writeCard(files, folder, text);
}

/** Writes the only file of a format. Throws a HeddleError if its name has another ending, or if it exists. */
async function writeFile(
  files: Files,
  path: string,
  ending: string,
  parts: FolderParts,
  force = false,
): Promise<void> {
  check(path.endsWith(ending), msg`the format is one file; its name must end in ${ending}`, { area: path });
  check(
    force || !(await files.exists(path)),
    msg`it exists already; use ${option('force')} to replace it, or another name`,
    { area: path },
  );
  for (const bytes of Object.values(parts)) await files.write(path, bytes);
}

/** A format that can be written. */
type WrittenFormat = ModelFormat & Required<Pick<ModelFormat, 'write'>>;

const namesOf = (rows: readonly ModelFormat[]) => rows.flatMap(({ names }) => names).join(', ');

const canWrite = (row: ModelFormat): row is WrittenFormat => row.write !== undefined;

/** The row of a format. Throws a HeddleError that lists the formats if there is no such one. */
function checkedFormat(name: string, formats: readonly ModelFormat[]): WrittenFormat {
  const written = formats.filter(canWrite);
  const found = written.find(({ names }) => names.includes(name));
  check(found, msg`there is no format ${name}; the formats are ${namesOf(written)}`, { area: 'save' });
  return found;
}

/** Two names of each dtype: heddle's, and those of transformers.js. */
const dtypeNames = [
  ['f32', 'fp32'],
  ['f16', 'fp16'],
  ['int8', 'q8'],
];

/** A dtype by the name that a format has for it. Throws a HeddleError that lists those that the format has. */
function ownDtype(
  { dtypes = [] }: ModelFormat,
  format: string,
  given: string | undefined,
  formats: readonly ModelFormat[],
): string | undefined {
  if (given === undefined) return undefined;
  const names = dtypeNames.find((row) => row.includes(given)) ?? [given];
  const own = dtypes.find((dtype) => names.includes(dtype));
  check(
    own,
    dtypes.length > 0
      ? msg`${format} has no dtype ${given}; it has ${listed(dtypes)}`
      : msg`${format} has no choice of dtypes; dtype is for ${namesOf(formats.filter((row) => canWrite(row) && row.dtypes))}`,
    { area: 'save' },
  );
  return own;
}

/**
 * Throws a HeddleError if heddle wrote a model or a checkpoint there before, or if one of its files changed since,
 * which is named then.
 */
async function checkReplaced(files: Files, folder: string): Promise<void> {
  const isThere = folder !== '' && (await files.exists(folder));
  const written = (isThere ? await readManifest(files, folder) : undefined)?.files ?? {};
  check(
    !(checkpointNames.state in written),
    msg`it is the checkpoint of a training run; saving a model there loses its optimizer. Use another folder, or ${option('force')} to replace it`,
    { area: folder },
  );
  for (const [name, checksum] of Object.entries(written)) {
    const path = `${folder}/${name}`;
    check(
      !(await files.exists(path)) || (await fileHasChecksum(files, path, checksum)),
      msg`it changed after heddle wrote it; move it away, or use ${option('force')} to replace it`,
      { area: path },
    );
  }
  check(
    Object.keys(written).length === 0,
    msg`it has a model already; use another name, or ${option('force')} to replace it`,
    { area: folder },
  );
}
