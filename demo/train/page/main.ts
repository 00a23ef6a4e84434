// The training page: mounts the panels, sends button presses to the worker and its events to the panels.

import { describeChanges, HeddleError, parseChanges } from '../../../src/index.ts';
import { byId, el, fill, set, setText, whenVisible } from '../../common/dom.ts';
import { mountHeader, type PageHeader } from '../../common/page-header.ts';
import { findProblem, problemPage } from '../../common/webgpu-support.ts';
import type { SessionEvent } from '../protocol.ts';
import { acceptDrops, createCorpusPanel } from './corpus-panel.ts';
import { createCurvesPanel } from './curves-panel.ts';
import { type DemoModel, demoModels } from './demo-models.ts';
import { createGalleryPanel } from './gallery-panel.ts';
import { createInsidePanel } from './inside-panel.ts';
import { createLinkButton } from './link-button.ts';
import { createLivePanel } from './live-panel.ts';
import { createModelsPanel } from './models-panel.ts';
import { createNotices, type Notices } from './notices.ts';
import { createEventHandler } from './page-events.ts';
import { createPlanPreview } from './plan-preview.ts';
import { loadRecordedRun } from './recorded-run.ts';
import { createRunPanel, isRunning } from './run-panel.ts';
import { createRunsPanel } from './runs-panel.ts';
import { createSamplesPanel } from './samples-panel.ts';
import { createSettingsForm } from './settings-form.ts';
import { fromHash } from './share-link.ts';
import { createTrainingStarter } from './start-training.ts';
import { createSession, type Session } from './training-session.ts';
import { createTranslatePanel } from './translate-panel.ts';

const header = mountHeader('train');
const problem = await findProblem();
const curves = createCurvesPanel();
const samples = createSamplesPanel();
const inside = createInsidePanel();
for (const [id, { element }] of Object.entries({ curves, samples, inside })) byId(id).append(element);
set(byId('layout'), { hidden: false });
if (problem) {
  fill(byId('webgpu-problem'), problemPage(problem), exampleTable());
  for (const id of ['setup', 'run', 'figures']) byId(id).remove();
  const skip = byId('skip');
  setText(skip, 'Skip to the recorded run');
  set(skip, { href: '#curves-card' });
  byId('layout').classList.add('only-stage');
  void showRecordedRun();
} else {
  const notices = createNotices();
  fill(byId('notices'), notices.element);
  for (const id of ['translate-card', 'gallery-card', 'models-card', 'runs-card', 'log-card'])
    set(byId(id), { hidden: false });
  mountPage(createSession(), header, notices);
}

/** Shows a recorded run in the panels, unless another run is shown by then. */
async function showRecordedRun(isWanted: () => boolean = () => true): Promise<void> {
  const run = await loadRecordedRun().catch(() => undefined);
  if (!run || !isWanted()) return;
  const { steps, evals, probes } = run;
  samples.setLanguages('en', 'es');
  for (const panel of [curves, inside]) panel.onEvent({ type: 'history', steps, evals, probes, changes: [] });
  samples.onEvent({ type: 'samples', step: steps.at(-1)?.step ?? 0, samples: run.samples });
  const text = `A recorded run: ${run.corpus}, ${run.steps.at(-1)?.step} steps on ${run.backend.replace(/:.*/, '')}. Your own replaces it.`;
  setText(byId('recorded'), problem ? text.replace(' Your own replaces it.', '') : text);
  set(byId('recorded'), { hidden: false });
}

/** The example pairs of the models that ship with the page, with their translations. */
function exampleTable(): HTMLElement {
  return el(
    'section',
    { class: 'card stack', 'aria-labelledby': 'examples-title' },
    el('h2', { id: 'examples-title' }, 'Translations by models that were trained on this page'),
    el(
      'div',
      { class: 'model-examples' },
      ...demoModels.map(({ name, source, target, examples }) =>
        el(
          'div',
          {},
          el('h3', {}, name),
          el(
            'ul',
            { class: 'examples' },
            ...examples.map(([from, to]) =>
              el('li', {}, el('span', { lang: source }, from), el('span', { lang: target, dir: 'auto' }, to)),
            ),
          ),
        ),
      ),
    ),
  );
}

/** Creates the panels, places them in the page and connects them with the session. */
function mountPage(session: Session, header: PageHeader, notices: Notices): void {
  const corpus = createCorpusPanel(() => preview.update());
  const settingsForm = createSettingsForm(() => preview.update());
  const run = createRunPanel({
    async start() {
      const settings = await preview.planned();
      if (settings) await starter.start(settings);
    },
    pause: () => void starter.attempt(session.pause()),
    singleStep: () => starter.attempt(session.singleStep()),
    continue: () => void starter.attempt(session.continue()),
    stop: () => void starter.attempt(session.stop()),
  });
  const translate = createTranslatePanel(session);
  const models = createModelsPanel(session, {
    resume: (name, steps) => void resume(name, steps),
    onLoad: (name) => void showStored(name),
    onRename: (name, as) => translate.renameModel(name, as),
    onRefresh: ({ models: stored }) => gallery.setStored(stored),
    onChange: () => void runs.refresh(),
  });
  const gallery = createGalleryPanel(session, {
    async use(model, name) {
      byId('translate-card').scrollIntoView({ block: 'start' });
      await (model.shipped ? translate.useDemo(model.shipped) : translate.useStored(model, name));
    },
    refresh: () => models.refresh(),
  });
  const runs = createRunsPanel(session, (name) => void starter.attempt(reuseSettings(name)));
  const panels = { corpus, settings: settingsForm, run, 'translate-box': translate, gallery, models, runs };
  for (const [id, { element }] of Object.entries(panels)) byId(id).append(element);
  const live = createLivePanel(session);
  byId('figures').append(run.figures);
  byId('live').append(live.element);
  reserveBottomSpace(byId('run'));

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
  const events = createEventHandler({ translate, models, gallery, header, notices });
  const dispatch = (event: SessionEvent) => {
    const begins = event.type === 'state' && event.state === 'preparing';
    if (begins) hideRecordedRun();
    for (const panel of [run, live, curves, samples, inside]) panel.onEvent(event);
    if (event.type === 'change') settingsForm.addChange(event.change);
    events(event);
    // The panels are drawn in the next frame: then the translation of another model is gone, and the curves
    // are higher.
    if (begins) requestAnimationFrame(() => requestAnimationFrame(showCurves));
  };
  session.on(dispatch);

  /** Resumes a training; the form shows its settings. */
  async function resume(name: string, steps?: number): Promise<void> {
    await starter.attempt(fillForm(name).then(() => undefined));
    await starter.resume(name, steps);
  }
  /** Fills the form with the settings of a stored model. */
  async function fillForm(name: string) {
    const history = await session.history(name);
    const { corpus: from, settings } = history;
    if (from?.kind === 'intl' || from?.kind === 'task') corpus.load({ ...from });
    if (from) settingsForm.load(name, settings);
    preview.update();
    return history;
  }
  /** Shows a loaded model: its settings, curves and samples. */
  async function showStored(name: string): Promise<void> {
    translate.setModel(name);
    const { corpus: from, samples: shown, step, ...curvesOf } = await fillForm(name);
    const { steps, evals, probes, changes } = curvesOf;
    hideRecordedRun();
    if (from?.kind === 'intl')
      for (const panel of [samples, translate]) panel.setLanguages(from.source, from.target);
    curves.clear();
    for (const panel of [run, live, curves, inside])
      panel.onEvent({ type: 'history', steps, evals, probes, changes });
    samples.onEvent({ type: 'samples', step, samples: shown });
    byId('translate-card').scrollIntoView({ block: 'start' });
  }

  /** Fills the form for another training with the corpus and settings of a stored model. */
  async function reuseSettings(name: string): Promise<void> {
    const { corpus: from, settings } = await fillForm(name);
    if (from?.kind === 'tsv') {
      const pairs = (await session.corpusOf(name)) as BlobPart;
      corpus.useFile(new File([pairs], from.path.replace(/\.csv$/i, '.tsv'))); // CSV is stored as TSV
    }
    settingsForm.rename(await starter.freeName(name));
    if (settings.changes)
      notices.show(
        'info',
        `${changedText(name, settings.changes)} A training with these settings repeats these changes; to train without them, clear “Changes during the run” under Advanced.`,
        { id: 'link' },
      );
    else notices.remove('link');
    preview.update();
    byId('settings').scrollIntoView({ block: 'start' });
    byId('settings').querySelector('select')?.focus({ preventScroll: true });
  }
  /**
   * Fills the form from the address; shows a notice if the address is invalid. Returns whether the form
   * changed.
   */
  function openLink(): boolean {
    try {
      const linked = fromHash(location.hash);
      if (!linked) return false;
      if (isRunning(run.state))
        throw new HeddleError('a training is running; stop it, then open the link again');
      corpus.load(linked.corpus);
      settingsForm.load(settingsForm.nameFor(linked.corpus), linked.settings);
      const { changes } = linked.settings;
      const text =
        'The form has the settings of the link. A training with them gives the same losses on the same kind of GPU adapter.' +
        (changes ? ` ${changedText('The run', changes)} This training repeats these changes.` : '');
      notices.show('info', text, { id: 'link' });
      return true;
    } catch (error) {
      notices.show('bad', `The training in the link is ignored: ${(error as Error).message}.`, {
        id: 'link',
      });
      return false;
    }
  }
  window.addEventListener('hashchange', () => {
    if (openLink()) preview.update();
  });
  byId('settings').append(createLinkButton(() => preview.planned()));
  openLink();

  // Other tabs may have changed the models while this one was hidden.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void models.refresh();
  });
  window.addEventListener('beforeunload', (event) => {
    if (isRunning(run.state) && run.state !== 'paused') event.preventDefault();
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
  void offerToResume();
  // The first translation is shown before the training is planned, unless the network is slow.
  const first = demoModels[0] as DemoModel;
  const timeout = new Promise((resolve) => setTimeout(resolve, 2500));
  let recorded = true;
  function hideRecordedRun(): void {
    recorded = false;
    set(byId('recorded'), { hidden: true });
  }
  void Promise.race([translate.useDemo(first), timeout]).then(() => {
    preview.update(0);
    whenVisible(byId('curves-card'), () => void showRecordedRun(() => recorded));
  });

  /** After a reload or a closed tab: offers to resume the most recent unfinished training. */
  async function offerToResume(): Promise<void> {
    const found = (await models.refresh())?.models.find((m) => m.unfinished && m.lock === 'free');
    if (!found || isRunning(run.state)) return;
    notices.show(
      'info',
      `The training of ${found.name} stopped at step ${found.step} of ${found.steps}. Its last checkpoint is in this browser.`,
      {
        id: 'resume',
        actions: [{ name: 'Resume training', act: () => void resume(found.name) }],
      },
    );
  }
}

/** Lists the settings that were changed during a run. */
function changedText(run: string, changes: string): string {
  return `${run} was changed by hand: ${describeChanges(parseChanges(changes))}.`;
}

/** Shows the curves, if they are not on the screen: on a narrow screen they are below the forms. */
function showCurves(): void {
  const panel = byId('curves-card');
  const { top } = panel.getBoundingClientRect();
  if (top < 0 || top > window.innerHeight / 2) panel.scrollIntoView({ block: 'start' });
}

/**
 * Reserves space for the panel at the bottom of the screen, so that it does not cover an element that is
 * scrolled into view.
 */
function reserveBottomSpace(panel: HTMLElement): void {
  new ResizeObserver(() => {
    const height = `${Math.ceil(panel.getBoundingClientRect().height) + 16}px`;
    document.documentElement.style.setProperty('--clear-bottom', height);
  }).observe(panel);
}
