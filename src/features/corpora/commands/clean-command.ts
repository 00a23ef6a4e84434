// heddle clean

import { readFile, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { Interruption } from '../../../commands/interruption.ts';
import type { ScoreArguments, ScoredPair } from '../../../commands/jobs/evaluate-job.ts';
import { log, printText, table, writeJsonFile } from '../../../commands/output.ts';
import { checkOutputFiles, targetOf } from '../../../commands/output-file.ts';
import {
  addPairFlags,
  checkStdin,
  type PairFlags,
  pairFilesOf,
  pairReaders,
  pairsHelp,
} from '../../../commands/pair-flags.ts';
import { addHostOptions, jsonOption, list, modelArguments, whole } from '../../../commands/parse-values.ts';
import { openProgress } from '../../../commands/progress-line.ts';
import type { CommandJob } from '../../../commands/remote/command-job.ts';
import { type HostOptions, runWithProgress } from '../../../commands/run-command.ts';
import { check, HeddleError, shellQuote } from '../../../core/errors.ts';
import { listed, msg } from '../../../core/message.ts';
import { present } from '../../../core/present.ts';
import { writeText } from '../../../files/files.ts';
import { nodeFiles } from '../../../host/node-files.ts';
import { createPace } from '../../../session/job-pace.ts';
import { emitTo } from '../../../session/session-event.ts';
import { pathsOf } from '../../../text/corpus/pair-files.ts';
import { languageTag } from '../../../text/language-tag.ts';
import { cleanRules, defaultLimits, type RuleName, ruleNames } from '../clean/clean-rules.ts';
import { keptScores, type ScoreLimits } from '../clean/kept-scores.ts';
import { cleanReport } from './clean-report.ts';
import { type CleanArguments, type CleanResult, CleanRun } from './clean-run.ts';

interface Options extends HostOptions, PairFlags, ScoreLimits {
  out: string;
  rejected?: string;
  report?: string;
  sourceLang?: string;
  targetLang?: string;
  rule?: string[];
  threads?: number;
  model?: string;
  backward?: string;
  batchSize: number;
  force?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly score: CommandJob<ScoreArguments, ScoredPair[]>;
}

/** Adds the command `clean`. */
export function addClean(program: Command, jobs: Jobs): void {
  const command = program
    .command('clean')
    .description('drop bad pairs and duplicates from files of pairs, in one pass and in order')
    .argument('[pairs...]', `files of pairs: ${pairsHelp}`)
    .requiredOption('--out <file>', 'TSV file of the pairs that are kept; - is stdout')
    .option('--rejected <file>', 'TSV file of the dropped pairs: rule, source, target')
    .option('--report <file>', 'HTML file with counts and ten examples of each rule')
    .option(
      '--source-lang <code>',
      'language of the sources, for the rules script and language (default: not tested)',
    )
    .option('--target-lang <code>', 'language of the targets')
    .addOption(
      new Option(
        '--rule <name=value...>',
        'threshold of a rule below; NAME=0 turns it off: --rule language=0 identifies no languages',
      ).argParser(list),
    )
    .option('--threads <n>', 'number of threads (default: all)', whole(0))
    .option('--force', 'overwrite the files')
    .addOption(jsonOption())
    .optionsGroup('Filter by the scores of a model:')
    .option('--model <dir>', 'after the rules, keep the pairs that this model scores best')
    .option(
      '--backward <dir>',
      'model of the other direction: compare dual conditional cross-entropies instead of those of --model',
    )
    .option('--keep <share>', 'share of the pairs to keep, those with the smallest cross-entropy', Number)
    .option('--max-entropy <nats>', 'greatest cross-entropy per target token of a pair that is kept', Number)
    .option('--batch-size <pairs>', 'pairs per batch of the model', whole(1), 64)
    .addHelpText(
      'after',
      () =>
        `\nRules, in the order in which they are tested, and their thresholds:\n${rulesHelp()}\n\n` +
        'A killed run leaves OUT.part and OUT.clean-state; the same command continues it.',
    );
  addPairFlags(command);
  addHostOptions(command);
  command.action((names: string[], options: Options) => runClean(jobs, names, options));
}

async function runClean(jobs: Jobs, names: string[], options: Options): Promise<void> {
  const pairs = pairFilesOf(names, options);
  if (!pairs) throw new HeddleError('give files of pairs, or --source and --target', { area: 'clean' });
  checkStdin([pairs]);
  const limits = { ...defaultLimits, ...limitsIn(options.rule ?? []) };
  const { sourceLang: source, targetLang: target, threads, model } = options;
  checkLanguages([source, target]);
  checkFilter(options);
  checkOutputs(options, pathsOf(pairs));
  const out = targetOf(options.out);
  const rejected = options.rejected === undefined ? undefined : targetOf(options.rejected);
  const cleaning = { pairs, limits, threads, rejected, languages: { source, target } };
  if (model === undefined) {
    const result = await applyRules({ ...cleaning, out }, options, (found) =>
      writeJsonFile(found, options.json),
    );
    printText(result, options.json, () => describe(result, options.out));
    return;
  }
  // The pairs that passed the rules, while the model scores them.
  const passed = `${out}.rules.tsv`;
  const result = await applyRules({ ...cleaning, out: passed }, options);
  const scored = await filterByScores(jobs, { passed, out, options });
  const all = { ...result, scored };
  await writeJsonFile(all, options.json);
  printText(all, options.json, () => describe(all, options.out));
}

/** Throws a HeddleError if a file cannot be written, or has the name of another format. */
function checkOutputs(options: Options, inputs: readonly string[]): void {
  for (const flag of ['out', 'rejected'] as const)
    if (/\.(?:csv|jsonl?|gz|tmx|xliff?|po|mo)$/i.test(options[flag] ?? ''))
      throw new HeddleError(msg`--${flag} ${options[flag]}: the pairs are written as TSV; name a .tsv file`);
  checkOutputFiles(
    (['out', 'rejected', 'report'] as const).map((flag) => [`--${flag}`, options[flag]] as const),
    { force: options.force ?? false, inputs },
  );
}

/**
 * Applies the rules with a progress line. Ctrl+C stops it; the same command continues it. `finish` is called before
 * the state of the run is removed.
 */
async function applyRules(
  args: CleanArguments,
  options: Options,
  finish?: (result: CleanResult) => Promise<void>,
): Promise<CleanResult> {
  const inputs = pathsOf(args.pairs);
  const progress = openProgress(inputs);
  const interruption = Interruption.open();
  const { signal } = interruption;
  try {
    const run = await CleanRun.open(args, pairReaders);
    if (run.done > 0)
      log(`continuing after ${run.done} ${run.done === 1 ? 'block' : 'blocks'} of an interrupted run`);
    return await run.run(createPace({ emit: emitTo(progress.show), signal }), signal, async (found) => {
      await finish?.(found);
      if (options.report !== undefined)
        await writeText(nodeFiles(), options.report, cleanReport(found, inputs));
    });
  } catch (error) {
    if (!signal.aborted || error instanceof HeddleError) throw error;
    throw new HeddleError('interrupted; the same command continues', {
      area: 'clean',
      kind: 'aborted',
      cause: error,
    });
  } finally {
    interruption.close();
    progress.close();
  }
}

const rulesHelp = (): string =>
  table(ruleNames.map((name) => [`  ${name}`, String(cleanRules[name].limit), cleanRules[name].help]));

/** The thresholds in `name=value`. Throws a HeddleError that names the unknown rule or the value. */
function limitsIn(given: readonly string[]): Partial<Record<RuleName, number>> {
  return Object.fromEntries(
    given.map((text) => {
      const [name = '', value = ''] = text.split('=');
      if (!(ruleNames as readonly string[]).includes(name))
        throw new HeddleError(msg`no rule has this name; the rules are ${listed(ruleNames)}`, {
          area: `--rule ${shellQuote(text)}`,
        });
      const limit = Number(value);
      if (value === '' || !(limit >= 0))
        throw new HeddleError('give a number of at least 0', { area: `--rule ${shellQuote(text)}` });
      return [name, limit];
    }),
  );
}

function checkLanguages(codes: readonly (string | undefined)[]): void {
  for (const code of codes)
    if (code !== undefined && languageTag(code) === undefined)
      throw new HeddleError(msg`'${code}' is not a language; give a code such as en or pt-BR`);
}

/** Throws a HeddleError if flags of the filter lack others. */
function checkFilter({ model, backward, keep, maxEntropy }: Options): void {
  if (model === undefined && (backward ?? keep ?? maxEntropy) !== undefined)
    throw new HeddleError('--backward, --keep and --max-entropy need --model', { area: 'clean' });
  if (model !== undefined && (keep ?? maxEntropy) === undefined)
    throw new HeddleError('--model needs --keep or --max-entropy', { area: 'clean' });
  keptScores([], { keep, maxEntropy });
}

/** What the command did; plain JSON. */
interface Cleaned extends CleanResult {
  /** Of the filter by the scores of a model: number of pairs that it kept. */
  readonly scored?: { readonly kept: number };
}

/** Scores the pairs that passed the rules, and writes the best to `out`, in order. */
async function filterByScores(
  jobs: Jobs,
  { passed, out, options }: { passed: string; out: string; options: Options },
): Promise<{ kept: number }> {
  const { model: folder = '', batchSize, sourceLang, targetLang } = options;
  const backward = options.backward && resolve(options.backward);
  const { model, folders } = modelArguments(folder, { sourceLang, targetLang });
  const text = await readFile(passed, 'utf8');
  const lines = text.split('\n').slice(0, -1);
  const pairs = { files: [passed] };
  const args = { ...model, pairs, batchSize, backward };
  const paths = present([...folders, backward, passed]);
  const scored = lines.length > 0 ? await runWithProgress(jobs.score, args, options, paths) : [];
  check(scored.length === lines.length, msg`${scored.length} scores of ${lines.length} pairs`, {
    area: passed,
  });
  const values = scored.map(({ dual, logProb, tokens }) =>
    backward !== undefined ? dual : logProb === undefined ? undefined : -logProb / (tokens?.length ?? 1),
  );
  const isKept = keptScores(values, options);
  const kept = lines.filter((_, i) => isKept[i]);
  await writeText(nodeFiles(), out, kept.map((line) => `${line}\n`).join(''));
  await rm(passed);
  return { kept: kept.length };
}

function describe({ pairs, kept, dropped, languages, scored }: Cleaned, out: string): string {
  const rows = ruleNames.flatMap((name) =>
    dropped[name].count > 0 ? [[name, String(dropped[name].count), cleanRules[name].help]] : [],
  );
  const found = Object.entries(languages).sort(([, a], [, b]) => b - a);
  return [
    `${out}: ${scored?.kept ?? kept} of ${pairs} pairs kept`,
    ...(scored ? [`${kept} passed the rules, of which the model kept ${scored.kept}`] : []),
    ...(rows.length > 0 ? ['', table(rows, [1])] : []),
    ...(found.length > 0 ? [`\nother languages: ${found.map((row) => row.join(' ')).join(', ')}`] : []),
  ].join('\n');
}
