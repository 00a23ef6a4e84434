// The parts of the kernel lab, and how the messages of the worker reach them.

import { version } from '../../package.json';
import type { KernelResult } from '../../src/bench/check-kernel.ts';
import type { KernelSpec } from '../../src/bench/kernel-case.ts';
import type { OwnKernel } from '../../src/bench/own-kernel.ts';
import { adapterName } from '../../src/engine/index.ts';
import { messageOf } from '../../src/entries/host.ts';
import { byId, onFrame, whenVisible } from '../common/dom.ts';
import { acceptFiles } from '../common/dropped-files.ts';
import { formatMoment, formatPercent } from '../common/format.ts';
import type { PageHeader } from '../common/page-header.ts';
import { say } from '../common/page-texts.ts';
import { html, nothing, show } from '../common/panel.ts';
import { termList } from '../common/terms.ts';
import { translatedMessage } from '../common/translated-message.ts';
import { BusyNote } from './busy-note.ts';
import { DevicePanel } from './device-panel.ts';
import { type Baseline, HistoryPanel, roofText } from './history-panel.ts';
import { JsonBox } from './json-box.ts';
import { KernelEditor } from './kernel-editor.ts';
import { KernelTable } from './kernel-table.ts';
import { LabControls } from './lab-controls.ts';
import {
  type CheckedConformance,
  type LabReply,
  type LabResults,
  type LabSettings,
  peerNames,
  type TriedReply,
} from './lab-protocol.ts';
import { conformanceReport, machineFacts, machineLine, peersReport } from './lab-reports.ts';
import { LabSession } from './lab-session.ts';
import { kernelCount } from './measurement-text.ts';
import { csvTable, markdownTable } from './results-table.ts';
import { Roofline } from './roofline.ts';
import { fromHash, toHash } from './shared-results.ts';
import { openHistory } from './stored-runs.ts';
import { isAttempt } from './variant-name.ts';

/** A run during the measurement: the roofs come first, then kernels. */
type Run = Omit<LabResults, 'roofs'> & { readonly roofs?: LabResults['roofs'] };

/** Duration of a measurement in the editor. */
const editorTime = { span: 20, rounds: 7 } as const;

/** The kernel that the editor shows first. */
const firstKernel: KernelSpec = { family: 'matmul', values: { M: 128, K: 128, N: 128 } };

/** The page. */
export class LabPage {
  readonly #header: PageHeader;
  readonly #history = openHistory();
  readonly #session = new LabSession((reply) => this.#onReply(reply));
  readonly #controls = new LabControls({
    measure: (settings) => this.#measure(settings),
    checkConformance: () => this.#check(),
    stop: () => this.#session.stop(),
  });
  readonly #device = new DevicePanel((withTransformers) => this.#measureDevice(withTransformers));
  readonly #roofline = new Roofline((name) => this.#table.highlight(name));
  readonly #table: KernelTable = new KernelTable(
    (name) => this.#roofline.highlight(name),
    (kernel) => void this.#openEditor(kernel),
  );
  readonly #busy = new BusyNote(() => this.#controls.start());
  readonly #editor = new KernelEditor({
    show: (spec) => this.#session.show(spec),
    run: (spec, own) => this.#try(spec, own),
    stop: () => this.#session.stopRun(),
  });
  readonly #earlier = new HistoryPanel({
    show: (run) => this.#showEarlier(run),
    compare: (baseline) => this.#compare(baseline),
    remove: (run) => void this.#remove(run),
  });
  #run: Run | undefined;
  /** Stored runs. */
  #runs: readonly LabResults[] = [];
  #baseline: Baseline | undefined;
  /** Settings of the running measurement. */
  #settings: LabSettings | undefined;
  /** Whether the table and the chart show all variants. */
  #isAll = false;
  /** The last write to the storage. */
  #storing: Promise<void> = Promise.resolve();
  readonly #draw = onFrame(() => this.#show());

  constructor(header: PageHeader) {
    this.#header = header;
  }

  /** Places the parts in the page and shows the last run. */
  open(): void {
    byId('controls').append(this.#controls.element);
    byId('device-box').append(this.#device.element);
    byId('editor-box').append(this.#editor.element);
    byId('history-box').append(this.#earlier.element);
    acceptFiles(([file]) => file && void this.#earlier.openFile(file));
    byId('lab').hidden = false;
    this.#draw();
    // The worker starts when the editor becomes visible.
    const openEditor = () => this.#editor.isEmpty && void this.#editor.start(firstKernel);
    whenVisible(byId('editor'), openEditor, '200px');
    window.addEventListener('hashchange', () => void this.#openShared());
    void this.#restore();
  }

  /** The results of the run, once its roofs are measured. */
  get #results(): LabResults | undefined {
    const run = this.#run;
    return run?.roofs && { ...run, roofs: run.roofs };
  }

  #show(): void {
    const run = this.#run;
    const { kernels = [], peers = [], roofs } = run ?? {};
    const all = this.#isAll;
    const baseline = this.#baseline?.run;
    this.#roofline.show({
      kernels,
      peers,
      roofs,
      all,
      baseline: baseline?.kernels ?? [],
      device: this.#device.report,
    });
    this.#table.show({ kernels, roofs, all, run, baseline });
    this.#busy.show(run);
    const results = this.#results;
    show(
      html`
        ${this.#busy.element} ${this.#roofline.element}
        <p class="hint">${results ? roofsLine(results) : ''}</p>`,
      byId('roofline'),
    );
    const toggle = (event: Event) => {
      this.#isAll = (event.target as HTMLInputElement).checked;
      this.#draw();
    };
    show(
      html`
        <label class="check" ?hidden=${kernels.length === 0}><input type="checkbox" @change=${toggle} />Show all variants</label>
        ${this.#table.element} ${kernels.length > 0 ? termList('lab', ['head', 'loss']) : nothing}`,
      byId('table'),
    );
    byId('peers').hidden = peers.length === 0;
    show(peersReport(peers, peerNames), byId('peer-table'));
    this.#earlier.show(this.#runs, results, this.#baseline);
  }

  /** Shows the reports of a complete run. */
  #showReports(): void {
    const results = this.#results;
    byId('conformance').hidden = !results?.conformance;
    byId('results').hidden = !results || results.kernels.length === 0;
    if (results?.conformance) show(conformanceReport(results.conformance), byId('conformance-report'));
    if (results) {
      const share = async () => location.href.replace(/#.*/, '') + (await toHash(results));
      const json = new JsonBox(results, `heddle-kernels-${fileTime(results.when)}.json`, share, {
        markdown: markdownTable(results.kernels, results.roofs, machineLine(results)),
        csv: csvTable(results.kernels, results.roofs),
      });
      show(html`<div class="stack">${machineFacts(results)}${json.element}</div>`, byId('results-box'));
    }
    this.#draw();
  }

  /** Shows the report of a conformance check, as `heddle verify --webgpu --json` writes it. */
  #showConformance(report: CheckedConformance): void {
    const json = new JsonBox(report, `heddle-conformance-${fileTime(report.when)}.json`);
    show(html`${conformanceReport(report)}${json.element}`, byId('conformance-report'));
    byId('conformance').hidden = false;
  }

  /**
   * Stores the current run, also during the measurement, since the visitor may leave the page at any time.
   */
  #keep(): void {
    const { when } = this.#run ?? {};
    this.#storing = this.#storing.then(async () => {
      const results = this.#results;
      if (!results || results.when !== when || results.kernels.length === 0) return;
      await this.#history.put(results).catch(() => {});
      this.#runs = [results, ...this.#runs.filter((known) => known.when !== results.when)];
      this.#draw();
    });
  }

  #onReply(reply: LabReply): void {
    const run = this.#run;
    switch (reply.type) {
      case 'machine':
        this.#header.showAdapter(reply.name);
        if (this.#settings) {
          const { name: adapter, when, machine } = reply;
          this.#run = { heddle: version, when, adapter, settings: this.#settings, machine, kernels: [] };
        }
        break;
      case 'progress':
        this.#controls.setProgress(reply.done, reply.total, reply.next);
        break;
      case 'roofs':
        if (run) this.#run = { ...run, roofs: reply.roofs };
        break;
      case 'kernel':
        if (run) this.#run = { ...run, kernels: [...run.kernels, reply.kernel] };
        this.#keep();
        break;
      case 'peer-kernel':
        if (run) this.#run = { ...run, peers: [...(run.peers ?? []), reply.kernel] };
        break;
      case 'checked':
        this.#setRunning(false);
        this.#controls.setStatus(
          say`Done: this engine ${reply.report.passed ? say`passes` : say`fails a check`}.`,
        );
        this.#showConformance(reply.report);
        break;
      case 'device':
        this.#setRunning(false);
        this.#controls.setStatus(say`Done: the device is measured.`);
        this.#header.showAdapter(reply.report.adapter);
        this.#device.show(reply.report);
        break;
      case 'done':
        this.#run = reply.results;
        this.#end(doneText(reply.results));
        break;
      case 'stopped':
        this.#end(say`Stopped after ${kernelCount(run?.kernels.length ?? 0)}.`);
        break;
      case 'failed':
        this.#end(translatedMessage(reply.message), 'bad');
    }
    this.#draw();
  }

  #setRunning(running: boolean): void {
    this.#controls.setRunning(running);
    this.#editor.setEnabled(!running);
    this.#device.setRunning(running);
  }

  #begin(settings: LabSettings | undefined): void {
    this.#settings = settings;
    for (const id of ['conformance', 'results']) byId(id).hidden = true;
    this.#setRunning(true);
    this.#draw();
  }

  #end(status: string, kind?: 'bad'): void {
    this.#setRunning(false);
    this.#controls.setStatus(status, kind);
    this.#keep();
    this.#showReports();
  }

  #measure(settings: LabSettings): void {
    this.#run = undefined;
    this.#begin(settings);
    this.#session.start(settings);
  }

  #measureDevice(withTransformers: boolean): void {
    this.#begin(undefined);
    this.#session.measureDevice(withTransformers);
  }

  #check(): void {
    this.#begin(undefined);
    this.#session.check();
  }

  /** Checks and times a kernel of the visitor, and adds the result to the current run. */
  async #try(spec: KernelSpec, own: OwnKernel): Promise<TriedReply> {
    this.#controls.setBusy(true);
    try {
      const reply = await this.#session.run(spec, own, editorTime);
      this.#addAttempt(reply);
      return reply;
    } finally {
      this.#controls.setBusy(false);
    }
  }

  #addAttempt({ tried: { result }, roofs, machine }: TriedReply): void {
    if (!result) return;
    const run: Run = this.#run ?? {
      heddle: version,
      when: new Date().toISOString(),
      adapter: adapterName(machine.adapter),
      settings: { set: 'small', filter: '', specs: [], ...editorTime, peers: [] },
      machine,
      kernels: [],
    };
    this.#run = { ...run, roofs: run.roofs ?? roofs, kernels: withAttempt(run.kernels, result) };
    this.#keep();
    this.#showReports();
  }

  async #openEditor(kernel: KernelResult): Promise<void> {
    if (!kernel.spec) return;
    const best = kernel.variants.find(({ variant }) => !isAttempt(variant));
    await this.#editor.open(kernel.spec, best?.variant);
    byId('editor').scrollIntoView();
    byId('editor').focus();
  }

  #showEarlier(run: LabResults): void {
    this.#run = run;
    this.#controls.setStatus(say`Run of ${formatMoment(Date.parse(run.when))}.`);
    this.#showReports();
  }

  #compare(baseline: Baseline | undefined): void {
    this.#baseline = baseline;
    this.#draw();
  }

  async #remove({ when }: LabResults): Promise<void> {
    await this.#history.remove(when).catch(() => {});
    this.#runs = await this.#history.list();
    if (this.#run?.when === when) this.#run = undefined;
    this.#showReports();
  }

  /** Shows the last run, and the results in the address as baseline. */
  async #restore(): Promise<void> {
    this.#runs = await this.#history.list();
    const [last] = this.#runs;
    if (last && !this.#run) this.#showEarlier(last);
    await this.#openShared();
    this.#showReports();
  }

  async #openShared(): Promise<void> {
    try {
      const run = await fromHash(location.hash);
      if (run) this.#compare({ run, kind: say`shared result` });
    } catch (error) {
      this.#controls.setStatus(messageOf(error), 'bad');
    }
  }
}

/** An ISO 8601 time in a file name. */
const fileTime = (when: string): string => when.replace(/[:.]/g, '-');

/** Kernels with the result of a visitor's kernel, next to earlier ones of the same kernel. */
function withAttempt(kernels: readonly KernelResult[], result: KernelResult): KernelResult[] {
  const old = kernels.find(({ name }) => name === result.name);
  const names = new Set(result.variants.map(({ variant }) => variant));
  const earlier = old?.variants.filter(({ variant }) => isAttempt(variant) && !names.has(variant)) ?? [];
  const slow = Number.POSITIVE_INFINITY;
  const variants = [...result.variants, ...earlier].sort((a, b) => (a.ms ?? slow) - (b.ms ?? slow));
  const merged = { ...result, variants };
  return old ? kernels.map((kernel) => (kernel === old ? merged : kernel)) : [...kernels, merged];
}

/** The roofs with their spread, and each measurement of them. */
function roofsLine(run: LabResults): string {
  const { roofSpread } = run;
  const text = say`Roofs: ${roofText(run)}.`;
  if (!roofSpread) return text;
  const counts = say`${roofSpread.peak.before.length} times before and ${roofSpread.peak.after.length} times after the kernels`;
  return say`${text} Measured ${counts}; the highest value is used, since other work can only lower it.`;
}

function doneText({ kernels, conformance, roofSpread }: LabResults): string {
  const wrong = conformance?.kernels.filter((k) => !k.passed).length ?? 0;
  const spread = roofSpread ? Math.max(roofSpread.bandwidth.spread, roofSpread.peak.spread) : 0;
  return (
    say`Done: ${kernelCount(kernels.length)}, ${wrong === 0 ? say`all correct` : say`${wrong} wrong`}. ` +
    say`The roofs differ by ${formatPercent(spread)} before and after.${roofSpread?.busy ? say` This machine is busy, measure again.` : ''}`
  );
}
