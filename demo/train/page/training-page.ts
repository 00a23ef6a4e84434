// The training page: forms say what a training would be, buttons start and end it, events of the worker go to the parts that show them.

import { byId, set } from '../../common/dom.ts';
import type { PageHeader } from '../../common/page-header.ts';
import type { SessionEvent } from '../protocol.ts';
import { acceptDrops, createCorpusPanel } from './corpus-panel.ts';
import { createCurvesPanel } from './curves-panel.ts';
import { createLog } from './message-log.ts';
import { createModelsPanel, type ModelsPanel } from './models-panel.ts';
import type { Notices } from './notices.ts';
import { createForecast } from './plan-preview.ts';
import { createRunPanel, underWay } from './run-panel.ts';
import { createSentencesPanel } from './samples-panel.ts';
import { createRecipePanel } from './settings-form.ts';
import { createStarting } from './start-training.ts';
import type { Session } from './training-session.ts';
import { createTranslatePanel, type TranslatePanel } from './translate-panel.ts';

/** Puts the page's parts into it and brings them to life. */
export function mountTraining(session: Session, header: PageHeader, notices: Notices): void {
  const corpus = createCorpusPanel(() => forecast.changed());
  const recipe = createRecipePanel(() => forecast.changed());
  const run = createRunPanel({
    start: () => void (forecast.settings && starting.start(forecast.settings)),
    pause: () => void starting.attempt(session.pause()),
    continue: () => void starting.attempt(session.continue()),
    stop: () => void starting.attempt(session.stop()),
  });
  const curves = createCurvesPanel();
  const sentences = createSentencesPanel();
  const translate = createTranslatePanel(session);
  const models = createModelsPanel(session, {
    resume: (name, steps) => void starting.resume(name, steps),
    loaded(name) {
      translate.ready(name);
      notices.say('good', `${name} is loaded; translate with it above.`, { id: 'loaded' });
    },
    say: (kind, text) => void notices.say(kind, text),
  });
  const places = { corpus, recipe, run, curves, sentences, 'translate-box': translate, models };
  for (const [id, { element }] of Object.entries(places)) byId(id).append(element);
  byId('figures').append(run.figures);

  const forecast = createForecast({
    session,
    corpus,
    recipe,
    run,
    corpusPlace: byId('corpus-facts'),
    planPlace: byId('plan-facts'),
    showAdapter: header.showAdapter,
  });
  const starting = createStarting({
    session,
    notices,
    languages(source, target) {
      for (const part of [sentences, translate]) part.languages(source, target);
    },
    renamed(settings) {
      recipe.rename(settings.name);
      forecast.settings = settings;
    },
  });

  const hear = listener({ translate, models, header, notices });
  session.on((event) => {
    for (const part of [run, curves, sentences]) part.hear(event);
    hear(event);
  });
  // What other tabs did to the models meanwhile.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void models.refresh();
  });
  acceptDrops(
    (file) => {
      if (/\.(?:zip|safetensors)$/i.test(file.name)) void models.take(file);
      else if (underWay(run.state))
        notices.say('bad', `${file.name} was not taken: a training is under way.`, { id: 'drop' });
      else corpus.take(file);
    },
    (above) => set(document.body, { 'data-drop': above && 'true' }),
  );
  forecast.changed(0);
  void offerToContinue();

  /** After a reload or a closed tab: the last training that is not at its end. */
  async function offerToContinue(): Promise<void> {
    const found = (await models.refresh())?.models.find((m) => m.unfinished && m.lock === 'free');
    if (!found || underWay(run.state)) return;
    notices.say(
      'info',
      `The training of ${found.name} is at step ${found.step} of ${found.steps}. Its last checkpoint is in this browser.`,
      {
        id: 'continue',
        actions: [{ name: 'Continue the training', act: () => void starting.resume(found.name) }],
      },
    );
  }
}

/** What events change. */
interface Hearing {
  readonly translate: TranslatePanel;
  readonly models: ModelsPanel;
  readonly header: PageHeader;
  readonly notices: Notices;
}

/** What events mean to the page beyond the panels that hear of them: what can be pressed, messages, the log, the title. */
function listener({ translate, models, header, notices }: Hearing): (event: SessionEvent) => void {
  const line = createLog(byId('log'));
  const setup = byId<HTMLFieldSetElement>('setup');

  function state(event: SessionEvent & { type: 'state' }): void {
    const { state, text } = event;
    setup.disabled = underWay(state);
    models.busy(underWay(state));
    showTitle(event);
    if (state === 'preparing') {
      translate.ready('');
      for (const id of ['continue', 'failed', 'loaded']) notices.drop(id);
    }
    if (state === 'failed') notices.say('bad', text || 'The training failed.', { id: 'failed' });
    if (['done', 'stopped', 'failed', 'paused'].includes(state)) void models.refresh();
    line([state, text].filter(Boolean).join(': '));
  }
  return (event) => {
    switch (event.type) {
      case 'state':
        state(event);
        break;
      case 'started': {
        const { model, parameters, backend } = event.facts;
        translate.ready(model);
        header.showAdapter(backend);
        line(`${model}: ${parameters.toLocaleString('en')} parameters on ${backend}`);
        break;
      }
      case 'samples':
        translate.suggest(event.samples[0]?.source ?? '');
        break;
      case 'recovered':
        notices.say('info', event.text, { id: 'recovered' });
        line(event.text);
        break;
      case 'warning':
        notices.say('bad', event.text);
        line(event.text);
        break;
      case 'saved':
        line(`checkpoint at step ${event.step}`);
        break;
      case 'log':
        line(event.text);
    }
  };
}

/** How far the training is, for whoever looks at another tab. */
function showTitle({ state, step, steps }: SessionEvent & { type: 'state' }): void {
  const share = steps > 0 && underWay(state) ? `${Math.floor((100 * step) / steps)} % · ` : '';
  const title = `${share}Train · heddle`;
  if (title !== document.title) document.title = title;
}
