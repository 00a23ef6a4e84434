// The conformance report, and heddle beside its peers, as tables.

import type { TimedForm, TimedKernel } from '../../bench/peers/kernel-times.ts';
import type { Conformance } from '../../src/bench/conformance.ts';
import { formatNumber } from '../../src/core/format-numbers.ts';
import { type Child, el } from '../common/dom.ts';
import { counted, errorText, time } from './measurement-text.ts';

function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly Child[])[],
  look = 'numbers',
): HTMLElement {
  return el(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': caption, tabindex: 0 },
    el(
      'table',
      { class: look },
      el('caption', { class: 'unseen' }, caption),
      el('thead', {}, el('tr', {}, ...head.map((h) => el('th', { scope: 'col' }, h)))),
      el(
        'tbody',
        {},
        ...rows.map(([first, ...rest]) =>
          el('tr', {}, el('th', { scope: 'row' }, first), ...rest.map((c) => el('td', {}, c))),
        ),
      ),
    ),
  );
}

const verdict = (passed: boolean): HTMLElement =>
  el('span', { class: passed ? 'verdict good' : 'verdict bad' }, passed ? 'passes' : 'fails');

/** The report of an adapter. */
export function conformanceReport(report: Conformance): HTMLElement {
  const { features, limits, subgroups, kernels } = report;
  const wrong = kernels.filter((k) => !k.passed).length;
  const low = limits.filter((l) => !l.passed).length;
  const sum = report.passed
    ? `${counted(kernels.length, 'kernel')} within tolerance of float64 in each variant, and all limits suffice.`
    : `${wrong} of ${kernels.length} kernels are wrong in some variant; ${low} of ${limits.length} limits are too low.`;
  return el(
    'div',
    { class: 'stack' },
    el('p', { class: `note ${report.passed ? 'good' : 'bad'}` }, el('span', {}, sum)),
    el(
      'div',
      { class: 'twin' },
      el(
        'div',
        { class: 'stack' },
        el('h3', {}, 'Features and subgroups'),
        table(
          'Features that kernels use',
          ['Feature', 'Here', 'Used for'],
          [
            ...features.map(({ name, present, use }) => [name, present ? 'yes' : 'no', use]),
            [
              'subgroup size',
              subgroups
                ? subgroups.min === subgroups.max
                  ? `${subgroups.min}`
                  : `${subgroups.min} to ${subgroups.max}`
                : '—',
              'how many threads move as one',
            ],
          ],
          'plain',
        ),
      ),
      el(
        'div',
        { class: 'stack' },
        el('h3', {}, 'Limits'),
        table(
          'Limits beside what is needed',
          ['Limit', 'Needed', 'Here', 'Verdict'],
          limits.map(({ name, needed, has, passed }) => [spaced(name), amount(needed), amount(has), verdict(passed)]),
        ),
      ),
    ),
    el(
      'details',
      { open: !report.passed },
      el('summary', {}, `Worst error of each kernel (${kernels.length})`),
      table(
        'Worst error of each kernel',
        ['Kernel', 'Worst error', 'Allowed', 'In variant', 'Verdict'],
        kernels.map(({ name, worst, allowed, variant, passed, failure }) => [
          name,
          errorText(worst),
          errorText(allowed),
          failure ?? (variant === 'only' ? '' : variant),
          verdict(passed),
        ]),
      ),
    ),
  );
}

/** maxBufferSize with places where a line may break. */
const spaced = (name: string): HTMLElement =>
  el('span', {}, ...name.split(/(?=[A-Z])/).flatMap((part, i) => (i === 0 ? [part] : [el('wbr'), part])));

/** Powers of 1,024 by their names. */
function amount(n: number): string {
  if (n >= 2 ** 30) return `${formatNumber(n / 2 ** 30)} Gi`;
  if (n >= 2 ** 20) return `${formatNumber(n / 2 ** 20)} Mi`;
  return n >= 2 ** 14 && n % 1024 === 0 ? `${n / 1024} Ki` : String(n);
}

/** The same kernels of several libraries; each library by its fastest form. */
export function peersReport(rows: readonly TimedKernel[], names: Readonly<Record<string, string>>): HTMLElement {
  const contestants = [...new Set(rows.flatMap((r) => r.forms.map((f) => f.contestant)))];
  const fastest = (row: TimedKernel, contestant: string): TimedForm | undefined =>
    row.forms.filter((f) => f.contestant === contestant).sort((a, b) => a.us - b.us)[0];
  const cell = (row: TimedKernel, contestant: string): Child => {
    const form = fastest(row, contestant);
    if (!form) return '—';
    const own = fastest(row, 'heddle')?.us ?? Number.NaN;
    if (contestant === 'heddle') return time(form.us / 1000);
    const factor = form.us / own;
    const times = el('span', { class: factor < 1 ? 'times faster' : 'times' }, ` ${formatNumber(factor)} ×`);
    return el('span', {}, time(form.us / 1000), times);
  };
  return el(
    'div',
    { class: 'stack' },
    el(
      'p',
      { class: 'hint' },
      'Each library on a device of its own, in turn, by the clock of the host; a result is held against float64 before it is timed. The factor is its time over heddle’s.',
    ),
    table(
      'Kernels of several libraries',
      ['Kernel', ...contestants.map((c) => names[c] ?? c)],
      rows.map((row) => [row.name, ...contestants.map((c) => cell(row, c))]),
    ),
  );
}
