// Writes a model folder in another format.

import { withArea } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import type { LanguageOptions } from '../decode/text-options.ts';
import type { Files } from '../files/files.ts';
import { gunzip } from '../files/gzip.ts';
import { allFormats } from '../formats/main-formats.ts';
import type { Session } from '../session/session.ts';
import { openFolderAs } from './load-model.ts';
import { anyModel } from './model.ts';

/** Arguments of `convertFolder`; plain JSON. The languages are those that OUT translates between. */
export interface ConvertArguments extends LanguageOptions {
  /** Folder of the model. */
  readonly folder: string;
  readonly out: string;
  /** Name of a format. */
  readonly to: string;
  /** dtype of the weights, for formats that have a choice. [that of the source checkpoint, or f32] */
  readonly dtype?: string;
  /** Options of the format, as texts: an option that is read from a file has its path. [none] */
  readonly formatOptions?: Readonly<Record<string, string>>;
  /** Folder of a LoRA adapter to merge into the weights. */
  readonly lora?: string;
  /** Whether to replace a checkpoint in `out`. */
  readonly force?: boolean;
  /** Whether to write a model card. [true] */
  readonly card?: boolean;
}

/** What was written; plain JSON. */
export interface Converted {
  readonly out: string;
  readonly to: string;
  readonly parameters: number;
}

/** Converts a model. Throws a HeddleError that names the fields that the format does not support. */
export async function convertFolder(args: ConvertArguments, session: Session): Promise<Converted> {
  const { folder, out, to, dtype, force, card } = args;
  const format = allFormats(session.features.formats).find(({ names }) => names.includes(to));
  const formatOptions: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(args.formatOptions ?? {})) {
    const { fromFile } = format?.options?.[name] ?? {};
    const bytes = fromFile && (await readUnpacked(session.files, value));
    formatOptions[name] = bytes ? withArea(value, () => fromFile(bytes)) : value;
  }
  const model = await openFolderAs(anyModel, folder, session, args);
  const onWarning = (_: string, template: Message) => session.emit({ type: 'warning', text: template });
  await model.save(out, { format: to, onWarning, dtype, force, card, formatOptions });
  return { out, to, parameters: model.parameterCount };
}

/** A file, unpacked if its name ends in .gz. */
async function readUnpacked(files: Files, path: string): Promise<Uint8Array> {
  const bytes = await files.read(path);
  return path.endsWith('.gz') ? gunzip(bytes, path) : bytes;
}
