// heddle train

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { formatBytes, formatNumber } from '../core/format-numbers.ts';
import { archiveFiles } from '../files/archive-files.ts';
import { type Files, writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import { initSchemes } from '../model/parameters.ts';
import type { CorpusArguments } from '../runtime/load-corpus.ts';
import { initFolder } from '../train/recipes.ts';
import { startArguments } from '../train/resume-arguments.ts';
import type { TrainSettings } from '../train/settings.ts';
import type { TrainArguments, TrainResult } from '../train/train-arguments.ts';
import { readTrainingState } from '../trainer/training-state.ts';
import { outFolder, withoutEndSlash } from './out-folder.ts';
import { log, print } from './output.ts';
import { runWithProgress } from './run-command.ts';
import { addTrainFlags, givenSettings, type TrainFileOptions } from './train-flags.ts';

/** Adds the command `train`. */
export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .description('train a translation model on pairs or on the built-in corpus, and save it as a model folder')
    .argument('[pairs.tsv]', 'source, tab, target on each line (default: the built-in corpus)');
  addTrainFlags(command);
  command.action((pairs: string | undefined, options: TrainFileOptions) =>
    run(pairs, options, givenSettings(command, log)),
  );
}

async function run(pairs: string | undefined, options: TrainFileOptions, given: TrainSettings): Promise<void> {
  if (pairs !== undefined && options.corpus)
    throw new HeddleError('train: give a file of pairs or --corpus intl, not both');
  const files = archiveFiles(nodeFiles());
  const name = pairs ? nameOf(pairs) : `intl-${options.sourceLocale}-${options.targetLocale}`;
  const out = await outFolder(files, name, options);
  const settings = given.init === undefined ? given : { ...given, init: withoutEndSlash(given.init) };
  const args: TrainArguments = options.resume
    ? { ...settings, corpus: await resumedCorpus(files, out, pairs, options.dev), out, resume: true }
    : { ...settings, corpus: newCorpus(pairs, settings.seed ?? 1, options), out };
  const folder = options.resume ? await savedFolder(files, out) : initFolder(settings);
  if (args.lora && folder !== undefined && resolve(folder) === resolve(out))
    throw new HeddleError(`--out ${out}: this is the model that the LoRA adapter is for; name another folder`);
  if (folder !== undefined && !options.resume && !(await files.exists(folder)))
    throw new HeddleError(`--init ${folder}: neither a scheme (${initSchemes.join(', ')}) nor an existing folder`);
  const { corpus } = args;
  const paths = [out, folder ?? out, ...(corpus.kind === 'tsv' ? [corpus.path, corpus.dev ?? corpus.path] : [])];
  const result = await runWithProgress('train', args, options, paths);
  if (options.json) await writeText(files, options.json, `${JSON.stringify(result, undefined, 1)}\n`);
  print(describe(result));
}

const newCorpus = (pairs: string | undefined, seed: number, o: TrainFileOptions): CorpusArguments =>
  pairs === undefined
    ? { kind: 'intl', source: o.sourceLocale, target: o.targetLocale, pairs: o.pairs, seed }
    : { kind: 'tsv', path: resolve(pairs), ...(o.dev !== undefined && { dev: resolve(o.dev) }) };

const savedArguments = async (files: Files, out: string) => startArguments(await readTrainingState(files, out), out);

/** The model that the LoRA adapter of a checkpoint is for. */
async function savedFolder(files: Files, out: string): Promise<string | undefined> {
  const kept = await savedArguments(files, out);
  return kept.lora && initFolder(kept);
}

/** The corpus of the checkpoint in `out`, whose files may have moved. Throws a HeddleError if they are missing. */
async function resumedCorpus(
  files: Files,
  out: string,
  pairs: string | undefined,
  dev: string | undefined,
): Promise<CorpusArguments> {
  const { corpus: kept } = await savedArguments(files, out);
  const corpus = movedCorpus(kept, pairs, dev);
  if (corpus === kept && (pairs ?? dev) !== undefined)
    log(`${out} resumes with its own pairs; ignored: ${[pairs, dev].filter((x) => x !== undefined).join(', ')}`);
  if (corpus.kind === 'tsv' && !corpus.keep && !(await files.exists(corpus.path)))
    throw new HeddleError(
      `${corpus.path}: the training pairs of ${out} are missing; give their path: heddle train FILE --resume --out ${out}`,
    );
  return corpus;
}

/** A corpus whose files may have moved; itself if it has no files, or keeps its pairs in the model folder. */
export function movedCorpus(
  kept: CorpusArguments,
  pairs: string | undefined,
  dev: string | undefined,
): CorpusArguments {
  if (kept.kind !== 'tsv' || kept.keep || (pairs ?? dev) === undefined) return kept;
  return {
    ...kept,
    ...(pairs !== undefined && { path: resolve(pairs) }),
    ...(dev !== undefined && kept.dev !== undefined && { dev: resolve(dev) }),
  };
}

/** File name without folder and ending. */
const nameOf = (path: string): string => path.replace(/^.*[\\/]/, '').replace(/\.[^.]+$/, '') || 'model';

/** The result as text: a dozen translations, their metrics, speed, and the path of the model. */
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
    ...(e ? [`${e.sentences} held-out sentences, the first ones:`, '', ...samples] : []),
    ...(e
      ? [
          `exact match  ${(100 * e.exactMatch).toFixed(1)} % of ${e.sentences}`,
          `BLEU, chrF2  ${e.bleu.toFixed(2)}, ${e.chrf.toFixed(2)}`,
        ]
      : []),
    ...r.losses.slice(-1).map((loss) => `loss         ${formatNumber(loss)}`),
    `training     ${speed}, ${formatBytes(r.peakBytes)}, ${r.dispatches} dispatches per step${r.stopped ? '; stopped' : ''}`,
    r.adapterOf === undefined
      ? `model        ${r.out} (heddle translate ${r.out} "...")`
      : `LoRA adapter ${r.out} (heddle translate ${r.adapterOf} --lora-adapter ${r.out} "...")`,
    `report       ${r.out}/report.html, its values in log.jsonl`,
  ].join('\n');
}
