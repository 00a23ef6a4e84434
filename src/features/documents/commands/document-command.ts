// heddle translate MODEL FILE: a document, back as it was with its translations.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DecodingFlags } from '../../../commands/decode-flags.ts';
import { printResult, shownOnTerminal } from '../../../commands/output.ts';
import { checkOutputFile, isExistingFile } from '../../../commands/output-file.ts';
import { type ModelRunOptions, modelArguments } from '../../../commands/parse-values.ts';
import type { CommandJob } from '../../../commands/remote/command-job.ts';
import { type HostOptions, runWithProgress } from '../../../commands/run-command.ts';
import { HeddleError, shellQuote } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { present } from '../../../core/present.ts';
import type { TranslateOptions } from '../../../decode/text-options.ts';
import { type OpenSegments, openSegments } from '../document.ts';
import { documentFormatLabels, documentFormatOf } from '../document-formats.ts';
import { type DocumentSummary, describeSummary } from '../document-report.ts';
import { pairFormatLabels } from '../pairs/pair-format-labels.ts';
import type { DocumentArguments } from './document-job.ts';
import { journalOf } from './document-job.ts';

/** Values of the flags of documents. */
export interface DocumentFlags {
  memory?: string[];
  memoryThreshold?: number;
  segments?: OpenSegments;
  report?: string;
  glossary?: string;
}

interface Options extends DocumentFlags, DecodingFlags, HostOptions, ModelRunOptions {
  out?: string;
  force?: boolean;
}

const share = (text: string): number => {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('It must be above 0 and at most 1.');
  return value;
};

/** Adds the flags of documents. */
export const addDocumentFlags = (command: Command): Command =>
  command
    .optionsGroup(`Documents (${documentFormatLabels}):`)
    .addOption(
      new Option(
        '--segments <which>',
        'untranslated: only segments without a translation; all: translate all again (default: untranslated)',
      ).choices(openSegments),
    )
    .option(
      '--memory <file...>',
      `translation memories (${pairFormatLabels}), whose matches come before the model`,
    )
    .option('--memory-threshold <share>', 'smallest similarity of a match, by words (default: 0.75)', share)
    .option(
      '--glossary <file>',
      'terms that translations must have: CSV or TSV of source, target and an optional note',
    )
    .option('--report <file>', 'write each segment with its origin and checks, as HTML or .json');

/** The names of the flags of documents that are given. */
export const givenDocumentFlags = (o: DocumentFlags): string[] =>
  [
    o.segments === undefined ? [] : '--segments',
    o.memory === undefined ? [] : '--memory',
    o.memoryThreshold === undefined ? [] : '--memory-threshold',
    o.report === undefined ? [] : '--report',
    o.glossary === undefined ? [] : '--glossary',
  ].flat();

/** Whether the arguments of `translate` are one document. */
export const isDocument = (texts: readonly string[]): boolean =>
  texts.length === 1 &&
  documentFormatOf(texts[0] as string) !== undefined &&
  isExistingFile(texts[0] as string);

/** Throws a HeddleError if one of several texts is the name of a file, such as two documents or a format of others. */
export function checkTexts(texts: readonly string[]): void {
  const file = texts.find((text) => /\S\.\w+$/.test(text) && isExistingFile(text));
  if (file === undefined) return;
  throw new HeddleError(
    documentFormatOf(file)
      ? msg`${file} is a document, and ${texts.length} texts are given; translate one document at a time`
      : msg`${file} is a file, but no document that heddle reads (${documentFormatLabels}); convert it, for example to XLIFF, or give texts, one per line, with --input ${file}`,
  );
}

/** Translates a document by the job `translate`. `decode`: options of decoding. */
export async function translateDocumentFile(
  translate: CommandJob<DocumentArguments, DocumentSummary>,
  folder: string,
  input: string,
  options: Options,
  decode: TranslateOptions,
): Promise<void> {
  const { out: output, force = false, memory = [], memoryThreshold, segments, report, glossary } = options;
  const inputs = present([input, ...memory, glossary === undefined ? undefined : glossary]);
  if (output !== undefined) {
    const resumes = isExistingFile(journalOf(output));
    checkOutputFile('--out', output, { force: force || resumes, inputs });
  } else if (options.json === true)
    throw new HeddleError('--json prints the numbers of the document to stdout; give --out for the document');
  if (report !== undefined)
    checkOutputFile('--report', report, { force, inputs: present([...inputs, output]) });
  for (const path of inputs)
    if (!isExistingFile(path))
      throw new HeddleError('there is no such file', { area: shellQuote(path), kind: 'not-found' });
  const { model, folders } = modelArguments(folder, options);
  const args = {
    ...model,
    input,
    output,
    options: decode,
    segments,
    memory,
    threshold: memoryThreshold,
    report,
    glossary,
  };
  const written = [output, output && journalOf(output), report].filter((path) => path !== undefined);
  const summary = await runWithProgress(
    translate,
    args,
    {
      ...options,
      left: output === undefined ? 'stdout has the translations so far' : 'the same command continues',
      onPiece: (text) => void process.stdout.write(shownOnTerminal(text)),
    },
    [...folders, ...inputs, ...written],
  );
  if (options.json !== undefined) await printResult(summary, options.json, () => describeSummary(summary));
  if (summary.notTranslated > 0 && !process.exitCode) process.exitCode = 1;
}
