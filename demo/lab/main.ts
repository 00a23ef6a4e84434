// The kernel lab: mounts its parts and shows the messages of the worker.

import { version } from '../../package.json';
import type { KernelResult } from '../../src/bench/check-kernel.ts';
import { formatPercent } from '../../src/core/format-numbers.ts';
import { adapterName } from '../../src/engine/index.ts';
import { byId, el, fill, hint, onFrame, set, setText, whenVisible } from '../common/dom.ts';
import { mountHeader, type PageHeader } from '../common/page-header.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { type Baseline, createHistoryPanel, roofText } from './history-panel.ts';
import { createKernelEditor } from './kernel-editor.ts';
import { createKernelTable } from './kernel-table.ts';
import { createControls } from './lab-controls.ts';
import {
  type LabReply,
  type LabResults,
  type LabSettings,
  peerNames,
  type TriedReply,
} from './lab-protocol.ts';
import { conformanceJson, conformanceReport, peersReport, resultsBox } from './lab-reports.ts';
import { createLabSession } from './lab-session.ts';
import { pluralize } from './measurement-text.ts';
import { createRoofline } from './roofline.ts';
import { fromHash, toHash } from './shared-results.ts';
import { openHistory } from './stored-runs.ts';

/** A run during the measurement: the roofs come first, then kernels. */
type Run = { -readonly [N in keyof Omit<LabResults, 'roofs'>]: LabResults[N] } & {
  roofs?: LabResults['roofs'];
};

/** Duration of a measurement in the editor. */
const editorTime = { span: 20, rounds: 7 } as const;

const header = mountHeader('lab');
const problem = await findProblem();
if (problem) fill(byId('webgpu-problem'), problemPage(problem, { recordedRun: true }));
else mountLab(header);

function mountLab({ showAdapter }: PageHeader): void {
  let run: Run | undefined;
  let runs: LabResults[] = [];
  let baseline: Baseline | undefined;
  let settings: LabSettings | undefined;
  const history = openHistory();

  const roofline = createRoofline((name) => table.highlight(name));
  const table = createKernelTable(
    (name) => roofline.highlight(name),
    (kernel) => void openEditor(kernel),
  );
  const all = el('input', { type: 'checkbox', onchange: () => draw() });
  const roofs = hint();
  const busy = el('div', { class: 'note bad', role: 'status' });
  const results = (): LabResults | undefined => (run?.roofs ? (run as LabResults) : undefined);

  const draw = onFrame(() => {
    const kernels = run?.kernels ?? [];
    const peers = run?.peers ?? [];
    roofline.show({
      kernels,
      peers,
      roofs: run?.roofs,
      all: all.checked,
      baseline: baseline?.run.kernels ?? [],
    });
    table.show({ kernels, roofs: run?.roofs, all: all.checked, run, baseline: baseline?.run });
    setText(roofs, run?.roofs ? roofsLine(run as LabResults) : '');
    showBusy(run, busy, () => controls.start());
    set(byId('peers'), { hidden: peers.length === 0 });
    if (peers.length > 0) fill(byId('peer-table'), peersReport(peers, peerNames));
    panel.show(runs, results(), baseline);
  });
  /** Shows the reports of a complete run. */
  const drawReports = () => {
    const shown = results();
    set(byId('conformance'), { hidden: !shown?.conformance });
    set(byId('results'), { hidden: !shown || shown.kernels.length === 0 });
    if (shown?.conformance) fill(byId('conformance-report'), conformanceReport(shown.conformance));
    if (shown)
      fill(
        byId('results-box'),
        resultsBox(shown, async () => location.href.replace(/#.*/, '') + (await toHash(shown))),
      );
    draw();
  };
  let storing: Promise<void> = Promise.resolve();
  /**
   * Stores the current run, also during the measurement, since the visitor may leave the page at any time.
   */
  const keep = () => {
    const { when } = run ?? {};
    storing = storing.then(async () => {
      const shown = results();
      if (!shown || shown.when !== when || shown.kernels.length === 0) return;
      await history.put({ ...shown }).catch(() => {});
      runs = [{ ...shown }, ...runs.filter((known) => known.when !== shown.when)];
      draw();
    });
  };

  const onReply = (reply: LabReply) => {
    if (reply.type === 'machine') {
      showAdapter(reply.name);
      if (settings)
        run = {
          heddle: version,
          when: reply.when,
          adapter: reply.name,
          settings,
          machine: reply.machine,
          kernels: [],
        };
    } else if (reply.type === 'progress') controls.setProgress(reply.done, reply.total, reply.next);
    else if (reply.type === 'roofs' && run) run.roofs = reply.roofs;
    else if (reply.type === 'kernel' && run) {
      run.kernels = [...run.kernels, reply.kernel];
      keep();
    } else if (reply.type === 'peer-kernel' && run) run.peers = [...(run.peers ?? []), reply.kernel];
    else if (reply.type === 'checked') {
      finish();
      controls.setStatus(`Done: this engine ${reply.report.passed ? 'passes' : 'fails a check'}.`);
      fill(byId('conformance-report'), conformanceReport(reply.report), conformanceJson(reply.report));
      set(byId('conformance'), { hidden: false });
    } else if (reply.type === 'stopped' || reply.type === 'failed' || reply.type === 'done') {
      finish();
      if (reply.type === 'stopped')
        controls.setStatus(`Stopped after ${pluralize(run?.kernels.length ?? 0, 'kernel')}.`);
      if (reply.type === 'failed') controls.setStatus(reply.message, 'bad');
      if (reply.type === 'done') {
        run = { ...reply.results };
        controls.setStatus(doneText(reply.results));
      }
      keep();
      drawReports();
    }
    draw();
  };

  const session = createLabSession(onReply);
  const begin = () => {
    for (const id of ['conformance', 'results']) set(byId(id), { hidden: true });
    controls.setRunning(true);
    editor.setEnabled(false);
    draw();
  };
  const finish = () => {
    controls.setRunning(false);
    editor.setEnabled(true);
  };
  const controls = createControls({
    measure(chosen) {
      settings = chosen;
      run = undefined;
      begin();
      session.start(chosen);
    },
    checkConformance() {
      settings = undefined;
      begin();
      session.check();
    },
    stop: () => session.stop(),
  });
  const editor = createKernelEditor({
    show: (spec) => session.show(spec),
    run: async (spec, own) => {
      controls.setBusy(true);
      try {
        const reply = await session.run(spec, own, editorTime);
        addAttempt(reply);
        return reply;
      } finally {
        controls.setBusy(false);
      }
    },
  });
  /** Adds the result of a visitor's kernel to the current run. */
  const addAttempt = ({ tried: { result }, roofs: measured, machine }: TriedReply) => {
    if (!result) return;
    run ??= {
      heddle: version,
      when: new Date().toISOString(),
      adapter: adapterName(machine.adapter),
      settings: { set: 'small', filter: '', specs: [], ...editorTime, peers: [] },
      machine,
      kernels: [],
    };
    run.roofs ??= measured;
    run.kernels = withAttempt(run.kernels, result);
    keep();
    drawReports();
  };
  const openEditor = async (kernel: KernelResult) => {
    if (!kernel.spec) return;
    const best = kernel.variants.find(({ variant }) => !/^yours /.test(variant));
    await editor.open(kernel.spec, best?.variant);
    byId('editor').scrollIntoView();
    byId('editor').focus();
  };
  const panel = createHistoryPanel({
    show(chosen) {
      run = { ...chosen };
      controls.setStatus(`Run of ${chosen.when.slice(0, 16).replace('T', ' ')} UTC.`);
      drawReports();
    },
    compare(chosen) {
      baseline = chosen;
      draw();
    },
    async remove(chosen) {
      await history.remove(chosen.when).catch(() => {});
      runs = await history.list();
      if (run?.when === chosen.when) run = undefined;
      drawReports();
    },
  });

  byId('controls').append(controls.element);
  fill(byId('roofline'), busy, roofline.element, roofs);
  fill(byId('table'), el('label', { class: 'check' }, all, 'Show all variants'), table.element);
  fill(byId('editor-box'), editor.element);
  fill(byId('history-box'), panel.element);
  acceptFiles((file) => void panel.openFile(file));
  set(byId('lab'), { hidden: false });
  draw();
  // The worker starts when the editor becomes visible.
  whenVisible(
    byId('editor'),
    () => editor.isEmpty() && void editor.start({ family: 'matmul', values: { M: 128, K: 128, N: 128 } }),
    '200px',
  );
  void restore();

  /** Shows the last run, and the results in the address as baseline. */
  async function restore(): Promise<void> {
    runs = await history.list();
    const [last] = runs;
    if (last && !run) {
      run = { ...last };
      controls.setStatus(`Run of ${last.when.slice(0, 16).replace('T', ' ')} UTC.`);
    }
    await openShared();
    drawReports();
  }
  async function openShared(): Promise<void> {
    try {
      const shared = await fromHash(location.hash);
      if (!shared) return;
      baseline = { run: shared, kind: 'shared result' };
      draw();
    } catch (error) {
      controls.setStatus(error instanceof Error ? error.message : String(error), 'bad');
    }
  }
  window.addEventListener('hashchange', () => void openShared());
}

/** Kernels with the result of a visitor's kernel, next to earlier ones of the same kernel. */
function withAttempt(kernels: readonly KernelResult[], result: KernelResult): KernelResult[] {
  const old = kernels.find(({ name }) => name === result.name);
  const names = new Set(result.variants.map(({ variant }) => variant));
  const earlier = old?.variants.filter(({ variant }) => /^yours /.test(variant) && !names.has(variant)) ?? [];
  const slow = Number.POSITIVE_INFINITY;
  const variants = [...result.variants, ...earlier].sort((a, b) => (a.ms ?? slow) - (b.ms ?? slow));
  const merged = { ...result, variants };
  return old ? kernels.map((kernel) => (kernel === old ? merged : kernel)) : [...kernels, merged];
}

/** The roofs with their spread, and each measurement of them. */
function roofsLine(run: LabResults): string {
  const { roofSpread } = run;
  const text = `Roofs: ${roofText(run)}.`;
  if (!roofSpread) return text;
  const counts = `${roofSpread.peak.before.length} times before and ${roofSpread.peak.after.length} times after the kernels`;
  return `${text} Measured ${counts}; the highest value is used, since other work can only lower it.`;
}

/** Shows why the numbers of a run must not be quoted. */
function showBusy(run: Run | undefined, note: HTMLElement, again: () => void): void {
  const software = run?.machine.adapter.software;
  const spread = run?.roofSpread;
  const lines: string[] = [];
  if (spread?.busy)
    lines.push(
      `This machine is busy: the roofs differ by ${formatPercent(Math.max(spread.bandwidth.spread, spread.peak.spread))} before and after the kernels. Close other programs and tabs, then measure again.`,
    );
  if (software)
    lines.push(
      'The adapter is software: it computes on the CPU, which it shares with other programs. These are not the numbers of a GPU.',
    );
  note.hidden = lines.length === 0;
  note.classList.toggle('bad', spread?.busy === true);
  const text = lines.join(' ');
  if (note.dataset.text === text) return;
  note.dataset.text = text;
  fill(
    note,
    el('p', {}, text),
    spread?.busy && el('button', { type: 'button', onclick: again }, 'Measure again'),
  );
}

function doneText({ kernels, conformance, roofSpread }: LabResults): string {
  const wrong = conformance?.kernels.filter((k) => !k.passed).length ?? 0;
  const spread = roofSpread ? Math.max(roofSpread.bandwidth.spread, roofSpread.peak.spread) : 0;
  return (
    `Done: ${pluralize(kernels.length, 'kernel')}, ${wrong === 0 ? 'all correct' : `${wrong} wrong`}. ` +
    `The roofs differ by ${formatPercent(spread)} before and after.${roofSpread?.busy ? ' This machine is busy, measure again.' : ''}`
  );
}

/** Opens files that are dropped anywhere on the page. */
function acceptFiles(open: (file: File) => void): void {
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files');
  window.addEventListener('dragover', (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  window.addEventListener('drop', (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    event.preventDefault();
    open(file);
  });
}
