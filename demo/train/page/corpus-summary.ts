// What a corpus is made of: how many pairs, how long, which words, and a few of them to look at.

import { formatInteger, formatNumber } from '../../../src/core/format-numbers.ts';
import { el, svg } from '../../common/dom.ts';
import type { CorpusChoice, LengthFacts, TrainingFacts } from '../protocol.ts';

/** The facts of a corpus, for the panel below its choice. */
export function corpusFacts({ corpus }: TrainingFacts, chosen: CorpusChoice): HTMLElement[] {
  const [from, to] = chosen.kind === 'intl' ? [chosen.source, chosen.target] : ['', ''];
  const rows: [string, string][] = [
    ['pairs', formatInteger(corpus.pairs)],
    ['to learn from', formatInteger(corpus.train)],
    ['dev · test', `${formatInteger(corpus.dev)} · ${formatInteger(corpus.test)}`],
  ];
  if (corpus.leftOut > 0) rows.push(['left out, too long or empty', formatInteger(corpus.leftOut)]);
  return [
    el('dl', { class: 'facts' }, ...rows.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
    ...(corpus.badLines ? [el('p', { class: 'hint' }, corpus.badLines)] : []),
    el(
      'div',
      { class: 'sides' },
      side('Source', corpus.sourceLength, corpus.sourceVocabulary, 'look1'),
      side('Target', corpus.targetLength, corpus.targetVocabulary, 'look2'),
    ),
    el(
      'details',
      {},
      el('summary', {}, 'Some of the pairs'),
      el(
        'ul',
        { class: 'examples' },
        ...corpus.examples.map(({ source, target }) =>
          el('li', {}, el('span', { lang: from, dir: 'auto' }, source), el('span', { lang: to, dir: 'auto' }, target)),
        ),
      ),
    ),
  ];
}

/** One side: its vocabulary, and its lengths as a small histogram. */
function side(name: string, { mean, longest, histogram }: LengthFacts, vocabulary: number, look: string): HTMLElement {
  const most = Math.max(1, ...histogram);
  const width = Math.max(8, histogram.length);
  const bars = histogram.map((n, i) =>
    n > 0 ? svg('rect', { x: i + 0.1, y: 40 - (36 * n) / most - 1, width: 0.8, height: (36 * n) / most + 1 }) : null,
  );
  return el(
    'div',
    { class: 'side-facts' },
    el('h3', {}, name),
    svg(
      'svg',
      {
        class: `lengths ${look}`,
        viewBox: `0 0 ${width} 40`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `${name}: lengths from 0 to ${longest} tokens, ${formatNumber(mean)} in the mean`,
      },
      ...bars,
    ),
    el('p', { class: 'hint number' }, `${formatNumber(mean)} tokens in the mean, ${formatInteger(longest)} at most`),
    el('p', { class: 'hint number' }, `${formatInteger(vocabulary)} in the vocabulary`),
  );
}
