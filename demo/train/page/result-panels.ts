// The panels that show a training: curves, probe and samples; of a recorded run until there is another.

import { byId } from '../../common/dom.ts';
import { say } from '../../common/page-texts.ts';
import type { SessionEvent } from '../protocol.ts';
import { CurvesPanel } from './curves-panel.ts';
import type { InsidePanel } from './inside-panel.ts';
import { loadRecordedRun } from './recorded-run.ts';
import { SamplesPanel } from './samples-panel.ts';

/** The panels. */
export class ResultPanels {
  readonly curves = new CurvesPanel();
  readonly samples = new SamplesPanel();
  /** The probe; undefined until its first event: it is not part of the first view. */
  #inside: Promise<InsidePanel> | undefined;
  /** Whether the recorded run may be shown: until the page has another one. */
  #isRecordedWanted = true;

  /** Places the panels in the page. */
  mount(): void {
    byId('curves').append(this.curves.element);
    byId('samples').append(this.samples.element);
  }

  /** Loads the panel of the probe and places it in the page. */
  openInside(): Promise<InsidePanel> {
    this.#inside ??= import('./inside-panel.ts').then(({ InsidePanel }) => {
      const inside = new InsidePanel();
      byId('inside').append(inside.element);
      return inside;
    });
    return this.#inside;
  }

  onEvent(event: SessionEvent): void {
    for (const panel of [this.curves, this.samples]) panel.onEvent(event);
    if (['state', 'history', 'recovery', 'probe'].includes(event.type))
      void this.openInside().then((inside) => inside.onEvent(event));
  }

  /** Shows the recorded run, unless another run is shown by then. `more` is added to its description. */
  async showRecordedRun(more: string): Promise<void> {
    const run = await loadRecordedRun().catch(() => undefined);
    if (!run || !this.#isRecordedWanted) return;
    const { steps, evals, probes, corpus, backend } = run;
    const step = steps.at(-1)?.step ?? 0;
    this.samples.setLanguages('en', 'es');
    this.onEvent({ type: 'history', steps, evals, probes, changes: [] });
    this.onEvent({ type: 'samples', step, samples: run.samples });
    const text = say`A recorded run: ${corpus}, ${step} steps on ${backend.replace(/:.*/, '')}.`;
    byId('recorded').textContent = text + more;
    byId('recorded').hidden = false;
  }

  /** Another run is shown from now on. */
  hideRecordedRun(): void {
    this.#isRecordedWanted = false;
    byId('recorded').hidden = true;
  }
}
