// heddle score

import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { pathsOf } from '../text/corpus/pair-files.ts';
import type { ScoredPair } from './jobs/evaluate-job.ts';
import { addPairFlags, checkStdin, type PairFlags, pairFilesOf, pairsHelp } from './pair-flags.ts';
import type { ModelRunOptions } from './parse-values.ts';
import { addHostOptions, addModelOptions, jsonOption, modelArguments, whole } from './parse-values.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';

interface Options extends HostOptions, ModelRunOptions, PairFlags {
  batchSize: number;
  tokens?: boolean;
}

/** Adds the command `score`. */
export function addScore(program: Command): void {
  const command = program
    .command('score')
    .description(
      'print the log-probability of each pair: log-probability, number of tokens, source and target, separated by tabs',
    )
    .argument('<dir>', 'model: a folder, a .zip or a .safetensors file')
    .argument('[pairs...]', `files of pairs: ${pairsHelp}`)
    .option('--batch-size <pairs>', 'pairs per batch', whole(1), 64)
    .option('--tokens', 'also print each target token with its log-probability, as JSON in a fifth column')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nThe log-probability of a pair is the sum of the natural log-probabilities of its target tokens, with the end token. A pair above\n' +
        'the maximum length of the model has - instead.',
    )
    .action(async (folder: string, files: string[], options: Options) => {
      const { batchSize, tokens = false } = options;
      const pairs = pairFilesOf(files, options);
      if (!pairs) throw new HeddleError('score: give a file of pairs, or --source and --target');
      checkStdin([pairs]);
      const { model, folders } = modelArguments(folder, options);
      const describe = (scores: ScoredPair[]) => scores.map((pair) => lineFor(pair, tokens)).join('\n');
      const paths = [...folders, ...pathsOf(pairs)];
      await runAndPrint('score', { ...model, pairs, batchSize }, options, describe, paths);
    });
  addPairFlags(command);
  addModelOptions(command);
  addHostOptions(command);
}

/** Log-probability, number of tokens, source, target, and tokens as `[["▁el",-0.1],...]`. */
function lineFor({ logProb, tokens = [], source, target }: ScoredPair, all: boolean): string {
  const head = logProb === undefined ? ['-', '0'] : [logProb.toFixed(4), String(tokens.length)];
  const each = tokens.map(({ token, logProb: p }) => [token, Number(p.toFixed(4))]);
  return [...head, source, target, ...(all ? [JSON.stringify(each)] : [])].join('\t');
}
