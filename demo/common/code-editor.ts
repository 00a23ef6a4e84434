// A text field for code, with line numbers and marked lines. It is a plain <textarea>, which works with all
// keyboards, screen readers and phones, and needs neither a library nor exceptions in the content security
// policy.

import { freshId } from './dom.ts';
import { type Content, html, nothing, Panel } from './panel.ts';

/** A message about a line; 0: about the whole text. */
export interface LineMessage {
  readonly line: number;
  readonly text: string;
  readonly kind: 'error' | 'warning' | 'info';
}

/** Callbacks of an editor. */
export interface CodeEditorHost {
  /** Called when the visitor edits. */
  onInput?(): void;
  /** Called on Ctrl+Enter. */
  onRun?(): void;
}

/** The editor. */
export class CodeEditor extends Panel {
  readonly #label: string;
  readonly #host: CodeEditorHost;
  readonly #messagesId = freshId('messages');
  #messages: readonly LineMessage[] = [];
  #lines = 1;

  constructor(label: string, host: CodeEditorHost) {
    super('code-editor');
    this.#label = label;
    this.#host = host;
    this.draw();
  }

  get text(): string {
    return this.#area.value;
  }
  set text(text: string) {
    const area = this.#area;
    area.value = text;
    area.scrollTop = 0;
    area.scrollLeft = 0;
    this.#countLines();
  }
  /** Marks lines and lists the messages below the text; pressing a message selects its line. */
  showMessages(messages: readonly LineMessage[]): void {
    this.#messages = messages;
    this.draw();
  }

  get #area(): HTMLTextAreaElement {
    return this.find('textarea');
  }
  #countLines(): void {
    this.#lines = this.text.split('\n').length;
    this.draw();
    this.#scroll();
  }
  #scroll(): void {
    this.find<HTMLElement>('.gutter').scrollTop = this.#area.scrollTop;
  }
  #edit(): void {
    this.#countLines();
    this.#host.onInput?.();
  }
  #press(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.#host.onRun?.();
  }
  #select(line: number): void {
    const area = this.#area;
    const lines = this.text.split('\n');
    const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
    const height = Number.parseFloat(getComputedStyle(area).lineHeight);
    area.scrollTop = Math.max(0, (line - 1) * height - area.clientHeight / 2);
  }

  protected override template(): Content {
    const marks = new Map(this.#messages.map(({ line, kind }) => [line, kind]));
    const number = (line: number) => {
      const kind = marks.get(line);
      return kind ? html`<b class=${kind}>${kind === 'info' ? '' : '▸ '}${`${line}\n`}</b>` : `${line}\n`;
    };
    const numbers = Array.from({ length: this.#lines }, (_, i) => number(i + 1));
    const isWrong = this.#messages.some(({ kind }) => kind === 'error');
    return html`
      <div class="code-field">
        <pre class="gutter" aria-hidden="true">${numbers}</pre>
        <textarea
          class="code"
          aria-label=${this.#label}
          aria-describedby=${this.#messagesId}
          aria-invalid=${isWrong ? 'true' : nothing}
          wrap="off"
          spellcheck="false"
          autocapitalize="off"
          autocomplete="off"
          rows="24"
          @input=${this.#edit}
          @scroll=${this.#scroll}
          @keydown=${this.#press}
        ></textarea>
      </div>
      <ul class="line-messages" id=${this.#messagesId}>${this.#messages.map((each) => this.#message(each))}</ul>`;
  }
  #message({ line, text, kind }: LineMessage): Content {
    const select = () => this.#select(line);
    const button = html`<button type="button" class="link" @click=${select}>line ${line}</button>`;
    return html`<li class=${kind}>${line > 0 ? button : nothing} ${text}</li>`;
  }
}
