// heddle translate

import { type Command, Option } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { addDecodingFlags, decodeOptionsOf } from './decode-flags.ts';
import type { TranslateArguments, Translated, TranslatedTexts } from './jobs/translate-job.ts';
import { log, warn } from './output.ts';
import { checkOutputFiles } from './output-file.ts';
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
import type { TranslatedFiles } from './translated-files.ts';
import {
  alignmentKind,
  alignmentsFile,
  TranslationOutput,
  type TranslationOutputFlags,
} from './translation-output.ts';

interface Options extends TranslationOutputFlags {
  input?: string[];
  batchSize: number;
  maxNewTokens?: number;
  maxLength?: number;
  longTexts?: 'error' | 'crop' | 'skip';
  replaceUnknown?: boolean;
  splitSentences?: boolean;
  prefix?: string;
}

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
  const { batchSize, input: paths, maxNewTokens, maxLength, prefix, phrases } = options;
  const { replaceUnknown, splitSentences, longTexts = 'error' } = options;
  if (paths && texts.length > 0)
    throw new HeddleError(
      msg`--input ${paths[0]} and the text "${texts[0]}" exclude each other; use one of them`,
    );
  const decode = decodeOptionsOf(options);
  checkExclusive(options);
  if (files?.isFile(texts)) return runDocument(files, folder, texts[0] as string, options);
  if (files) checkTexts(files, texts, options);
  const outputs = [['--out', options.out] as const, ['--alignments', alignmentsFile(options)] as const];
  checkOutputFiles(outputs, { force: options.force, inputs: paths });
  const input = textGroups(texts.length > 0 ? [texts] : linesOf(paths ?? ['-']), batchSize * batchesAtOnce);
  const nextGroup = async () => (await input.next()).value;
  const isTyped = texts.length === 0 && (paths ?? ['-']).includes('-') && process.stdin.isTTY;
  if (isTyped) log('type a text and press Enter; Ctrl-D ends');
  let first = isTyped ? undefined : await nextGroup();
  const writesFile = [options.json, ...outputs.map(([, path]) => path)].some((path) => path !== undefined);
  if (!first && !isTyped && !writesFile) return;
  const { model, folders } = modelArguments(folder, options);
  const kind = alignmentKind(options);
  const args = {
    ...model,
    stream: options.stream ?? false,
    phrases,
    options: {
      ...decode,
      batchSize,
      maxNewTokens,
      maxLength,
      replaceUnknown,
      splitSentences,
      longTexts,
      attention: kind === 'json',
      alignment: kind === 'hard' || kind === 'pharaoh',
      prefix,
    },
  } as const;
  const output = new TranslationOutput(options);
  let group: readonly string[] = [];
  let isComplete = false;
  try {
    await runWithProgress(
      jobs.translate,
      args,
      {
        ...options,
        left: `${options.out ?? 'stdout'} has the translations so far`,
        onPiece: (piece) => output.addPiece(piece),
        onResult: (value) => output.add(group, value as TranslatedTexts),
        async nextTexts() {
          const next = first ?? (await nextGroup());
          first = undefined;
          group = next ?? [];
          return next;
        },
      },
      folders,
    );
    isComplete = true;
  } finally {
    output.close(isComplete);
    process.stdin.destroy(); // it would keep the process alive
  }
  const { failed, lacking } = output;
  if (lacking > 0)
    warn(
      `${lacking === 1 ? '1 translation lacks' : `${lacking} translations lack`} a phrase of --phrases; raise --max-new-tokens or give fewer phrases`,
    );
  if (failed > 0 && !process.exitCode) process.exitCode = 1;
}

/** Throws a HeddleError if a text looks like the name of a file that is missing, or a flag is for documents. */
function checkTexts(files: TranslatedFiles, texts: readonly string[], options: Options): void {
  files.checkTexts(texts);
  const [flag] = files.givenFlags(options);
  const [text = ''] = texts;
  const isName = texts.length === 1 && (flag !== undefined || !/\s/.test(text));
  if (isName && files.hasFormat(text))
    throw new HeddleError('there is no such file', { area: text, kind: 'not-found' });
  if (flag) throw new HeddleError(msg`${flag} is for a document; name one file in one of ${files.labels}`);
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

/** Throws a HeddleError for options that cannot be streamed, or that joined translations do not have. */
function checkExclusive({ beams = 1, stream, splitSentences, numReturn, alignments, ...o }: Options): void {
  if (stream && o.json === true)
    throw new HeddleError(
      '--stream and --json exclude each other; --json FILE writes the JSON while the text is streamed',
    );
  const isHard = alignmentKind({ alignments }) === 'hard';
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
