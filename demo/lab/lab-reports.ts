// Reports of the lab: conformance of the adapter, comparison with other libraries, and the results as JSON.

import type { TimedForm, TimedKernel } from '../../bench/peers/kernel-times.ts';
import type { Conformance } from '../../src/bench/conformance.ts';
import { maxSpread, spreadOf } from '../../src/bench/spread.ts';
import { formatNumber } from '../../src/core/format-numbers.ts';
import { adapterName } from '../../src/engine/index.ts';
import { dataTable, factList } from '../common/data-views.ts';
import { type Child, el, hint, setText, stack } from '../common/dom.ts';
import { download } from '../common/save-blob.ts';
import type { CheckedConformance, LabResults } from './lab-protocol.ts';
import { errorText, pluralize, time } from './measurement-text.ts';

const verdict = (passed: boolean): HTMLElement =>
  el('span', { class: passed ? 'verdict good' : 'verdict bad' }, passed ? 'passes' : 'fails');

/**
 * Creates the conformance report of an adapter; after a check also of the engine: training, latencies, lost
 * devices.
 */
export function conformanceReport(report: Conformance | CheckedConformance): HTMLElement {
  const { features, limits, subgroups, kernels } = report;
  const variants = kernels.flatMap((kernel) => kernel.variants.map((variant) => ({ kernel, ...variant })));
  const wrong = kernels.filter((k) => !k.passed).length;
  const low = limits.filter((l) => !l.passed).length;
  const right = wrong + low === 0;
  const sum = right
    ? `${pluralize(kernels.length, 'kernel')} ${kernels.length === 1 ? 'matches' : 'match'} the float64 reference in every variant, and all limits are sufficient.`
    : `${wrong} of ${kernels.length} kernels are wrong in at least one variant; ${low} of ${limits.length} limits are too low.`;
  return stack(
    el('p', { class: `note ${right ? 'good' : 'bad'}` }, el('span', {}, sum)),
    'engine' in report && engineFacts(report),
    el(
      'div',
      { class: 'twin' },
      stack(
        el('h3', {}, 'Features and subgroups'),
        dataTable(
          'Features that kernels use',
          ['Feature', 'Available', 'Use'],
          [
            ...features.map(({ name, present, use }) => [name, present ? 'yes' : 'no', use]),
            [
              'subgroup size',
              subgroups
                ? subgroups.min === subgroups.max
                  ? `${subgroups.min}`
                  : `${subgroups.min} to ${subgroups.max}`
                : '—',
              'threads that execute in lockstep',
            ],
          ],
          'plain',
        ),
      ),
      stack(
        el('h3', {}, 'Limits'),
        dataTable(
          'Needed and available limits',
          ['Limit', 'Needed', 'Available', 'Result'],
          limits.map(({ name, needed, has, passed }) => [
            breakable(name),
            amount(needed),
            amount(has),
            verdict(passed),
          ]),
        ),
      ),
    ),
    el(
      'details',
      { open: !right },
      el('summary', {}, `Maximum error of each kernel (${kernels.length}) and variant (${variants.length})`),
      dataTable(
        'Maximum error of each kernel and variant',
        ['Kernel', 'Variant', 'Max. error', 'Tolerance', 'Result'],
        variants.map(({ kernel, variant, error, passed, failure }) => [
          kernel.name,
          variant === 'only' ? '' : variant,
          failure ?? errorText(error),
          errorText(kernel.allowed),
          verdict(passed),
        ]),
      ),
    ),
  );
}

/** Creates the list of the results for the engine. */
function engineFacts(report: CheckedConformance): HTMLElement {
  const { engine, machine, subgroupKernels, training, readbackMs, dispatchUs, recovery } = report;
  const { error, allowed, losses } = training;
  return factList([
    ['Engine', `${engine.name} ${engine.version}`],
    ['Adapter', adapterName(machine.adapter)],
    ['Subgroup kernels', subgroupKernels],
    [
      `${losses.length} training steps`,
      el('span', {}, `losses within ${errorText(error)} of the stored ones `, verdict(error <= allowed)),
    ],
    ['Readback', time(readbackMs)],
    ['Dispatch', time(dispatchUs / 1000)],
    [
      'Lost devices',
      el(
        'span',
        {},
        `${recovery.recovered} of ${recovery.lost} recovered with the same losses `,
        verdict(recovery.recovered === recovery.lost),
      ),
    ],
  ]);
}

/**
 * Creates the buttons that copy and download a conformance report, as `heddle conformance --json` writes it.
 */
export const conformanceJson = (report: CheckedConformance): HTMLElement =>
  jsonBox(report, `heddle-conformance-${report.when.replace(/[:.]/g, '-')}.json`);

/** Adds line-break opportunities to a camelCase name. */
const breakable = (name: string): HTMLElement =>
  el('span', {}, ...name.split(/(?=[A-Z])/).flatMap((part, i) => (i === 0 ? [part] : [el('wbr'), part])));

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

/** Creates the table of kernel times of several libraries; each library with its fastest form. */
export function peersReport(
  rows: readonly TimedKernel[],
  names: Readonly<Record<string, string>>,
): HTMLElement {
  const contestants = [...new Set(rows.flatMap((r) => r.forms.map((f) => f.contestant)))];
  const fastest = (row: TimedKernel, contestant: string): TimedForm | undefined =>
    row.forms.filter((f) => f.contestant === contestant).sort((a, b) => a.us - b.us)[0];
  const cell = (row: TimedKernel, contestant: string): Child => {
    const form = fastest(row, contestant);
    if (!form) return '—';
    const own = fastest(row, 'heddle');
    if (!own || contestant === 'heddle') return time(form.us / 1000);
    const factor = form.us / own.us;
    const [low, high] = [lowOf(form) / highOf(own), highOf(form) / lowOf(own)];
    // One factor if its range is too narrow to show.
    const range =
      formatNumber(low) === formatNumber(high) ? '' : ` (${formatNumber(low)}–${formatNumber(high)})`;
    const unsure = low < 1 && high > 1 ? ', no difference' : '';
    const marked = [form, own].some(isDisturbed) ? ' ⚠' : '';
    const times = el(
      'span',
      { class: high < 1 ? 'times faster' : 'times' },
      ` ${formatNumber(factor)} ×${range}${unsure}${marked}`,
    );
    return el('span', {}, time(form.us / 1000), times);
  };
  return stack(
    hint(
      'The libraries run in turn, each on its own device, timed by the CPU clock. Every result is compared with float64 before it is timed. The factor is the time relative to heddle, with its range from the quartiles of both times. ⚠ marks a spread over 20 %: do not quote these factors.',
    ),
    dataTable(
      'Kernels of several libraries',
      ['Kernel', ...contestants.map((c) => names[c] ?? c)],
      rows.map((row) => [row.name, ...contestants.map((c) => cell(row, c))]),
    ),
  );
}

/** Creates the description of the machine and the buttons that copy and download the results. */
export const resultsBox = (results: LabResults, share: () => Promise<string>): HTMLElement =>
  stack(
    machineFacts(results),
    jsonBox(results, `heddle-kernels-${results.when.replace(/[:.]/g, '-')}.json`, share),
  );

/**
 * Creates the buttons that copy and download a value as JSON, and copy a link that `share` returns. Infinite
 * values (the error of a kernel that did not run) become null.
 */
function jsonBox(value: unknown, file: string, share?: () => Promise<string>): HTMLElement {
  const json = `${JSON.stringify(value, undefined, 1)}\n`;
  const status = el('span', { class: 'hint', role: 'status' });
  const text = el('pre', { class: 'json', tabindex: 0, 'aria-label': 'Results as JSON' }, json);
  const details = el('details', {}, el('summary', {}, 'Show JSON'), text);
  const copy = async (content = json, open: HTMLDetailsElement = details, selected: HTMLElement = text) => {
    try {
      await navigator.clipboard.writeText(content);
      setText(status, 'Copied.');
    } catch {
      // No permission: select the text, so that the visitor can copy it.
      open.open = true;
      getSelection()?.selectAllChildren(selected);
      setText(status, 'This browser blocks copying; the text below is selected.');
    }
  };
  const link = el('pre', { class: 'json link-text', tabindex: 0, 'aria-label': 'Link to these results' });
  const linkDetails = el('details', {}, el('summary', {}, 'Show the link'), link);
  linkDetails.hidden = true;
  const shareLink = async (makeLink: () => Promise<string>) => {
    const url = await makeLink();
    setText(link, url);
    linkDetails.hidden = false;
    await copy(url, linkDetails, link);
  };
  const save = () => download(new Blob([json], { type: 'application/json' }), file);
  return stack(
    el(
      'div',
      { class: 'row' },
      el('button', { type: 'button', onclick: () => void copy() }, 'Copy as JSON'),
      el('button', { type: 'button', onclick: save }, 'Download JSON'),
      share &&
        el(
          'button',
          { type: 'button', onclick: () => void shareLink(share) },
          'Copy a link to these results',
        ),
      status,
    ),
    details,
    linkDetails,
  );
}

function machineFacts({ machine, when, heddle }: LabResults): HTMLElement {
  const { adapter, browser, agent, platform, threads, flags, clockGrain } = machine;
  const facts: readonly (readonly [string, string])[] = [
    ['Adapter', adapterName(adapter)],
    ['Browser', browser.join(', ') || agent],
    ['Platform', [platform, `${threads} threads`].filter(Boolean).join(', ')],
    ['Browser flags', flags.join(', ') || 'none'],
    ['CPU clock resolution', `${clockGrain} ms`],
    ['heddle', `${heddle}, ${when.slice(0, 16).replace('T', ' ')} UTC`],
  ];
  return factList(facts);
}
