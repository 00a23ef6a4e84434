// heddle score

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { present } from '../core/present.ts';
import { writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import { pathsOf } from '../text/corpus/pair-files.ts';
import type { ScoreArguments, ScoredPair } from './jobs/evaluate-job.ts';
import { printResult } from './output.ts';
import { checkOutputFile } from './output-file.ts';
import { addPairFlags, checkStdin, type PairFlags, pairFilesOf, pairsHelp } from './pair-flags.ts';
import type { ModelRunOptions } from './parse-values.ts';
import {
  addHostOptions,
  addModelOptions,
  deviceOption,
  jsonOption,
  modelArguments,
  whole,
} from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runAndPrint, runWithProgress } from './run-command.ts';

interface Options extends HostOptions, ModelRunOptions, PairFlags {
  batchSize: number;
  tokens?: boolean;
  backward?: string;
  out?: string;
  force?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly score: CommandJob<ScoreArguments, ScoredPair[]>;
}

/** Adds the command `score`. */
export function addScore(program: Command, jobs: Jobs): void {
  const command = program
    .command('score')
    .description(
      'print the log-probability of each pair: log-probability, number of tokens, source and target, separated by tabs',
    )
    .argument('<dir>', 'model: a folder, a .zip or a .safetensors file')
    .argument('[pairs...]', `files of pairs: ${pairsHelp}`)
    .option('--batch-size <pairs>', 'pairs per batch', whole(1), 64)
    .option('--tokens', 'also print each target token with its log-probability, as JSON in a fifth column')
    .option(
      '--backward <dir>',
      'model of the other direction: print the dual conditional cross-entropy first, small for good pairs',
    )
    .option('--out <file>', 'write the lines to this file; - is stdout (default: stdout)')
    .option('--force', 'overwrite the file of --out')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nThe log-probability of a pair is the sum of the natural log-probabilities of its target tokens, with the end token. A pair above\n' +
        'the maximum length of the model has - instead. heddle clean --model keeps the best pairs.',
    )
    .action(async (folder: string, files: string[], options: Options) => {
      const { batchSize, tokens = false } = options;
      const pairs = pairFilesOf(files, options);
      if (!pairs) throw new HeddleError('give a file of pairs, or --source and --target', { area: 'score' });
      checkStdin([pairs]);
      const { model, folders } = modelArguments(folder, options);
      const describe = (scores: ScoredPair[]) =>
        scores.map((pair) => lineFor(pair, tokens, options.backward !== undefined)).join('\n');
      const { out, backward } = options;
      if (out !== undefined) checkOutputFile('--out', out, { force: options.force, inputs: pathsOf(pairs) });
      const args = { ...model, pairs, batchSize, backward: backward && resolve(backward) };
      const paths = present([...folders, args.backward ? args.backward : undefined, ...pathsOf(pairs)]);
      if (out === undefined) {
        await runAndPrint(jobs.score, args, options, describe, paths);
        return;
      }
      const scored = await runWithProgress(jobs.score, args, options, paths);
      await writeText(nodeFiles(), out, `${describe(scored)}\n`);
      const result = { out, pairs: scored.length };
      await printResult(result, options.json, () => `${out}: ${scored.length} pairs`);
    });
  addModelOptions(command);
  addPairFlags(command);
  addHostOptions(command).addOption(deviceOption());
}

/** Log-probability, number of tokens, source, target, and tokens as `[["▁el",-0.1],...]`. */
function lineFor(
  { logProb, dual, tokens = [], source, target }: ScoredPair,
  all: boolean,
  isDual: boolean,
): string {
  const first = isDual ? [dual?.toFixed(4) ?? '-'] : [];
  const head = logProb === undefined ? ['-', '0'] : [logProb.toFixed(4), String(tokens.length)];
  const each = tokens.map(({ token, logProb: p }) => [token, Number(p.toFixed(4))]);
  return present([...first, ...head, source, target, all ? JSON.stringify(each) : undefined]).join('\t');
}
