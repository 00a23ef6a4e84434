// What happened, said where it cannot be missed and read out once: a lost device, no room, another tab. Old ones make room for new.

import { el } from '../../common/dom.ts';

/** How a message is meant. */
export type NoticeKind = 'info' | 'good' | 'bad';

/** Something that the visitor can do about a message. */
export interface NoticeAction {
  readonly name: string;
  /** What pressing it does; the message goes away. */
  readonly act: () => void;
}

/** The messages of a page. */
export interface Notices {
  readonly element: HTMLElement;
  /** Shows a message. One with the `id` of another takes its place; the same text again is counted. Returns what takes it away. */
  say(
    kind: NoticeKind,
    text: string,
    options?: { readonly id?: string; readonly actions?: readonly NoticeAction[] },
  ): () => void;
  /** Takes the message with this id away. */
  drop(id: string): void;
}

/** Messages that stand at once. */
const most = 4;

interface Shown {
  readonly id: string;
  readonly text: string;
  readonly element: HTMLElement;
  readonly count: HTMLElement;
  times: number;
}

/** An empty place for messages. */
export function createNotices(): Notices {
  const element = el('div', { class: 'notices', role: 'log', 'aria-label': 'Messages' });
  const shown: Shown[] = [];
  const drop = (entry: Shown) => {
    entry.element.remove();
    const i = shown.indexOf(entry);
    if (i >= 0) shown.splice(i, 1);
  };
  return {
    element,
    say(kind, text, { id = '', actions = [] } = {}) {
      const again = shown.find((s) => s.text === text && s.id === id);
      if (again) {
        again.times++;
        again.count.textContent = `${again.times} times`;
        return () => drop(again);
      }
      const before = id === '' ? undefined : shown.find((s) => s.id === id);
      if (before) drop(before);
      const count = el('span', { class: 'hint' });
      const note = el(
        'div',
        { class: `note ${kind}`, 'data-notice': id },
        el('p', {}, text),
        count,
        el('time', {}, new Date().toLocaleTimeString()),
      );
      const entry: Shown = { id, text, element: note, count, times: 1 };
      for (const { name, act } of actions)
        note.append(
          el(
            'button',
            {
              type: 'button',
              onclick() {
                drop(entry);
                act();
              },
            },
            name,
          ),
        );
      note.append(
        el(
          'button',
          { type: 'button', class: 'quiet', 'aria-label': 'Dismiss', title: 'Dismiss', onclick: () => drop(entry) },
          '✕',
        ),
      );
      shown.push(entry);
      element.append(note);
      const oldest = shown[0];
      if (shown.length > most && oldest) drop(oldest);
      return () => drop(entry);
    },
    drop(id) {
      const found = shown.find((s) => s.id === id);
      if (found) drop(found);
    },
  };
}
