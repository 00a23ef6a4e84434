// The cards of the report with the settings of a run: corpus, machine and plan, model, recipe.

import { formatBytes, formatDuration, formatInteger, formatNumber, formatPercent } from '../core/format-numbers.ts';
import { isObject } from '../files/json-files.ts';
import { type Html, html } from './markup.ts';
import type { LogStart, TrainingHistory } from './training-log.ts';

type Facts = [name: string, value: string][];

/** Returns the cards. */
export function factCards(history: TrainingHistory): Html {
  const { start } = history;
  const cards: [string, Facts][] = [
    ['Corpus', corpusFacts(start)],
    ['Machine and plan', machineFacts(history)],
    ['Model', flat(start.config)],
    [
      'Recipe',
      [['seed', String(start.seed)], ['steps per epoch', formatInteger(start.stepsPerEpoch)], ...flat(start.recipe)],
    ],
  ];
  return html`<div class="facts">${cards.map(
    ([title, facts]) =>
      html`<section class="card"><h3>${title}</h3><dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></section>`,
  )}</div>
<details><summary>All arguments</summary><pre>${JSON.stringify(start.arguments, undefined, 1) ?? ''}</pre></details>`;
}

function corpusFacts({ corpus: c }: LogStart): Facts {
  return [
    ['name', c.name],
    ['training pairs', formatInteger(c.pairs)],
    ...(c.leftOut > 0 ? ([['pairs left out', formatInteger(c.leftOut)]] as Facts) : []),
    ['dev, test pairs', `${formatInteger(c.dev)}, ${formatInteger(c.test)}`],
    [
      'tokenizer',
      c.lowercase === undefined ? c.tokenizer : `${c.tokenizer}, ${c.lowercase ? 'lowercase' : 'case kept'}`,
    ],
    ...(c.unknown
      ? ([['unknown tokens', `${formatPercent(c.unknown.source)}, ${formatPercent(c.unknown.target)}`]] as Facts)
      : []),
    ['vocabularies', `${formatInteger(c.sourceVocabulary)}, ${formatInteger(c.targetVocabulary)}`],
    ['tokens per sentence', `${formatNumber(c.sourceLength)}, ${formatNumber(c.targetLength)}`],
  ];
}

function machineFacts({ start, steps }: TrainingHistory): Facts {
  const { plan } = start;
  const facts: Facts = [['adapter', start.backend]];
  if (plan)
    facts.push(
      ['GPU memory, largest plan', formatBytes(plan.peakBytes)],
      ['lower bound of any plan', formatBytes(plan.lowerBound)],
      ['dispatches per step', formatInteger(plan.dispatches)],
      ['arithmetic per step', `${formatNumber(plan.flops / 1e9)} GFLOP`],
      ...(plan.modelFlops ? ([['of matrix products', `${formatNumber(plan.modelFlops / 1e9)} GFLOP`]] as Facts) : []),
      ['batches, rows × source × target', plan.shapes.join(', ')],
    );
  const dropped = Object.entries(start.droppedKernels ?? {}).map(([kernel, why]) => `${kernel}: ${why}`);
  if (dropped.length > 0) facts.push(['kernels not used', dropped.join('; ')]);
  const seconds = steps.at(-1)?.seconds ?? 0;
  if (seconds > 0)
    facts.push(
      ['training time', formatDuration(seconds)],
      ['time per step', `${formatNumber((1000 * seconds) / steps.length)} ms`],
    );
  return [...facts, ['heddle', start.heddle]];
}

/** Flattens nested settings to `a.b` and their values; an object of zeros is one entry. */
function flat(value: Readonly<Record<string, unknown>>, prefix = ''): Facts {
  return Object.entries(value).flatMap(([key, x]): Facts => {
    const name = `${prefix}${key}`;
    if (!isObject(x)) return [[name, show(x)]];
    const inner = Object.values(x);
    return inner.length > 1 && inner.every((rate) => rate === 0) ? [[name, '0']] : flat(x, `${name}.`);
  });
}

function show(value: unknown): string {
  if (value === null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '–');
}
