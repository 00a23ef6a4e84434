// heddle translate

import { closeSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { addDecodingFlags, decodeOptionsOf } from './decode-flags.ts';
import type { TranslateArguments, Translated, TranslatedTexts } from './jobs/translate-job.ts';
import { jsonArrayWriter, log, shownOnTerminal, warn } from './output.ts';
import { checkOutputFiles, isExistingFile, openOutputFile, writeAt, writing } from './output-file.ts';
import {
  addHostOptions,
  addModelOptions,
  deviceOption,
  jsonOption,
  list,
  longTextsOption,
  modelArguments,
  whole,
} from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { runWithProgress } from './run-command.ts';
import { linesOf, textGroups } from './text-input.ts';
import type { FileFlags, TranslatedFiles } from './translated-files.ts';
import {
  alignmentLines,
  hardLines,
  pharaohLines,
  translationLines,
  withoutAttention,
} from './translation-lines.ts';

interface Options extends FileFlags {
  input?: string[];
  batchSize: number;
  maxNewTokens?: number;
  maxLength?: number;
  longTexts?: 'error' | 'crop' | 'skip';
  replaceUnknown?: boolean;
  ids?: boolean;
  splitSentences?: boolean;
  stream?: boolean;
  alignments?: string;
  alignmentFormat?: 'json' | 'pharaoh';
  prefix?: string;
  phrases?: string[];
}

/** Value of --alignments with which translations are printed with their alignment. */
const hardAlignments = 'hard';

/** Number of batches that are sorted by length and translated together. */
const batchesAtOnce = 8;

/** Jobs of the command. */
interface Jobs {
  readonly translate: CommandJob<TranslateArguments, Translated[][]>;
}

/** Adds the command `translate`; `files`: what it translates as wholes. */
export function addTranslate(program: Command, jobs: Jobs, files?: TranslatedFiles): void {
  const command = program
    .command('translate')
    .description('translate texts, the lines of files or of stdin, or a document, in order')
    .argument('<dir>', 'model: a folder, a .zip or a .safetensors file')
    .argument(
      '[text...]',
      `texts${files ? `, or one document: a file in one of ${files.labels}` : ''} (default: the lines of --input, or of stdin)`,
    )
    .option('--input <file...>', 'files with one text per line; - is stdin')
    .option('--out <file>', 'write the translations to this file as they are done; - is stdout', '-')
    .option(
      '--force',
      'overwrite the files of --out, --alignments and --json when the first translation is done',
    )
    .option('--batch-size <texts>', 'texts per batch', whole(1), 32)
    .option(
      '--max-length <n>',
      'maximum length of a text in tokens (default and limit: that of the model)',
      whole(2),
    )
    .addOption(longTextsOption())
    .option('--replace-unknown', 'replace an unknown word by the source word that it attends to most')
    .option('--split-sentences', 'split texts into sentences and join their translations, for long documents')
    .option(
      '--max-new-tokens <n>',
      'maximum length of a translation in tokens (default and limit: that of the model)',
      whole(1),
    )
    .option(
      '--num-return <n>',
      'number of translations per text; prints text number, score and translation (default: 1, translation only)',
      whole(1),
    )
    .option(
      '--stream',
      'print each token as soon as it is decoded, one text after the other (greedy decoding and sampling)',
    )
    .option(
      '--alignments <file|hard>',
      'write an alignment of each text and its translation to this file, see --alignment-format; hard: print the words that belong together behind each translation, as Marian does: el gato ||| 0-0 1-1 (./hard is a file)',
    )
    .addOption(
      new Option(
        '--alignment-format <format>',
        'json: tokens and cross-attention [layers][heads][target][source] as JSON lines; pharaoh: pairs of words, from 0, such as 0-0 1-2 (default: json)',
      ).choices(['json', 'pharaoh']),
    )
    .option('--prefix <text>', 'text with which every translation begins')
    .option(
      '--phrases <phrases>',
      'words and phrases that every translation contains, separated by commas (beam search with at least 8 beams)',
      list,
    )
    .option('--ids', 'print target token ids, without start and end, instead of text')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nThe JSON is an array with an object for each text, in order: source, and translations, best first, with text, ids, score, logProb\n' +
        '(natural) and ended. A text that is empty or too long has no translations.',
    )
    .action((folder: string, texts: string[], options: Options) =>
      run(jobs, files, folder, texts, { ...options, out: options.out === '-' ? undefined : options.out }),
    );
  addModelOptions(command);
  addDecodingFlags(command);
  files?.addFlags(command);
  addHostOptions(command).addOption(deviceOption());
}

async function run(
  jobs: Jobs,
  files: TranslatedFiles | undefined,
  folder: string,
  texts: string[],
  options: Options,
): Promise<void> {
  const { batchSize, input: paths, stream = false, maxNewTokens, maxLength, prefix } = options;
  const { replaceUnknown, splitSentences, longTexts = 'error' } = options;
  if (paths && texts.length > 0)
    throw new HeddleError(
      msg`--input ${paths[0]} and the text "${texts[0]}" exclude each other; use one of them`,
    );
  const isHard = options.alignments === hardAlignments;
  const file = isHard ? undefined : options.alignments;
  const hasWords = isHard || options.alignmentFormat === 'pharaoh';
  const decode = decodeOptionsOf(options);
  checkExclusive(options);
  if (files?.isFile(texts)) return runDocument(files, folder, texts[0] as string, options);
  files?.checkTexts(texts);
  const [flag] = files?.givenFlags(options) ?? [];
  const isName = texts.length === 1 && (flag || !/\s/.test(texts[0] as string));
  if (isName && files?.hasFormat(texts[0] as string))
    throw new HeddleError('there is no such file', { area: texts[0], kind: 'not-found' });
  if (flag)
    throw new HeddleError(msg`${flag} is for a document; name one file in one of ${files?.labels ?? ''}`);
  const outputs = [['--out', options.out] as const, ['--alignments', file] as const];
  checkOutputFiles(outputs, { force: options.force, inputs: paths });
  const input = textGroups(texts.length > 0 ? [texts] : linesOf(paths ?? ['-']), batchSize * batchesAtOnce);
  const nextGroup = async () => (await input.next()).value;
  const isTyped = texts.length === 0 && (paths ?? ['-']).includes('-') && process.stdin.isTTY;
  if (isTyped) log('type a text and press Enter; Ctrl-D ends');
  let first = isTyped ? undefined : await nextGroup();
  if (!first && !isTyped && (options.json ?? options.out ?? file) === undefined) return;
  const { model, folders } = modelArguments(folder, options);
  const args = {
    ...model,
    stream,
    phrases: options.phrases,
    options: {
      ...decode,
      batchSize,
      maxNewTokens,
      maxLength,
      replaceUnknown,
      splitSentences,
      longTexts,
      attention: file !== undefined && !hasWords,
      alignment: options.alignments !== undefined && hasWords,
      prefix,
    },
  } as const;
  const out = openOutput(options.out);
  const alignments = file === undefined ? undefined : openOutput(file);
  const jsonFile = typeof options.json === 'string' ? openOutput(options.json) : undefined;
  const json = options.json === undefined ? undefined : jsonArrayWriter((jsonFile ?? out).write);
  const writesText = !stream && options.json !== true;
  let inputTexts: readonly string[] = [];
  let failed = 0;
  /** Number of translations that ended before they had all phrases. */
  let lacking = 0;
  let complete = false;
  try {
    await runWithProgress(
      jobs.translate,
      args,
      {
        ...options,
        left: `${options.out ?? 'stdout'} has the translations so far`,
        onPiece: out.write,
        onResult(value) {
          const { first: number, translations, failed: anyFailed } = value as TranslatedTexts;
          failed += anyFailed;
          lacking += translations.filter(
            ([best]) => best && options.phrases?.some((p) => !best.text.includes(p)),
          ).length;
          const lines = isHard ? hardLines(translations) : translationLines(translations, options, number);
          // With --num-return an empty text has no lines.
          if (writesText && (lines !== '' || options.numReturn === undefined)) out.write(`${lines}\n`);
          json?.add(
            translations.map((all, i) => ({
              source: inputTexts[i],
              translations: all.map(withoutAttention),
            })),
          );
          alignments?.write((hasWords ? pharaohLines : alignmentLines)(translations, number));
        },
        async nextTexts() {
          const next = first ?? (await nextGroup());
          first = undefined;
          inputTexts = next ?? [];
          return next;
        },
      },
      folders,
    );
    complete = true;
  } finally {
    json?.close(complete);
    for (const file of [out, alignments, jsonFile]) file?.close(complete);
    process.stdin.destroy(); // it would keep the process alive
  }
  if (lacking > 0)
    warn(
      `${lacking === 1 ? '1 translation lacks' : `${lacking} translations lack`} a phrase of --phrases; raise --max-new-tokens or give fewer phrases`,
    );
  if (failed > 0 && !process.exitCode) process.exitCode = 1;
}

/** Translates a document; flags that only texts have are errors. */
async function runDocument(
  files: TranslatedFiles,
  folder: string,
  document: string,
  options: Options,
): Promise<void> {
  const { batchSize, maxNewTokens, maxLength, replaceUnknown } = options;
  const others = {
    '--stream': options.stream,
    '--alignments': options.alignments,
    '--prefix': options.prefix,
    '--phrases': options.phrases,
    '--num-return': options.numReturn,
    '--ids': options.ids,
  };
  const other = Object.entries(others).find(([, value]) => value !== undefined && value !== false);
  if (other) throw new HeddleError(msg`${other[0]} is for texts, not for the document ${document}`);
  return files.translate(folder, document, options, {
    ...decodeOptionsOf(options),
    batchSize,
    maxNewTokens,
    maxLength,
    replaceUnknown,
  });
}

/**
 * A file that grows with each `write`, so that others can read it meanwhile, or stdout. An existing file keeps its
 * contents until the first `write`, or `close` if all is `complete`: a run that fails before has not lost them.
 * Throws a HeddleError if the file cannot be opened.
 */
function openOutput(path: string | undefined): { write(text: string): void; close(complete: boolean): void } {
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
    close(complete) {
      if (complete) opened();
      if (file !== undefined) closeSync(file);
    },
  };
}

/** Throws a HeddleError for options that cannot be streamed, or that joined translations do not have. */
function checkExclusive({ beams = 1, stream, splitSentences, numReturn, alignments, ...o }: Options): void {
  if (stream && o.json === true)
    throw new HeddleError(
      '--stream and --json exclude each other; --json FILE writes the JSON while the text is streamed',
    );
  const isHard = alignments === hardAlignments;
  if (o.alignmentFormat !== undefined && (alignments === undefined || isHard))
    throw new HeddleError('--alignment-format needs --alignments FILE');
  const exclude = (flag: string, others: Readonly<Record<string, boolean | undefined>>, why: string) => {
    const other = Object.keys(others).find((name) => others[name]);
    if (other) throw new HeddleError(msg`${flag} and ${other} exclude each other: ${why}`);
  };
  const several = numReturn !== undefined;
  if (isHard)
    exclude(
      '--alignments hard',
      { '--stream': stream, '--num-return': several, '--ids': o.ids, '--json': o.json === true },
      'it prints each translation with its alignment; give --alignments FILE',
    );
  if (o.phrases)
    exclude(
      '--phrases',
      { '--method sample': o.method === 'sample' },
      'beam search chooses where the phrases go',
    );
  if (stream)
    exclude(
      '--stream',
      {
        '--beams': beams > 1,
        '--num-return': several,
        '--ids': o.ids,
        '--phrases': o.phrases !== undefined,
        '--replace-unknown': o.replaceUnknown,
      },
      'only greedy decoding and sampling can be streamed',
    );
  if (splitSentences)
    exclude(
      '--split-sentences',
      {
        '--stream': stream,
        '--num-return': several,
        '--alignments': alignments !== undefined,
        '--prefix': o.prefix !== undefined,
        '--phrases': o.phrases !== undefined,
      },
      'the translations of the sentences become one text',
    );
}
