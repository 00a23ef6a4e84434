// heddle translate MODEL FILE: a document, back as it was with its translations.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { printResult, shownOnTerminal } from '../../../commands/output.ts';
import { checkOutputFile, isExistingFile } from '../../../commands/output-file.ts';
import { modelArguments } from '../../../commands/parse-values.ts';
import { runWithProgress } from '../../../commands/run-command.ts';
import type { FileFlags, TranslatedFiles } from '../../../commands/translated-files.ts';
import { HeddleError, shellQuote } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { present } from '../../../core/present.ts';
import type { TranslateOptions } from '../../../decode/text-options.ts';
import { describePairFormats } from '../../../text/corpus/pair-reader.ts';
import { type OpenSegments, openSegments } from '../document.ts';
import { documentFormatLabels, documentFormatOf } from '../document-formats.ts';
import { describeSummary } from '../document-report.ts';
import { pairReaders } from '../pairs/pair-readers.ts';
import { journalOf } from './document-job.ts';
import { translateDocumentJob } from './translate-document-job.ts';

/** Values of the flags of documents. */
interface DocumentFlags extends FileFlags {
  memory?: string[];
  memoryThreshold?: number;
  segments?: OpenSegments;
  encoding?: string;
  report?: string;
  glossary?: string;
}

const share = (text: string): number => {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('It must be above 0 and at most 1.');
  return value;
};

const knownEncoding = (text: string): string => {
  try {
    return new TextDecoder(text).encoding;
  } catch {
    throw new InvalidArgumentError(
      'There is no such encoding; give utf-8, utf-16le, windows-1252, shift_jis, ...',
    );
  }
};

/** Adds the flags of documents. */
const addDocumentFlags = (command: Command): Command =>
  command
    .optionsGroup(`Documents (${documentFormatLabels}):`)
    .addOption(
      new Option(
        '--segments <which>',
        'untranslated: only segments without a translation; all: translate all again (default: untranslated)',
      ).choices(openSegments),
    )
    .option(
      '--encoding <name>',
      'encoding of the document, in which its translation is written: latin1, utf-16le, windows-1251, ... (default: the one that the document names, or utf-8)',
      knownEncoding,
    )
    .option(
      '--memory <file...>',
      `translation memories (${describePairFormats(pairReaders)}), whose matches come before the model`,
    )
    .option('--memory-threshold <share>', 'smallest similarity of a match, by words (default: 0.75)', share)
    .option(
      '--glossary <file>',
      'terms that translations must have: CSV or TSV of source, target and an optional note',
    )
    .option('--report <file>', 'write each segment with its origin and checks, as HTML or .json');

/** The names of the flags of documents that are given. */
const givenDocumentFlags = (o: DocumentFlags): string[] =>
  [
    o.segments === undefined ? [] : '--segments',
    o.encoding === undefined ? [] : '--encoding',
    o.memory === undefined ? [] : '--memory',
    o.memoryThreshold === undefined ? [] : '--memory-threshold',
    o.report === undefined ? [] : '--report',
    o.glossary === undefined ? [] : '--glossary',
  ].flat();

/** Whether the arguments of `translate` are one document. */
const isDocument = (texts: readonly string[]): boolean =>
  texts.length === 1 &&
  documentFormatOf(texts[0] as string) !== undefined &&
  isExistingFile(texts[0] as string);

/** Throws a HeddleError if one of several texts is the name of a file, such as two documents or a format of others. */
function checkTexts(texts: readonly string[]): void {
  const file = texts.find((text) => /\S\.\w+$/.test(text) && isExistingFile(text));
  if (file === undefined) return;
  throw new HeddleError(
    documentFormatOf(file)
      ? msg`${file} is a document, and ${texts.length} texts are given; translate one document at a time`
      : msg`${file} is a file, but no document that heddle reads (${documentFormatLabels}); convert it, for example to XLIFF, or give texts, one per line, with --input ${file}`,
  );
}

/** Translates a document. `decode`: options of decoding. */
async function translateDocumentFile(
  folder: string,
  input: string,
  options: DocumentFlags,
  decode: TranslateOptions,
): Promise<void> {
  const {
    out: output,
    force = false,
    memory = [],
    memoryThreshold,
    segments,
    encoding,
    report,
    glossary,
  } = options;
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
    encoding,
    options: decode,
    segments,
    memory,
    threshold: memoryThreshold,
    report,
    glossary,
  };
  const written = [output, output && journalOf(output), report].filter((path) => path !== undefined);
  const summary = await runWithProgress(
    translateDocumentJob,
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

/** Documents, as `heddle translate` translates them. */
export const documentFiles: TranslatedFiles = {
  labels: documentFormatLabels,
  addFlags: addDocumentFlags,
  givenFlags: givenDocumentFlags,
  hasFormat: (name) => documentFormatOf(name) !== undefined,
  isFile: isDocument,
  checkTexts,
  translate: translateDocumentFile,
};
