// Panel of the running training: buttons, progress and current values. Screen readers announce each tenth and
// each change of state.

import {
  formatBytes,
  formatDuration,
  formatInteger,
  formatNumber,
  formatPercent,
} from '../../../src/core/format-numbers.ts';
import type { LogEval } from '../../../src/index.ts';
import { el, onFrame, set, setText, stack } from '../../common/dom.ts';
import type { RunInfo, SessionEvent, SessionState, StepEvent } from '../protocol.ts';

/** Handlers of the buttons. */
export interface RunActions {
  /** Resolves when the training has started or failed to. */
  start(): Promise<void>;
  pause(): void;
  /** Does one update of a paused training; resolves when it is done. */
  singleStep(): Promise<void>;
  continue(): void;
  stop(): void;
}

/** The run panel. */
export interface RunPanel {
  /** State, buttons and progress; not tall, because it stays at the bottom of the screen. */
  readonly element: HTMLElement;
  /** Current values: loss, accuracy, throughput, memory. */
  readonly figures: HTMLElement;
  readonly state: SessionState;
  onEvent(event: SessionEvent): void;
  /**
   * Sets whether a training can start, and a message. While the plan is `pending`, a press of Start waits for
   * it (`queued`).
   */
  setReady(ready: 'ready' | 'pending' | 'invalid', text?: string): void;
}

/** Returns whether a training is running in this state; then no other one can start. */
export const isRunning = (state: SessionState): boolean =>
  ['preparing', 'training', 'paused', 'recovering', 'stopping'].includes(state);

const stateNames: Record<SessionState, string> = {
  idle: 'Ready to train',
  preparing: 'Preparing',
  training: 'Training',
  paused: 'Paused',
  recovering: 'GPU device lost, recovering',
  stopping: 'Stopping',
  stopped: 'Stopped',
  done: 'Done',
  failed: 'Failed',
};

/** Formats a loss with three decimals, or with three digits if it is large. */
const formatLoss = (loss: number): string => (Math.abs(loss) < 100 ? loss.toFixed(3) : loss.toPrecision(3));

/** Formats the time of an update: `21.5 ms`, `12.3 s`. */
const formatStepTime = (ms: number): string =>
  Number.isFinite(ms) ? (ms < 10_000 ? `${formatNumber(ms)} ms` : `${formatNumber(ms / 1000)} s`) : '–';

const isUsable = (button: HTMLButtonElement): boolean => !button.hidden && !button.disabled;

/** Creates the panel. */
export function createRunPanel(actions: RunActions): RunPanel {
  let state: SessionState = 'idle';
  let text = '';
  let planText = '';
  let model = '';
  let step = 0;
  let steps = 0;
  let latest: StepEvent | undefined;
  let info: RunInfo | undefined;
  let dev: LogEval | undefined;
  let savedAt = 0;
  let ready: 'ready' | 'pending' | 'invalid' = 'pending';
  /** Start of the current state, to show the seconds of a recovery. */
  let since = 0;
  let clock = 0;
  /** The last tenth announced to screen readers. */
  let announced = -1;
  /** Moving averages over about the last 20 updates. */
  let stepMs = Number.NaN;
  let rate = Number.NaN;

  const start = el(
    'button',
    { type: 'button', class: 'main', id: 'start', disabled: true, onclick: press },
    'Start training',
  );
  /** Whether Start was pressed before the plan was ready. */
  let queued = false;
  async function press(): Promise<void> {
    if (queued || ready === 'invalid') return;
    queued = true;
    draw();
    await actions.start();
    queued = false;
    draw();
  }
  const pause = el('button', { type: 'button', id: 'pause' }, 'Pause');
  /** Whether a single step is running; other presses are ignored meanwhile. */
  let stepping = false;
  const single = el(
    'button',
    {
      type: 'button',
      id: 'single-step',
      'aria-label': 'Step: train a single step',
      onclick: stepOnce,
      hidden: true,
    },
    'Step',
  );
  async function stepOnce(): Promise<void> {
    if (stepping) return;
    stepping = true;
    draw();
    await actions.singleStep();
    stepping = false;
    draw();
  }
  const stop = el('button', { type: 'button', id: 'stop', onclick: actions.stop }, 'Stop');
  pause.addEventListener('click', () => (state === 'paused' ? actions.continue() : actions.pause()));
  const title = el('span', { class: 'state' });
  const progressText = el('span', { class: 'soft number' });
  const bar = el('progress', { max: 1, value: 0, 'aria-label': 'Training progress' });
  const note = el('p', { class: 'hint why' });
  const announcement = el('p', { class: 'unseen', role: 'status' });
  const figure = (text: string, id: string) => {
    const [name, value] = [el('dt', {}, text), el('dd', { id }, '–')];
    return { name, value, element: el('div', {}, name, value) };
  };
  const figures = {
    loss: figure('loss', 'now-loss'),
    accuracy: figure('dev token accuracy', 'now-accuracy'),
    rate: figure('tokens per second', 'now-rate'),
    stepMs: figure('step time', 'now-step-time'),
    mfu: figure('model FLOPs utilization', 'now-mfu'),
    learningRate: figure('learning rate', 'now-learning-rate'),
    memory: figure('GPU memory', 'now-memory'),
  };

  const figureList = el('dl', { class: 'figures' }, ...Object.values(figures).map((f) => f.element));

  const draw = onFrame(() => {
    const busy = isRunning(state);
    const focused = [start, pause, single, stop].find((button) => button === document.activeElement);
    set(start, { hidden: busy, disabled: ready === 'invalid', 'aria-busy': queued && 'true' });
    set(pause, { hidden: !busy, disabled: state !== 'training' && state !== 'paused' });
    setText(pause, state === 'paused' ? 'Continue' : 'Pause');
    pause.classList.toggle('main', state === 'paused');
    set(single, { hidden: state !== 'paused', 'aria-busy': stepping && 'true' });
    set(stop, { hidden: !busy, disabled: state === 'stopping' });
    // If the focused button is now hidden, focus the button that replaces it.
    if (focused && !isUsable(focused))
      ([pause, stop, start].find(isUsable) ?? document.getElementById('run'))?.focus();
    setText(start, queued ? 'Starting…' : state === 'idle' ? 'Start training' : 'Start a new training');
    const waited = Math.round((performance.now() - since) / 1000);
    const isPlanning = state === 'idle' && ready === 'pending';
    setText(
      title,
      isPlanning
        ? 'Planning'
        : stateNames[state] + (state === 'recovering' && waited > 0 ? `, ${waited} s` : ''),
    );
    title.dataset.state = state;
    set(bar, { value: steps > 0 ? step / steps : 0, hidden: steps === 0 && !busy });
    if (state === 'preparing' && steps === 0) bar.removeAttribute('value');
    setText(progressText, formatProgress());
    const saved = savedAt > 0 ? `Last checkpoint at ${new Date(savedAt).toLocaleTimeString()}.` : '';
    setText(note, text || (busy ? saved || planText : planText || saved));
    note.classList.toggle('wrong', state === 'failed' || (ready === 'invalid' && planText !== '' && !busy));
    set(figureList, { hidden: !info && !latest && !dev }); // a recorded run has no present values
    setText(figures.loss.value, latest ? formatLoss(latest.loss) : '–');
    setText(figures.accuracy.value, formatPercent(dev?.tokenAccuracy ?? Number.NaN));
    setText(figures.rate.value, formatInteger(rate));
    setText(figures.stepMs.value, formatStepTime(stepMs));
    setText(figures.mfu.value, formatPercent(latest?.mfu ?? Number.NaN));
    setText(figures.learningRate.value, formatNumber(latest?.learningRate ?? Number.NaN));
    setText(figures.memory.value, info ? formatBytes(info.gpuBytes) : '–');
    setText(
      figures.memory.name,
      info ? `GPU memory (planned: ${formatBytes(info.plannedBytes)})` : 'GPU memory',
    );
    const tenth = steps > 0 ? Math.floor((10 * step) / steps) : 0;
    if (tenth !== announced) {
      announced = tenth;
      announce();
    }
  });

  function formatProgress(): string {
    if (steps === 0) return model;
    const left =
      state === 'training' && Number.isFinite(stepMs)
        ? ` · ${formatDuration(((steps - step) * stepMs) / 1000)} left`
        : '';
    return `${model ? `${model} · ` : ''}step ${formatInteger(step)} of ${formatInteger(steps)}${left}`;
  }
  function announce(): void {
    const loss = latest && step > 0 ? `, loss ${latest.loss.toFixed(2)}` : '';
    const share = steps > 0 ? `, ${Math.floor((100 * step) / steps)} percent` : '';
    setText(announcement, state === 'idle' ? '' : `${stateNames[state]}${share}${loss}. ${text}`.trim());
  }
  draw();

  return {
    element: stack(
      el(
        'div',
        { class: 'row run-row' },
        el('div', { class: 'run-where' }, title, progressText),
        el('div', { class: 'row push' }, start, pause, single, stop),
      ),
      bar,
      note,
      announcement,
    ),
    figures: figureList,
    get state() {
      return state;
    },
    onEvent(event) {
      if (event.type === 'state') {
        if (event.state === 'preparing') {
          latest = dev = undefined;
          stepMs = rate = Number.NaN;
          savedAt = 0;
          announced = -1;
          if (!queued) planText = ''; // resumed: the plan is not of this training
        }
        const changed = event.state !== state;
        ({ state, text, model, step, steps } = event);
        if (changed) {
          since = performance.now();
          window.clearInterval(clock);
          // A crashed GPU process may take half a minute to restart: show the seconds.
          if (state === 'recovering') clock = window.setInterval(draw, 1000);
          announce();
        }
      } else if (event.type === 'started') info = event.info;
      else if (event.type === 'steps') {
        for (const s of event.steps) {
          latest = s;
          step = Math.max(step, s.step);
          if (s.first) continue; // its time includes the compilation of the kernels
          stepMs = Number.isFinite(stepMs) ? stepMs + (s.stepMs - stepMs) / 20 : s.stepMs;
          rate = s.tokensPerSecond;
        }
      } else if (event.type === 'evaluation') dev = event.eval;
      else if (event.type === 'history') dev = event.evals.findLast((e) => e.part === 'dev');
      else if (event.type === 'checkpoint') savedAt = event.time;
      else if (event.type === 'progress' && state === 'preparing')
        text = `${event.text} · ${event.done} of ${event.total}`;
      draw();
    },
    setReady(able, about = '') {
      ready = able;
      set(start, { disabled: ready === 'invalid' }); // now, not in the next frame
      if (isRunning(state)) return;
      if (able !== 'pending') planText = about;
      if (able === 'invalid') text = '';
      draw();
    },
  };
}
