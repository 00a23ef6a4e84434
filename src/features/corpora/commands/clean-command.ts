// heddle clean

import { type Command, Option } from 'commander';
import { Interruption } from '../../../commands/interruption.ts';
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
import { jsonOption, list, whole } from '../../../commands/parse-values.ts';
import { createProgress } from '../../../commands/progress-line.ts';
import type { HostOptions } from '../../../commands/run-command.ts';
import { HeddleError, shellQuote } from '../../../core/errors.ts';
import { listed, msg } from '../../../core/message.ts';
import { writeText } from '../../../files/files.ts';
import { nodeFiles } from '../../../host/node-files.ts';
import { createPace } from '../../../session/job-pace.ts';
import { emitTo } from '../../../session/session-event.ts';
import { pathsOf } from '../../../text/corpus/pair-files.ts';
import { cleanRules, defaultLimits, type RuleName, ruleNames } from '../clean/clean-rules.ts';
import { cleanReport } from './clean-report.ts';
import { type CleanResult, CleanRun } from './clean-run.ts';

interface Options extends Pick<HostOptions, 'json'>, PairFlags {
  out: string;
  rejected?: string;
  report?: string;
  sourceLang?: string;
  targetLang?: string;
  rule?: string[];
  threads?: number;
  force?: boolean;
}

/** Adds the command `clean`. */
export function addClean(program: Command): void {
  const command = program
    .command('clean')
    .description('drop bad pairs and duplicates from files of pairs, in one pass and in order')
    .argument('[pairs...]', `files of pairs: ${pairsHelp}`)
    .requiredOption('--out <file>', 'TSV file of the pairs that are kept')
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
    .addHelpText(
      'after',
      () =>
        `\nRules, in the order in which they are tested, and their thresholds:\n${rulesHelp()}\n\n` +
        'A killed run leaves OUT.part and OUT.clean-state; the same command continues it.',
    );
  addPairFlags(command);
  command.action(async (names: string[], options: Options) => {
    const pairs = pairFilesOf(names, options);
    if (!pairs) throw new HeddleError('give files of pairs, or --source and --target', { area: 'clean' });
    checkStdin([pairs]);
    const limits = { ...defaultLimits, ...limitsIn(options.rule ?? []) };
    const { force = false, sourceLang: source, targetLang: target, threads } = options;
    checkLanguages([source, target]);
    const inputs = pathsOf(pairs);
    const flags = ['out', 'rejected', 'report'] as const;
    for (const flag of ['out', 'rejected'] as const)
      if (/\.(?:csv|jsonl?|gz|tmx|xliff?|po|mo)$/i.test(options[flag] ?? ''))
        throw new HeddleError(
          msg`--${flag} ${options[flag]}: the pairs are written as TSV; name a .tsv file`,
        );
    checkOutputFiles(
      flags.map((flag) => [`--${flag}`, options[flag]] as const),
      { force, inputs },
    );
    const rejected = options.rejected === undefined ? undefined : targetOf(options.rejected);
    const out = targetOf(options.out);
    const languages = { source, target };
    const run = await CleanRun.open({ pairs, limits, threads, rejected, out, languages }, pairReaders);
    if (run.done > 0)
      log(`continuing after ${run.done} ${run.done === 1 ? 'block' : 'blocks'} of an interrupted run`);
    const progress = createProgress();
    const interruption = Interruption.open();
    const { signal } = interruption;
    try {
      const result = await run.run(
        createPace({ emit: emitTo(progress.show), signal }),
        signal,
        async (found) => {
          await writeJsonFile(found, options.json);
          if (options.report !== undefined)
            await writeText(nodeFiles(), options.report, cleanReport(found, inputs));
        },
      );
      progress.close();
      printText(result, options.json, () => describe(result, options.out));
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
  });
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
    try {
      if (code !== undefined) new Intl.Locale(code);
    } catch {
      throw new HeddleError(msg`'${code}' is not a language; give a code such as en or pt-BR`);
    }
}

function describe({ pairs, kept, dropped, languages }: CleanResult, out: string): string {
  const rows = ruleNames.flatMap((name) =>
    dropped[name].count > 0 ? [[name, String(dropped[name].count), cleanRules[name].help]] : [],
  );
  const found = Object.entries(languages).sort(([, a], [, b]) => b - a);
  return [
    `${out}: ${kept} of ${pairs} pairs kept`,
    ...(rows.length > 0 ? ['', table(rows, [1])] : []),
    ...(found.length > 0 ? [`\nother languages: ${found.map((row) => row.join(' ')).join(', ')}`] : []),
  ].join('\n');
}
