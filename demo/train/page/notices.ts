// Notices (important messages with optional buttons) and the message log.

import { repeat } from 'lit-html/directives/repeat.js';
import { onFrame } from '../../common/dom.ts';
import { formatTime } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel, show } from '../../common/panel.ts';

/** Severity of a notice. */
export type NoticeKind = 'info' | 'good' | 'bad';

/** A button of a notice. */
export interface NoticeAction {
  readonly name: string;
  /** Called when the button is pressed, after the notice is removed. */
  readonly act: () => void;
}

/** Maximum number of notices shown at a time; the oldest is removed first. */
const maxNotices = 4;

interface Notice {
  readonly id: string;
  readonly kind: NoticeKind;
  readonly text: string;
  readonly actions: readonly NoticeAction[];
  readonly time: string;
  times: number;
}

/** The notices of a page. */
export class Notices extends Panel {
  #shown: readonly Notice[] = [];

  constructor() {
    super('notices');
    this.element.role = 'log';
    this.element.ariaLabel = say`Messages`;
  }

  /** Shows a notice. It replaces a notice with the same `id`; a repeated text shows a count. */
  show(
    kind: NoticeKind,
    text: string,
    { id = '', actions = [] }: { readonly id?: string; readonly actions?: readonly NoticeAction[] } = {},
  ): void {
    const existing = this.#shown.find((notice) => notice.text === text && notice.id === id);
    if (existing) existing.times++;
    else {
      const others = this.#shown.filter((notice) => id === '' || notice.id !== id);
      const added = { id, kind, text, actions, time: formatTime(), times: 1 };
      this.#shown = [...others, added].slice(-maxNotices);
    }
    this.draw();
  }

  /** Removes the notice with this id. */
  remove(id: string): void {
    this.#drop(this.#shown.find((notice) => notice.id === id));
  }

  #drop(dropped: Notice | undefined): void {
    this.#shown = this.#shown.filter((notice) => notice !== dropped);
    this.draw();
  }

  protected override template(): Content {
    // A notice keeps its element, so that screen readers announce only new ones.
    const item = (notice: Notice) => this.#item(notice);
    return html`${repeat(this.#shown, (notice) => notice, item)}`;
  }

  #item(notice: Notice): Content {
    const press = ({ act }: NoticeAction) => {
      this.#drop(notice);
      act();
    };
    return html`
      <div class="note ${notice.kind}" data-notice=${notice.id}>
        <p>${notice.text}</p>
        <span class="hint">${notice.times > 1 ? say`${notice.times} times` : ''}</span>
        <time>${notice.time}</time>
        ${notice.actions.map(
          (action) => html`<button type="button" @click=${() => press(action)}>${action.name}</button>`,
        )}
        <button
          type="button"
          class="quiet"
          aria-label="Dismiss"
          title="Dismiss"
          @click=${() => this.#drop(notice)}
        >✕</button>
      </div>`;
  }
}

/** Maximum number of lines of the message log. */
const maxLines = 200;

/** Returns a function that appends a line with the time of day to a list element. */
export function createMessageLog(list: HTMLElement): (text: string) => void {
  const lines: string[] = [];
  const draw = onFrame(() =>
    show(
      lines.map((line) => html`<li>${line}</li>`),
      list,
    ),
  );
  return (text) => {
    lines.push(`${formatTime()}  ${text}`);
    if (lines.length > maxLines) lines.splice(0, lines.length - maxLines);
    draw();
  };
}
