// What to measure, and how it goes: the set of kernels, how long, which peers; start and stop; progress.

import { installed } from 'virtual:heddle-peer-names';
import { el, fill, set, setText } from '../common/dom.ts';
import { choice, field } from '../common/form-controls.ts';
import { type LabSettings, type PeerName, peerNames } from './lab-protocol.ts';

/** The controls of the lab. */
export interface Controls {
  readonly element: HTMLElement;
  /** Shows that a course runs, or that none does. */
  running(active: boolean): void;
  progress(done: number, of: number, next: string): void;
  /** Says how a course ended. */
  say(text: string, kind?: 'bad'): void;
}

const lengths = { quick: { span: 20, rounds: 5 }, careful: { span: 100, rounds: 9 } } as const;

/** The controls; `start` and `stop` are called as their buttons are. */
export function createControls(start: (settings: LabSettings) => void, stop: () => void): Controls {
  let which: LabSettings['set'] = 'small';
  let length: keyof typeof lengths = 'quick';
  const filter = el('input', { type: 'search', placeholder: 'all', autocomplete: 'off', spellcheck: 'false' });
  const peers = Object.entries(peerNames).map(([id, name]) => {
    const there = installed.includes(id as PeerName);
    const box = el('input', { type: 'checkbox', value: id, disabled: !there, 'aria-describedby': 'peers-hint' });
    return { id: id as PeerName, name, there, box, label: el('label', { class: 'check' }, box, name) };
  });
  const absent = peers.filter((p) => !p.there).map((p) => p.name);
  const hint = el(
    'p',
    { class: 'hint', id: 'peers-hint' },
    absent.length === 0
      ? 'Loaded from this page’s own address once you start with them.'
      : `${absent.join(' and ')} ${absent.length > 1 ? 'were' : 'was'} not installed when this page was built: npm install --prefix bench/peers, then npm run build.`,
  );
  const startButton = el('button', { type: 'submit', class: 'main' }, 'Measure');
  const stopButton = el('button', { type: 'button', disabled: true, onclick: () => stop() }, 'Stop');
  const bar = el('progress', { max: 1, value: 0, 'aria-label': 'Progress of the measurements' });
  bar.hidden = true;
  const status = el('p', { class: 'status', role: 'status' });
  const fields = el(
    'fieldset',
    { class: 'what' },
    el('legend', { class: 'unseen' }, 'What to measure'),
    titled(
      'Kernels',
      choice(
        'Kernels',
        [
          ['small', 'A few, small'],
          ['all', 'All'],
        ],
        which,
        (value) => {
          which = value;
        },
      ),
    ),
    titled(
      'Measurements',
      choice(
        'Measurements',
        [
          ['quick', '5 × 20 ms'],
          ['careful', '9 × 100 ms'],
        ],
        length,
        (value) => {
          length = value;
        },
      ),
    ),
    field('Only kernels with this in their name', filter),
    el('fieldset', { class: 'stack-small' }, el('legend', {}, 'Beside them'), ...peers.map((p) => p.label), hint),
  );
  const form = el(
    'form',
    {
      class: 'controls',
      onsubmit: (event: Event) => {
        event.preventDefault();
        const chosen = peers.filter((p) => p.box.checked).map((p) => p.id);
        start({ set: which, filter: filter.value, ...lengths[length], peers: chosen });
      },
    },
    fields,
    el('div', { class: 'row go' }, startButton, stopButton, bar, status),
  );
  return {
    element: form,
    running(active) {
      fields.disabled = active;
      startButton.disabled = active;
      stopButton.disabled = !active;
      bar.hidden = !active;
      bar.removeAttribute('value');
      if (active) {
        status.classList.remove('wrong');
        setText(status, 'Opening the device …');
      }
    },
    progress(done, of, next) {
      set(bar, { max: of, value: done });
      setText(status, `${done + 1} of ${of}: ${next}`);
    },
    say(text, kind) {
      status.classList.toggle('wrong', kind === 'bad');
      fill(status, text);
    },
  };
}

const titled = (title: string, control: HTMLElement): HTMLElement =>
  el('div', { class: 'field' }, el('span', { class: 'label', 'aria-hidden': 'true' }, title), control);
