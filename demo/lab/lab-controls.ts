// Form of the lab: kernels, duration, libraries to compare with; start, stop, progress.

import { installed } from 'virtual:heddle-peer-names';
import { el, fill, set, setText } from '../common/dom.ts';
import { field, segmentedChoice } from '../common/form-controls.ts';
import { createKernelForm } from './kernel-form.ts';
import { type LabSettings, type PeerName, peerNames } from './lab-protocol.ts';

/** The form. */
export interface Controls {
  readonly element: HTMLElement;
  /** Sets whether a measurement is running. */
  setRunning(active: boolean): void;
  /** Sets whether the editor uses the device; a measurement must wait. */
  setBusy(busy: boolean): void;
  /** Starts a measurement, as the button does. */
  start(): void;
  /** Shows the progress: `done` of `total` kernels, and the name of the next one. */
  setProgress(done: number, total: number, next: string): void;
  /** Shows how the measurement ended. */
  setStatus(text: string, kind?: 'bad'): void;
}

const lengths = { quick: { span: 20, rounds: 5 }, careful: { span: 100, rounds: 9 } } as const;

/** Callbacks of the buttons. */
export interface LabActions {
  measure(settings: LabSettings): void;
  checkConformance(): void;
  stop(): void;
}

/** Creates the form. */
export function createControls(actions: LabActions): Controls {
  let which: LabSettings['set'] | 'own' = 'small';
  const own = createKernelForm(() => {});
  own.element.hidden = true;
  let length: keyof typeof lengths = 'quick';
  const filter = el('input', {
    type: 'search',
    placeholder: 'all',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const peers = Object.entries(peerNames).map(([id, name]) => {
    const available = installed.includes(id as PeerName);
    const box = el('input', {
      type: 'checkbox',
      value: id,
      disabled: !available,
      'aria-describedby': 'peers-hint',
    });
    return { id: id as PeerName, name, available, box, label: el('label', { class: 'check' }, box, name) };
  });
  const missing = peers.filter((p) => !p.available).map((p) => p.name);
  const hint = el(
    'p',
    { class: 'hint', id: 'peers-hint' },
    missing.length === 0
      ? 'Loaded from the origin of this page when the measurement starts.'
      : `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not part of this page.`,
  );
  const startButton = el('button', { type: 'submit', class: 'main' }, 'Measure');
  const checkButton = el(
    'button',
    {
      type: 'button',
      title: 'All kernels at small sizes, 20 training steps, latencies, recovery of a lost device',
      onclick: () => actions.checkConformance(),
    },
    'Check conformance',
  );
  const stopButton = el('button', { type: 'button', disabled: true, onclick: () => actions.stop() }, 'Stop');
  const bar = el('progress', { max: 1, value: 0, 'aria-label': 'Progress of the measurements' });
  bar.hidden = true;
  const status = el('p', { class: 'status', role: 'status' });
  const filterField = field('Filter by name', filter);
  const fields = el(
    'fieldset',
    { class: 'what' },
    el('legend', { class: 'unseen' }, 'What to measure'),
    labelled(
      'Kernels',
      segmentedChoice(
        'Kernels',
        [
          ['small', 'Small set'],
          ['all', 'All'],
          ['own', 'Your sizes'],
        ],
        which,
        (value) => {
          which = value;
          own.element.hidden = value !== 'own';
          filterField.hidden = value === 'own';
        },
      ),
    ),
    labelled(
      'Measurements',
      segmentedChoice(
        'Measurements',
        [
          ['quick', '5 rounds of 20 ms'],
          ['careful', '9 rounds of 100 ms'],
        ],
        length,
        (value) => {
          length = value;
        },
      ),
    ),
    filterField,
    el(
      'fieldset',
      { class: 'stack-small' },
      el('legend', {}, 'Compare with'),
      ...peers.map((p) => p.label),
      hint,
    ),
  );
  const form = el(
    'form',
    {
      class: 'controls',
      onsubmit: (event: Event) => {
        event.preventDefault();
        const chosen = peers.filter((p) => p.box.checked).map((p) => p.id);
        const common = { ...lengths[length], peers: chosen };
        if (which !== 'own') return actions.measure({ set: which, filter: filter.value, ...common });
        const spec = own.read();
        if (spec) actions.measure({ set: 'small', filter: '', specs: [spec], ...common });
      },
    },
    fields,
    own.element,
    el('div', { class: 'row go' }, startButton, checkButton, stopButton, bar, status),
  );
  return {
    element: form,
    start: () => form.requestSubmit(),
    setBusy(busy) {
      startButton.disabled = busy;
    },
    setRunning(active) {
      fields.disabled = active;
      own.setDisabled(active);
      startButton.disabled = active;
      checkButton.disabled = active;
      stopButton.disabled = !active;
      bar.hidden = !active;
      bar.removeAttribute('value');
      if (active) {
        status.classList.remove('wrong');
        setText(status, 'Opening the device …');
      }
    },
    setProgress(done, total, next) {
      set(bar, { max: total, value: done });
      setText(status, `${done + 1} of ${total}: ${next}`);
    },
    setStatus(text, kind) {
      status.classList.toggle('wrong', kind === 'bad');
      fill(status, text);
    },
  };
}

const labelled = (title: string, control: HTMLElement): HTMLElement =>
  el('div', { class: 'field' }, el('span', { class: 'label', 'aria-hidden': 'true' }, title), control);
