// heddle score

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
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
  keep?: number;
  maxDual?: number;
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
    .option('--out <file>', 'with --backward: write the pairs that are kept to a TSV file, in order')
    .option(
      '--keep <share>',
      'with --out: keep this share of the pairs, those with the smallest values',
      Number,
    )
    .option('--max-dual <value>', 'with --out: keep the pairs with at most this value', Number)
    .option('--force', 'overwrite the file of --out')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nThe log-probability of a pair is the sum of the natural log-probabilities of its target tokens, with the end token. A pair above\n' +
        'the maximum length of the model has - instead.',
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
      if (out === undefined ? (options.keep ?? options.maxDual) !== undefined : backward === undefined)
        throw new HeddleError('--out, --keep and --max-dual need --backward, and the latter two --out', {
          area: 'score',
        });
      if (out !== undefined) checkOutputFile('--out', out, { force: options.force, inputs: pathsOf(pairs) });
      const args = { ...model, pairs, batchSize, backward: backward && resolve(backward) };
      const paths = present([...folders, args.backward ? args.backward : undefined, ...pathsOf(pairs)]);
      if (out === undefined) {
        await runAndPrint(jobs.score, args, options, describe, paths);
        return;
      }
      const scored = await runWithProgress(jobs.score, args, options, paths);
      const kept = keptPairs(scored, options);
      const lines = kept.map(({ source, target }) => `${source}\t${target}\n`);
      await writeText(nodeFiles(), out, lines.join(''));
      const result = { out, pairs: scored.length, kept: kept.length };
      await printResult(result, options.json, () => `${out}: ${kept.length} of ${scored.length} pairs kept`);
    });
  addPairFlags(command);
  addModelOptions(command);
  addHostOptions(command).addOption(deviceOption());
}

/** The pairs below a value, or the share of pairs with the smallest values, in order. */
export function keptPairs(
  scored: readonly ScoredPair[],
  { keep, maxDual = Number.POSITIVE_INFINITY }: Pick<Options, 'keep' | 'maxDual'>,
): readonly ScoredPair[] {
  if (keep !== undefined && !(keep > 0 && keep <= 1))
    throw new HeddleError(msg`--keep is ${keep}; it must be above 0 and at most 1`);
  if (Number.isNaN(maxDual)) throw new HeddleError('--max-dual must be a number');
  const byValue = [...scored.entries()]
    .flatMap(([i, { dual }]) => (dual !== undefined && dual <= maxDual ? [{ i, dual }] : []))
    .sort((a, b) => a.dual - b.dual || a.i - b.i);
  const chosen = new Set(byValue.slice(0, Math.round((keep ?? 1) * scored.length)).map(({ i }) => i));
  return scored.filter((_, i) => chosen.has(i));
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
