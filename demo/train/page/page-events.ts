// Handles the events that concern the whole page: form state, notices, message log, adapter, title.

import { byId } from '../../common/dom.ts';
import type { PageHeader } from '../../common/page-header.ts';
import type { SessionEvent } from '../protocol.ts';
import type { GalleryPanel } from './gallery-panel.ts';
import type { ModelsPanel } from './models-panel.ts';
import { createMessageLog, type Notices } from './notices.ts';
import { isRunning } from './run-panel.ts';
import type { TranslatePanel } from './translate-panel.ts';

/** Parts of the page that events change. */
interface EventTargets {
  readonly translate: TranslatePanel;
  readonly models: ModelsPanel;
  readonly gallery: GalleryPanel;
  readonly header: PageHeader;
  readonly notices: Notices;
}

/** Creates the handler of these events. */
export function createEventHandler({
  translate,
  models,
  gallery,
  header,
  notices,
}: EventTargets): (event: SessionEvent) => void {
  const log = createMessageLog(byId('log'));
  const setup = byId<HTMLFieldSetElement>('setup');
  let running = false;
  let steps = 0;

  function onState(event: SessionEvent & { type: 'state' }): void {
    const { state, text } = event;
    running = isRunning(state);
    steps = event.steps;
    setup.disabled = running;
    models.setTraining(running);
    gallery.setTraining(running);
    translate.setTraining(running);
    showTitle(running, event.step, steps);
    if (state === 'preparing') {
      translate.setModel('');
      for (const id of ['resume', 'failed', 'loaded']) notices.remove(id);
    }
    if (state === 'failed') notices.show('bad', text || 'The training failed.', { id: 'failed' });
    if (['done', 'stopped', 'failed', 'paused'].includes(state)) void models.refresh();
    log([state, text].filter(Boolean).join(': '));
  }
  return (event) => {
    switch (event.type) {
      case 'state':
        onState(event);
        break;
      case 'started': {
        const { model, parameters, backend } = event.info;
        translate.setModel(model);
        header.showAdapter(backend.replace(/^(?:chrome|firefox|deno|dawn) /, ''));
        log(`${model}: ${parameters.toLocaleString('en')} parameters on ${backend}`);
        break;
      }
      case 'steps':
        showTitle(running, event.steps.at(-1)?.step ?? 0, steps);
        break;
      case 'samples':
        translate.suggest(event.samples[0]?.source ?? '');
        break;
      case 'recovery':
        notices.show('info', event.text, { id: 'recovery' });
        log(event.text);
        break;
      case 'warning':
        notices.show('bad', event.text);
        log(event.text);
        break;
      case 'checkpoint':
        log(`checkpoint at step ${event.step}`);
        break;
      case 'log':
        log(event.text);
    }
  };
}

/** Shows the progress in the title of the tab. */
function showTitle(running: boolean, step: number, steps: number): void {
  const share = steps > 0 && running ? `${Math.floor((100 * step) / steps)} % · ` : '';
  const title = `${share}Train · heddle`;
  if (title !== document.title) document.title = title;
}
