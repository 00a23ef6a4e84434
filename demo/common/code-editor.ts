// A text field for code, with line numbers and marked lines. It is a plain <textarea>, which works with all
// keyboards, screen readers and phones, and needs neither a library nor exceptions in the content security
// policy.

import { el, fill, set } from './dom.ts';
import { freshId } from './form-controls.ts';

/** A message about a line; 0: about the whole text. */
export interface LineMessage {
  readonly line: number;
  readonly text: string;
  readonly kind: 'error' | 'warning' | 'info';
}

/** The editor. */
export interface CodeEditor {
  readonly element: HTMLElement;
  text: string;
  /** Marks lines and lists the messages below the text; pressing a message selects its line. */
  showMessages(messages: readonly LineMessage[]): void;
}

/** Creates an editor with a label; `onInput` is called when the visitor edits, `onRun` on Ctrl+Enter. */
export function createCodeEditor(
  label: string,
  { onInput, onRun }: { readonly onInput?: () => void; readonly onRun?: () => void },
): CodeEditor {
  const gutter = el('pre', { class: 'gutter', 'aria-hidden': 'true' });
  const list = el('ul', { class: 'line-messages', id: freshId('messages') });
  const area = el('textarea', {
    'aria-label': label,
    'aria-describedby': list.id,
    class: 'code',
    wrap: 'off',
    spellcheck: 'false',
    autocapitalize: 'off',
    autocomplete: 'off',
    rows: 24,
  });
  let marked = new Map<number, LineMessage['kind']>();
  const drawLineNumbers = () => {
    const count = area.value.split('\n').length;
    const lines = Array.from({ length: count }, (_, i) => {
      const kind = marked.get(i + 1);
      return kind ? el('b', { class: kind }, `${kind === 'info' ? '' : '▸ '}${i + 1}\n`) : `${i + 1}\n`;
    });
    fill(gutter, ...lines);
    gutter.scrollTop = area.scrollTop;
  };
  const select = (line: number) => {
    const lines = area.value.split('\n');
    const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
    const height = Number.parseFloat(getComputedStyle(area).lineHeight);
    area.scrollTop = Math.max(0, (line - 1) * height - area.clientHeight / 2);
  };
  area.addEventListener('input', () => {
    drawLineNumbers();
    onInput?.();
  });
  area.addEventListener('scroll', () => {
    gutter.scrollTop = area.scrollTop;
  });
  area.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onRun?.();
  });
  drawLineNumbers();
  return {
    element: el('div', { class: 'code-editor' }, el('div', { class: 'code-field' }, gutter, area), list),
    get text() {
      return area.value;
    },
    set text(text) {
      area.value = text;
      area.scrollTop = 0;
      area.scrollLeft = 0;
      drawLineNumbers();
    },
    showMessages(messages) {
      marked = new Map(messages.filter(({ line }) => line > 0).map(({ line, kind }) => [line, kind]));
      drawLineNumbers();
      fill(
        list,
        ...messages.map(({ line, text, kind }) =>
          el(
            'li',
            { class: kind },
            line > 0
              ? el('button', { type: 'button', class: 'link', onclick: () => select(line) }, `line ${line}`)
              : null,
            ` ${text}`,
          ),
        ),
      );
      set(area, { 'aria-invalid': messages.some(({ kind }) => kind === 'error') && 'true' });
    },
  };
}
