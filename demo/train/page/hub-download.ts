// A download from the hub with its progress bar, bytes, Cancel button and messages; used by the form and the
// gallery.

import { formatBytes } from '../../../src/core/format-numbers.ts';
import type { PullProgress } from '../../../src/index.ts';
import { el, onFrame, set, setText } from '../../common/dom.ts';
import { type Session, SessionError } from './training-session.ts';

/** A download and its elements. */
export interface HubDownload {
  readonly cancel: HTMLButtonElement;
  readonly bar: HTMLProgressElement;
  /** Bytes so far; not a live region: screen readers announce start and end only. */
  readonly count: HTMLElement;
  readonly note: HTMLElement;
  readonly isRunning: boolean;
  /** Shows a message. */
  show(text: string, wrong?: boolean): void;
  /**
   * Downloads a model; resolves to its name in the browser, or to undefined after an error or a cancel, with
   * a message. Until then `button` is disabled and the Cancel button has the focus; afterwards `button` gets
   * it back.
   */
  run(model: string, button: HTMLButtonElement): Promise<string | undefined>;
}

/**
 * Creates a download; `what` names it for screen readers. `onTotal` gets the total bytes that the hub
 * reports.
 */
export function createHubDownload(
  session: Pick<Session, 'pull'>,
  what = '',
  onTotal: (bytes: number) => void = () => {},
): HubDownload {
  let running: AbortController | undefined;
  let progress: PullProgress | undefined;
  const suffix = what && ` of ${what}`;
  const cancel = el(
    'button',
    {
      type: 'button',
      hidden: true,
      'aria-label': `Cancel the download${suffix}`,
      onclick: () => running?.abort(),
    },
    'Cancel',
  );
  const bar = el('progress', { max: 1, 'aria-label': `Download progress${suffix}`, hidden: true });
  const count = el('p', { class: 'hint number', hidden: true });
  const note = el('p', { class: 'hint', role: 'status' });
  const draw = onFrame(() => {
    if (!progress || !running) return;
    const { file, loaded, total } = progress;
    const text = `${formatBytes(loaded)} of ${formatBytes(total)} · ${file}`;
    set(bar, { value: total > 0 ? loaded / total : 0, 'aria-valuetext': text });
    setText(count, text);
    onTotal(total);
  });
  const show = (text: string, wrong = false) => {
    setText(note, text);
    note.className = wrong ? 'wrong' : 'hint';
  };
  return {
    cancel,
    bar,
    count,
    note,
    get isRunning() {
      return running !== undefined;
    },
    show,
    async run(model, button) {
      const controller = new AbortController();
      running = controller;
      progress = undefined;
      set(button, { disabled: true });
      set(bar, { hidden: false, value: null });
      set(count, { hidden: false });
      setText(count, '');
      show(`Downloading ${model}.`);
      set(cancel, { hidden: false });
      cancel.focus();
      let downloaded: string | undefined;
      try {
        downloaded = await session.pull(
          model,
          (now) => {
            progress = now;
            draw();
          },
          controller.signal,
        );
        show(`${model} was downloaded, and its checksums match.`);
      } catch (error) {
        if (!(error instanceof SessionError && error.kind === 'aborted'))
          show((error as Error).message, true);
        else
          show(
            `Cancelled.${progress ? ' The next download continues from the part that is already here.' : ''}`,
          );
      }
      running = undefined;
      const hadFocus = document.activeElement === cancel;
      for (const each of [cancel, bar, count]) set(each, { hidden: true });
      set(button, { disabled: false });
      if (hadFocus) button.focus();
      return downloaded;
    },
  };
}
