// Panel of earlier runs: show, compare with one as baseline, delete; files of results as baseline.

import { type BenchRun, readBenchRun } from '../../src/bench/bench-file.ts';
import { formatNumber } from '../../src/core/format-numbers.ts';
import { el, fill, hint, setText, stack } from '../common/dom.ts';
import type { LabResults } from './lab-protocol.ts';
import { pluralize, spreadText } from './measurement-text.ts';

/** A run to compare with. */
export interface Baseline {
  readonly run: BenchRun;
  /** Its source: `earlier run`, `file NAME`, `shared result`. */
  readonly kind: string;
}

/** Callbacks of the panel. */
export interface HistoryHost {
  show(run: LabResults): void;
  /** Sets the baseline; undefined removes it. */
  compare(baseline: Baseline | undefined): void;
  remove(run: LabResults): void;
}

/** The panel. */
export interface HistoryPanel {
  readonly element: HTMLElement;
  show(runs: readonly LabResults[], shown: LabResults | undefined, baseline: Baseline | undefined): void;
  /** Opens a file of results as baseline. */
  openFile(file: File): Promise<void>;
}

/** Largest file of results, in bytes. */
const maxFile = 20e6;

/** Creates the panel. */
export function createHistoryPanel(host: HistoryHost): HistoryPanel {
  const input = el('input', {
    type: 'file',
    accept: '.json,application/json',
    class: 'unseen',
    tabindex: -1,
    'aria-label': 'File of results',
  });
  const openButton = el(
    'button',
    { type: 'button', onclick: () => input.click() },
    'Open a file of results …',
  );
  const clear = el(
    'button',
    { type: 'button', onclick: () => host.compare(undefined) },
    'Remove the baseline',
  );
  const current = el('p', { class: 'status baseline-of', role: 'status' });
  const body = el('tbody');
  const table = el(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': 'Earlier runs', tabindex: 0 },
    el(
      'table',
      { class: 'plain' },
      el('caption', { class: 'unseen' }, 'Earlier runs'),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...['Run', 'Adapter', 'Kernels', 'Roofs', ''].map((t) =>
            el('th', { scope: 'col' }, t || el('span', { class: 'unseen' }, 'Actions')),
          ),
        ),
      ),
      body,
    ),
  );
  const openFile = async (file: File) => {
    try {
      if (file.size > maxFile)
        throw new Error(
          `${file.name} has ${(file.size / 1e6).toFixed(0)} MB; the limit is ${maxFile / 1e6} MB. Open a JSON file of results.`,
        );
      host.compare({ run: readBenchRun(await file.text()), kind: `file ${file.name}` });
    } catch (error) {
      current.classList.add('wrong');
      setText(current, error instanceof Error ? error.message : String(error));
    }
  };
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    if (file) void openFile(file);
    input.value = '';
  });
  return {
    element: stack(
      hint(
        'A baseline is an earlier run, or a JSON file of this page or of heddle bench --json, which you can also drop here. The table then shows the difference of each kernel, and whether it is larger than the noise.',
      ),
      el('div', { class: 'row' }, openButton, clear, input),
      current,
      table,
    ),
    show(runs, shown, baseline) {
      current.classList.remove('wrong');
      setText(current, baseline ? describe(baseline, shown) : 'No baseline.');
      clear.hidden = !baseline;
      table.hidden = runs.length === 0;
      fill(
        body,
        ...runs.map((run) => {
          const when = whenOf(run.when);
          const act = (name: string, action: () => void, disabled = false) =>
            el(
              'button',
              { type: 'button', class: 'quiet', disabled, 'aria-label': `${name}: ${when}`, onclick: action },
              name,
            );
          return el(
            'tr',
            {},
            el('th', { scope: 'row' }, when),
            el('td', {}, run.adapter),
            el('td', {}, pluralize(run.kernels.length, 'kernel')),
            el('td', {}, roofText(run)),
            el(
              'td',
              { class: 'actions' },
              act('Show', () => host.show(run), run.when === shown?.when),
              act(
                'Compare',
                () => host.compare({ run, kind: 'earlier run' }),
                run.when === shown?.when || run === baseline?.run,
              ),
              act('Delete', () => host.remove(run)),
            ),
          );
        }),
      );
    },
    openFile,
  };
}

const whenOf = (when: string): string =>
  when ? `${when.slice(0, 16).replace('T', ' ')} UTC` : 'unknown time';

/** `12.3 GB/s ± 2 %, 140 GFLOP/s ± 1 %` */
export function roofText({ roofs, roofSpread }: Pick<BenchRun, 'roofs' | 'roofSpread'>): string {
  if (!roofs) return 'bandwidth and peak not measured';
  const spread = (name: 'bandwidth' | 'peak') =>
    roofSpread ? ` ${spreadText(roofSpread[name].spread / 2)}` : '';
  return `${formatNumber(roofs.bandwidth.rate)} GB/s${spread('bandwidth')}, ${formatNumber(roofs.peak.rate)} GFLOP/s${spread('peak')}`;
}

function describe({ run, kind }: Baseline, shown: LabResults | undefined): string {
  const text = `Baseline: ${kind}, ${run.adapter}, ${whenOf(run.when)}, ${pluralize(run.kernels.length, 'kernel')}, ${roofText(run)}.`;
  return shown && shown.adapter !== run.adapter ? `${text} Its adapter is not that of the run above.` : text;
}
