// The training page: mounts the panels, sends button presses to the worker and its events to the panels.

import { byId, fill, set } from '../../common/dom.ts';
import { mountHeader, type PageHeader } from '../../common/page-header.ts';
import { findProblem, problemPage } from '../../common/webgpu-support.ts';
import type { SessionEvent } from '../protocol.ts';
import { acceptDrops, createCorpusPanel } from './corpus-panel.ts';
import { createCurvesPanel } from './curves-panel.ts';
import { createModelsPanel, type ModelsPanel } from './models-panel.ts';
import { createMessageLog, createNotices, type Notices } from './notices.ts';
import { createPlanPreview } from './plan-preview.ts';
import { createRunPanel, isRunning } from './run-panel.ts';
import { createSamplesPanel } from './samples-panel.ts';
import { createSettingsForm } from './settings-form.ts';
import { createTrainingStarter } from './start-training.ts';
import { createSession, type Session } from './training-session.ts';
import { createTranslatePanel, type TranslatePanel } from './translate-panel.ts';

const header = mountHeader('train');
const problem = await findProblem();
if (problem) fill(byId('webgpu-problem'), problemPage(problem));
else {
  const notices = createNotices();
  fill(byId('notices'), notices.element);
  set(byId('layout'), { hidden: false });
  mountPage(createSession(), header, notices);
}

/** Creates the panels, places them in the page and connects them with the session. */
function mountPage(session: Session, header: PageHeader, notices: Notices): void {
  const corpus = createCorpusPanel(() => preview.update());
  const settingsForm = createSettingsForm(() => preview.update());
  const run = createRunPanel({
    start: () => void (preview.settings && starter.start(preview.settings)),
    pause: () => void starter.attempt(session.pause()),
    continue: () => void starter.attempt(session.continue()),
    stop: () => void starter.attempt(session.stop()),
  });
  const curves = createCurvesPanel();
  const samples = createSamplesPanel();
  const translate = createTranslatePanel(session);
  const models = createModelsPanel(session, {
    resume: (name, steps) => void starter.resume(name, steps),
    onLoad(name) {
      translate.setModel(name);
      notices.show('good', `${name} is loaded. Translate with it above.`, { id: 'loaded' });
    },
    notify: (kind, text) => void notices.show(kind, text),
  });
  const panels = { corpus, settings: settingsForm, run, curves, samples, 'translate-box': translate, models };
  for (const [id, { element }] of Object.entries(panels)) byId(id).append(element);
  byId('figures').append(run.figures);

  const preview = createPlanPreview({
    session,
    corpus,
    settingsForm,
    run,
    corpusPlace: byId('corpus-summary'),
    planPlace: byId('plan-summary'),
    showAdapter: header.showAdapter,
  });
  const starter = createTrainingStarter({
    session,
    notices,
    setLanguages(source, target) {
      for (const panel of [samples, translate]) panel.setLanguages(source, target);
    },
    onRename(settings) {
      settingsForm.rename(settings.name);
      preview.settings = settings;
    },
  });

  const onEvent = createEventHandler({ translate, models, header, notices });
  session.on((event) => {
    for (const panel of [run, curves, samples]) panel.onEvent(event);
    onEvent(event);
  });
  // Other tabs may have changed the models while this one was hidden.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void models.refresh();
  });
  acceptDrops(
    (file) => {
      if (/\.(?:zip|safetensors)$/i.test(file.name)) void models.importFile(file);
      else if (isRunning(run.state))
        notices.show('bad', `${file.name} was not opened: a training is running.`, { id: 'drop' });
      else corpus.useFile(file);
    },
    (above) => set(document.body, { 'data-drop': above && 'true' }),
  );
  preview.update(0);
  void offerToResume();

  /** After a reload or a closed tab: offers to resume the most recent unfinished training. */
  async function offerToResume(): Promise<void> {
    const found = (await models.refresh())?.models.find((m) => m.unfinished && m.lock === 'free');
    if (!found || isRunning(run.state)) return;
    notices.show(
      'info',
      `The training of ${found.name} stopped at step ${found.step} of ${found.steps}. Its last checkpoint is in this browser.`,
      {
        id: 'resume',
        actions: [{ name: 'Resume training', act: () => void starter.resume(found.name) }],
      },
    );
  }
}

/** Parts of the page that events change, besides the panels that handle events themselves. */
interface EventTargets {
  readonly translate: TranslatePanel;
  readonly models: ModelsPanel;
  readonly header: PageHeader;
  readonly notices: Notices;
}

/** Returns the handler that updates form state, notices, log and title. */
function createEventHandler({ translate, models, header, notices }: EventTargets): (event: SessionEvent) => void {
  const log = createMessageLog(byId('log'));
  const setup = byId<HTMLFieldSetElement>('setup');

  function onState(event: SessionEvent & { type: 'state' }): void {
    const { state, text } = event;
    setup.disabled = isRunning(state);
    models.setTraining(isRunning(state));
    showTitle(event);
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
        header.showAdapter(backend);
        log(`${model}: ${parameters.toLocaleString('en')} parameters on ${backend}`);
        break;
      }
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

/** Shows the progress in the title, for visitors who look at another tab. */
function showTitle({ state, step, steps }: SessionEvent & { type: 'state' }): void {
  const share = steps > 0 && isRunning(state) ? `${Math.floor((100 * step) / steps)} % · ` : '';
  const title = `${share}Train · heddle`;
  if (title !== document.title) document.title = title;
}
