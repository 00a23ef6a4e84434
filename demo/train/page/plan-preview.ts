// What the forms would train: asked of the worker when the visitor pauses, and shown beside the form that it is about.

import { el, fill } from '../../common/dom.ts';
import type { TrainingFacts, TrainingSettings } from '../protocol.ts';
import type { CorpusPanel } from './corpus-panel.ts';
import { corpusFacts } from './corpus-summary.ts';
import { planFacts } from './plan-summary.ts';
import { type RunPanel, underWay } from './run-panel.ts';
import type { RecipePanel } from './settings-form.ts';
import { type Session, SessionError } from './training-session.ts';

/** Milliseconds without a change before the worker is asked. */
const settle = 350;

/** The forms, and where it shows what they would train. */
export interface ForecastParts {
  readonly session: Session;
  readonly corpus: CorpusPanel;
  readonly recipe: RecipePanel;
  /** Hears whether a training could start. */
  readonly run: RunPanel;
  readonly corpusPlace: HTMLElement;
  readonly planPlace: HTMLElement;
  showAdapter(name: string): void;
}

/** What the forms would train. */
export interface Forecast {
  /** The settings that the facts on the page are of; undefined while the forms differ from them, or are wrong. */
  settings: TrainingSettings | undefined;
  /** Something in the forms changed: what it would be is asked for after `wait` milliseconds without another change. */
  changed(wait?: number): void;
}

/** Begins with nothing known. */
export function createForecast(parts: ForecastParts): Forecast {
  const { session, corpus, recipe, run, corpusPlace, planPlace, showAdapter } = parts;
  const places = [corpusPlace, planPlace];
  let timer = 0;
  /** Counts changes of the forms: an answer about what stood there before is not the answer any more. */
  let changes = 0;

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
      if (asked === changes) show(facts, wanted);
    } catch (error) {
      if (asked !== changes) return;
      if (error instanceof SessionError && error.kind === 'aborted') return;
      refuse((error as Error).message, chosen.kind === 'text' ? corpusPlace : planPlace);
    }
  }
  /** Says what is wrong beside the form that it is about. */
  function refuse(text: string, place: HTMLElement): void {
    for (const each of places) {
      fill(each, each === place && el('p', { class: 'wrong', role: 'status' }, text));
      each.removeAttribute('aria-busy');
    }
    run.ready(false, text);
  }
  function show(facts: TrainingFacts, wanted: TrainingSettings): void {
    fill(corpusPlace, ...corpusFacts(facts, wanted.corpus));
    fill(planPlace, ...planFacts(facts));
    for (const place of places) place.removeAttribute('aria-busy');
    showAdapter(facts.adapter);
    forecast.settings = wanted;
    run.ready(facts.fits, facts.fits ? '' : facts.why);
  }

  const forecast: Forecast = {
    settings: undefined,
    changed(wait = settle) {
      window.clearTimeout(timer);
      changes++;
      forecast.settings = undefined;
      run.ready(false);
      for (const place of places) {
        if (!place.firstChild)
          fill(place, el('p', { class: 'hint' }, place === corpusPlace ? 'Counting pairs…' : 'Planning…'));
        place.setAttribute('aria-busy', 'true');
      }
      timer = window.setTimeout(() => void describe(), wait);
    },
  };
  return forecast;
}
