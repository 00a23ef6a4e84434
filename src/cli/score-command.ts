// heddle score

import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import type { ScoredPair } from '../jobs/score-job.ts';
import { pathsOf } from '../text/corpus/pair-files.ts';
import { type JsonOption, printResult } from './output.ts';
import { addPairFlags, checkStdin, type PairFlags, pairFilesOf, pairsHelp } from './pair-flags.ts';
import {
  addHostOptions,
  addModelOptions,
  ensembleOption,
  jsonOption,
  languagesOf,
  type ModelRunOptions,
  whole,
} from './parse-values.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';

interface Options extends HostOptions, ModelRunOptions, PairFlags {
  batchSize: number;
  tokens?: boolean;
  json?: JsonOption;
}

/** Adds the command `score`. */
export function addScore(program: Command): void {
  const command = program
    .command('score')
    .description('log-probability of each pair: prints it, its number of tokens, source and target, with tabs')
    .argument('<dir>', 'model: a folder, a .zip or a .safetensors file')
    .argument('[pairs...]', `files of pairs: ${pairsHelp}`)
    .option('--batch-size <pairs>', 'pairs per batch', whole(1), 64)
    .option('--tokens', 'also print each target token with its log-probability, as JSON in a fifth column')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nLog-probabilities are natural and sums over the target tokens, with the end token. A pair that is longer than the model allows\n' +
        'has - instead.',
    )
    .action(async (folder: string, files: string[], options: Options) => {
      const { batchSize: batch, loraAdapter: adapter, weights, tokens = false } = options;
      const pairs = pairFilesOf(files, options);
      if (!pairs) throw new HeddleError('score: give a file of pairs, or --source and --target');
      checkStdin([pairs]);
      const args = {
        folder,
        pairs,
        batch,
        ...(adapter && { adapter }),
        ...(weights && { weights }),
        ...(options.ensemble && { ensemble: options.ensemble }),
        ...languagesOf(options),
      };
      const paths = [folder, ...pathsOf(pairs), ...(adapter ? [adapter] : []), ...(options.ensemble ?? [])];
      const found = await runWithProgress('score', args, options, paths);
      await printResult(found, options.json, () => found.map((pair) => lineFor(pair, tokens)).join('\n'));
    });
  addPairFlags(command);
  addModelOptions(command);
  command.addOption(ensembleOption());
  addHostOptions(command);
}

/** Log-probability, number of tokens, source, target, and tokens as `[["▁el",-0.1],...]`. */
function lineFor({ logProb, tokens = [], source, target }: ScoredPair, all: boolean): string {
  const head = logProb === undefined ? ['-', '0'] : [logProb.toFixed(4), String(tokens.length)];
  const each = tokens.map(({ token, logProb: p }) => [token, Number(p.toFixed(4))]);
  return [...head, source, target, ...(all ? [JSON.stringify(each)] : [])].join('\t');
}
