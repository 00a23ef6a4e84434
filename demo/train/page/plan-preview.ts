// Preview of a training: asks the worker to plan the settings of the forms, and shows corpus statistics,
// model size and GPU memory.

import { formatBytes, formatInteger, formatNumber } from '../../../src/core/format-numbers.ts';
import { describeChanges, parseChanges } from '../../../src/index.ts';
import { factList } from '../../common/data-views.ts';
import { el, fill, hint, svg } from '../../common/dom.ts';
import type { CorpusChoice, LengthStatistics, TrainingPreview, TrainingSettings } from '../protocol.ts';
import type { CorpusPanel } from './corpus-panel.ts';
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
export interface PlanPreview {
  /** Settings of the shown preview; undefined while the forms have other settings or are invalid. */
  settings: TrainingSettings | undefined;
  /**
   * Resolves to the settings of the forms when they are planned; to undefined if they are invalid or do not
   * fit.
   */
  planned(): Promise<TrainingSettings | undefined>;
  /** Updates the preview after `wait` milliseconds without another call. */
  update(wait?: number): void;
}

/** Creates an empty preview. */
export function createPlanPreview(options: PlanPreviewOptions): PlanPreview {
  const { session, corpus, settingsForm, run, corpusPlace, planPlace, showAdapter } = options;
  const places = [corpusPlace, planPlace];
  let timer = 0;
  /** Counts changes of the forms, to discard an answer about earlier values. */
  let changes = 0;
  let pending = false;
  const waiting: ((settings: TrainingSettings | undefined) => void)[] = [];
  const answer = (settings: TrainingSettings | undefined) => {
    pending = false;
    for (const resolve of waiting.splice(0)) resolve(settings);
  };

  async function requestPreview(): Promise<void> {
    if (isRunning(run.state)) return answer(undefined);
    const chosen = corpus.read();
    if (typeof chosen === 'string') return showError(chosen, corpusPlace);
    settingsForm.fillDefaults(chosen);
    const settings = settingsForm.read(chosen);
    if (typeof settings === 'string') return showError(settings, planPlace);
    const requested = changes;
    try {
      const result = await session.describe(settings);
      if (requested === changes) show(result, settings);
    } catch (error) {
      if (requested !== changes) return;
      if (error instanceof SessionError && error.kind === 'aborted') return;
      showError((error as Error).message, chosen.kind === 'text' ? corpusPlace : planPlace);
    }
  }
  /** Shows an error below the form that caused it. */
  function showError(text: string, place: HTMLElement): void {
    for (const each of places) {
      fill(each, each === place && el('p', { class: 'wrong', role: 'status' }, text));
      each.removeAttribute('aria-busy');
    }
    run.setReady('invalid', text);
    answer(undefined);
  }
  function show(result: TrainingPreview, settings: TrainingSettings): void {
    fill(corpusPlace, ...corpusSummary(result, settings.corpus));
    fill(planPlace, ...planSummary(result, settings.settings.changes));
    for (const place of places) place.removeAttribute('aria-busy');
    showAdapter(result.adapter);
    preview.settings = settings;
    run.setReady(result.fits ? 'ready' : 'invalid', result.fits ? fewPairs(result.corpus) : result.reason);
    settingsForm.showLength(result.steps, result.stepsPerEpoch);
    answer(result.fits ? settings : undefined);
  }

  const preview: PlanPreview = {
    settings: undefined,
    planned() {
      if (!pending) return Promise.resolve(preview.settings);
      return new Promise((resolve) => waiting.push(resolve));
    },
    update(wait = debounce) {
      window.clearTimeout(timer);
      changes++;
      pending = true;
      preview.settings = undefined;
      run.setReady('pending');
      for (const place of places) {
        if (!place.firstChild) fill(place, hint(place === corpusPlace ? 'Reading the corpus…' : 'Planning…'));
        place.setAttribute('aria-busy', 'true');
      }
      timer = window.setTimeout(() => void requestPreview(), wait);
    },
  };
  return preview;
}

/** With fewer training pairs a model only memorizes them. */
const enoughPairs = 1000;

/** Returns a warning about a small corpus; empty if it needs none. */
const fewPairs = ({ train, dev }: Pick<TrainingPreview['corpus'], 'train' | 'dev'>): string =>
  train < enoughPairs
    ? `${formatInteger(train)} training ${train === 1 ? 'pair' : 'pairs'}: the model will memorize them. About ${formatInteger(enoughPairs)} pairs are a start for sentences that it has not seen.` +
      (dev === 0 ? ' No pair is held out, so there is no evaluation.' : '')
    : '';

/** Statistics of a corpus and a few of its pairs. */
function corpusSummary({ corpus }: TrainingPreview, chosen: CorpusChoice): HTMLElement[] {
  const [from, to] = chosen.kind === 'intl' ? [chosen.source, chosen.target] : ['', ''];
  const about = corpus.sampled > 0 ? '≈ ' : '';
  const rows: [string, string][] = [
    ['pairs', formatInteger(corpus.pairs)],
    ['training pairs', about + formatInteger(corpus.train)],
    // No test pairs are held out of the visitor's own pairs.
    chosen.kind === 'text'
      ? ['dev pairs', formatInteger(corpus.dev)]
      : ['dev · test pairs', `${about}${formatInteger(corpus.dev)} · ${formatInteger(corpus.test)}`],
  ];
  if (corpus.skipped > 0) rows.push(['skipped (too long or empty)', formatInteger(corpus.skipped)]);
  return [
    factList(rows),
    ...(corpus.sampled > 0
      ? [
          hint(
            `Estimated from ${formatInteger(corpus.sampled)} pairs; the rest is generated when the training starts.`,
          ),
        ]
      : []),
    ...(corpus.badLines ? [hint(corpus.badLines)] : []),
    el(
      'div',
      { class: 'sides' },
      sideSummary('Source', corpus.sourceLength, corpus.sourceVocabulary, 'look1'),
      sideSummary('Target', corpus.targetLength, corpus.targetVocabulary, 'look2'),
    ),
    el(
      'details',
      {},
      el('summary', {}, 'Example pairs'),
      el(
        'ul',
        { class: 'examples' },
        ...corpus.examples.map(({ source, target }) =>
          el(
            'li',
            {},
            el('span', { lang: from, dir: 'auto' }, source),
            el('span', { lang: to, dir: 'auto' }, target),
          ),
        ),
      ),
    ),
  ];
}

/** Vocabulary size and length histogram of one side. */
function sideSummary(
  name: string,
  { mean, longest, histogram }: LengthStatistics,
  vocabulary: number,
  look: string,
): HTMLElement {
  const max = Math.max(1, ...histogram);
  const width = Math.max(8, histogram.length);
  const bars = histogram.map((n, i) =>
    n > 0
      ? svg('rect', { x: i + 0.1, y: 40 - (36 * n) / max - 1, width: 0.8, height: (36 * n) / max + 1 })
      : null,
  );
  return el(
    'div',
    { class: 'side-facts' },
    el('h3', {}, name),
    svg(
      'svg',
      {
        class: `lengths ${look}`,
        viewBox: `0 0 ${width} 40`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `${name}: histogram of lengths from 0 to ${longest} tokens, mean ${formatNumber(mean)}`,
      },
      ...bars,
    ),
    el(
      'p',
      { class: 'hint number' },
      `length: mean ${formatNumber(mean)}, max ${formatInteger(longest)} tokens`,
    ),
    el('p', { class: 'hint number' }, `vocabulary: ${formatInteger(vocabulary)} tokens`),
  );
}

/**
 * Plans above this size get a hint: many GPUs have less memory, and WebGPU does not report the free memory.
 */
const largePlan = 4 * 2 ** 30;

/** Returns a hint for a plan of `peak` bytes; empty if it needs none. */
export const memoryHint = (peak: number): string =>
  peak > largePlan
    ? `WebGPU does not report how much memory the GPU has. If ${formatBytes(peak)} are not free, the training ends with an error; a smaller batch takes less.`
    : '';

/** Model size, work per step and GPU memory. */
function planSummary(preview: TrainingPreview, changes: string | undefined): HTMLElement[] {
  const { planned, config, shapes } = preview;
  const memoryText = preview.fits ? memoryHint(planned.peak) : '';
  const memory: [string, number, string][] = [
    ['weights, gradients, moments', planned.states, 'look1'],
    ['activations', planned.slots, 'look2'],
    ['batches', planned.inputs, 'look3'],
  ];
  const sum = Math.max(
    1,
    memory.reduce((n, [, size]) => n + size, 0),
  );
  let at = 0;
  const bars = memory.map(([, size, look]) => {
    const width = (100 * size) / sum;
    const bar = svg('rect', { class: look, x: at, y: 0, width: Math.max(0, width - 0.4), height: 8 });
    at += width;
    return bar;
  });
  return [
    ...(preview.fits ? [] : [el('p', { class: 'wrong', 'data-fits': 'false' }, preview.reason)]),
    factList([
      ['parameters', formatInteger(preview.parameters)],
      [
        'layers',
        `${config.encoderLayers} + ${config.decoderLayers}, dModel ${config.dModel}, ${config.heads} heads`,
      ],
      ['steps', `${formatInteger(preview.steps)} (${formatInteger(preview.stepsPerEpoch)} per epoch)`],
      ['batch shapes', shapes.join(', ').replaceAll('x', ' × ')],
      [
        'work per step',
        `${formatNumber(preview.flops / 1e9)} GFLOP, ${formatInteger(preview.dispatches)} dispatches`,
      ],
      ['GPU memory', formatBytes(planned.peak)],
      ...(changes ? ([['changes during the run', describeChanges(parseChanges(changes))]] as const) : []),
    ]),
    el(
      'div',
      {},
      svg(
        'svg',
        { class: 'memory', viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        ...bars,
      ),
      el(
        'ul',
        { class: 'keys' },
        ...memory.map(([name, size, look]) =>
          el(
            'li',
            {},
            el('i', { class: `swatch ${look}` }),
            `${name} `,
            el('b', { class: 'number' }, formatBytes(size)),
          ),
        ),
      ),
    ),
    ...(memoryText ? [hint(memoryText)] : []),
    ...(preview.software
      ? [
          hint(
            `${preview.adapter} is a software adapter: it runs on the CPU and is very slow. Use the tiny preset and few steps.`,
          ),
        ]
      : []),
  ];
}
