// Notices (important messages with optional buttons) and the message log.

import { el, fill, onFrame } from '../../common/dom.ts';

/** Severity of a notice. */
export type NoticeKind = 'info' | 'good' | 'bad';

/** A button of a notice. */
export interface NoticeAction {
  readonly name: string;
  /** Called when the button is pressed, after the notice is removed. */
  readonly act: () => void;
}

/** The notices of a page. */
export interface Notices {
  readonly element: HTMLElement;
  /** Shows a notice. It replaces a notice with the same `id`; a repeated text shows a count. */
  show(
    kind: NoticeKind,
    text: string,
    options?: { readonly id?: string; readonly actions?: readonly NoticeAction[] },
  ): void;
  /** Removes the notice with this id. */
  remove(id: string): void;
}

/** Maximum number of notices shown at a time; the oldest is removed first. */
const maxNotices = 4;

interface ShownNotice {
  readonly id: string;
  readonly text: string;
  readonly element: HTMLElement;
  readonly count: HTMLElement;
  times: number;
}

/** Creates an empty list of notices. */
export function createNotices(): Notices {
  const element = el('div', { class: 'notices', role: 'log', 'aria-label': 'Messages' });
  const shown: ShownNotice[] = [];
  const drop = (entry: ShownNotice | undefined) => {
    if (!entry) return;
    entry.element.remove();
    const i = shown.indexOf(entry);
    if (i >= 0) shown.splice(i, 1);
  };
  return {
    element,
    show(kind, text, { id = '', actions = [] } = {}) {
      const existing = shown.find((s) => s.text === text && s.id === id);
      if (existing) {
        existing.times++;
        existing.count.textContent = `${existing.times} times`;
        return;
      }
      if (id !== '') drop(shown.find((s) => s.id === id));
      const count = el('span', { class: 'hint' });
      const buttons = actions.map(({ name, act }) => {
        const onclick = () => {
          drop(entry);
          act();
        };
        return el('button', { type: 'button', onclick }, name);
      });
      const note = el(
        'div',
        { class: `note ${kind}`, 'data-notice': id },
        el('p', {}, text),
        count,
        el('time', {}, new Date().toLocaleTimeString()),
        ...buttons,
        el(
          'button',
          {
            type: 'button',
            class: 'quiet',
            'aria-label': 'Dismiss',
            title: 'Dismiss',
            onclick: () => drop(entry),
          },
          '✕',
        ),
      );
      const entry: ShownNotice = { id, text, element: note, count, times: 1 };
      shown.push(entry);
      element.append(note);
      if (shown.length > maxNotices) drop(shown[0]);
    },
    remove: (id) => drop(shown.find((s) => s.id === id)),
  };
}

/** Maximum number of lines of the message log. */
const maxLines = 200;

/** Returns a function that appends a line with the time of day to a list element. */
export function createMessageLog(list: HTMLElement): (text: string) => void {
  const lines: string[] = [];
  const draw = onFrame(() => fill(list, ...lines.map((line) => el('li', {}, line))));
  return (text) => {
    lines.push(`${new Date().toLocaleTimeString()}  ${text}`);
    if (lines.length > maxLines) lines.splice(0, lines.length - maxLines);
    draw();
  };
}
