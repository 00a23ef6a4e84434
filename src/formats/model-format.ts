// A model format: how a folder of files is recognized, read and written. The formats of the main house are in
// main-formats.ts; guests bring others (`Features.formats`).

import type { Message } from '../core/message.ts';
import type { GenerateOptions, Generation } from '../decode/text-options.ts';
import type { Engine } from '../engine/engine.ts';
import type { Files } from '../files/files.ts';
import type { Json } from '../files/json-files.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import type { SourceKinds } from '../model/source-kind.ts';
import type { TrainedLora } from './lora-folder.ts';
import type { DescribedModel, SavedModel } from './shared/saved-model.ts';

/** Reads a source checkpoint: the field `origin` of a config.json, whose tokenizer files are in the same folder. */
export type ReadOrigin = (json: unknown, config: ModelConfig) => Promise<DescribedModel>;

/** A folder that is read. */
export interface OpenedFolder {
  readonly files: Files;
  readonly path: string;
  /** Its config.json; undefined if there is none. */
  readonly config: Json | undefined;
  /** Whether to read the weights in parts; see `LoadFolderOptions`. */
  readonly inParts: boolean | 'large';
  readonly readOrigin: ReadOrigin;
  /** Kinds of sources that guests bring. */
  readonly sourceKinds: SourceKinds;
}

/** A model on its engine, as far as the writer of a format may need it: to compute on texts. */
export interface RunningModel {
  readonly saved: Pick<SavedModel, 'config' | 'source' | 'target'>;
  readonly parameters: ParameterList;
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  generate(texts: readonly string[], options: GenerateOptions): Promise<Generation[][]>;
  engine(): Promise<Engine>;
  write(peak: number): Promise<void>;
}

/** A model that is written, and how. */
export interface OutgoingModel {
  readonly model: SavedModel;
  /** The LoRA adapter that the model was trained with. */
  readonly lora?: TrainedLora;
  readonly running: RunningModel;
  /** Name of the format: one of `ModelFormat.names`. */
  readonly format: string;
  /** One of `ModelFormat.dtypes`, or undefined for the default. */
  readonly dtype?: string;
  /** The options of the format itself. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly onWarning?: (warning: Message) => void;
}

/** The files of a folder by name. */
export type FolderParts = Readonly<Record<string, Uint8Array>>;

/** An option of one format: `save(where, { format, formatOptions: { NAME: value } })`. */
export interface FormatOption {
  readonly help: string;
  /** The value of its flag in the help: `<codes>`. Default: it has no flag. */
  readonly value?: string;
  /** The value in the file that the flag names. Default: the flag gives the value itself. */
  readonly fromFile?: (bytes: Uint8Array) => unknown;
}

/** A row of the table of formats. It loads the code of the format when it is needed. */
export interface ModelFormat {
  /** Names in `save`: several if one writer has variants. */
  readonly names: readonly string[];
  /** What the files are, in help texts and errors. */
  readonly title: string;
  /** The end of the name of its file, if the format is one file: `.html`. Default: it is a folder. */
  readonly fileEnding?: string;
  /** dtypes of the weights that it can write. Default: no choice. */
  readonly dtypes?: readonly string[];
  /** What is written if the caller names no dtype, in help texts. */
  readonly defaultDtype?: string;
  readonly options?: Readonly<Record<string, FormatOption>>;
  /** Lines of Markdown for the model card: how a program loads the folder `name`. Default: by heddle. */
  usage?(name: string): readonly string[];
  /** Whether a config.json, or the `config` of a source checkpoint, is of this format. Default: none is. */
  isConfig?(config: Json): boolean;
  /** Whether a folder without a config.json has a model in this format. Default: none has. */
  isFolder?(files: Files, path: string): Promise<boolean>;
  /**
   * Reads a folder. Throws a HeddleError that names the file and the problem. If the weights are read in parts, a later
   * read checks that they are finite. Default: the format is only written.
   */
  read?(folder: OpenedFolder): Promise<SavedModel>;
  /** Reads a config.json without the rest of its folder; `path` is for errors. */
  readConfig?(config: Json, path: string): Promise<ModelConfig>;
  /** Reads a source checkpoint of this format, which a model in another format keeps as `origin`. */
  readOrigin?(files: Files, path: string, json: Json, config: ModelConfig): Promise<DescribedModel>;
  /** The files of a folder. Throws a HeddleError that names the fields that the format does not support. */
  write?(outgoing: OutgoingModel): Promise<FolderParts>;
}
