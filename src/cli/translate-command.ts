// heddle translate

import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { Translated } from '../jobs/translate-job.ts';
import { toSingleLine } from '../text/corpus/pairs.ts';
import { addDecodingFlags, type DecodingFlags, decodeOptionsOf } from './decode-flags.ts';
import { print } from './output.ts';
import { addHostOptions, addModelOptions, type ModelRunOptions, whole } from './parse-values.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';

interface Options extends HostOptions, DecodingFlags, ModelRunOptions {
  input?: string[];
  batchSize: number;
  maxNewTokens?: number;
  ids?: boolean;
  stream?: boolean;
  alignments?: string;
}

/** Adds the command `translate`. */
export function addTranslate(program: Command): void {
  const command = program
    .command('translate')
    .description('translate texts, or the lines of files or stdin, in order')
    .argument('<dir>', 'model: a folder, a .zip or a .safetensors file')
    .argument('[text...]', 'texts (default: the lines of --input, or of stdin)')
    .option('--input <file...>', 'files with a text on each line; - is stdin')
    .option('--batch-size <texts>', 'texts that are decoded together', whole(1), 32)
    .option('--max-new-tokens <n>', 'maximum length of a translation in tokens (default: that of the model)', whole(1))
    .option('--num-return <n>', 'number of translations per text; prints text number, score and translation', whole(1))
    .option('--stream', 'print each token as soon as it is decoded, text by text (greedy decoding and sampling)')
    .option('--alignments <file>', 'write tokens and cross-attention [layers][heads][target][source] as JSON lines')
    .option('--ids', 'print target token ids, without start and end, instead of text')
    .action(async (folder: string, texts: string[], options: Options) => {
      const { batchSize: batch, maxNewTokens = 0, input, loraAdapter: adapter, weights, stream = false } = options;
      if (input && texts.length > 0)
        throw new HeddleError(`--input ${input[0]} and the text "${texts[0]}" exclude each other; use one of them`);
      const decode = decodeOptionsOf(options);
      checkStream(options);
      const lines = texts.length > 0 ? texts : (await Promise.all((input ?? ['-']).map(linesOf))).flat();
      if (lines.length === 0) return;
      const args = {
        ...{ folder, texts: lines, batch, maxTokens: maxNewTokens, decode, stream },
        align: options.alignments !== undefined,
        ...(adapter && { adapter }),
        ...(weights && { weights }),
      };
      const onPiece = (text: string) => process.stdout.write(text);
      const paths = [folder, ...(adapter ? [adapter] : [])];
      const found = await runWithProgress('translate', args, { ...options, onPiece }, paths);
      if (options.alignments !== undefined) await writeText(nodeFiles(), options.alignments, alignmentLines(found));
      if (!stream) print(linesFor(found, options));
    });
  addModelOptions(command);
  addDecodingFlags(command);
  addHostOptions(command);
}

/** Throws a HeddleError if a result is asked for that is complete only at the end. */
function checkStream({ stream, beams = 1, numReturn, ids }: Options): void {
  if (!stream) return;
  const other = beams > 1 ? '--beams' : numReturn !== undefined ? '--num-return' : ids ? '--ids' : undefined;
  if (other)
    throw new HeddleError(
      `--stream and ${other} exclude each other: only greedy decoding and sampling can be streamed`,
    );
}

/**
 * A line of JSON for each text: its number, from 1, its translation, tokens and attention. An empty text has only the
 * first two.
 */
const alignmentLines = (found: readonly Translated[][]): string =>
  found
    .map(([best], i) => `${JSON.stringify({ text: i + 1, translation: best?.text ?? '', ...best?.attention })}\n`)
    .join('');

/**
 * The best translation of each text, a line each; with `numReturn` all of them, each with the number of its text, from
 * 1, and its score. The translation of an empty text is empty.
 */
export function linesFor(
  found: readonly Translated[][],
  { numReturn, ids }: Pick<Options, 'numReturn' | 'ids'>,
): string {
  const textOf = (x: Translated | undefined): string => (ids ? (x?.ids ?? []).join(' ') : toSingleLine(x?.text ?? ''));
  if (numReturn === undefined) return found.map(([best]) => textOf(best)).join('\n');
  return found
    .flatMap((some, i) =>
      (some.length ? some : [undefined]).map((x) => `${i + 1}\t${(x?.score ?? 0).toFixed(4)}\t${textOf(x)}`),
    )
    .join('\n');
}

/** The lines of a file, or of stdin if it is `-`. */
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
