// The table of `heddle runs`, in the width of the terminal.

import stringWidth from 'string-width';
import {
  groupName,
  type RunSummary,
  runMetrics,
  type SeedGroup,
  seedGroups,
  settingText,
  unlikeLosses,
} from '../api/run-summaries.ts';
import { escapeControls } from '../core/errors.ts';
import { formatDuration, formatInteger, formatPercent } from '../core/format-numbers.ts';
import { present } from '../core/present.ts';
import { features } from '../features/features.ts';
import { allMetrics } from '../text/metrics/main-metrics.ts';
import { table } from './output.ts';
import { cutStart, cutText } from './text-width.ts';

/** A column. `priority`: the columns with the largest are left out first; 0: never. */
interface Column {
  readonly head: string;
  readonly cell: (run: RunSummary) => string;
  readonly right: boolean;
  readonly priority: number;
}

const knownMetrics = allMetrics(features.metrics);

const gap = 2;

/** Maximum columns of a setting, and of a folder, in a narrow table; of a folder at most half of the line. */
const [maxSetting, maxFolder] = [16, 28];

/** A text of a file in one line, as the terminal shows it: its width counts. */
const shown = (text: string): string => escapeControls(text).replace(/[\n\t]/g, ' ');

const widthOf = (columns: readonly Column[], runs: readonly RunSummary[]): number =>
  columns.reduce(
    (sum, { head, cell }) =>
      sum + gap + Math.max(stringWidth(head), ...runs.map((run) => stringWidth(cell(run)))),
    -gap,
  );

function columnsOf(runs: readonly RunSummary[], isMixed: boolean, narrow?: number): Column[] {
  const [first] = runs;
  const hasOneAdapter = runs.every((run) => run.adapter === first?.adapter);
  const names = Object.keys(first?.settings ?? {});
  const metrics = runMetrics(runs, knownMetrics);
  const setting = (text: string) => (narrow ? cutText(shown(text), maxSetting) : shown(text));
  const folderWidth = Math.min(maxFolder, Math.ceil((narrow ?? 0) / 2));
  return present<Column>([
    {
      head: 'run',
      cell: ({ folder }) => (narrow ? cutStart(shown(folder), folderWidth) : shown(folder)),
      right: false,
      priority: 0,
    },
    ...names.map(
      (name, i): Column => ({
        head: setting(name),
        cell: ({ settings }) => setting(settingText(settings[name])),
        right: false,
        priority: 3 + 6 * i,
      }),
    ),
    {
      head: 'steps',
      cell: ({ step, steps }) => (step < steps ? `${step} of ${steps}` : String(step)),
      right: true,
      priority: 10,
    },
    { head: 'state', cell: (run) => run.state, right: false, priority: 20 },
    ...metrics.map(
      ({ name, label, short = label, show }, i): Column => ({
        head: short,
        cell: ({ best: { [name]: best } }) => (best ? `${show(best.value)} @${best.step}` : '–'),
        right: true,
        // The loss and BLEU stay longest; the perplexity says what the loss says.
        priority: name === 'loss' ? 1 : name === 'bleu' ? 2 : name === 'perplexity' ? 900 : 5 + i,
      }),
    ),
    isMixed
      ? {
          head: 'loss/char',
          cell: ({ lossPerCharacter: loss }) => loss?.toFixed(4) ?? '–',
          right: true,
          priority: 2,
        }
      : undefined,
    { head: 'time', cell: (run) => formatDuration(run.seconds), right: true, priority: 1001 },
    { head: 'tokens/s', cell: (run) => formatInteger(run.tokensPerSecond), right: true, priority: 1003 },
    {
      head: 'MFU',
      cell: ({ mfu }) => (mfu === null ? '–' : formatPercent(mfu)),
      right: true,
      priority: 1002,
    },
    hasOneAdapter
      ? undefined
      : { head: 'adapter', cell: (run) => shown(run.adapter), right: false, priority: 1004 },
  ]);
}

/** The mean and standard deviation of the best metrics of runs that differ only in their seed. */
function describeGroup(group: SeedGroup): string {
  const { runs, mean, deviation } = group;
  const parts = knownMetrics.flatMap(({ name, label, short = label, show }) => {
    const [m, d] = [mean[name], deviation[name]];
    return m === undefined || d === undefined ? [] : [`${short} ${show(m)} ± ${show(d)}`];
  });
  const name = shown(groupName(group)) || `${shown(runs[0] ?? '')} ...`;
  return `${runs.length} seeds, ${name}: ${parts.join(', ')}`;
}

/** Characters of a line of the terminal; undefined if the output is not shown in one. */
const terminalWidth = (): number | undefined =>
  process.stdout.columns || Number(process.env.COLUMNS) || undefined;

/** Runs as a table of at most `width` characters a line if a terminal shows it. */
export function describeRuns(
  runs: readonly RunSummary[],
  width = terminalWidth() ?? Number.POSITIVE_INFINITY,
): string {
  const [first] = runs;
  const unlike = unlikeLosses(runs);
  const isMixed = unlike !== undefined;
  let columns = columnsOf(runs, isMixed);
  const hidden: string[] = [];
  if (widthOf(columns, runs) > width) columns = columnsOf(runs, isMixed, width);
  while (widthOf(columns, runs) > width) {
    const last = columns.reduce((a, b) => (b.priority >= a.priority ? b : a));
    if (last.priority === 0) break;
    hidden.push(last.head);
    columns = columns.filter((column) => column !== last);
  }
  const rows = [columns.map(({ head }) => head), ...runs.map((run) => columns.map(({ cell }) => cell(run)))];
  const right = columns.flatMap((column, i) => (column.right ? [i] : []));
  const notes = [
    runs.some((run) => Object.keys(run.best).length > 0) && '@: step of the best evaluation',
    unlike === 'vocabularies' &&
      'the runs have different vocabularies: compare BLEU, chrF2 and loss/char; loss, perplexity and accuracy are per token',
    first?.settings['dev pairs'] !== undefined &&
      'the runs have different dev pairs: their dev metrics cannot be compared',
    ...seedGroups(runs, knownMetrics).map((group) => `mean ± standard deviation of ${describeGroup(group)}`),
    first &&
      runs.every((run) => run.adapter === first.adapter) &&
      `all on ${cutText(shown(first.adapter), 200)}`,
    hidden.length > 0 &&
      `not shown in ${width} columns: ${hidden.join(', ')}; --json or a wider terminal shows all`,
  ].filter((note) => typeof note === 'string');
  return [table(rows, right), ...notes.map((note) => wrapped(note, width))].join('\n\n');
}

/** A text in lines of at most `width` characters, broken at spaces. */
function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && stringWidth(last) + 1 + stringWidth(word) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}
