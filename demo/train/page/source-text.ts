// The text field of a translation: a sentence that the page fills in is replaced by the visitor's first key, and
// words that the model does not know are underlined after a translation.

import { live } from 'lit-html/directives/live.js';
import type { TextRange } from '../../../src/entries/data.ts';
import { field } from '../../common/form-fields.ts';
import { say, sayCount } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';

/** The field, and a line that names the unknown words. */
export class SourceText extends Panel {
  #text = '';
  /** Text that the page has filled in. */
  #suggested = '';
  #language = '';
  /** The text that was translated last, and its words that the model does not know. */
  #translated = '';
  #unknown: readonly TextRange[] = [];

  constructor() {
    super();
    this.draw();
  }

  /** The text without white space around it. */
  get text(): string {
    return this.#text.trim();
  }

  /** Whether the text is the page's, not the visitor's. */
  get isSuggested(): boolean {
    return this.#text === this.#suggested;
  }

  get isActive(): boolean {
    return document.activeElement === this.#area;
  }

  get #area(): HTMLTextAreaElement {
    return this.find('#translate-text');
  }

  /** Sets the language of the text, as a BCP 47 tag; empty if unknown. */
  setLanguage(language: string): void {
    this.#language = language;
    this.draw();
  }

  /** Fills in a text that the visitor's first key replaces. */
  fillIn(sentence: string): void {
    this.#text = this.#suggested = sentence;
    this.draw();
  }

  /** Underlines words of a translated text; none if the model knows all. */
  showUnknown(translated: string, unknown: readonly TextRange[]): void {
    this.#translated = translated;
    this.#unknown = unknown;
    this.draw();
  }

  focus(): void {
    this.#area.focus();
  }

  #edit(): void {
    this.#text = this.#area.value;
    this.draw(); // the marks are those of the translated text
  }

  /** Enter translates; Shift+Enter starts a new line. */
  #press(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#area.form?.requestSubmit();
  }

  #select(): void {
    if (this.isSuggested) this.#area.select();
  }

  #scrollMarks(): void {
    this.find('.marks').scrollTop = this.#area.scrollTop;
  }

  protected override template(): Content {
    const text = html`<textarea
      id="translate-text"
      rows="3"
      placeholder="Text in the source language. Press Enter to translate."
      lang=${this.#language}
      .value=${live(this.#text)}
      @input=${this.#edit}
      @keydown=${this.#press}
      @focus=${this.#select}
      @scroll=${this.#scrollMarks}
    ></textarea>`;
    const marked = html`<div class="marked">
      <div class="marks" aria-hidden="true" lang=${this.#language}>${this.#marks()}</div>
      ${text}
    </div>`;
    return html`
      ${field('translate-text', say`Text`, marked)}
      <p class="hint" id="unknown" aria-live="polite" ?hidden=${this.#unknown.length === 0}>${this.#unknownText()}</p>`;
  }

  /** The text with marks under the unknown words; empty after an edit. */
  #marks(): Content {
    if (this.text !== this.#translated) return '';
    const offset = this.#text.indexOf(this.#translated);
    let at = 0;
    const parts: Content[] = [];
    for (const { start, end } of this.#unknown) {
      parts.push(
        this.#text.slice(at, start + offset),
        html`<mark>${this.#text.slice(start + offset, end + offset)}</mark>`,
      );
      at = end + offset;
    }
    return parts;
  }

  #unknownText(): string {
    const words = this.#unknown.map(({ start, end }) => this.#translated.slice(start, end));
    const list = [...new Set(words)].join(', ');
    return sayCount(
      words.length,
      'Not in the vocabulary of this model, which cannot translate it: {0}.',
      'Not in the vocabulary of this model, which cannot translate them: {0}.',
      list,
    );
  }
}
