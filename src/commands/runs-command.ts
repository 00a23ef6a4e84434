// heddle runs

import type { Command } from 'commander';
import { formatDuration, formatInteger, formatPercent } from '../core/format-numbers.ts';
import { present } from '../core/present.ts';
import { type RunSummary, runMetrics, settingText } from './jobs/runs-job.ts';
import { table } from './output.ts';
import { jsonOption } from './parse-values.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';

/** Adds the command `runs`. */
export function addRuns(program: Command): void {
  program
    .command('runs')
    .description(
      'compare training runs: the settings that differ, steps, best dev metrics, time, MFU, adapter',
    )
    .argument('<dir...>', 'model folders of heddle train, or folders that contain them, e.g. runs')
    .addOption(jsonOption())
    .action(async (folders: string[], { json }: HostOptions) => {
      await runAndPrint('runs', { folders }, { host: 'cpu', json }, describe);
    });
}

/** A column: heading, cell of a run, and whether it is aligned to the right. */
type Column = readonly [head: string, cell: (run: RunSummary) => string, right: boolean];

const lossPerCharacter: Column = ['loss/char', ({ lossPerCharacter: loss }) => loss?.toFixed(4) ?? '–', true];

function describe(runs: readonly RunSummary[]): string {
  const [first] = runs;
  const isMixed = new Set(runs.map((run) => run.targetVocabulary)).size > 1;
  const hasOneAdapter = runs.every((run) => run.adapter === first?.adapter);
  const columns: Column[] = present([
    ['run', (run) => run.folder, false],
    ...Object.keys(runs[0]?.settings ?? {}).map(
      (name): Column => [name, ({ settings }) => settingText(settings[name]), false],
    ),
    ['steps', ({ step, steps }) => (step < steps ? `${step} of ${steps}` : String(step)), true],
    ['state', (run) => run.state, false],
    ...runMetrics
      .filter(([metric]) => runs.some(({ best }) => best[metric]))
      .map(
        ([metric, head, text]): Column => [
          head,
          ({ best: { [metric]: best } }) => (best ? `${text(best.value)} @${best.step}` : '–'),
          true,
        ],
      ),
    isMixed ? lossPerCharacter : undefined,
    ['time', (run) => formatDuration(run.seconds), true],
    ['tokens/s', (run) => formatInteger(run.tokensPerSecond), true],
    ['MFU', ({ mfu }) => (mfu === null ? '–' : formatPercent(mfu)), true],
    hasOneAdapter ? undefined : (['adapter', (run: RunSummary) => run.adapter, false] as const),
  ]);
  const rows = [columns.map(([head]) => head), ...runs.map((run) => columns.map(([, cell]) => cell(run)))];
  const right = columns.flatMap(([, , isRight], i) => (isRight ? [i] : []));
  const best = runs.some((run) => Object.keys(run.best).length > 0)
    ? '\n\n@: step of the best evaluation'
    : '';
  const mixed = isMixed
    ? '\n\nthe runs have different vocabularies: compare BLEU, chrF2 and loss/char; loss, perplexity and accuracy are per token'
    : '';
  const adapter = hasOneAdapter && first ? `\n\nall on ${first.adapter}` : '';
  return `${table(rows, right)}${best}${mixed}${adapter}`;
}
