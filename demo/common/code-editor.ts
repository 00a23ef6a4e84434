// A text field for code, with line numbers, marked lines and colours. It is a plain <textarea>, which works with all
// keyboards, screen readers and phones, and needs neither a library nor exceptions in the content security
// policy. The colours are those of the same text in front of it, which takes no clicks.

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
  /** Colours the text in front of the field; undefined until it is loaded, and in browsers that cannot. */
  #colour: ((node: Text) => void) | undefined;

  constructor(label: string, host: CodeEditorHost) {
    super('code-editor');
    this.#label = label;
    this.#host = host;
    this.draw();
    void this.#loadColours();
  }

  async #loadColours(): Promise<void> {
    const { canColour, colourText } = await import('./syntax-colours.ts');
    if (!canColour()) return;
    this.#colour = colourText;
    this.element.classList.add('coloured');
    this.#paint();
  }

  /** Colours the text. */
  #paint(): void {
    if (!this.#colour) return;
    const front = this.find<HTMLElement>('.code-front');
    if (!(front.firstChild instanceof Text)) front.append('');
    const node = front.firstChild as Text;
    node.data = this.text;
    this.#colour(node);
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
    this.#paint();
    this.#scroll();
  }

  #scroll(): void {
    const { scrollTop, scrollLeft } = this.#area;
    this.find<HTMLElement>('.gutter').scrollTop = scrollTop;
    this.find<HTMLElement>('.code-front').scrollTo({ top: scrollTop, left: scrollLeft, behavior: 'instant' });
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
        <pre class="code-front" aria-hidden="true"></pre>
      </div>
      <ul class="line-messages" id=${this.#messagesId}>${this.#messages.map((each) => this.#message(each))}</ul>`;
  }

  #message({ line, text, kind }: LineMessage): Content {
    const select = () => this.#select(line);
    const button = html`<button type="button" class="link" @click=${select}>line ${line}</button>`;
    return html`<li class=${kind}>${line > 0 ? button : nothing} ${text}</li>`;
  }
}
