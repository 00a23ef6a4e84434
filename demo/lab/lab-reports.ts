// Reports of the lab: conformance of the adapter, comparison with other libraries, the machine.

import type { TimedForm, TimedKernel } from '../../bench/peers/kernel-times.ts';
import type { Conformance } from '../../src/bench/conformance.ts';
import { maxSpread, spreadOf } from '../../src/bench/spread.ts';
import { adapterName } from '../../src/engine/index.ts';
import { formatMoment, formatNumber } from '../common/format.ts';
import { say, sayCount } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { dataTable, factList, hint } from '../common/tables.ts';
import type { CheckedConformance, LabResults } from './lab-protocol.ts';
import { errorText, time } from './measurement-text.ts';

const verdict = (passed: boolean): Content =>
  html`<span class="verdict ${passed ? 'good' : 'bad'}">${passed ? say`passes` : say`fails`}</span>`;

/**
 * The conformance report of an adapter; after a check also of the engine: training, latencies, lost devices.
 */
export function conformanceReport(report: Conformance | CheckedConformance): Content {
  const { limits, kernels } = report;
  const wrong = kernels.filter(({ passed }) => !passed).length;
  const low = limits.filter(({ passed }) => !passed).length;
  const isRight = wrong + low === 0;
  const sum = isRight
    ? sayCount(
        kernels.length,
        '{0} kernel matches the float64 reference in every variant, and all limits are sufficient.',
        '{0} kernels match the float64 reference in every variant, and all limits are sufficient.',
      )
    : say`${wrong} of ${kernels.length} kernels are wrong in at least one variant; ${low} of ${limits.length} limits are too low.`;
  return html`
    <div class="stack">
      <p class="note ${isRight ? 'good' : 'bad'}"><span>${sum}</span></p>
      ${'engine' in report ? engineFacts(report) : nothing}
      <div class="twin">
        <div class="stack">
          <h3>Features and subgroups</h3>
          ${featureTable(report)}
        </div>
        <div class="stack">
          <h3>Limits</h3>
          ${limitTable(report)}
        </div>
      </div>
      ${errorTable(report, !isRight)}
    </div>`;
}

function featureTable({ features, subgroups }: Conformance): Content {
  const sizes = subgroups && [...new Set([subgroups.min, subgroups.max])].join(say` to `);
  return dataTable(
    say`Features that kernels use`,
    [say`Feature`, say`Available`, say`Use`],
    [
      ...features.map(({ name, present, use }) => [name, present ? say`yes` : say`no`, use]),
      [say`subgroup size`, sizes ?? '—', say`threads that execute in lockstep`],
    ],
    'plain',
  );
}

function limitTable({ limits }: Conformance): Content {
  return dataTable(
    say`Needed and available limits`,
    [say`Limit`, say`Needed`, say`Available`, say`Result`],
    limits.map(({ name, needed, has, passed }) => [
      breakable(name),
      amount(needed),
      amount(has),
      verdict(passed),
    ]),
  );
}

function errorTable({ kernels }: Conformance, isOpen: boolean): Content {
  const variants = kernels.flatMap((kernel) => kernel.variants.map((variant) => ({ kernel, ...variant })));
  const rows = variants.map(({ kernel, variant, error, passed, failure }): readonly Content[] => [
    kernel.name,
    variant === 'only' ? '' : variant,
    failure ?? errorText(error),
    errorText(kernel.allowed),
    verdict(passed),
  ]);
  return html`
    <details ?open=${isOpen}>
      <summary>Maximum error of each kernel (${kernels.length}) and variant (${variants.length})</summary>
      ${dataTable(
        say`Maximum error of each kernel and variant`,
        [say`Kernel`, say`Variant`, say`Max. error`, say`Tolerance`, say`Result`],
        rows,
      )}
    </details>`;
}

/** The results for the engine. */
function engineFacts(report: CheckedConformance): Content {
  const { engine, machine, subgroupKernels, training, readbackMs, dispatchUs, recovery } = report;
  const { error, allowed, losses } = training;
  const { lost, recovered } = recovery;
  const within = say`losses within ${errorText(error)} of the stored ones `;
  const same = say`${recovered} of ${lost} recovered with the same losses `;
  return factList([
    [say`Engine`, `${engine.name} ${engine.version}`],
    [say`Adapter`, adapterName(machine.adapter)],
    [say`Subgroup kernels`, subgroupKernels],
    [say`${losses.length} training steps`, html`<span>${within}${verdict(error <= allowed)}</span>`],
    [say`Readback`, time(readbackMs)],
    [say`Dispatch`, time(dispatchUs / 1000)],
    [say`Lost devices`, html`<span>${same}${verdict(recovered === lost)}</span>`],
  ]);
}

/** Adds line-break opportunities to a camelCase name. */
const breakable = (name: string): Content =>
  html`<span>${name.split(/(?=[A-Z])/).map((part, i) => html`${i > 0 ? html`<wbr />` : nothing}${part}`)}</span>`;

/** Formats a limit with binary prefixes. */
function amount(n: number): string {
  if (n >= 2 ** 30) return `${formatNumber(n / 2 ** 30)} Gi`;
  if (n >= 2 ** 20) return `${formatNumber(n / 2 ** 20)} Mi`;
  return n >= 2 ** 14 && n % 1024 === 0 ? `${n / 1024} Ki` : String(n);
}

/** Quartiles of a form; files of earlier versions have only the median. */
const lowOf = ({ us, low = us }: TimedForm): number => low;
const highOf = ({ us, high = us }: TimedForm): number => high;

/** Whether other work disturbed a measurement. */
const isDisturbed = (form: TimedForm): boolean =>
  spreadOf({ ms: form.us, low: lowOf(form), high: highOf(form) }) > maxSpread;

/** The fastest form of a library for a kernel. */
const fastestForm = (row: TimedKernel, contestant: string): TimedForm | undefined =>
  row.forms.filter((form) => form.contestant === contestant).sort((a, b) => a.us - b.us)[0];

/** The table of kernel times of several libraries; each library with its fastest form. */
export function peersReport(rows: readonly TimedKernel[], names: Readonly<Record<string, string>>): Content {
  const contestants = [...new Set(rows.flatMap(({ forms }) => forms.map(({ contestant }) => contestant)))];
  return html`
    <div class="stack">
      ${hint(
        say`The libraries run in turn, each on its own device, timed by the CPU clock. Every result is compared with float64 before it is timed. The factor is the time relative to heddle, with its range from the quartiles of both times. ⚠ marks a spread over 20 %: do not quote these factors.`,
      )}
      ${dataTable(
        say`Kernels of several libraries`,
        [say`Kernel`, ...contestants.map((name) => names[name] ?? name)],
        rows.map((row) => [row.name, ...contestants.map((name) => peerCell(row, name))]),
      )}
    </div>`;
}

/** The time of a library, and the factor to that of heddle. */
function peerCell(row: TimedKernel, contestant: string): Content {
  const form = fastestForm(row, contestant);
  if (!form) return '—';
  const own = fastestForm(row, 'heddle');
  if (!own || contestant === 'heddle') return time(form.us / 1000);
  const factor = form.us / own.us;
  const [low, high] = [lowOf(form) / highOf(own), highOf(form) / lowOf(own)];
  // One factor if its range is too narrow to show.
  const range =
    formatNumber(low) === formatNumber(high) ? '' : ` (${formatNumber(low)}–${formatNumber(high)})`;
  const unsure = low < 1 && high > 1 ? say`, no difference` : '';
  const marked = [form, own].some(isDisturbed) ? ' ⚠' : '';
  const times = ` ${formatNumber(factor)} ×${range}${unsure}${marked}`;
  return html`
    <span>${time(form.us / 1000)}<span class=${high < 1 ? 'times faster' : 'times'}>${times}</span></span>`;
}

/** The machine of a run in one line. */
export const machineLine = ({ machine, when, heddle }: LabResults): string =>
  `${adapterName(machine.adapter)}; ${machine.browser}; heddle ${heddle}; ${when.slice(0, 10)}`;

/** The machine of the results. */
export function machineFacts({ machine, when, heddle }: LabResults): Content {
  const { adapter, browser, agent, platform, threads, flags, clockGrain } = machine;
  return factList([
    [say`Adapter`, adapterName(adapter)],
    [say`Browser`, browser.join(', ') || agent],
    [say`Platform`, [platform, say`${threads} threads`].filter(Boolean).join(', ')],
    [say`Browser flags`, flags.join(', ') || say`none`],
    [say`CPU clock resolution`, `${clockGrain} ms`],
    ['heddle', `${heddle}, ${formatMoment(Date.parse(when))}`],
  ]);
}
