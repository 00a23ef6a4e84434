// Table of kernels: time, share of the roofline and error of each.

import type { KernelResult, VariantResult } from '../../src/bench/check-kernel.ts';
import { formatNumber, formatPercent } from '../../src/core/format-numbers.ts';
import type { Roofs } from '../../src/gpu/roofs.ts';
import { el, fill } from '../common/dom.ts';
import { errorText, maxSpread, relativeSpread, time } from './measurement-text.ts';
import { rateOf, roofAt } from './roofline.ts';

/** The kernel table. */
export interface KernelTable {
  readonly element: HTMLElement;
  show(kernels: readonly KernelResult[], roofs: Roofs | undefined, all: boolean): void;
  /** Highlights the row of a kernel; undefined: none. */
  highlight(name: string | undefined): void;
}

const columns = ['Kernel', 'Time', 'Spread', 'GFLOP/s', 'GB/s', 'Of roofline', 'Error', 'Variant'] as const;

/** Creates an empty table; `onPoint` is called with the kernel under the pointer. */
export function createKernelTable(onPoint: (name: string | undefined) => void): KernelTable {
  const body = el('tbody');
  const table = el(
    'table',
    { class: 'numbers kernels' },
    el('caption', { class: 'unseen' }, 'Kernels; the fastest variant of each comes first'),
    el('thead', {}, el('tr', {}, ...columns.map((c) => el('th', { scope: 'col' }, c)))),
    body,
  );
  const scroll = el('div', { class: 'scroll', role: 'region', 'aria-label': 'Table of kernels', tabindex: 0 }, table);
  const empty = el('p', { class: 'hint' }, 'Kernels appear here when they are measured.');
  const element = el('div', {}, empty, scroll);
  scroll.hidden = true;
  body.addEventListener('pointerover', (event) => {
    const row = (event.target as Element).closest('tr');
    onPoint(row?.dataset.kernel);
  });
  body.addEventListener('pointerleave', () => onPoint(undefined));
  return {
    element,
    show(kernels, roofs, all) {
      empty.hidden = kernels.length > 0;
      scroll.hidden = kernels.length === 0;
      fill(body, ...kernels.flatMap((kernel) => rowsOf(kernel, roofs, all)));
    },
    highlight(name) {
      for (const row of body.rows) row.classList.toggle('pointed', name !== undefined && row.dataset.kernel === name);
    },
  };
}

function rowsOf(kernel: KernelResult, roofs: Roofs | undefined, all: boolean): HTMLTableRowElement[] {
  return kernel.variants
    .filter((variant, i) => all || i === 0 || !variant.passed)
    .map((variant, i) => {
      const name = i === 0 ? kernel.name : '';
      const row = el(
        'tr',
        { class: i === 0 ? '' : 'slower', 'data-kernel': kernel.name },
        i === 0
          ? el('th', { scope: 'row' }, name)
          : el('td', {}, el('span', { class: 'unseen' }, `${kernel.name}, slower variant`)),
        ...cells(kernel, variant, roofs).map((text) => el('td', {}, text)),
        variantCell(kernel, variant, i === 0 && !all),
      );
      return row;
    });
}

function cells(kernel: KernelResult, variant: VariantResult, roofs: Roofs | undefined): string[] {
  const { ms, low, high, error } = variant;
  if (ms === undefined || low === undefined || high === undefined) return ['wrong', '', '', '', '', errorText(error)];
  const rate = rateOf(kernel, variant);
  const bandwidth = kernel.bytes / ms / 1e6;
  const share = roofs
    ? rate > 0
      ? rate / roofAt(roofs, kernel.flops / kernel.bytes)
      : bandwidth / roofs.bandwidth.rate
    : Number.NaN;
  return [
    time(ms),
    variant.rounds === 1
      ? 'once'
      : `${relativeSpread({ ms, low, high })}${(high - low) / 2 / ms > maxSpread ? ' ⚠' : ''}`,
    rate > 0 ? formatNumber(rate) : '—',
    formatNumber(bandwidth),
    formatPercent(share),
    errorText(error),
  ];
}

function variantCell(kernel: KernelResult, variant: VariantResult, withOthers: boolean): HTMLTableCellElement {
  const others = kernel.variants.length - 1;
  const cell = el('td', { class: 'variant' }, variant.variant === 'only' ? '' : variant.variant);
  if (withOthers && others > 0) cell.append(el('span', { class: 'soft' }, ` of ${others + 1}`));
  if (variant.failure) cell.append(el('span', { class: 'wrong' }, ` ${variant.failure}`));
  return cell;
}
