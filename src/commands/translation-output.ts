// The files that `heddle translate` writes while it translates: translations, alignments and JSON.

import { closeSync } from 'node:fs';
import type { Translated, TranslatedTexts } from './jobs/translate-job.ts';
import { jsonArrayWriter, shownOnTerminal } from './output.ts';
import { isExistingFile, openOutputFile, writeAt, writing } from './output-file.ts';
import type { FileFlags } from './translated-files.ts';
import {
  alignmentLines,
  hardLines,
  pharaohLines,
  translationLines,
  withoutAttention,
} from './translation-lines.ts';

/** Values of the flags that say what is written where. */
export interface TranslationOutputFlags extends FileFlags {
  /** File of the alignments, or `hard`. */
  alignments?: string;
  alignmentFormat?: 'json' | 'pharaoh';
  stream?: boolean;
  /** Whether translations are ids of tokens. */
  ids?: boolean;
  phrases?: string[];
}

type AlignmentFlags = Pick<TranslationOutputFlags, 'alignments' | 'alignmentFormat'>;

/** Kinds of alignments: `hard` is printed behind each translation, the others are a file. */
export const alignmentKind = ({
  alignments,
  alignmentFormat = 'json',
}: AlignmentFlags): 'hard' | 'json' | 'pharaoh' | undefined =>
  alignments === undefined ? undefined : alignments === 'hard' ? 'hard' : alignmentFormat;

/** The file of the alignments, if there is one. */
export const alignmentsFile = (flags: AlignmentFlags): string | undefined =>
  alignmentKind(flags) === 'hard' ? undefined : flags.alignments;

/** A file that is written, or stdout. */
interface Output {
  write(text: string): void;
  close(isComplete: boolean): void;
}

/** Writes translations as they are done. Close it in any case. */
export class TranslationOutput {
  /** Number of texts that could not be translated. */
  failed = 0;
  /** Number of translations that ended before they had all phrases. */
  lacking = 0;
  readonly #flags: TranslationOutputFlags;
  readonly #out: Output;
  readonly #alignments: Output | undefined;
  readonly #jsonFile: Output | undefined;
  readonly #json: ReturnType<typeof jsonArrayWriter> | undefined;

  constructor(flags: TranslationOutputFlags) {
    const { json } = flags;
    this.#flags = flags;
    this.#out = openOutput(flags.out);
    const file = alignmentsFile(flags);
    this.#alignments = file === undefined ? undefined : openOutput(file);
    this.#jsonFile = typeof json === 'string' ? openOutput(json) : undefined;
    this.#json = json === undefined ? undefined : jsonArrayWriter((this.#jsonFile ?? this.#out).write);
  }

  /** Writes a piece of a translation that is streamed. */
  addPiece(piece: string): void {
    this.#out.write(piece);
  }

  /** Writes the translations of a group of texts. */
  add(texts: readonly string[], { first, translations, failed }: TranslatedTexts): void {
    const { stream, json, phrases } = this.#flags;
    this.failed += failed;
    this.lacking += translations.filter(
      ([best]) => best && phrases?.some((phrase) => !best.text.includes(phrase)),
    ).length;
    if (!stream && json !== true) this.#writeLines(translations, first);
    this.#json?.add(
      translations.map((all, i) => ({ source: texts[i], translations: all.map(withoutAttention) })),
    );
    const lines = alignmentKind(this.#flags) === 'json' ? alignmentLines : pharaohLines;
    this.#alignments?.write(lines(translations, first));
  }

  #writeLines(translations: readonly Translated[][], first: number): void {
    const isHard = alignmentKind(this.#flags) === 'hard';
    const lines = isHard ? hardLines(translations) : translationLines(translations, this.#flags, first);
    // With --num-return an empty text has no lines.
    if (lines !== '' || this.#flags.numReturn === undefined) this.#out.write(`${lines}\n`);
  }

  /** Closes the files. `isComplete`: whether all texts are translated. */
  close(isComplete: boolean): void {
    this.#json?.close(isComplete);
    for (const file of [this.#out, this.#alignments, this.#jsonFile]) file?.close(isComplete);
  }
}

/**
 * A file that grows with each `write`, so that others can read it meanwhile, or stdout. An existing file keeps its
 * contents until the first `write`, or `close` if all is complete: a run that fails before has not lost them.
 * Throws a HeddleError if the file cannot be opened.
 */
function openOutput(path: string | undefined): Output {
  if (path === undefined) {
    return { write: (text) => void process.stdout.write(shownOnTerminal(text)), close: () => undefined };
  }
  let file = isExistingFile(path) ? undefined : openOutputFile(path);
  const opened = () => {
    file ??= openOutputFile(path);
    return file;
  };
  return {
    write: (text) => writing(path, () => writeAt(opened(), new TextEncoder().encode(text))),
    close(isComplete) {
      if (isComplete) opened();
      if (file !== undefined) closeSync(file);
    },
  };
}
