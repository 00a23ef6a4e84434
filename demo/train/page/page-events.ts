// Handles the events that concern the whole page: form state, notices, message log, adapter, title.

import { adapterOf } from '../../common/adapter-name.ts';
import { byId } from '../../common/dom.ts';
import { formatInteger } from '../../common/format.ts';
import type { PageHeader } from '../../common/page-header.ts';
import { say } from '../../common/page-texts.ts';
import type { SessionEvent } from '../protocol.ts';
import { createMessageLog, type Notices } from './notices.ts';
import { isRunning } from './run-panel.ts';
import { stateWords } from './state-words.ts';
import type { TranslatePanel } from './translate-panel.ts';

/** Parts of the page that events change. */
interface EventTargets {
  readonly translate: TranslatePanel;
  readonly header: PageHeader;
  readonly notices: Notices;
  /** Whether a lesson asks the model in training: then the translation box does not. */
  isLesson(): boolean;
  /** Called when a training starts or ends: while one runs, no other model can be loaded. */
  setTraining(training: boolean): void;
  /** Called when the stored models have changed. */
  refreshModels(): void;
}

/** The handler of these events. */
export class PageEvents {
  readonly #targets: EventTargets;
  readonly #log = createMessageLog(byId('log'));
  readonly #setup = byId<HTMLFieldSetElement>('setup');
  #isRunning = false;
  #steps = 0;

  constructor(targets: EventTargets) {
    this.#targets = targets;
  }

  onEvent(event: SessionEvent): void {
    const { translate, header, notices } = this.#targets;
    switch (event.type) {
      case 'state':
        this.#onState(event);
        break;
      case 'started': {
        const { model, parameters, backend } = event.info;
        translate.setModel(model);
        header.showAdapter(adapterOf(backend));
        this.#log(say`${model}: ${formatInteger(parameters)} parameters on ${adapterOf(backend)}`);
        break;
      }
      case 'steps':
        this.#showTitle(event.steps.at(-1)?.step ?? 0);
        if (!this.#targets.isLesson()) translate.onStep(event.steps.at(-1)?.step ?? 0);
        break;
      case 'samples':
        translate.suggest(event.samples[0]?.source ?? '');
        break;
      case 'recovery':
        notices.show('info', event.text, { id: 'recovery' });
        this.#log(event.text);
        break;
      case 'warning':
        notices.show('bad', event.text);
        this.#log(event.text);
        break;
      case 'checkpoint':
        this.#log(say`checkpoint at step ${event.step}`);
        break;
      case 'log':
        this.#log(event.text);
    }
  }

  #onState({ state, text, step, steps }: SessionEvent & { type: 'state' }): void {
    const { translate, notices, setTraining, refreshModels } = this.#targets;
    this.#isRunning = isRunning(state);
    this.#steps = steps;
    this.#setup.disabled = this.#isRunning;
    translate.setTraining(this.#isRunning);
    setTraining(this.#isRunning);
    this.#showTitle(step);
    if (state === 'preparing') {
      translate.setModel('');
      for (const id of ['resume', 'failed', 'loaded']) notices.remove(id);
    }
    if (state === 'failed') notices.show('bad', text || say`The training failed.`, { id: 'failed' });
    if (['done', 'stopped', 'failed', 'paused'].includes(state)) refreshModels();
    this.#log([stateWords[state], text].filter(Boolean).join(': '));
  }

  /** Shows the progress in the title of the tab. */
  #showTitle(step: number): void {
    const share = Math.floor((100 * step) / this.#steps);
    const progress = this.#steps > 0 && this.#isRunning ? `${share} % · ` : '';
    const title = say`${progress}Train · heddle`;
    if (title !== document.title) document.title = title;
  }
}
