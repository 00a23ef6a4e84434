// heddle translate

import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { Translated } from '../jobs/translate-job.ts';
import { toSingleLine } from '../text/corpus/pairs.ts';
import { addDecodingOptions, type DecodingOptions, decodingOf } from './decode-flags.ts';
import { print } from './output.ts';
import { addHostOptions, addModelOptions, type ModelRunOptions, whole } from './parse-values.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';

interface Options extends HostOptions, DecodingOptions, ModelRunOptions {
  input?: string[];
  batch: number;
  maxTokens: number;
  ids?: boolean;
  stream?: boolean;
  alignments?: string;
}

/** Adds the command `translate`. */
export function addTranslate(program: Command): void {
  const command = program
    .command('translate')
    .description('translate texts, or the lines of files or of stdin, with a trained model; order is kept')
    .argument('<dir>', 'model folder, a .zip of one, or its .safetensors')
    .argument('[text...]', 'texts; without any, the lines of --input or of stdin')
    .option('--input <file...>', 'files of texts, one a line; - is stdin')
    .option('--batch <rows>', 'sentences that are decoded together', whole(1), 32)
    .option('--max-tokens <n>', 'most tokens of a translation (default: as many as the model takes)', whole(1), 0)
    .option('--n-best <n>', 'print so many translations of each line: number, score, text, with tabs between', whole(1))
    .option('--stream', 'print tokens as they come, one text after the other; greedy decoding and sampling only')
    .option(
      '--alignments <file>',
      'write what each translation looked at as JSON lines: tokens, and the cross-attention [layers][heads][target][source]',
    )
    .option('--ids', 'print the ids of target tokens, without start and end, instead of texts')
    .action(async (folder: string, texts: string[], options: Options) => {
      const { batch, maxTokens, input, adapter, weights, stream = false, alignments } = options;
      if (input && texts.length > 0)
        throw new HeddleError(`${input[0]} and the text "${texts[0]}": give texts or --input, not both`);
      const decode = decodingOf(options);
      checkStream(options);
      const lines = texts.length > 0 ? texts : (await Promise.all((input ?? ['-']).map(linesOf))).flat();
      if (lines.length === 0) return;
      const found = await runWithProgress(
        'translate',
        {
          folder,
          texts: lines,
          batch,
          maxTokens,
          decode,
          stream,
          align: alignments !== undefined,
          ...(adapter && { adapter }),
          ...(weights && { weights }),
        },
        { ...options, onPiece: (text) => process.stdout.write(text) },
        [folder, ...(adapter ? [adapter] : [])],
      );
      if (alignments !== undefined) await writeText(nodeFiles(), alignments, alignmentLines(found));
      if (stream) return;
      print(linesFor(found, options));
    });
  addModelOptions(command);
  addDecodingOptions(command);
  addHostOptions(command);
}

/** Throws a HeddleError where what is asked for is known at the end only. */
function checkStream({ stream, beam = 1, nBest, ids }: Options): void {
  if (!stream) return;
  const late = beam > 1 ? '--beam' : nBest !== undefined ? '--n-best' : ids ? '--ids' : undefined;
  if (late) throw new HeddleError(`--stream and ${late} exclude each other: beams and lists are known at the end only`);
}

/** A line of JSON for each text: its number, from 1, its translation, tokens and attention; an empty text has none. */
const alignmentLines = (found: readonly Translated[][]): string =>
  found
    .map(([best], i) => `${JSON.stringify({ text: i + 1, translation: best?.text ?? '', ...best?.attention })}\n`)
    .join('');

/**
 * What is printed of translations: the best of each text on a line, or with `nBest` all of them, each with the number of its text, from 1,
 * and its score before it. An empty text has one, empty.
 */
export function linesFor(found: readonly Translated[][], { nBest, ids }: Pick<Options, 'nBest' | 'ids'>): string {
  const said = (x: Translated | undefined): string => (ids ? (x?.ids ?? []).join(' ') : toSingleLine(x?.text ?? ''));
  if (nBest === undefined) return found.map(([best]) => said(best)).join('\n');
  return found
    .flatMap((some, i) =>
      (some.length ? some : [undefined]).map((x) => `${i + 1}\t${(x?.score ?? 0).toFixed(4)}\t${said(x)}`),
    )
    .join('\n');
}

/** The lines of a file, or of stdin where it is `-`; the last need not end with a newline. */
async function linesOf(path: string): Promise<string[]> {
  const bytes = path === '-' ? await stdinBytes() : await nodeFiles().read(path);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new HeddleError(`${path === '-' ? 'stdin' : path}: not UTF-8; convert it, for example with iconv -t UTF-8`);
  }
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

async function stdinBytes(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
