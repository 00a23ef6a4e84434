// Table of kernels: time, spread, share of the roofline, error, and difference from a baseline. It can be
// sorted and filtered.

import { type BenchRun, compareRuns, fastestOf, referenceNote } from '../../src/bench/bench-file.ts';
import type { KernelResult, VariantResult } from '../../src/bench/check-kernel.ts';
import { kernelGroups } from '../../src/bench/kernel-case.ts';
import { rateOf, shareOfRoof } from '../../src/bench/roofline-model.ts';
import { type Change, disturbance, maxSpread, spreadOf } from '../../src/bench/spread.ts';
import { present } from '../../src/core/present.ts';
import type { Roofs } from '../../src/engine/index.ts';
import { field, options } from '../common/form-fields.ts';
import { fixed, formatNumber, formatPercent } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';
import { errorText, kernelCount, relativeSpread, spreadText, time } from './measurement-text.ts';
import { groups } from './roofline-points.ts';
import { variantName } from './variant-name.ts';

/** Data of the table. */
export interface TableContent {
  readonly kernels: readonly KernelResult[];
  readonly roofs: Roofs | undefined;
  readonly all: boolean;
  /** The run to compare with the baseline. */
  readonly run: Pick<BenchRun, 'kernels' | 'roofSpread'> | undefined;
  readonly baseline: BenchRun | undefined;
}

/** A row of the table, for a kernel with all its variants. */
interface Row {
  /** A kernel of the run, or one that only the baseline has. */
  readonly kernel: KernelResult;
  /** Whether the run has measured it. */
  readonly isMeasured: boolean;
  readonly before: number | undefined;
  readonly change: Change | undefined;
  readonly position: number;
}

interface Column {
  readonly title: string;
  /** The sort key of a row. */
  value(row: Row, roofs: Roofs | undefined): number;
  /** Whether the column needs a baseline. */
  readonly isCompared?: boolean;
}

const best = ({ kernel: { variants } }: Row): VariantResult | undefined => variants[0];
const columns: readonly Column[] = [
  { title: say`Kernel`, value: ({ position }) => position },
  { title: say`Time`, value: (row) => best(row)?.ms ?? Number.NaN },
  { title: say`Spread`, value: ({ kernel }) => disturbance(kernel) },
  { title: 'GFLOP/s', value: (row) => rateOf(row.kernel, best(row) as VariantResult) },
  { title: 'GB/s', value: (row) => row.kernel.bytes / (best(row)?.ms ?? Number.NaN) },
  {
    title: say`% of roofline`,
    value: (row, roofs) => (roofs ? shareOfRoof(row.kernel, best(row) as VariantResult, roofs) : Number.NaN),
  },
  { title: say`Error`, value: (row) => Math.max(...row.kernel.variants.map((v) => v.error)) },
  { title: say`Baseline`, value: ({ before = Number.NaN }) => before, isCompared: true },
  { title: say`Difference`, value: ({ change }) => change?.change ?? Number.NaN, isCompared: true },
];

/** The groups as options. */
const groupNames = kernelGroups.map((id) => [id, groups[id].name] as const);

/** The table. */
export class KernelTable extends Panel {
  readonly #onPoint: (name: string | undefined) => void;
  readonly #onOpen: (kernel: KernelResult) => void;
  #content: TableContent | undefined;
  #sorted: { readonly column: Column; readonly isDescending: boolean } | undefined;
  #filter = '';
  #group = '';
  /** Name of the highlighted kernel. */
  #pointed: string | undefined;

  /** `onPoint` is called with the kernel under the pointer, `onOpen` with a pressed one. */
  constructor(onPoint: (name: string | undefined) => void, onOpen: (kernel: KernelResult) => void) {
    super('');
    this.#onPoint = onPoint;
    this.#onOpen = onOpen;
    this.draw();
  }

  show(content: TableContent): void {
    this.#content = content;
    this.draw();
  }

  /** Highlights the row of a kernel; undefined: none. */
  highlight(name: string | undefined): void {
    this.#pointed = name;
    this.draw();
  }

  #sortBy(column: Column): void {
    const isDescending = this.#sorted?.column === column ? !this.#sorted.isDescending : false;
    this.#sorted = { column, isDescending };
    this.draw();
  }

  #editFilter(event: Event): void {
    this.#filter = (event.target as HTMLInputElement).value;
    this.draw();
  }

  #selectGroup(event: Event): void {
    this.#group = (event.target as HTMLSelectElement).value;
    this.draw();
  }

  #point(event: Event): void {
    this.#onPoint((event.target as Element).closest('tr')?.dataset.kernel);
  }

  /** The rows that match the filters, in their order. */
  #shownRows(rows: readonly Row[], roofs: Roofs | undefined): Row[] {
    const wanted = this.#filter.trim().toLowerCase();
    const shown = rows.filter(
      ({ kernel }) =>
        kernel.name.toLowerCase().includes(wanted) && (this.#group === '' || kernel.group === this.#group),
    );
    if (!this.#sorted) return shown;
    const { column, isDescending } = this.#sorted;
    const value = (row: Row) => column.value(row, roofs);
    return shown.sort((a, b) => compare(value(a), value(b), isDescending) || a.position - b.position);
  }

  protected override template(): Content {
    const content = this.#content;
    const rows = content ? rowsOf(content) : [];
    const shown = this.#shownRows(rows, content?.roofs);
    const visible = columns.filter(({ isCompared }) => !isCompared || content?.baseline);
    const empty =
      rows.length > 0 ? say`No kernel matches.` : say`Kernels appear here when they are measured.`;
    return html`
      <div class="table-tools" ?hidden=${rows.length === 0}>${this.#tools()}</div>
      <p class="hint" ?hidden=${shown.length > 0}>${empty}</p>
      <div
        class="scroll"
        role="region"
        aria-label="Table of kernels"
        tabindex="0"
        ?hidden=${shown.length === 0}
      >
        <table class="numbers blocks kernels">
          <caption class="unseen">Kernels; the fastest variant of each comes first</caption>
          <thead>
            <tr>${visible.map((column) => this.#heading(column))}<th scope="col">Variant</th></tr>
          </thead>
          <tbody @pointerover=${this.#point} @pointerleave=${() => this.#onPoint(undefined)}>
            ${shown.map((row) => this.#rows(row))}
          </tbody>
        </table>
      </div>
      <p class="hint" role="status">${content ? noteOf(content.kernels) : ''}</p>`;
  }

  #tools(): Content {
    const list = options([['', say`All groups`], ...groupNames], this.#group);
    return html`
      ${field(
        'table-filter',
        say`Name contains`,
        html`<input
          id="table-filter"
          type="search"
          autocomplete="off"
          spellcheck="false"
          @input=${this.#editFilter}
        />`,
      )}
      ${field(
        'table-group',
        say`Group`,
        html`<select id="table-group" @change=${this.#selectGroup}>${list}</select>`,
      )}`;
  }

  #heading(column: Column): Content {
    const isSorted = this.#sorted?.column === column;
    const direction = this.#sorted?.isDescending ? 'descending' : 'ascending';
    const arrow = html`<span aria-hidden="true">${direction === 'ascending' ? ' ↑' : ' ↓'}</span>`;
    return html`
      <th scope="col" aria-sort=${isSorted ? direction : nothing}>
        <button type="button" class="sort" @click=${() => this.#sortBy(column)}>${column.title}${
          isSorted ? arrow : nothing
        }</button>
      </th>`;
  }

  /** The rows of a kernel: its fastest variant, and the others if they are wanted or wrong. */
  #rows(row: Row): Content {
    const { kernel, isMeasured } = row;
    if (!isMeasured) return this.#missingRow(row);
    return kernel.variants
      .filter((variant, i) => this.#content?.all || i === 0 || !variant.passed)
      .map((variant, i) => this.#row(row, variant, i === 0));
  }

  #row(row: Row, variant: VariantResult, isFirst: boolean): Content {
    const { kernel } = row;
    const { roofs, all = false, baseline } = this.#content ?? {};
    const heading = isFirst
      ? html`<th scope="row">${this.#name(kernel)}</th>`
      : html`<td><span class="unseen">${kernel.name}, slower variant</span></td>`;
    return html`
      <tr class=${this.#look(kernel, isFirst ? '' : 'slower')} data-kernel=${kernel.name}>
        ${heading}${numberCells(cells(kernel, variant, roofs, isFirst))}
        ${baseline ? comparison(row, isFirst) : nothing}
        <td class="variant" data-name="Variant">${variantText(kernel, variant, isFirst && !all)}</td>
      </tr>`;
  }

  /** The row of a kernel that only the baseline has. */
  #missingRow(row: Row): Content {
    const { kernel } = row;
    return html`
      <tr class=${this.#look(kernel, 'missing')} data-kernel=${kernel.name}>
        <th scope="row">${this.#name(kernel)}</th>
        ${numberCells(['', '', '', '', '', ''])} ${comparison(row, true)}
        <td class="variant" data-name="Variant">only in the baseline</td>
      </tr>`;
  }

  #look(kernel: KernelResult, look: string): string {
    return this.#pointed === kernel.name ? `${look} pointed`.trim() : look;
  }

  #name(kernel: KernelResult): Content {
    if (!kernel.spec) return kernel.name;
    const open = () => this.#onOpen(kernel);
    return html`<button type="button" class="link" title="Show the WGSL" @click=${open}>${kernel.name}</button>`;
  }
}

const numberCells = (texts: readonly string[]): Content =>
  texts.map((text, i) => html`<td data-name=${columns[i + 1]?.title ?? ''}>${text}</td>`);

/** Compares numbers; NaN comes last in both directions. */
function compare(a: number, b: number, isDescending: boolean): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return (a < b ? -1 : a > b ? 1 : 0) * (isDescending ? -1 : 1);
}

function rowsOf({ kernels, run, baseline }: TableContent): Row[] {
  const changes = run && baseline ? compareRuns(run, baseline) : new Map<string, Change>();
  const before = new Map(baseline?.kernels.map((kernel) => [kernel.name, fastestOf(kernel)?.ms]));
  const names = new Set(kernels.map(({ name }) => name));
  const missing = baseline?.kernels.filter(({ name }) => !names.has(name)) ?? [];
  return [...kernels, ...missing].map((kernel, position) => ({
    kernel,
    isMeasured: names.has(kernel.name),
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
  return present([count > 0 ? disturbedNote(count) : undefined, ...references]).join(' ');
}

function disturbedNote(count: number): string {
  return say`⚠ ${kernelCount(count)}: the spread is over ${formatPercent(maxSpread)}, or the machine was slower right after the measurement. Other work disturbed it; do not quote these numbers.`;
}

/** Time, spread, rates, share of the roofline and error of a variant. */
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
  const busy = first && 1 - speed > maxSpread ? say` ⚠ at ${fixed(100 * speed, 0)} % speed` : '';
  const marked = spreadOf(spread) > maxSpread ? ' ⚠' : '';
  return [
    time(ms),
    variant.rounds === 1 ? say`once` : `${relativeSpread(spread)}${busy || marked}`,
    rate > 0 ? formatNumber(rate) : '—',
    formatNumber(kernel.bytes / ms / 1e6),
    formatPercent(roofs ? shareOfRoof(kernel, variant, roofs) : Number.NaN),
    errorText(error),
  ];
}

/** Cells with the time of the baseline, and whether the difference is larger than the noise. */
function comparison({ before, change }: Row, isFirst: boolean): Content {
  if (!isFirst) return html`<td></td><td></td>`;
  const old = html`<td data-name="Baseline">${before === undefined ? '—' : time(before)}</td>`;
  if (!change) return html`${old}<td data-name="Difference">—</td>`;
  const { change: by, noise, significant } = change;
  const text = `${by < 0 ? '−' : '+'}${fixed(100 * Math.abs(by), 1)} %`;
  const look = !significant ? 'same' : by < 0 ? 'quicker' : 'slower-now';
  const says = !significant ? say`within the noise` : by < 0 ? say`faster` : say`slower`;
  return html`
    ${old}
    <td class="change ${look}" data-name="Difference">
      <span>${text}</span><span class="soft">${say` ${says}, noise ${spreadText(noise)}`}</span>
    </td>`;
}

/** The name of a variant, of how many it is one, and why it failed. */
function variantText(kernel: KernelResult, variant: VariantResult, withOthers: boolean): Content {
  const others = kernel.variants.length - 1;
  const name = variant.variant === 'only' ? '' : variantName(variant.variant);
  const count = html`<span class="soft">${say` of ${others + 1}`}</span>`;
  const failure = html`<span class="wrong">${` ${variant.failure ?? ''}`}</span>`;
  return html`${name}${withOthers && others > 0 ? count : nothing}${variant.failure ? failure : nothing}`;
}
