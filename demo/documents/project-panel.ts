// The head of a project: its name and languages, its progress, what the model has learned, and downloads.

import { BusyPanel } from '../common/busy-panel.ts';
import { fixed, formatInteger } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { termList } from '../common/terms.ts';
import { shortName } from '../storage/model-names.ts';
import type { LearnReport, ProjectView, SegmentView } from './documents-protocol.ts';

/** What the buttons do. */
export interface ProjectActions {
  learn(): void;
  download(kind: 'document' | 'memory' | 'adapter'): void;
  discard(): void;
}

/** The panel. */
export class ProjectPanel extends BusyPanel {
  readonly #actions: ProjectActions;
  readonly #project: ProjectView;
  #segments: readonly SegmentView[];
  #learned: LearnReport | null;

  constructor(project: ProjectView, actions: ProjectActions) {
    super();
    this.#project = project;
    this.#segments = project.segments;
    this.#learned = project.learned;
    this.#actions = actions;
    this.draw();
  }

  show(segments: readonly SegmentView[]): void {
    this.#segments = segments;
    this.drawSoon();
  }

  /** `isBusy`: whether the model learns or translates, so that learning must wait. */
  setBusy(isBusy: boolean): void {
    this.isBusy = isBusy;
    this.draw();
  }

  showLearned(report: LearnReport): void {
    this.#learned = report;
    this.draw();
  }

  #report(): Content {
    if (!this.#learned) return nothing;
    const { corrections, rehearsal, heldOut, isOfMemory, before, after, seconds } = this.#learned;
    const held = isOfMemory
      ? say`${heldOut} held-out pairs of the memory`
      : say`${heldOut} held-out corrections`;
    return html`
      <div class="note good" id="learned">
        <p>
          <b>Learned from ${corrections} corrections</b>, with ${rehearsal} rehearsal pairs, in ${fixed(seconds, 0)} s. BLEU on ${held}: <b class="number">${fixed(before, 1)}</b> before,${' '}
          <b class="number">${fixed(after, 1)}</b> after. Segments that are not confirmed were translated again.
        </p>
      </div>`;
  }

  protected override template(): Content {
    const { name, model, source, target, memory } = this.#project;
    const count = this.#segments.length;
    const confirmed = this.#segments.filter(({ state }) => state?.confirmed != null).length;
    const translated = this.#segments.filter(({ state }) => state !== null).length;
    const facts = [
      `${source} → ${target}`,
      shortName(model.name),
      memory ? say`${shortName(memory.name)}: ${formatInteger(memory.pairs)} pairs` : say`no memory`,
    ].join(' · ');
    const { learn, download, discard } = this.#actions;
    return html`
      <div class="row">
        <h2 class="file-name">${shortName(name)}</h2>
        <span class="hint push">${facts}</span>
      </div>
      <progress max=${Math.max(1, count)} value=${confirmed} aria-label="Confirmed segments"></progress>
      <p class="number" id="documents-count">
        ${confirmed} of ${count} segments confirmed, ${translated} translated
      </p>
      ${this.messages('documents-status')}
      ${this.#report()}
      <div class="row">
        <button type="button" class="main" id="learn" ?disabled=${this.isBusy || confirmed < 3} @click=${learn}>
          Learn from my corrections
        </button>
        <button type="button" id="download-document" @click=${() => download('document')}>Download document</button>
        <button type="button" id="download-memory" ?disabled=${confirmed === 0} @click=${() => download('memory')}>
          Download memory (TMX)
        </button>
        <button type="button" id="download-adapter" ?disabled=${!this.#learned} @click=${() => download('adapter')}>
          Download adapter
        </button>
        <button type="button" class="quiet push" id="discard" @click=${discard}>Close project</button>
      </div>
      ${confirmed < 3 ? html`<p class="hint">Confirm three segments or more to learn from them.</p>` : nothing}
      ${this.#learned ? termList('project', ['loss', 'BLEU']) : nothing}`;
  }
}
