// heddle eval

import type { Command } from 'commander';
import type { Evaluation } from '../api/evaluate-model.ts';
import { formatPercent } from '../core/format-numbers.ts';
import { writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import { addDecodingOptions, type DecodingOptions, decodingOf } from './decode-flags.ts';
import { print, table } from './output.ts';
import { addHostOptions, addModelOptions, type ModelRunOptions, whole } from './parse-values.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';

interface Options extends HostOptions, DecodingOptions, ModelRunOptions {
  references: number;
  batch: number;
  json?: string;
}

/** Adds the command `eval`. */
export function addEvaluate(program: Command): void {
  const command = program
    .command('eval')
    .description('how well a trained model does on pairs: loss, perplexity, token accuracy, BLEU, chrF, exact match')
    .argument('<dir>', 'model folder, a .zip of one, or its .safetensors')
    .argument('<pairs.tsv>', 'source, tab, target on each line')
    .option(
      '--references <n>',
      'columns after the source that are references; the first that is filled is the target',
      whole(1),
      1,
    )
    .option('--batch <rows>', 'sentences a batch', whole(1), 64)
    .option('--json <file>', 'write the figures as JSON')
    .addHelpText(
      'after',
      '\nTexts, references too, are read in NFC with single spaces and without direction marks. Lines without a source or a reference, and\n' +
        'pairs with more tokens than the model takes, are left out and counted. Perplexity and token accuracy are of the target.',
    )
    .action(async (folder: string, pairs: string, options: Options) => {
      const { references, batch, json, adapter, weights } = options;
      const decode = decodingOf(options);
      const args = {
        folder,
        pairs,
        references,
        batch,
        decode,
        ...(adapter && { adapter }),
        ...(weights && { weights }),
      };
      const paths = [folder, pairs, ...(adapter ? [adapter] : [])];
      const found = await runWithProgress('evaluate', args, options, paths);
      if (json) await writeText(nodeFiles(), json, `${JSON.stringify(found, undefined, 2)}\n`);
      print(describe(found));
    });
  addModelOptions(command);
  addDecodingOptions(command);
  addHostOptions(command);
}

function describe(e: Evaluation): string {
  const left = e.leftOut > 0 ? ` (${e.leftOut} left out)` : '';
  return table([
    ['pairs', `${e.pairs}${left}`],
    ['loss', `${e.loss.toFixed(4)} nats a token`],
    ['perplexity', e.perplexity.toFixed(3)],
    ['token accuracy', formatPercent(e.tokenAccuracy)],
    ['BLEU', `${e.bleu.toFixed(2)} (${e.bleuSignature})`],
    ['chrF2', `${e.chrf.toFixed(2)} (${e.chrfSignature})`],
    ['exact match', formatPercent(e.exactMatch)],
  ]);
}
