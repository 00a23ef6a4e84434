// Panel of the settings that can change while a training runs: learning rate, dropout and evaluation
// interval; lists the changes of the run.

import { formatInteger, formatNumber } from '../../../src/core/format-numbers.ts';
import type { LiveSettings, LogChange } from '../../../src/index.ts';
import { el, fill, set, setText } from '../../common/dom.ts';
import { field, markValid, numberInput } from '../../common/form-controls.ts';
import type { SessionEvent } from '../protocol.ts';
import { isRunning } from './run-panel.ts';
import type { Session } from './training-session.ts';

/** The panel. */
export interface LivePanel {
  readonly element: HTMLElement;
  onEvent(event: SessionEvent): void;
}

type Name = keyof LiveSettings;

const words: Record<Name, string> = {
  learningRate: 'learning rate',
  dropout: 'dropout',
  evalSteps: 'evaluation interval',
};

/** Label of the learning rate, which depends on the schedule. */
function rateLabel(schedule: string): string {
  if (schedule === 'constant') return 'Constant learning rate';
  return schedule === 'noam' ? 'Learning rate factor (noam)' : `Maximum learning rate (${schedule})`;
}

/** Creates the panel. */
export function createLivePanel(session: Pick<Session, 'change'>): LivePanel {
  let now: Required<LiveSettings> = { learningRate: 0, dropout: 0, evalSteps: 0 };
  const inputs: Record<Name, HTMLInputElement> = {
    learningRate: numberInput(0, { min: 0 }),
    dropout: numberInput(0, { min: 0, max: 0.99 }),
    evalSteps: numberInput(0, { min: 0, step: 1 }),
  };
  const rate = field('Learning rate', inputs.learningRate);
  const apply = el('button', { type: 'submit', id: 'apply-changes', disabled: true }, 'Apply');
  const note = el('p', { class: 'hint', role: 'status', id: 'live-note' });
  const list = el('ul', {
    class: 'changes hint',
    id: 'changes',
    'aria-label': 'Changes during this run',
    hidden: true,
  });
  const form = el(
    'form',
    { class: 'stack', novalidate: true, 'aria-labelledby': 'live-title' },
    el('h3', { id: 'live-title' }, 'From the next step on'),
    el(
      'div',
      { class: 'live' },
      rate,
      field('Dropout rate', inputs.dropout),
      field('Evaluation interval (steps)', inputs.evalSteps),
      apply,
    ),
    note,
  );
  const element = el('div', { class: 'stack', hidden: true }, form, list);

  /** The settings that the visitor has changed; undefined if one is invalid. */
  function changed(): LiveSettings | undefined {
    inputs.learningRate.setCustomValidity(inputs.learningRate.valueAsNumber > 0 ? '' : 'must be above 0');
    const names = Object.keys(inputs) as Name[];
    const invalid = names.find((name) => !markValid(inputs[name]));
    if (invalid) {
      show(`${inputs[invalid].labels?.[0]?.textContent}: ${inputs[invalid].validationMessage}`, true);
      return undefined;
    }
    show('');
    return Object.fromEntries(
      names.flatMap((name) => {
        const value = inputs[name].valueAsNumber;
        return value === now[name] ? [] : [[name, value]];
      }),
    );
  }
  function show(text: string, wrong = false): void {
    setText(note, text);
    set(note, { class: wrong ? 'wrong' : 'hint' });
  }
  /** Shows the current settings; a field that the visitor is editing keeps its text. */
  function showNow(): void {
    for (const name of Object.keys(inputs) as Name[])
      if (inputs[name] !== document.activeElement) inputs[name].value = String(now[name]);
    set(apply, { disabled: true });
  }
  function addChange({ step, ...settings }: LogChange): void {
    const parts = (Object.keys(words) as Name[]).flatMap((name) => {
      const value = settings[name];
      return value === undefined ? [] : [`${words[name]} ${formatNumber(value)}`];
    });
    list.append(el('li', {}, `After step ${formatInteger(step)}: ${parts.join(', ')}`));
    set(list, { hidden: false });
  }
  form.addEventListener('input', () => {
    const given = changed();
    set(apply, { disabled: given !== undefined && Object.keys(given).length === 0 });
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const given = changed();
    if (!given || Object.keys(given).length === 0) return;
    try {
      await session.change(given);
      show('Applied. The change is recorded with the run.');
    } catch (error) {
      show((error as Error).message, true);
    }
  });

  return {
    element,
    onEvent(event) {
      if (event.type === 'state') {
        if (event.state === 'preparing') {
          fill(list);
          set(list, { hidden: true });
          show('');
        }
        const running = isRunning(event.state);
        set(form, { hidden: !running });
        set(element, { hidden: event.state === 'preparing' || (!running && list.children.length === 0) });
      } else if (event.type === 'started') {
        const { live, schedule } = event.info;
        now = live;
        const label = rate.querySelector('label');
        if (label) setText(label, rateLabel(schedule));
        showNow();
      } else if (event.type === 'change') {
        const { type: _, step: __, ...settings } = event.change;
        now = { ...now, ...settings };
        addChange(event.change);
        showNow();
      } else if (event.type === 'history') {
        fill(list);
        for (const change of event.changes) addChange(change);
        set(list, { hidden: event.changes.length === 0 });
        set(element, { hidden: form.hidden && event.changes.length === 0 });
      }
    },
  };
}
