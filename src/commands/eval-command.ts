// heddle eval

import type { Command } from 'commander';
import type { Evaluation } from '../api/evaluate-model.ts';
import { HeddleError } from '../core/errors.ts';
import { formatPercent } from '../core/format-numbers.ts';
import { pathsOf } from '../text/corpus/pair-files.ts';
import { addDecodingFlags, type DecodingFlags, decodeOptionsOf } from './decode-flags.ts';
import { table } from './output.ts';
import { addPairFlags, checkStdin, type PairFlags, pairFilesOf, pairsHelp } from './pair-flags.ts';
import type { ModelRunOptions } from './parse-values.ts';
import { addHostOptions, addModelOptions, jsonOption, modelArguments, whole } from './parse-values.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';

interface Options extends HostOptions, DecodingFlags, ModelRunOptions, PairFlags {
  references: number;
  batchSize: number;
}

/** Adds the command `eval`. */
export function addEvaluate(program: Command): void {
  const command = program
    .command('eval')
    .description('evaluate a model on pairs: loss, perplexity, token accuracy, BLEU, chrF and exact match')
    .argument('<dir>', 'model: a folder, a .zip or a .safetensors file')
    .argument('[pairs...]', `files of pairs: ${pairsHelp}`)
    .option(
      '--references <n>',
      'number of reference columns after the source; the loss uses the first that is not empty',
      whole(1),
      1,
    )
    .option('--batch-size <pairs>', 'pairs per batch', whole(1), 64)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nTexts and references are normalized to NFC with single spaces and without direction marks. Lines without a source or a reference\n' +
        'and pairs above the maximum length of the model are skipped and counted. Loss, perplexity and token accuracy are those of the\n' +
        'target, given the source and the previous target tokens (teacher forcing).',
    )
    .action(async (folder: string, files: string[], options: Options) => {
      const { references, batchSize, badWords } = options;
      const pairs = pairFilesOf(files, options);
      if (!pairs) throw new HeddleError('eval: give a file of pairs, or --source and --target');
      checkStdin([pairs]);
      const { model, folders } = modelArguments(folder, options);
      const args = {
        ...model,
        pairs,
        references,
        options: { ...decodeOptionsOf(options), batchSize },
        badWords,
      };
      await runAndPrint('evaluate', args, options, describe, [...folders, ...pathsOf(pairs)]);
    });
  addPairFlags(command);
  addModelOptions(command);
  addDecodingFlags(command);
  addHostOptions(command);
}

function describe(e: Evaluation): string {
  const left = e.skipped > 0 ? ` (${e.skipped} skipped)` : '';
  const known = Object.is(e.knownTokenAccuracy, e.tokenAccuracy)
    ? ''
    : ` (${formatPercent(e.knownTokenAccuracy)} without unknown tokens)`;
  return table([
    ['pairs', `${e.pairs}${left}`],
    ['loss', `${e.loss.toFixed(4)} nats per token`],
    ['perplexity', e.perplexity.toFixed(3)],
    ['token accuracy', `${formatPercent(e.tokenAccuracy)}${known}`],
    ['BLEU', `${e.bleu.toFixed(2)} (${e.bleuSignature})`],
    ['chrF2', `${e.chrf.toFixed(2)} (${e.chrfSignature})`],
    ['exact match', formatPercent(e.exactMatch)],
  ]);
}
