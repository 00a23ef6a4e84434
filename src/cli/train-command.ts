// heddle train

import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { formatBytes, formatNumber } from '../core/format-numbers.ts';
import { archiveFiles } from '../files/archive-files.ts';
import { type Files, writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import { initSchemes } from '../model/parameters.ts';
import { startArguments } from '../train/checkpoints.ts';
import type { TrainArguments, TrainResult } from '../train/settings.ts';
import { readTrainingState } from '../trainer/training-state.ts';
import { outFolder } from './out-folder.ts';
import { print, tell } from './output.ts';
import { runWithProgress } from './run-command.ts';
import { addTrainOptions, type TrainOptions } from './train-flags.ts';
import { resumedArguments, trainArguments } from './train-settings.ts';
import { checkPlaces } from './trainable-flags.ts';

/** Adds the command `train`. */
export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .description('train a translator, on pairs or on the built-in corpus, and save it as a model folder')
    .argument('[pairs.tsv]', 'source, tab, target on each line; without it, the built-in corpus');
  addTrainOptions(command);
  command.action((pairs: string | undefined, options: TrainOptions) => {
    const given = Object.keys(options).filter((name) => command.getOptionValueSource(name) === 'cli');
    return run(pairs, options, given);
  });
}

async function run(pairs: string | undefined, options: TrainOptions, given: readonly string[]): Promise<void> {
  if (pairs !== undefined && options.corpus)
    throw new HeddleError('train: give a file of pairs or --corpus intl, not both');
  const files = archiveFiles(nodeFiles());
  const name = pairs ? nameOf(pairs) : `intl-${options.sourceLocale}-${options.targetLocale}`;
  const out = await outFolder(files, name, options);
  const args = options.resume
    ? await goesOn(files, out, pairs, options, given)
    : { ...trainArguments(pairs, options), out };
  checkPlaces(args);
  const { corpus, lora, initFrom } = args;
  if (initFrom && !options.resume && !(await files.exists(initFrom)))
    throw new HeddleError(`--init ${initFrom}: neither ${initSchemes.join(' nor ')} nor a folder that is there`);
  const read = initFrom && (lora || !options.resume) ? [initFrom] : [];
  const paths = [out, ...read, ...(corpus.kind === 'tsv' ? [corpus.path, corpus.dev ?? corpus.path] : [])];
  const result = await runWithProgress('train', args, options, paths);
  if (options.json) await writeText(files, options.json, `${JSON.stringify(result, undefined, 1)}\n`);
  print(describe(result));
}

/** The arguments of the training in `out` that goes on; tells what was asked for and is not taken. */
async function goesOn(
  files: Files,
  out: string,
  pairs: string | undefined,
  options: TrainOptions,
  given: readonly string[],
): Promise<TrainArguments> {
  const kept = startArguments(await readTrainingState(files, out), out);
  const { args, stays } = resumedArguments(kept, options, given, pairs);
  if (stays.length > 0)
    tell(`${out} goes on with what it was started with, whatever is said now by ${stays.join(', ')}`);
  const { corpus } = args;
  if (corpus.kind === 'tsv' && !corpus.keep && !(await files.exists(corpus.path)))
    throw new HeddleError(
      `${corpus.path}: the pairs that ${out} learns from are not there; name where they are: heddle train FILE --resume --out ${out}`,
    );
  return { ...args, out };
}

/** File name without folder and ending. */
const nameOf = (path: string): string => path.replace(/^.*[\\/]/, '').replace(/\.[^.]+$/, '') || 'model';

/** What a person wants to know at the end: a dozen translations, how many were right, and where the model is. */
function describe(r: TrainResult): string {
  const { evaluation: e } = r;
  const samples = (e?.samples ?? [])
    .slice(0, 12)
    .flatMap(({ source, reference, translation, exact }) => [
      `  ${source}`,
      exact ? `  = ${translation}` : `  → ${translation}\n  ≠ ${reference}`,
      '',
    ]);
  const speed = `${r.steps} steps in ${r.trainSeconds.toFixed(1)} s, ${Math.round(r.tokensPerSecond)} tokens/s`;
  return [
    ...(e ? [`${e.sentences} sentences that were never seen, the first of them:`, '', ...samples] : []),
    ...(e
      ? [
          `exact match  ${(100 * e.exactMatch).toFixed(1)} % of ${e.sentences}`,
          `BLEU, chrF2  ${e.bleu.toFixed(2)}, ${e.chrf.toFixed(2)}`,
        ]
      : []),
    ...r.losses.slice(-1).map((loss) => `loss         ${formatNumber(loss)}`),
    `training     ${speed}, ${formatBytes(r.peakBytes)}, ${r.dispatches} dispatches a step${r.stopped ? '; ended early' : ''}`,
    r.adapterOf === undefined
      ? `model        ${r.out} (heddle translate ${r.out} "...")`
      : `adapter      ${r.out} (heddle translate ${r.adapterOf} --adapter ${r.out} "...")`,
    `report       ${r.out}/report.html, its figures in log.jsonl`,
  ].join('\n');
}
