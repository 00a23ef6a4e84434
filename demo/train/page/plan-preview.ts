// Preview of a training: asks the worker to plan the settings of the forms, and shows the plan below them.

import { type MemoryOffer, presets, type TrainSettings } from '../../../src/entries/heddle.ts';
import { formatBytes, formatInteger, formatNumber, formatPercent } from '../../common/format.ts';
import { say, sayCount } from '../../common/page-texts.ts';
import { html, nothing, show } from '../../common/panel.ts';
import { hint } from '../../common/tables.ts';
import { translatedMessage } from '../../common/translated-message.ts';
import type { CorpusChoice, SessionEvent, TrainingPreview, TrainingSettings } from '../protocol.ts';
import { messageForVisitors } from '../worker/visitor-messages.ts';
import type { CorpusPanel } from './corpus-panel.ts';
import { corpusSummary, planSummary } from './plan-summary.ts';
import { isRunning, type RunPanel } from './run-panel.ts';
import type { SettingsForm } from './settings-form.ts';
import { type Session, SessionError } from './training-session.ts';

/** Milliseconds without a change before the worker is asked (debounce). */
const debounce = 350;

/** The forms, and the elements that show the preview. */
export interface PlanPreviewOptions {
  readonly session: Session;
  readonly corpus: CorpusPanel;
  readonly settingsForm: SettingsForm;
  /** Its start button is enabled if the training can start. */
  readonly run: RunPanel;
  readonly corpusPlace: HTMLElement;
  readonly planPlace: HTMLElement;
  showAdapter(name: string): void;
}

/** The preview of a training. */
export class PlanPreview {
  readonly #options: PlanPreviewOptions;
  readonly #places: readonly HTMLElement[];
  /** Settings of the shown preview; undefined while the forms have other settings or are invalid. */
  settings: TrainingSettings | undefined;
  #timer = 0;
  /** Counts changes of the forms, to discard an answer about earlier values. */
  #changes = 0;
  /** True from the start: a press of Start before the first plan waits for it. */
  #isPending = true;
  /** The memory budget in MiB, as it was typed; empty: that of the platform. */
  #budget = '';
  /** Name and size of the file whose statistics are shown or being read; empty for another corpus. */
  #file = '';
  /** Calls of `planned` that wait for the answer. */
  #waiting: ((settings: TrainingSettings | undefined) => void)[] = [];

  constructor(options: PlanPreviewOptions) {
    this.#options = options;
    this.#places = [options.corpusPlace, options.planPlace];
  }

  /**
   * Resolves to the settings of the forms when they are planned; to undefined if they are invalid or do not
   * fit.
   */
  planned(): Promise<TrainingSettings | undefined> {
    if (!this.#isPending) return Promise.resolve(this.settings);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Updates the preview after `wait` milliseconds without another call. */
  update(wait = debounce): void {
    const { run, corpusPlace } = this.#options;
    window.clearTimeout(this.#timer);
    this.#changes++;
    this.#isPending = true;
    this.settings = undefined;
    run.setReady('pending');
    for (const place of this.#places) {
      if (!place.firstElementChild)
        show(hint(place === corpusPlace ? say`Reading the corpus…` : say`Planning…`), place);
      place.setAttribute('aria-busy', 'true');
    }
    this.#timer = window.setTimeout(() => void this.#request(), wait);
  }

  async #request(): Promise<void> {
    const { session, corpus, settingsForm, run, corpusPlace, planPlace } = this.#options;
    if (isRunning(run.state)) return this.#answer(undefined);
    const chosen = corpus.read();
    if (typeof chosen === 'string') return this.#showError(chosen, corpusPlace);
    this.#announceFile(chosen);
    settingsForm.fillDefaults(chosen);
    const read = settingsForm.read(chosen);
    if (typeof read === 'string') return this.#showError(read, planPlace);
    const budget = Number(this.#budget) * 2 ** 20;
    const settings = budget > 0 ? { ...read, memoryBudget: budget } : read;
    const requested = this.#changes;
    try {
      const result = await session.describe(settings);
      if (requested === this.#changes) this.#show(result, settings);
    } catch (error) {
      if (requested !== this.#changes) return;
      if (error instanceof SessionError && error.kind === 'aborted') return;
      this.#showError((error as Error).message, chosen.kind === 'text' ? corpusPlace : planPlace);
    }
  }

  /** Removes the numbers of another corpus while a file is read, which takes long if it is large. */
  #announceFile(chosen: CorpusChoice): void {
    const isFile = chosen.kind === 'text' && chosen.data instanceof Blob;
    const file = isFile ? `${chosen.name} (${formatBytes((chosen.data as Blob).size)})` : '';
    if (file === this.#file) return;
    this.#file = file;
    if (file !== '') this.#showReading('');
  }

  /** Shows how far the file is read, with a button that ends it. */
  #showReading(progress: string): void {
    const { session, corpus, corpusPlace, planPlace, run } = this.#options;
    const text = say`Reading ${this.#file}…${progress}`;
    const cancel = () => {
      this.#file = '';
      session.stopDescribing();
      corpus.dropFile();
    };
    show(
      html`<p class="hint" role="status" id="reading">${text}</p>
        <button type="button" id="cancel-reading" @click=${cancel}>Cancel</button>`,
      corpusPlace,
    );
    show(nothing, planPlace);
    run.setReady('pending', text);
  }

  /** Progress of reading the file. */
  onEvent(event: SessionEvent): void {
    if (event.type !== 'progress' || !this.#isPending || this.#file === '') return;
    const share = event.total > 0 ? ` ${formatPercent(event.done / event.total)}` : '';
    this.#showReading(`${share} (${event.task})`);
  }

  #answer(settings: TrainingSettings | undefined): void {
    this.#isPending = false;
    for (const resolve of this.#waiting.splice(0)) resolve(settings);
  }

  /** Shows an error below the form that caused it. */
  #showError(text: string, place: HTMLElement): void {
    for (const each of this.#places) {
      show(each === place ? html`<p class="wrong" role="status">${text}</p>` : nothing, each);
      each.removeAttribute('aria-busy');
    }
    this.#options.run.setReady('invalid', text);
    this.#answer(undefined);
  }

  #show(result: TrainingPreview, settings: TrainingSettings): void {
    const { run, settingsForm, corpusPlace, planPlace, showAdapter } = this.#options;
    if (settings.corpus.kind === 'text' && result.software && settingsForm.ease(inTenMinutes(result))) {
      this.update(0);
      return;
    }
    show(corpusSummary(result, settings.corpus), corpusPlace);
    const actions = {
      budget: this.#budget,
      setBudget: (mebibytes: string) => {
        this.#budget = mebibytes;
        this.update(0);
      },
      take: (offered: MemoryOffer['settings']) => settingsForm.take(offered),
    };
    show(planSummary(result, settings.settings.changes, actions), planPlace);
    for (const place of this.#places) place.removeAttribute('aria-busy');
    showAdapter(result.adapter);
    this.settings = settings;
    const warnings = [
      highRate(settings.settings.learningRate, settingsForm.usualRate()),
      fewPairs(result.corpus),
    ];
    run.setReady(
      result.fits ? 'ready' : 'invalid',
      result.fits
        ? warnings.filter((text) => text !== '').join(' ')
        : translatedMessage(messageForVisitors(result.template ?? result.reason)),
    );
    settingsForm.showLength(result.steps, result.stepsPerEpoch);
    this.#answer(result.fits ? settings : undefined);
  }
}

/** FLOP a second that a software adapter does at least in a training, on two cores. */
const slowRate = 4e9;

/** What a software adapter can do in ten minutes: first a small model, then fewer steps. */
function inTenMinutes({ flops, steps, config }: TrainingPreview): TrainSettings {
  if (config.dModel > (presets.tiny.dModel ?? 0)) return { preset: 'tiny' };
  const possible = Math.max(100, Math.floor((600 * slowRate) / flops));
  return steps > possible ? { steps: possible } : {};
}

/** Above this multiple of the preset's learning rate a training usually diverges. */
const highFactor = 30;

/** Returns a warning about a learning rate that is far above the preset's; empty if it needs none. */
const highRate = (rate: number | undefined, usual: number | undefined): string =>
  rate !== undefined && usual !== undefined && rate > highFactor * usual
    ? say`The learning rate ${formatNumber(rate)} is ${formatInteger(rate / usual)} times that of the preset, ${formatNumber(usual)}: the loss will probably rise.`
    : '';

/** With fewer training pairs a model only memorizes them. */
const enoughPairs = 1000;

/** Returns a warning about a small corpus; empty if it needs none. */
const fewPairs = ({ train, dev }: Pick<TrainingPreview['corpus'], 'train' | 'dev'>): string =>
  train < enoughPairs
    ? sayCount(
        train,
        '{0} training pair: the model will memorize them. About {1} pairs are a start for sentences that it has not seen.',
        '{0} training pairs: the model will memorize them. About {1} pairs are a start for sentences that it has not seen.',
        formatInteger(train),
        formatInteger(enoughPairs),
      ) + (dev === 0 ? say` No pair is held out, so there is no evaluation.` : '')
    : '';
