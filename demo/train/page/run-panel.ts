// The run: its buttons, how far it is, what it costs now. Screen readers hear of it at each tenth and whenever the state changes.

import {
  formatBytes,
  formatDuration,
  formatInteger,
  formatNumber,
  formatPercent,
} from '../../../src/core/format-numbers.ts';
import type { LogEval } from '../../../src/report/training-log.ts';
import { el, onFrame, set, setText } from '../../common/dom.ts';
import type { RunFacts, SessionEvent, SessionState, StepEvent } from '../protocol.ts';

/** What the buttons ask for. */
export interface RunActions {
  start(): void;
  pause(): void;
  continue(): void;
  stop(): void;
}

/** The panel of the run. */
export interface RunPanel {
  /** State, buttons and how far it is: low, since it stays in view. */
  readonly element: HTMLElement;
  /** What a step costs and brings now. */
  readonly figures: HTMLElement;
  readonly state: SessionState;
  hear(event: SessionEvent): void;
  /** Whether a training could start, and if not why. */
  ready(ok: boolean, why?: string): void;
}

/** States in which a training is under way, so that no other one can start. */
export const underWay = (state: SessionState): boolean =>
  ['preparing', 'training', 'paused', 'recovering', 'stopping'].includes(state);

const stateNames: Record<SessionState, string> = {
  idle: 'Ready',
  preparing: 'Preparing',
  training: 'Training',
  paused: 'Paused',
  recovering: 'The GPU was lost; recovering',
  stopping: 'Stopping',
  stopped: 'Stopped',
  done: 'Done',
  failed: 'Failed',
};

const usable = (button: HTMLButtonElement): boolean => !button.hidden && !button.disabled;

/** Builds the panel. */
export function createRunPanel(actions: RunActions): RunPanel {
  let state: SessionState = 'idle';
  let text = '';
  let model = '';
  let step = 0;
  let steps = 0;
  let latest: StepEvent | undefined;
  let facts: RunFacts | undefined;
  let dev: LogEval | undefined;
  let savedAt = 0;
  let able = false;
  /** Tenths that screen readers were told of. */
  let told = -1;
  /** Running means over about the last twenty updates, so that the figures can be read. */
  let stepMs = Number.NaN;
  let rate = Number.NaN;

  const start = el(
    'button',
    { type: 'button', class: 'main', id: 'start', disabled: true, onclick: actions.start },
    'Start training',
  );
  const pause = el('button', { type: 'button', id: 'pause' }, 'Pause');
  const stop = el('button', { type: 'button', id: 'stop', onclick: actions.stop }, 'Stop');
  pause.addEventListener('click', () => (state === 'paused' ? actions.continue() : actions.pause()));
  const title = el('span', { class: 'state' });
  const where = el('span', { class: 'soft number' });
  const bar = el('progress', { max: 1, value: 0, 'aria-label': 'Steps done' });
  const why = el('p', { class: 'hint why' });
  const spoken = el('p', { class: 'unseen', role: 'status' });
  const figure = (text: string, id: string) => {
    const [name, value] = [el('dt', {}, text), el('dd', { id }, '–')];
    return { name, value, element: el('div', {}, name, value) };
  };
  const figures = {
    loss: figure('loss', 'now-loss'),
    accuracy: figure('dev token accuracy', 'now-accuracy'),
    rate: figure('tokens a second', 'now-rate'),
    stepMs: figure('step time', 'now-step-time'),
    learningRate: figure('learning rate', 'now-learning-rate'),
    memory: figure('GPU memory', 'now-memory'),
  };

  const draw = onFrame(() => {
    const busy = underWay(state);
    const held = [start, pause, stop].find((button) => button === document.activeElement);
    set(start, { hidden: busy, disabled: !able });
    set(pause, { hidden: !busy, disabled: state !== 'training' && state !== 'paused' });
    setText(pause, state === 'paused' ? 'Continue' : 'Pause');
    pause.classList.toggle('main', state === 'paused');
    set(stop, { hidden: !busy, disabled: state === 'stopping' });
    // Whoever pressed a button that is gone now stands at the one in its place, and not at the top of the page.
    if (held && !usable(held)) ([pause, stop, start].find(usable) ?? document.getElementById('run'))?.focus();
    setText(start, state === 'idle' ? 'Start training' : 'Start a new training');
    setText(title, stateNames[state]);
    title.dataset.state = state;
    set(bar, { value: steps > 0 ? step / steps : 0, hidden: steps === 0 && !busy });
    if (state === 'preparing' && steps === 0) bar.removeAttribute('value');
    setText(where, whereText());
    const saved = savedAt > 0 ? `Last checkpoint at ${new Date(savedAt).toLocaleTimeString()}.` : '';
    setText(why, text || (busy || state !== 'idle' ? saved : ''));
    why.classList.toggle('wrong', state === 'failed');
    setText(figures.loss.value, latest ? latest.loss.toFixed(3) : '–');
    setText(figures.accuracy.value, formatPercent(dev?.tokenAccuracy ?? Number.NaN));
    setText(figures.rate.value, formatInteger(rate));
    setText(figures.stepMs.value, Number.isFinite(stepMs) ? `${formatNumber(stepMs)} ms` : '–');
    setText(figures.learningRate.value, formatNumber(latest?.learningRate ?? Number.NaN));
    setText(figures.memory.value, facts ? formatBytes(facts.gpuBytes) : '–');
    setText(figures.memory.name, facts ? `GPU memory, ${formatBytes(facts.plannedBytes)} by plan` : 'GPU memory');
    const tenth = steps > 0 ? Math.floor((10 * step) / steps) : 0;
    if (tenth !== told) {
      told = tenth;
      speak();
    }
  });

  function whereText(): string {
    if (steps === 0) return model;
    const left =
      state === 'training' && Number.isFinite(stepMs)
        ? ` · ${formatDuration(((steps - step) * stepMs) / 1000)} left`
        : '';
    return `${model ? `${model} · ` : ''}step ${formatInteger(step)} of ${formatInteger(steps)}${left}`;
  }
  function speak(): void {
    const loss = latest && step > 0 ? `, loss ${latest.loss.toFixed(2)}` : '';
    const share = steps > 0 ? `, ${Math.floor((100 * step) / steps)} percent` : '';
    setText(spoken, state === 'idle' ? '' : `${stateNames[state]}${share}${loss}. ${text}`.trim());
  }
  draw();

  return {
    element: el(
      'div',
      { class: 'stack' },
      el(
        'div',
        { class: 'row run-row' },
        el('div', { class: 'run-where' }, title, where),
        el('div', { class: 'row push' }, start, pause, stop),
      ),
      bar,
      why,
      spoken,
    ),
    figures: el('dl', { class: 'figures' }, ...Object.values(figures).map((f) => f.element)),
    get state() {
      return state;
    },
    hear(event) {
      if (event.type === 'state') {
        if (event.state === 'preparing') {
          latest = dev = undefined;
          stepMs = rate = Number.NaN;
          savedAt = 0;
          told = -1;
        }
        const changed = event.state !== state;
        ({ state, text, model, step, steps } = event);
        if (changed) speak();
      } else if (event.type === 'started') facts = event.facts;
      else if (event.type === 'steps') {
        for (const s of event.steps) {
          latest = s;
          step = Math.max(step, s.step);
          stepMs = Number.isFinite(stepMs) ? stepMs + (s.stepMs - stepMs) / 20 : s.stepMs;
          rate = s.tokensPerSecond;
        }
      } else if (event.type === 'dev') dev = event.eval;
      else if (event.type === 'history') dev = event.evals.findLast((e) => e.part === 'dev');
      else if (event.type === 'saved') savedAt = event.time;
      else if (event.type === 'progress' && state === 'preparing')
        text = `${event.text} · ${event.done} of ${event.of}`;
      draw();
    },
    ready(ok, reason = '') {
      able = ok;
      set(start, { disabled: !able }); // at once: at the next frame a press would be for what no longer stands in the forms
      if (!underWay(state)) text = reason;
      draw();
    },
  };
}
