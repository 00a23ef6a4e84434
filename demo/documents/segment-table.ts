// The table of segments: source beside translation, which is edited in place. Ctrl+Enter confirms and moves
// on.

import { live } from 'lit-html/directives/live.js';
import { repeat } from 'lit-html/directives/repeat.js';
import { markDoubts } from '../common/doubt-marks.ts';
import { fixed, formatPercent } from '../common/format.ts';
import { say, translated } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';
import type { SegmentState, SegmentView } from './documents-protocol.ts';

/** Segments of a page of the table. */
const pageSize = 50;

/** Origins in words. */
const origins: Readonly<Record<SegmentState['origin'], string>> = {
  machine: say`model`,
  exact: say`memory`,
  fuzzy: say`similar`,
  document: say`document`,
  edited: say`edited`,
};

/** Stores a text; resolves when it is stored. Rejects with a message. */
export type SaveSegment = (index: number, text: string, confirm: boolean) => Promise<SegmentView>;

/** The table. */
export class SegmentTable extends Panel {
  readonly #save: SaveSegment;
  #segments: SegmentView[] = [];
  #page = 0;
  /** The segment that is edited, its text, and why it was not stored. */
  #active = -1;
  #text = '';
  #error = '';

  constructor(save: SaveSegment) {
    super();
    this.#save = save;
    this.draw();
  }

  show(segments: readonly SegmentView[]): void {
    this.#segments = [...segments];
    this.#page = Math.min(this.#page, Math.max(0, Math.ceil(segments.length / pageSize) - 1));
    this.draw();
  }

  /** Replaces a segment. */
  update(segment: SegmentView): void {
    this.#segments[segment.index] = segment;
    this.drawSoon();
  }

  get segments(): readonly SegmentView[] {
    return this.#segments;
  }

  /** Edits a segment; the text of the one before is stored. */
  #edit(index: number): void {
    if (index === this.#active) return;
    this.#leave();
    this.#active = index;
    this.#text = this.#segments[index]?.state?.text ?? '';
    this.#error = '';
    this.#page = Math.floor(index / pageSize);
    this.draw();
    const area = this.element.querySelector('textarea');
    area?.focus();
    area?.scrollIntoView({ block: 'nearest' });
  }

  /** Stores a changed text. */
  #leave(): void {
    const [index, text] = [this.#active, this.#text];
    this.#active = -1;
    const before = this.#segments[index]?.state;
    if (index < 0 || text === (before?.text ?? '')) return;
    void this.#save(index, text, false).then(
      (segment) => this.update(segment),
      (error: Error) => this.#fail(index, text, error),
    );
  }

  #fail(index: number, text: string, error: Error): void {
    this.#active = index;
    this.#text = text;
    this.#error = error.message;
    this.draw();
  }

  /** Confirms the active segment and moves to the next one that is not confirmed. */
  async #confirm(): Promise<void> {
    const [index, text] = [this.#active, this.#text];
    if (index < 0 || text.trim() === '') return;
    try {
      this.update(await this.#save(index, text, true));
    } catch (error) {
      this.#fail(index, text, error as Error);
      return;
    }
    this.#active = -1;
    const next = this.#segments.findIndex(({ state }, i) => i > index && state?.confirmed == null);
    if (next >= 0) this.#edit(next);
    else this.draw();
  }

  #key(event: KeyboardEvent): void {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void this.#confirm();
    } else if (event.key === 'Escape') {
      this.#text = this.#segments[this.#active]?.state?.text ?? '';
      const index = this.#active;
      this.#active = -1;
      this.draw();
      this.element.querySelector<HTMLElement>(`[data-segment="${index}"]`)?.focus();
    }
  }

  #confidence(state: SegmentState | null): Content {
    if (state?.confidence == null) return nothing;
    const probability = Math.exp(state.confidence);
    const title = say`Mean log-probability of a token: ${fixed(state.confidence, 2)}`;
    return html`
      <span class="number" title=${title}>${fixed(state.confidence, 2).replace('-', '−')}</span>
      <span class="hint number">${formatPercent(probability)}</span>`;
  }

  #target(segment: SegmentView): Content {
    const { index, state } = segment;
    if (index === this.#active)
      return html`
        <textarea
          rows=${Math.max(2, Math.ceil(this.#text.length / 48))}
          aria-label="Translation of segment ${index + 1}"
          aria-describedby="segment-error"
          aria-keyshortcuts="Control+Enter"
          dir="auto"
          .value=${live(this.#text)}
          @input=${(event: Event) => {
            this.#text = (event.target as HTMLTextAreaElement).value;
          }}
          @keydown=${this.#key}
        ></textarea>
        <p class="wrong" id="segment-error" role="alert">${this.#error}</p>
        <div class="row">
          <button type="button" class="main small" @click=${() => void this.#confirm()}>Confirm</button>
          <span class="hint"><kbd>Ctrl</kbd>+<kbd>Enter</kbd> confirms and moves on</span>
        </div>`;
    const text = state
      ? state.text === ''
        ? html`<i class="hint">not translated</i>`
        : markDoubts(state.text, state.doubts)
      : '…';
    return html`
      <button
        type="button"
        class="segment-text"
        data-segment=${index}
        aria-label="Edit the translation of segment ${index + 1}: ${state?.text ?? ''}"
        dir="auto"
        @click=${() => this.#edit(index)}
      >${text}</button>
      ${(state?.problems ?? []).map((problem) => html`<p class="wrong">${translated(problem)}</p>`)}`;
  }

  #row(segment: SegmentView): Content {
    const { index, unit, line, source, state } = segment;
    const isConfirmed = state?.confirmed != null;
    return html`
      <tr class=${isConfirmed ? 'confirmed' : index === this.#active ? 'active' : ''}>
        <th scope="row" class="number" title=${line === undefined ? unit : say`line ${line}`}>${index + 1}</th>
        <td data-label="Source" dir="auto">${source}</td>
        <td data-label="Translation">${this.#target(segment)}</td>
        <td data-label="Confidence">${this.#confidence(state)}</td>
        <td data-label="State">${isConfirmed ? html`<b class="good-text">✓ confirmed</b>` : state ? origins[state.origin] : ''}</td>
      </tr>`;
  }

  #turn(by: number): void {
    this.#leave();
    this.#page += by;
    this.draw();
  }

  protected override template(): Content {
    const count = this.#segments.length;
    const [from, to] = [this.#page * pageSize, Math.min(count, (this.#page + 1) * pageSize)];
    const pages =
      count > pageSize
        ? html`
            <div class="row pages">
              <button type="button" ?disabled=${from === 0} @click=${() => this.#turn(-1)}>Back</button>
              <span class="number">Segments ${from + 1} to ${to} of ${count}</span>
              <button type="button" ?disabled=${to === count} @click=${() => this.#turn(1)}>Next</button>
            </div>`
        : nothing;
    return html`
      <table class="segments">
        <caption class="unseen">Segments of the document</caption>
        <thead>
          <tr>
            <th scope="col">No.</th>
            <th scope="col">Source</th>
            <th scope="col">Translation</th>
            <th scope="col" title="Mean log-probability of a token">Confidence</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          ${
            repeat(
              this.#segments.slice(from, to),
              ({ index }) => index,
              (segment) => this.#row(segment),
            ) as Content
          }
        </tbody>
      </table>
      ${pages}`;
  }
}
