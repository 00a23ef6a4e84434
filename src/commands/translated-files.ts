// Files that `heddle translate` translates as wholes, such as documents: what a guest adds to the command.

import type { Command } from 'commander';
import type { TranslateOptions } from '../decode/text-options.ts';
import type { DecodingFlags } from './decode-flags.ts';
import type { ModelRunOptions } from './parse-values.ts';
import type { HostOptions } from './run-command.ts';

/** Values of the flags that a translation of a file has. */
export interface FileFlags extends DecodingFlags, HostOptions, ModelRunOptions {
  out?: string;
  force?: boolean;
}

/** Translates files as wholes. */
export interface TranslatedFiles {
  /** The formats in words: `TXT, HTML`. */
  readonly labels: string;
  /** Adds its flags. */
  addFlags(command: Command): Command;
  /** The names of its flags that are given. */
  givenFlags(options: FileFlags): readonly string[];
  /** Whether a name ends as those of its files. */
  hasFormat(name: string): boolean;
  /** Whether the arguments of the command are one of its files. */
  isFile(texts: readonly string[]): boolean;
  /** Throws a HeddleError if one of several texts is the name of a file. */
  checkTexts(texts: readonly string[]): void;
  /** Translates a file. `decode`: options of decoding. */
  translate(folder: string, input: string, options: FileFlags, decode: TranslateOptions): Promise<void>;
}
