// heddle backtranslate: pairs from monolingual text of the target language (Sennrich et al., 2016, "Improving Neural
// Machine Translation Models with Monolingual Data"). A model of the other direction translates each line.

import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { addDecodingFlags, type DecodingFlags, decodeOptionsOf } from '../../../commands/decode-flags.ts';
import type {
  TranslateArguments,
  Translated,
  TranslatedTexts,
} from '../../../commands/jobs/translate-job.ts';
import { log } from '../../../commands/output.ts';
import {
  checkOutputFile,
  makeFolderOf,
  openOutputFile,
  writeAt,
  writing,
} from '../../../commands/output-file.ts';
import type { ModelRunOptions } from '../../../commands/parse-values.ts';
import { addHostOptions, addModelOptions, modelArguments, whole } from '../../../commands/parse-values.ts';
import type { CommandJob } from '../../../commands/remote/command-job.ts';
import { type HostOptions, runWithProgress } from '../../../commands/run-command.ts';
import { linesOf, textGroups } from '../../../commands/text-input.ts';
import { HeddleError, shellQuote } from '../../../core/errors.ts';
import { foreignFile } from '../../../files/owned-folder.ts';
import { toColumn } from '../../../text/corpus/pairs.ts';

interface Options extends HostOptions, DecodingFlags, ModelRunOptions {
  out: string;
  tag: string;
  batchSize: number;
  force?: boolean;
}

/** Default tag of the sources. */
const defaultTag = '<BT>';
/** Number of batches that are sorted by length and translated together. */
const batchesAtOnce = 8;

/** Jobs of the command. */
interface Jobs {
  readonly translate: CommandJob<TranslateArguments, Translated[][]>;
}

/** Adds the command `backtranslate`. */
export function addBacktranslate(program: Command, jobs: Jobs): void {
  const command = program
    .command('backtranslate')
    .description(
      'translate monolingual text of the target language into sources: lines of tag and translation, tab, text',
    )
    .argument('<dir>', 'model of the other direction: a folder, a .zip or a .safetensors file')
    .argument('<files...>', 'texts, one per line; - is stdin, which a killed run does not continue')
    .requiredOption(
      '--out <file>',
      'TSV file of the pairs, written as they come; a killed run continues; - is stdout',
    )
    .option('--tag <text>', `tag before each source, one token with --user-symbols; '' for none`, defaultTag)
    .option('--batch-size <texts>', 'texts per batch', whole(1), 32)
    .option('--force', 'start again if --out exists')
    .addHelpText(
      'after',
      '\nEvery line of the texts gives one line. The source of a line that is empty or too long is empty; training skips such a pair. While the\n' +
        'run is not finished, there is OUT.unfinished beside it: the same command then continues after the last complete line.',
    )
    .action((folder: string, files: string[], options: Options) => run(jobs, folder, files, options));
  addModelOptions(command);
  addDecodingFlags(command);
  addHostOptions(command);
}

async function run(jobs: Jobs, folder: string, files: string[], options: Options): Promise<void> {
  const { batchSize, tag, force = false } = options;
  const out = resolve(options.out);
  const marker = `${out}.unfinished`;
  const decode = decodeOptionsOf(options);
  const facts = JSON.stringify([
    resolve(folder),
    files.map((file) => (file === '-' ? file : resolve(file))),
    tag,
    decode,
  ]);
  const before = existsSync(marker) ? readFileSync(marker, 'utf8') : undefined;
  if (before && !before.startsWith('["')) throw foreignFile(marker);
  const isUnfinished = !force && !!before && existsSync(out);
  if (isUnfinished && before !== facts)
    throw new HeddleError(
      'an unfinished run with another model, other texts or options; --force starts again',
      { area: `--out ${shellQuote(options.out)}` },
    );
  if (isUnfinished && files.includes('-'))
    throw new HeddleError('the texts of stdin cannot be continued; --force starts again', {
      area: `--out ${shellQuote(options.out)}`,
    });
  if (!isUnfinished) checkOutputFile('--out', out, { force, inputs: files });
  // An older file is emptied first: the marker is never beside its lines. A new one is created after the marker.
  const opened = existsSync(out) ? openOutputFile(options.out, isUnfinished ? 'r+' : 'w') : undefined;
  const file = writing(options.out, () => {
    makeFolderOf(out);
    try {
      writeFileSync(marker, facts);
    } catch (error) {
      rmSync(marker, { force: true });
      throw error;
    }
    return opened ?? openSync(out, 'w');
  });
  try {
    const { lines: done, bytes } = isUnfinished ? completeLines(file) : { lines: 0, bytes: 0 };
    ftruncateSync(file, bytes);
    if (done > 0) log(`${options.out}: continuing after ${done} lines`);
    let at = bytes;
    const input = textGroups(linesAfter(files, done), batchSize * batchesAtOnce);
    let texts: readonly string[] = [];
    const { model, folders } = modelArguments(folder, options);
    const args = { ...model, options: { ...decode, batchSize, longTexts: 'skip' } } as const;
    const prefix = tag === '' ? '' : `${tag} `;
    let isStopped = true;
    await runWithProgress(
      jobs.translate,
      args,
      {
        ...options,
        left: 'the same command continues',
        onResult(value) {
          const { translations } = value as TranslatedTexts;
          const lines = translations.map(([best], i) => {
            const source = toColumn(best?.text ?? '').trim();
            return `${source === '' ? '' : prefix + source}\t${toColumn(texts[i] ?? '')}\n`;
          });
          const block = new TextEncoder().encode(lines.join(''));
          writing(options.out, () => writeAt(file, block, at));
          at += block.length;
        },
        async nextTexts() {
          const next = (await input.next()).value;
          texts = next ?? [];
          isStopped = next !== undefined;
          return next;
        },
      },
      folders,
    );
    if (!isStopped) rmSync(marker, { force: true });
  } finally {
    closeSync(file);
  }
}

/** Number of complete lines of a file, and their bytes. */
function completeLines(file: number): { lines: number; bytes: number } {
  const block = new Uint8Array(2 ** 20);
  let [lines, bytes, at] = [0, 0, 0];
  for (
    let read = readSync(file, block, 0, block.length, 0);
    read > 0;
    read = readSync(file, block, 0, block.length, at)
  ) {
    for (let i = 0; i < read; i++)
      if (block[i] === 10) {
        lines++;
        bytes = at + i + 1;
      }
    at += read;
  }
  return { lines, bytes };
}

/** The lines of files without the first `count`. */
async function* linesAfter(files: readonly string[], count: number): AsyncGenerator<readonly string[]> {
  let left = count;
  for await (const lines of linesOf(files)) {
    const rest = lines.slice(Math.min(left, lines.length));
    left -= lines.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
