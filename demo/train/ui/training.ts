// The life of the training page: forms ask what a training would be, buttons start and end it, events go to the parts that show them.

import { byId, el, fill, onFrame, set } from '../../common/dom.ts';
import type { PageHeader } from '../../common/header.ts';
import type { SessionEvent, TrainingFacts, TrainingSettings } from '../protocol.ts';
import { type Session, SessionError } from '../session.ts';
import { acceptDrops, createCorpusPanel } from './corpus.ts';
import { corpusFacts } from './corpus-facts.ts';
import { createCurvesPanel } from './curves-panel.ts';
import { ask } from './dialogs.ts';
import { askToKeep, createModelsPanel } from './models-panel.ts';
import type { Notices } from './notices.ts';
import { planFacts } from './plan-facts.ts';
import { createRecipePanel } from './recipe.ts';
import { createRunPanel, underWay } from './run-panel.ts';
import { createSentencesPanel } from './sentences.ts';
import { createTranslatePanel } from './translate-panel.ts';

/** Milliseconds without a change before the worker is asked what a training would be. */
const settle = 350;

/** Lines that the log keeps. */
const logLines = 200;

/** Puts the page's parts into it and brings them to life. */
export function mountTraining(session: Session, header: PageHeader, notices: Notices): void {
  const corpus = createCorpusPanel(() => changed());
  const recipe = createRecipePanel(() => changed());
  const curves = createCurvesPanel();
  const sentences = createSentencesPanel();
  const translate = createTranslatePanel(session);
  const run = createRunPanel({
    start: () => void start(false),
    pause: () => void attempt(session.pause()),
    continue: () => void attempt(session.continue()),
    stop: () => void attempt(session.stop()),
  });
  const models = createModelsPanel(session, {
    resume: (name, steps) => void resume(name, steps),
    loaded(name) {
      translate.ready(name);
      notices.say('good', `${name} is loaded; translate with it above.`, { id: 'loaded' });
    },
    say: (kind, text) => void notices.say(kind, text),
  });
  const places = { corpus, recipe, run, curves, sentences, 'translate-box': translate, models };
  for (const [id, { element }] of Object.entries(places)) byId(id).append(element);
  byId('figures').append(run.figures);

  const [corpusPlace, planPlace] = [byId('corpus-facts'), byId('plan-facts')];
  let timer = 0;
  /** Counts changes of the forms: an answer about what stood there before is not the answer any more. */
  let changes = 0;
  let settings: TrainingSettings | undefined;

  /** Something in the forms changed: what it would be is asked for when the visitor pauses, after `wait` milliseconds. */
  function changed(wait = settle): void {
    window.clearTimeout(timer);
    changes++;
    settings = undefined;
    run.ready(false);
    for (const place of [corpusPlace, planPlace]) {
      if (!place.firstChild)
        fill(place, el('p', { class: 'hint' }, place === corpusPlace ? 'Counting pairs…' : 'Planning…'));
      place.setAttribute('aria-busy', 'true');
    }
    timer = window.setTimeout(() => void describe(), wait);
  }
  async function describe(): Promise<void> {
    if (underWay(run.state)) return;
    const chosen = corpus.chosen();
    if (typeof chosen === 'string') return refuse(chosen, corpusPlace);
    recipe.suit(chosen);
    const wanted = recipe.settings(chosen);
    if (typeof wanted === 'string') return refuse(wanted, planPlace);
    const asked = changes;
    try {
      const facts = await session.describe(wanted);
      if (asked === changes) showFacts(facts, wanted);
    } catch (error) {
      if (asked !== changes) return;
      if (error instanceof SessionError && error.kind === 'aborted') return;
      refuse((error as Error).message, chosen.kind === 'text' ? corpusPlace : planPlace);
    }
  }
  /** Says what is wrong beside the form that it is about. */
  function refuse(text: string, place: HTMLElement): void {
    for (const each of [corpusPlace, planPlace]) {
      fill(each, each === place && el('p', { class: 'wrong', role: 'status' }, text));
      each.removeAttribute('aria-busy');
    }
    run.ready(false, text);
  }
  function showFacts(facts: TrainingFacts, wanted: TrainingSettings): void {
    fill(corpusPlace, ...corpusFacts(facts, wanted.corpus));
    fill(planPlace, ...planFacts(facts));
    for (const place of [corpusPlace, planPlace]) place.removeAttribute('aria-busy');
    header.showAdapter(facts.adapter);
    settings = wanted;
    run.ready(facts.fits, facts.fits ? '' : facts.why);
  }

  async function start(replace: boolean): Promise<void> {
    if (!settings) return;
    const { name } = settings;
    const tags = settings.corpus.kind === 'intl' ? settings.corpus : { source: '', target: '' };
    for (const part of [sentences, translate]) part.languages(tags.source, tags.target);
    bringIntoView();
    try {
      await session.start(settings, { replace });
      void askToKeep();
    } catch (error) {
      if (error instanceof SessionError && error.kind === 'exists') await nameIsTaken(name);
      else tell(error);
    }
  }
  async function nameIsTaken(name: string): Promise<void> {
    const answer = await ask(
      `There is a model called “${name}”`,
      'Keep it and give the new one another name, or replace it?',
      [
        ['keep', 'Keep both', 'main'],
        ['replace', 'Replace it', 'bad'],
      ],
    );
    if (answer === 'replace') return start(true);
    if (answer !== 'keep' || !settings) return;
    const taken = new Set((await session.storage()).models.map((m) => m.name));
    let n = 2;
    while (taken.has(`${name.slice(0, 55)}-${n}`)) n++;
    const other = `${name.slice(0, 55)}-${n}`;
    recipe.rename(other);
    settings = { ...settings, name: other };
    return start(false);
  }
  async function resume(name: string, steps?: number): Promise<void> {
    for (const part of [sentences, translate]) part.languages('', '');
    bringIntoView();
    await attempt(session.resume(name, steps === undefined ? {} : { steps }));
  }
  async function attempt(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      tell(error);
    }
  }
  function tell(error: unknown): void {
    if (error instanceof SessionError && error.kind === 'aborted') return;
    notices.say('bad', (error as Error).message, { id: 'failed' });
  }
  /** On a narrow screen the training is below the forms. */
  function bringIntoView(): void {
    const place = byId('run');
    if (place.getBoundingClientRect().top > window.innerHeight / 2) place.scrollIntoView({ block: 'start' });
  }

  const log: string[] = [];
  const logPlace = byId('log');
  const drawLog = onFrame(() => fill(logPlace, ...log.map((line) => el('li', {}, line))));
  const line = (text: string) => {
    log.push(`${new Date().toLocaleTimeString()}  ${text}`);
    if (log.length > logLines) log.splice(0, log.length - logLines);
    drawLog();
  };
  const setup = byId<HTMLFieldSetElement>('setup');

  let title = '';
  function showTitle(event: SessionEvent & { type: 'state' }): void {
    const share =
      event.steps > 0 && underWay(event.state) ? `${Math.floor((100 * event.step) / event.steps)} % · ` : '';
    const next = `${share}Train · heddle`;
    if (next !== title) document.title = title = next;
  }
  function hear(event: SessionEvent): void {
    for (const part of [run, curves, sentences]) part.hear(event);
    switch (event.type) {
      case 'state':
        setup.disabled = underWay(event.state);
        models.busy(underWay(event.state));
        showTitle(event);
        if (event.state === 'preparing') {
          translate.ready('');
          for (const id of ['continue', 'failed', 'loaded']) notices.drop(id);
        }
        if (event.state === 'failed') notices.say('bad', event.text || 'The training failed.', { id: 'failed' });
        if (['done', 'stopped', 'failed', 'paused'].includes(event.state)) void models.refresh();
        line([event.state, event.text].filter(Boolean).join(': '));
        break;
      case 'started':
        translate.ready(event.facts.model);
        header.showAdapter(event.facts.backend);
        line(
          `${event.facts.model}: ${event.facts.parameters.toLocaleString('en')} parameters on ${event.facts.backend}`,
        );
        break;
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
  }
  session.on(hear);
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
  changed(0);
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
        actions: [{ name: 'Continue the training', act: () => void resume(found.name) }],
      },
    );
  }
}
