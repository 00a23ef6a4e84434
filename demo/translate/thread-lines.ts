// The attention between two sentences as threads: a curve from each word of the source to each word of the translation
// that looks at it, as thick as the weight.

import { onFrame } from '../common/dom.ts';
import { formatPercent } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, Panel, svg } from '../common/panel.ts';
import type { TranslatedSentence } from './translate-protocol.ts';

/** A thinner thread is not drawn, unless its word is selected. */
const minWeight = 0.12;
/** Width of a thread of weight 1, in pixels. */
const maxWidth = 9;

type Side = 'source' | 'target';

/** What the drawing tells. */
export interface ThreadEvents {
  /** A word of the translation was selected, or none. */
  onSelect(word: number | undefined): void;
}

/** The two sentences with their threads; empty until there is a sentence. */
export class ThreadLines extends Panel {
  readonly #events: ThreadEvents;
  #sentence: TranslatedSentence | undefined;
  /** The word under the pointer or with the focus. */
  #at: { readonly side: Side; readonly word: number } | undefined;
  /** The word of each side that Tab reaches. */
  #stop = { source: 0, target: 0 };
  #paths: readonly { readonly d: string; readonly weight: number; readonly isOn: boolean }[] = [];
  readonly #measureSoon = onFrame(() => this.#measure());

  constructor(events: ThreadEvents) {
    super('threads');
    this.#events = events;
    this.draw();
    new ResizeObserver(this.#measureSoon).observe(this.element);
  }

  show(sentence: TranslatedSentence | undefined): void {
    this.#sentence = sentence;
    this.#at = undefined;
    this.#stop = { source: 0, target: 0 };
    this.draw();
    this.#measure();
  }

  #select(side: Side, word: number | undefined): void {
    this.#at = word === undefined ? undefined : { side, word };
    if (word !== undefined) this.#stop = { ...this.#stop, [side]: word };
    this.draw();
    this.#measure();
    this.#events.onSelect(side === 'target' ? word : undefined);
  }

  /** Weight of a thread by the words at its ends. */
  #weight(source: number, target: number): number {
    return this.#sentence?.weights[target]?.[source] ?? 0;
  }

  /** Computes the curves from the places of the words. */
  #measure(): void {
    const { sourceWords = [], targetWords = [] } = this.#sentence ?? {};
    const box = this.element.getBoundingClientRect();
    const places = (side: Side) =>
      [...this.element.querySelectorAll(`[data-side="${side}"]`)].map((word) => word.getBoundingClientRect());
    const [from, to] = [places('source'), places('target')];
    const at = this.#at;
    const paths = [];
    for (const [t] of targetWords.entries())
      for (const [s] of sourceWords.entries()) {
        const [a, b, weight] = [from[s], to[t], this.#weight(s, t)];
        const isOn = at !== undefined && at.word === (at.side === 'source' ? s : t);
        if (!a || !b || weight < (isOn ? 0.02 : minWeight)) continue;
        const [x1, y1] = [a.left + a.width / 2 - box.left, a.bottom - box.top];
        const [x2, y2] = [b.left + b.width / 2 - box.left, b.top - box.top];
        const bend = Math.max(24, (y2 - y1) / 2);
        const d = `M${x1.toFixed(1)} ${y1.toFixed(1)}C${x1.toFixed(1)} ${(y1 + bend).toFixed(1)} ${x2.toFixed(1)} ${(y2 - bend).toFixed(1)} ${x2.toFixed(1)} ${y2.toFixed(1)}`;
        paths.push({ d, weight, isOn });
      }
    this.#paths = paths;
    this.draw();
  }

  #press(event: KeyboardEvent, side: Side): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const other: Side = side === 'source' ? 'target' : 'source';
    const words = (which: Side) => this.element.querySelectorAll<HTMLElement>(`[data-side="${which}"]`);
    const jump =
      (event.key === 'ArrowDown' && side === 'source') || (event.key === 'ArrowUp' && side === 'target');
    if (step === undefined && !jump) return;
    event.preventDefault();
    const at = this.#stop[side];
    if (step !== undefined) words(side)[Math.max(0, Math.min(words(side).length - 1, at + step))]?.focus();
    else words(other)[this.#strongest(side, at)]?.focus();
  }

  /** The word of the other side with the thickest thread. */
  #strongest(side: Side, word: number): number {
    const { sourceWords = [], targetWords = [] } = this.#sentence ?? {};
    const weights =
      side === 'target'
        ? sourceWords.map((_, s) => this.#weight(s, word))
        : targetWords.map((_, t) => this.#weight(word, t));
    return Math.max(0, weights.indexOf(Math.max(...weights)));
  }

  /** The selected word and what it looks at, as text. */
  #readout(): string {
    const at = this.#at;
    if (!at || !this.#sentence)
      return matchMedia('(hover: none)').matches
        ? say`Tap a word to see its threads.`
        : say`Point at a word to see its threads. Arrow keys move between words.`;
    const { side, word } = at;
    const others = this.#wordsOf(side === 'source' ? 'target' : 'source')
      .map((text, i) => ({ text, weight: side === 'source' ? this.#weight(word, i) : this.#weight(i, word) }))
      .sort((a, b) => b.weight - a.weight)
      .slice(0, 3)
      .filter(({ weight }) => weight > 0.02)
      .map(({ text, weight }) => `“${text}” ${formatPercent(weight)}`)
      .join(', ');
    const own = this.#wordsOf(side)[word] ?? '';
    return side === 'target' ? say`“${own}” looks at ${others}` : say`“${own}” is looked at by ${others}`;
  }

  #wordsOf(side: Side): string[] {
    const { source = '', target = '', sourceWords = [], targetWords = [] } = this.#sentence ?? {};
    const [text, ranges] = side === 'source' ? [source, sourceWords] : [target, targetWords];
    return ranges.map(({ start, end }) => text.slice(start, end));
  }

  protected override template(): Content {
    const { width, height } = this.element.getBoundingClientRect();
    return html`
      <svg class="thread-lines" width=${Math.round(width)} height=${Math.round(height)} aria-hidden="true">
        ${this.#paths.map(
          ({ d, weight, isOn }) => svg`<path
            class=${isOn ? 'thread on' : 'thread'}
            d=${d}
            stroke-width=${Math.max(1, maxWidth * weight).toFixed(2)}
            stroke-opacity=${(isOn ? 0.95 : this.#at ? 0.12 : 0.25 + 0.5 * weight).toFixed(2)}
          ></path>`,
        )}
      </svg>
      ${this.#row('source', say`Words of the sentence`, 'en')}
      ${this.#row('target', say`Words of the translation`, 'es')}
      <p class="hint thread-readout" aria-live="polite">${this.#readout()}</p>`;
  }

  #row(side: Side, label: string, language: string): Content {
    const at = this.#at;
    const isOn = (i: number) =>
      at === undefined
        ? false
        : at.side === side
          ? at.word === i
          : (side === 'source' ? this.#weight(i, at.word) : this.#weight(at.word, i)) >= minWeight;
    return html`
      <div class="thread-row ${side}" role="group" aria-label=${label} lang=${language}>
        ${this.#wordsOf(side).map(
          (word, i) => html`<button
            type="button"
            class=${isOn(i) ? 'thread-word on' : 'thread-word'}
            data-side=${side}
            tabindex=${this.#stop[side] === i ? 0 : -1}
            @pointerenter=${() => this.#select(side, i)}
            @pointerleave=${(event: PointerEvent) => event.pointerType === 'mouse' && this.#select(side, undefined)}
            @focus=${() => this.#select(side, i)}
            @click=${() => this.#select(side, i)}
            @keydown=${(event: KeyboardEvent) => this.#press(event, side)}
          >${word}</button>`,
        )}
      </div>`;
  }
}
