// The parts of the training page and how they are connected: button presses go to the worker, its events to
// the panels.

import { HeddleError } from '../../../src/entries/heddle.ts';
import { describeChanges, parseChanges } from '../../../src/entries/reports.ts';
import { byId, whenVisible } from '../../common/dom.ts';
import type { PageHeader } from '../../common/page-header.ts';
import { say } from '../../common/page-texts.ts';
import { shortName } from '../../storage/model-names.ts';
import type { RunHistory, SessionEvent } from '../protocol.ts';
import { Beside } from './beside.ts';
import { Challenge } from './challenge.ts';
import { acceptDrops, CorpusPanel } from './corpus-panel.ts';
import { generalModel } from './demo-models.ts';
import { EngineersSwitch } from './engineers.ts';
import type { GalleryModel } from './gallery-models.ts';
import { LessonButtons } from './lesson-buttons.ts';
import type { Lesson } from './lessons.ts';
import { LinkButton } from './link-button.ts';
import { LivePanel } from './live-panel.ts';
import { Notices } from './notices.ts';
import { PageEvents } from './page-events.ts';
import { PlanPreview } from './plan-preview.ts';
import type { ResultPanels } from './result-panels.ts';
import { isRunning, RunPanel } from './run-panel.ts';
import { RunReactions } from './run-reactions.ts';
import { SettingsForm } from './settings-form.ts';
import { fromHash } from './share-link.ts';
import { type Curve, seriesOf } from './shared-curve.ts';
import { StagePlace } from './stage-place.ts';
import { TrainingStarter } from './start-training.ts';
import type { StoredPanels } from './stored-panels.ts';
import { createSession, type Session } from './training-session.ts';
import { TranslatePanel } from './translate-panel.ts';

/** Pairs of a task that a lesson trains on. */
const taskPairs = 40_000;

/** Pairs of a batch, if the settings of a training do not say it. */
const usualBatch = 64;

/** The page. */
export class TrainingPage {
  readonly #session: Session;
  readonly #results: ResultPanels;
  readonly #notices = new Notices();
  readonly #corpus = new CorpusPanel(() => this.#formChanged());
  readonly #settings = new SettingsForm(() => this.#formChanged());
  readonly #run: RunPanel;
  readonly #live: LivePanel;
  readonly #reactions: RunReactions;
  readonly #translate: TranslatePanel;
  readonly #challenge: Challenge;
  readonly #beside: Beside;
  readonly #stage: StagePlace;
  readonly #lessons = new LessonButtons(
    (lesson) => void this.#teach(lesson),
    () => void this.#race(),
    () => void this.#openSecret(),
  );
  /** The address of the recorded race, after it was opened. */
  #raceHash = '';
  /** The curve of the link, against which the next trainings race. */
  #toBeat: Curve | undefined;
  readonly #preview: PlanPreview;
  readonly #starter: TrainingStarter;
  readonly #events: PageEvents;
  /** Gallery, models and runs; undefined until they are loaded. */
  #stored: StoredPanels | undefined;

  constructor(session: Session, header: PageHeader, results: ResultPanels) {
    this.#session = session;
    this.#results = results;
    this.#stage = new StagePlace(session);
    this.#translate = new TranslatePanel(session);
    this.#challenge = new Challenge(session);
    this.#beside = new Beside({
      createSession,
      show: (series, name) => results.curves.compare(series, name),
      onEnd: () => void this.#stored?.refresh(),
    });
    this.#live = new LivePanel(session);
    this.#run = this.#createRun();
    this.#reactions = new RunReactions({
      session,
      notices: this.#notices,
      onStatus: (text) => this.#run.setAway(text),
      halveBatch: () => void this.#starter.attempt(this.#halveBatch()),
    });
    this.#preview = new PlanPreview({
      session,
      corpus: this.#corpus,
      settingsForm: this.#settings,
      run: this.#run,
      corpusPlace: byId('corpus-summary'),
      planPlace: byId('plan-summary'),
      showAdapter: header.showAdapter,
    });
    this.#starter = this.#createStarter();
    this.#events = new PageEvents({
      translate: this.#translate,
      header,
      notices: this.#notices,
      isLesson: () => this.#stage.lesson !== undefined,
      setTraining: (training) => {
        this.#lessons.setTraining(training);
        this.#stored?.setTraining(training);
      },
      refreshModels: () => void this.#stored?.refresh(),
    });
  }

  /** Places the panels in the page and connects them with the session. */
  open(): void {
    const panels = {
      notices: this.#notices,
      lessons: this.#lessons,
      corpus: this.#corpus,
      settings: this.#settings,
      run: this.#run,
      'translate-box': this.#translate,
      figures: this.#run.figures,
      live: this.#live,
      reactions: this.#reactions,
      engineers: new EngineersSwitch(),
    };
    for (const [id, { element }] of Object.entries(panels)) byId(id).append(element);
    byId('curves').append(this.#challenge.element);
    byId('settings').append(this.#beside.element, new LinkButton(() => this.#preview.planned()).element);
    reserveBottomSpace(byId('run'));
    this.#session.on((event) => this.#onEvent(event));
    this.#listen();
    this.#openLink();
    void this.#offerToResume();
    void this.#showFirst();
  }

  #createRun(): RunPanel {
    const session = this.#session;
    return new RunPanel({
      start: async () => {
        this.#formChanged(0);
        const settings = await this.#preview.planned();
        if (!settings || !this.#beside.check()) return;
        this.#stage.lesson = undefined;
        await this.#starter.start(settings);
        await this.#beside.start(settings);
      },
      pause: () => void this.#starter.attempt(session.pause()),
      singleStep: () => this.#starter.attempt(session.singleStep()),
      continue: () => void this.#starter.attempt(session.continue()),
      stop: () => void this.#starter.attempt(session.stop()),
      resetRate: () => this.#settings.resetRate(),
      usualRate: () => this.#settings.usualRate(),
    });
  }

  /** Trains a model on a task; the stage asks it the question of the lesson. */
  async #teach(lesson: Lesson): Promise<void> {
    this.#stage.lesson = lesson;
    this.#stage.open(this.#toBeat);
    this.#corpus.load({ kind: 'task', task: lesson.task, pairs: taskPairs, seed: 1 });
    this.#settings.dropRecorded();
    this.#preview.update(0);
    const settings = await this.#preview.planned();
    if (settings) await this.#starter.start(settings);
    if (!isRunning(this.#run.state)) this.#stage.close();
  }

  /** Opens the panel of the secret language, with that of a link if there is one. */
  async #openSecret(hash = ''): Promise<void> {
    const { SecretPanel } = await import('./secret-panel.ts');
    const panel = new SecretPanel(this.#session);
    if (hash !== '') panel.openLink(hash);
    byId('secret').replaceChildren(panel.element);
    byId('secret').scrollIntoView({ block: 'nearest' });
  }

  /** Opens the recorded race as a link, with the forms in view. */
  async #race(): Promise<void> {
    const { raceHash } = await import('./race.ts');
    this.#raceHash = raceHash;
    if (location.hash === raceHash) this.#openLink();
    else location.hash = raceHash;
    byId('settings').scrollIntoView({ block: 'center' });
  }

  #createStarter(): TrainingStarter {
    return new TrainingStarter({
      session: this.#session,
      notices: this.#notices,
      setLanguages: (source, target) => this.#setLanguages(source, target),
      onRename: (settings) => {
        this.#settings.rename(settings.name);
        this.#preview.settings = settings;
      },
    });
  }

  /** Plans the forms again. Changes by hand of the last training are not part of the next one. */
  #formChanged(wait?: number): void {
    const dropped = !isRunning(this.#run.state) && this.#settings.dropRecorded();
    if (wait === undefined || dropped) this.#preview.update(wait);
  }

  #setLanguages(source: string, target: string): void {
    for (const panel of [this.#results.samples, this.#translate]) panel.setLanguages(source, target);
  }

  #onEvent(event: SessionEvent): void {
    const begins = event.type === 'state' && event.state === 'preparing';
    if (begins) this.#results.hideRecordedRun();
    const parts = [this.#run, this.#live, this.#reactions, this.#results, this.#challenge, this.#beside];
    for (const part of parts) part.onEvent(event);
    if (begins) this.#stage.open(this.#toBeat);
    this.#stage.onEvent(event);
    if (event.type === 'change') this.#settings.addChange(event.change);
    this.#events.onEvent(event);
    this.#preview.onEvent(event);
  }

  #listen(): void {
    this.#reactions.listen();
    window.addEventListener('hashchange', () => {
      if (this.#openLink()) this.#preview.update();
    });
    // Other tabs may have changed the models while this one was hidden.
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.#stored?.refresh();
    });
    window.addEventListener('beforeunload', (event) => {
      const { state } = this.#run;
      if (isRunning(state) && state !== 'paused') event.preventDefault();
    });
    acceptDrops(
      (files) => this.#acceptFiles(files),
      (isAbove) => {
        if (isAbove) document.body.dataset.drop = 'true';
        else delete document.body.dataset.drop;
      },
    );
  }

  /** A model in one file, or the files of its folder; or a corpus. */
  #acceptFiles(files: readonly File[]): void {
    const [file] = files as [File];
    if (files.some(({ name }) => /\.(?:zip|safetensors|npz|bin|bin\.gz)$/i.test(name)))
      void this.#starter.attempt(this.#importModel(files));
    else if (isRunning(this.#run.state))
      this.#notices.show('bad', say`${file.name} was not opened: a training is running.`, { id: 'drop' });
    else void this.#corpus.useFile(file);
  }

  /** The first translation is shown before the training is planned, unless the network is slow. */
  async #showFirst(): Promise<void> {
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const translated = this.#translate.useDemo(generalModel);
    // The code that plans and lists runs is loaded after that, while the visitor reads.
    const rest = translated.then(() => wait(300));
    void rest.then(() => this.#starter.attempt(this.#openRest()));
    await Promise.race([rest, wait(10_000)]);
    this.#preview.update(0);
    const more = say` Your own replaces it.`;
    whenVisible(byId('curves-card'), () => void this.#results.showRecordedRun(more));
  }

  /** Loads the parts of the page that are not in its first view. */
  async #openRest(): Promise<void> {
    await this.#results.openInside();
    await (await this.#openStored()).refresh();
  }

  /** Loads the panels of gallery, models and runs. */
  async #openStored(): Promise<StoredPanels> {
    const { StoredPanels } = await import('./stored-panels.ts');
    if (this.#stored) return this.#stored;
    const stored = new StoredPanels(this.#session, {
      use: (model, name) => this.#useModel(model, name),
      reuse: (name) => void this.#starter.attempt(this.#reuseSettings(name)),
      resume: (name, steps) => void this.#resume(name, steps),
      onLoad: (name) => void this.#showStored(name),
      onRename: (name, as) => this.#translate.renameModel(name, as),
    });
    this.#stored = stored;
    stored.setTraining(isRunning(this.#run.state));
    stored.mount();
    return stored;
  }

  async #importModel(files: readonly File[]): Promise<void> {
    await (await this.#openStored()).importFiles(files);
  }

  async #useModel(model: GalleryModel, name: string): Promise<void> {
    byId('translate-card').scrollIntoView({ block: 'start' });
    await (model.shipped ? this.#translate.useDemo(model.shipped) : this.#translate.useStored(model, name));
  }

  /** Resumes a training; the form shows its settings. */
  async #resume(name: string, steps?: number): Promise<void> {
    await this.#starter.attempt(this.#fillForm(name, false).then(() => undefined));
    this.#stage.lesson = undefined;
    await this.#starter.resume(name, steps);
  }

  /** Stops the training and goes on from its checkpoint with half as many pairs in a batch. */
  async #halveBatch(): Promise<void> {
    const { model } = this.#run;
    await this.#session.stop();
    const { settings } = await this.#session.history(model);
    const { batchSize = usualBatch, maxTokens } = settings;
    const half = (size: number) => Math.max(1, Math.floor(size / 2));
    await this.#session.resume(
      model,
      maxTokens === undefined ? { batchSize: half(batchSize) } : { maxTokens: half(maxTokens) },
    );
  }

  /** Fills the form with the settings of a stored model; with its changes by hand if it is to repeat them. */
  async #fillForm(name: string, withChanges: boolean): Promise<RunHistory> {
    const history = await this.#session.history(name);
    const { corpus: from, settings } = history;
    if (from?.kind === 'intl' || from?.kind === 'task') this.#corpus.load({ ...from });
    if (from) this.#settings.load(name, { ...settings, changes: withChanges ? settings.changes : undefined });
    this.#preview.update();
    return history;
  }

  /** Shows a loaded model: its settings, curves and samples. */
  async #showStored(name: string): Promise<void> {
    this.#translate.setModel(name);
    const history = await this.#fillForm(name, false);
    const { corpus: from, samples, step, steps, evals, probes, changes } = history;
    this.#results.hideRecordedRun();
    if (from?.kind === 'intl') this.#setLanguages(from.source, from.target);
    this.#results.curves.clear();
    this.#run.showStored(name);
    this.#challenge.show(from ? name : '');
    for (const part of [this.#run, this.#live, this.#results])
      part.onEvent({ type: 'history', steps, evals, probes, changes });
    this.#results.onEvent({ type: 'samples', step, samples });
    byId('translate-card').scrollIntoView({ block: 'start' });
  }

  /** Fills the form for another training with the corpus and settings of a stored model. */
  async #reuseSettings(name: string): Promise<void> {
    const { corpus: from, settings } = await this.#fillForm(name, true);
    if (from?.kind === 'tsv') {
      const pairs = (await this.#session.corpusOf(name)) as BlobPart;
      // CSV is stored as TSV.
      await this.#corpus.useFile(new File([pairs], from.path.replace(/\.csv$/i, '.tsv')));
    }
    this.#settings.rename(await this.#starter.freeName(name));
    if (settings.changes)
      this.#notices.show(
        'info',
        say`${changedText(name, settings.changes)} A training with these settings repeats these changes; to train without them, clear “Changes during the run” under Advanced.`,
        { id: 'link' },
      );
    else this.#notices.remove('link');
    this.#preview.update();
    byId('settings').scrollIntoView({ block: 'start' });
    byId('settings').querySelector('select')?.focus({ preventScroll: true });
  }

  /**
   * Fills the form from the address; shows a notice if the address is invalid. Returns whether the form
   * changed.
   */
  #openLink(): boolean {
    if (location.hash.startsWith('#secret=')) {
      void this.#openSecret(location.hash);
      return false;
    }
    try {
      const linked = fromHash(location.hash);
      if (!linked) return false;
      if (isRunning(this.#run.state))
        throw new HeddleError(say`a training is running; stop it, then open the link again`);
      this.#corpus.load(linked.corpus);
      this.#settings.load(this.#settings.nameFor(linked.corpus), linked.settings);
      this.#toBeat = linked.curve;
      if (linked.curve) this.#results.hideRecordedRun();
      const isRace = location.hash === this.#raceHash;
      const other = isRace ? say`the recorded training` : say`the training in the link`;
      this.#results.curves.compare(linked.curve && seriesOf(linked.curve), other);
      const { changes } = linked.settings;
      const same = isRace
        ? say`Race against a recorded training of ${linked.settings.steps ?? 0} steps on additions.`
        : say`The form has the settings of the link. A training with them gives the same losses on the same kind of GPU adapter.`;
      const changed = changes
        ? say` ${changedText(say`The run`, changes)} This training repeats these changes.`
        : '';
      const race = linked.curve
        ? say` Beat its curve, which is grey: change the learning rate, the warm-up, the batch or the model, and press Start.`
        : '';
      this.#notices.show('info', same + changed + race, { id: 'link' });
      return true;
    } catch (error) {
      const text = say`The training in the link is ignored: ${(error as Error).message}.`;
      this.#notices.show('bad', text, { id: 'link' });
      return false;
    }
  }

  /** After a reload or a closed tab: offers to resume the most recent unfinished training. */
  async #offerToResume(): Promise<void> {
    const info = await this.#session.storage().catch(() => undefined);
    const found = info?.models.find(({ unfinished, lock }) => unfinished && lock === 'free');
    if (!found || isRunning(this.#run.state)) return;
    const { name, step, steps } = found;
    this.#notices.show(
      'info',
      say`The training of ${shortName(name)} stopped at step ${step} of ${steps}. Its last checkpoint is in this browser.`,
      { id: 'resume', actions: [{ name: say`Resume training`, act: () => void this.#resume(name) }] },
    );
  }
}

/** Lists the settings that were changed during a run. */
function changedText(run: string, changes: string): string {
  return say`${run} was changed by hand: ${describeChanges(parseChanges(changes))}.`;
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
