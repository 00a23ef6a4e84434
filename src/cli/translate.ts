// heddle translate

import type { Command } from 'commander';
import { HeddleError } from '../errors.ts';
import { print } from './output.ts';
import { addHostOptions, whole } from './parse.ts';
import { type HostOptions, runWithProgress } from './run.ts';

interface Options extends HostOptions {
  batch: number;
  maxTokens: number;
}

/** Adds the command `translate`. */
export function addTranslate(program: Command): void {
  const command = program
    .command('translate')
    .description('translate texts, or the lines of stdin, with a trained model; order is kept')
    .argument('<dir>', 'model folder')
    .argument('[text...]', 'texts; without any, the lines of stdin')
    .option('--batch <rows>', 'sentences that are decoded together', whole(1), 32)
    .option('--max-tokens <n>', 'most tokens of a translation (default: as many as the model takes)', whole(1), 0)
    .action(async (folder: string, texts: string[], options: Options) => {
      const { batch, maxTokens } = options;
      const lines = texts.length > 0 ? texts : await linesOfStdin();
      if (lines.length === 0) return;
      const out = await runWithProgress('translate', { folder, texts: lines, batch, maxTokens }, options, [folder]);
      print(out.join('\n'));
    });
  addHostOptions(command);
}

/** The lines of stdin, to its end; the last need not end with a newline. */
async function linesOfStdin(): Promise<string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new HeddleError('stdin: not UTF-8; convert it, for example with iconv -t UTF-8');
  }
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
