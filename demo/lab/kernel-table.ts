// Table of kernels: time, spread, share of the roofline, error, and difference from a baseline. It can be
// sorted and filtered.

import { type BenchRun, compareRuns, fastestOf, referenceNote } from '../../src/bench/bench-file.ts';
import type { KernelResult, VariantResult } from '../../src/bench/check-kernel.ts';
import { type KernelGroup, kernelGroups } from '../../src/bench/kernel-case.ts';
import { rateOf, shareOfRoof } from '../../src/bench/roofline-model.ts';
import { type Change, disturbance, maxSpread, spreadOf } from '../../src/bench/spread.ts';
import { formatNumber, formatPercent } from '../../src/core/format-numbers.ts';
import type { Roofs } from '../../src/engine/index.ts';
import { type Child, el, fill, hint, setText } from '../common/dom.ts';
import { field, select } from '../common/form-controls.ts';
import { errorText, pluralize, relativeSpread, spreadText, time } from './measurement-text.ts';
import { groups } from './roofline-points.ts';

/** Data of the table. */
export interface TableContent {
  readonly kernels: readonly KernelResult[];
  readonly roofs: Roofs | undefined;
  readonly all: boolean;
  /** The run to compare with the baseline. */
  readonly run: Pick<BenchRun, 'kernels' | 'roofSpread'> | undefined;
  readonly baseline: BenchRun | undefined;
}

/** The kernel table. */
export interface KernelTable {
  readonly element: HTMLElement;
  show(content: TableContent): void;
  /** Highlights the row of a kernel; undefined: none. */
  highlight(name: string | undefined): void;
}

/** A row of the table, for a kernel with all its variants. */
interface Row {
  /** A kernel of the run, or one that only the baseline has. */
  readonly kernel: KernelResult;
  /** Whether the run has measured it. */
  readonly measured: boolean;
  readonly before: number | undefined;
  readonly change: Change | undefined;
  readonly position: number;
}

interface Column {
  readonly title: string;
  /** The sort key of a row. */
  value(row: Row, roofs: Roofs | undefined): number;
  /** Whether the column needs a baseline. */
  readonly compared?: boolean;
}

const best = ({ kernel: { variants } }: Row): VariantResult | undefined => variants[0];
const columns: readonly Column[] = [
  { title: 'Kernel', value: ({ position }) => position },
  { title: 'Time', value: (row) => best(row)?.ms ?? Number.NaN },
  { title: 'Spread', value: ({ kernel }) => disturbance(kernel) },
  { title: 'GFLOP/s', value: (row) => rateOf(row.kernel, best(row) as VariantResult) },
  { title: 'GB/s', value: (row) => row.kernel.bytes / (best(row)?.ms ?? Number.NaN) },
  {
    title: '% of roofline',
    value: (row, roofs) => (roofs ? shareOfRoof(row.kernel, best(row) as VariantResult, roofs) : Number.NaN),
  },
  { title: 'Error', value: (row) => Math.max(...row.kernel.variants.map((v) => v.error)) },
  { title: 'Baseline', value: ({ before = Number.NaN }) => before, compared: true },
  { title: 'Difference', value: ({ change }) => change?.change ?? Number.NaN, compared: true },
];

/**
 * Creates an empty table; `onPoint` is called with the kernel under the pointer, `onOpen` with a pressed one.
 */
export function createKernelTable(
  onPoint: (name: string | undefined) => void,
  onOpen: (kernel: KernelResult) => void,
): KernelTable {
  let content: TableContent | undefined;
  let sorted: { readonly column: Column; readonly descending: boolean } | undefined;
  const filter = el('input', {
    type: 'search',
    autocomplete: 'off',
    spellcheck: 'false',
    oninput: () => draw(),
  });
  const group = select(
    [['', 'All groups'], ...kernelGroups.map((id): [string, string] => [id, groups[id].name])],
    '',
  );
  group.addEventListener('change', () => draw());
  const tools = el('div', { class: 'table-tools' }, field('Name contains', filter), field('Group', group));
  const head = el('tr');
  const body = el('tbody');
  const table = el(
    'table',
    { class: 'numbers blocks kernels' },
    el('caption', { class: 'unseen' }, 'Kernels; the fastest variant of each comes first'),
    el('thead', {}, head),
    body,
  );
  const scroll = el(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': 'Table of kernels', tabindex: 0 },
    table,
  );
  const empty = hint();
  const marks = el('p', { class: 'hint', role: 'status' });
  const element = el('div', {}, tools, empty, scroll, marks);
  body.addEventListener('pointerover', (event) => {
    const row = (event.target as Element).closest('tr');
    onPoint(row?.dataset.kernel);
  });
  body.addEventListener('pointerleave', () => onPoint(undefined));

  const sortBy = (column: Column) => {
    const descending = sorted?.column === column ? !sorted.descending : false;
    sorted = { column, descending };
    draw();
  };
  const heading = (column: Column) => {
    const direction = sorted?.column !== column ? undefined : sorted.descending ? 'descending' : 'ascending';
    const arrow = direction && el('span', { 'aria-hidden': 'true' }, direction === 'ascending' ? ' ↑' : ' ↓');
    const button = el(
      'button',
      { type: 'button', class: 'sort', onclick: () => sortBy(column) },
      column.title,
      arrow,
    );
    return el('th', { scope: 'col', 'aria-sort': direction }, button);
  };
  const draw = () => {
    if (!content) return;
    const { kernels, roofs, all, baseline } = content;
    const rows = rowsOf(content);
    const wanted = filter.value.trim().toLowerCase();
    const shown = rows.filter(
      ({ kernel }) =>
        kernel.name.toLowerCase().includes(wanted) &&
        (group.value === '' || kernel.group === (group.value as KernelGroup)),
    );
    if (sorted) {
      const { column, descending } = sorted;
      const value = (row: Row) => column.value(row, roofs);
      shown.sort((a, b) => compare(value(a), value(b), descending) || a.position - b.position);
    }
    const visible = columns.filter(({ compared }) => !compared || baseline);
    const focused = document.activeElement?.closest('.kernels thead')
      ? document.activeElement.textContent
      : undefined;
    fill(head, ...visible.map(heading), el('th', { scope: 'col' }, 'Variant'));
    if (focused)
      [...head.querySelectorAll('button')]
        .find((b) => b.firstChild?.textContent === focused.replace(/ [↑↓]$/, ''))
        ?.focus();
    fill(body, ...shown.flatMap((row) => elementsOf(row, roofs, all, baseline !== undefined, onOpen)));
    tools.hidden = rows.length === 0;
    scroll.hidden = shown.length === 0;
    empty.hidden = shown.length > 0;
    setText(empty, rows.length > 0 ? 'No kernel matches.' : 'Kernels appear here when they are measured.');
    setText(marks, noteOf(kernels));
  };
  scroll.hidden = true;
  tools.hidden = true;
  return {
    element,
    show(given) {
      content = given;
      draw();
    },
    highlight(name) {
      for (const row of body.rows)
        row.classList.toggle('pointed', name !== undefined && row.dataset.kernel === name);
    },
  };
}

/** Compares numbers; NaN comes last in both directions. */
function compare(a: number, b: number, descending: boolean): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return (a < b ? -1 : a > b ? 1 : 0) * (descending ? -1 : 1);
}

function rowsOf({ kernels, run, baseline }: TableContent): Row[] {
  const changes = run && baseline ? compareRuns(run, baseline) : new Map<string, Change>();
  const before = new Map(baseline?.kernels.map((kernel) => [kernel.name, fastestOf(kernel)?.ms]));
  const names = new Set(kernels.map(({ name }) => name));
  const missing = baseline?.kernels.filter(({ name }) => !names.has(name)) ?? [];
  return [...kernels, ...missing].map((kernel, position) => ({
    kernel,
    measured: names.has(kernel.name),
    before: before.get(kernel.name),
    change: changes.get(kernel.name),
    position,
  }));
}

/** Whether other work disturbed the measurement of a kernel. */
const isDisturbed = (kernel: KernelResult): boolean => disturbance(kernel) > maxSpread;

function noteOf(kernels: readonly KernelResult[]): string {
  const count = kernels.filter(isDisturbed).length;
  const references = kernels.map(referenceNote).filter(Boolean);
  return [...(count > 0 ? [disturbedNote(count)] : []), ...references].join(' ');
}

function disturbedNote(count: number): string {
  return `⚠ ${pluralize(count, 'kernel')}: the spread is over ${formatPercent(maxSpread)}, or the machine was slower right after the measurement. Other work disturbed it; do not quote these numbers.`;
}

function elementsOf(
  row: Row,
  roofs: Roofs | undefined,
  all: boolean,
  compared: boolean,
  onOpen: (kernel: KernelResult) => void,
): HTMLTableRowElement[] {
  const { kernel, measured } = row;
  const shown = measured
    ? kernel.variants.filter((variant, i) => all || i === 0 || !variant.passed)
    : [kernel.variants[0]];
  return shown.map((variant, i) => {
    const name = kernel.spec
      ? el(
          'button',
          { type: 'button', class: 'link', title: 'Show the WGSL', onclick: () => onOpen(kernel) },
          kernel.name,
        )
      : kernel.name;
    const numbers: Child[] = measured
      ? cells(kernel, variant as VariantResult, roofs, i === 0)
      : ['', '', '', '', '', ''];
    return el(
      'tr',
      { class: measured ? (i === 0 ? '' : 'slower') : 'missing', 'data-kernel': kernel.name },
      i === 0
        ? el('th', { scope: 'row' }, name)
        : el('td', {}, el('span', { class: 'unseen' }, `${kernel.name}, slower variant`)),
      ...numbers.map((child, j) => el('td', { 'data-name': columns[j + 1]?.title }, child)),
      ...(compared ? comparison(row, i === 0) : []),
      measured
        ? variantCell(kernel, variant as VariantResult, i === 0 && !all)
        : el('td', { class: 'variant', 'data-name': 'Variant' }, 'only in the baseline'),
    );
  });
}

function cells(
  kernel: KernelResult,
  variant: VariantResult,
  roofs: Roofs | undefined,
  first: boolean,
): string[] {
  const { ms, low, high, error } = variant;
  if (ms === undefined || low === undefined || high === undefined)
    return ['wrong', '', '', '', '', errorText(error)];
  const rate = rateOf(kernel, variant);
  const spread = { ms, low, high };
  const { speed = 1 } = kernel;
  const busy = first && 1 - speed > maxSpread ? ` ⚠ at ${(100 * speed).toFixed(0)} % speed` : '';
  const marked = spreadOf(spread) > maxSpread ? ' ⚠' : '';
  return [
    time(ms),
    variant.rounds === 1 ? 'once' : `${relativeSpread(spread)}${busy || marked}`,
    rate > 0 ? formatNumber(rate) : '—',
    formatNumber(kernel.bytes / ms / 1e6),
    formatPercent(roofs ? shareOfRoof(kernel, variant, roofs) : Number.NaN),
    errorText(error),
  ];
}

/** Cells with the time of the baseline, and whether the difference is larger than the noise. */
function comparison({ before, change }: Row, first: boolean): HTMLTableCellElement[] {
  if (!first) return [el('td'), el('td')];
  const old = el('td', { 'data-name': 'Baseline' }, before === undefined ? '—' : time(before));
  if (!change) return [old, el('td', { 'data-name': 'Difference' }, '—')];
  const { change: by, noise, significant } = change;
  const text = `${by < 0 ? '−' : '+'}${(100 * Math.abs(by)).toFixed(1)} %`;
  const look = !significant ? 'same' : by < 0 ? 'quicker' : 'slower-now';
  const says = !significant ? 'within the noise' : by < 0 ? 'faster' : 'slower';
  return [
    old,
    el(
      'td',
      { class: `change ${look}`, 'data-name': 'Difference' },
      el('span', {}, text),
      el('span', { class: 'soft' }, ` ${says}, noise ${spreadText(noise)}`),
    ),
  ];
}

function variantCell(
  kernel: KernelResult,
  variant: VariantResult,
  withOthers: boolean,
): HTMLTableCellElement {
  const others = kernel.variants.length - 1;
  const cell = el(
    'td',
    { class: 'variant', 'data-name': 'Variant' },
    variant.variant === 'only' ? '' : variant.variant,
  );
  if (withOthers && others > 0) cell.append(el('span', { class: 'soft' }, ` of ${others + 1}`));
  if (variant.failure) cell.append(el('span', { class: 'wrong' }, ` ${variant.failure}`));
  return cell;
}
