// The recipe of a training as a form: model, length, batch, rate and all the rest, filled with the recipe of the corpus and preset.

import { type ModelOptions, type PresetName, presets } from '../../../src/model/config.ts';
import type { OptimizerConfig } from '../../../src/train/optimizer.ts';
import { type ScheduleConfig, scheduleNames } from '../../../src/train/schedule.ts';
import { el, set } from '../../common/dom.ts';
import { field, markValid, numberInput, select } from '../../common/field.ts';
import { isModelName } from '../../storage/names.ts';
import type { CorpusChoice, TrainingSettings } from '../protocol.ts';
import { presetNames, settingsFor } from '../settings.ts';

/** The form of a recipe. */
export interface RecipePanel {
  readonly element: HTMLElement;
  /** Fills the form with the recipe for a corpus; what the visitor changed by hand stays. */
  suit(corpus: CorpusChoice): void;
  /** The settings as they stand, or in words what is wrong with them. */
  settings(corpus: CorpusChoice): TrainingSettings | string;
  /** Puts a name for the model into the form. */
  rename(name: string): void;
}

const presetNotes: Record<PresetName, string> = {
  tiny: 'Tiny: learns in a minute',
  small: 'Small',
  mid: 'Middle',
  base: "Base: the paper's size",
  keras: "Keras's example",
};

/** In the page's own words, so that it need not load the engine for them. */
const optimizers = ['adamw', 'adam', 'rmsprop', 'sgd'] as const satisfies readonly OptimizerConfig['kind'][];

const tokenizers = [
  ['word', 'Words'],
  ['bpe', 'Byte pairs'],
  ['char', 'Characters'],
] as const;

/** Builds the form; `changed` hears of each change. */
export function createRecipePanel(changed: () => void): RecipePanel {
  const preset = select(
    presetNames.map((name) => [name, presetNotes[name]]),
    'tiny',
  );
  const name = el('input', { type: 'text', required: true, maxlength: 60, autocomplete: 'off', spellcheck: 'false' });
  const length = numberInput(800, { min: 1, step: 1 });
  length.id = 'train-for';
  const unit = select(
    [
      ['steps', 'steps'],
      ['epochs', 'epochs'],
    ],
    'steps',
  );
  unit.setAttribute('aria-label', 'Train for so many');
  const controls = {
    batch: numberInput(64, { min: 1, max: 4096, step: 1 }),
    learningRate: numberInput(3e-3, { min: 1e-7, max: 10 }),
    schedule: select(
      scheduleNames.map((n) => [n, n]),
      'linear',
    ),
    dropout: numberInput(0, { min: 0, max: 0.95 }),
    labelSmoothing: numberInput(0, { min: 0, max: 0.95 }),
    seed: numberInput(1, { min: 0, max: 2 ** 32 - 1, step: 1 }),
    tokenizer: select(tokenizers, 'word'),
    vocabulary: numberInput(4000, { min: 8, max: 200_000, step: 1 }),
    optimizer: select(
      optimizers.map((n) => [n, n]),
      'adamw',
    ),
    weightDecay: numberInput(0, { min: 0, max: 1 }),
    clipNorm: numberInput(1, { min: 0 }),
    warmup: numberInput(0, { min: 0, step: 1 }),
    norm: select(
      [
        ['pre', 'before layers'],
        ['post', 'after layers'],
      ],
      'pre',
    ),
    accumulate: numberInput(1, { min: 1, max: 64, step: 1 }),
    buckets: numberInput(2, { min: 1, max: 8, step: 1 }),
    evalEvery: numberInput(200, { min: 0, step: 1 }),
    devSentences: numberInput(24, { min: 0, max: 500, step: 1 }),
    heldOut: numberInput(2, { min: 0, max: 49 }),
    checkpointSeconds: numberInput(20, { min: 0, step: 1 }),
  };
  controls.warmup.required = false;
  controls.warmup.value = '';
  /** Controls that the visitor changed: a new preset or corpus leaves them as they are. */
  const touched = new Set<Element>();

  const element = el(
    'div',
    { class: 'stack' },
    field('Model', preset),
    field('Name in this browser', name),
    el(
      'div',
      { class: 'field' },
      el('label', { for: length.id }, 'Train for'),
      el('div', { class: 'pairs' }, length, unit),
    ),
    el(
      'div',
      { class: 'pairs' },
      field('Batch, sentences', controls.batch),
      field('Learning rate', controls.learningRate),
      field('Schedule', controls.schedule),
      field('Dropout', controls.dropout),
      field('Label smoothing', controls.labelSmoothing),
      field('Seed', controls.seed),
    ),
    el(
      'details',
      {},
      el('summary', {}, 'Advanced'),
      el(
        'div',
        { class: 'pairs' },
        field('Tokens', controls.tokenizer),
        field('Vocabulary, at most', controls.vocabulary),
        field('Optimizer', controls.optimizer),
        field('Weight decay', controls.weightDecay),
        field('Gradient clip norm', controls.clipNorm, '0: none'),
        field('Warm-up, steps', controls.warmup, "empty: the schedule's own"),
        field('Layer norms', controls.norm),
        field('Batches an update', controls.accumulate),
        field('Batch shapes, at most', controls.buckets),
        field('Evaluate every, steps', controls.evalEvery, '0: never'),
        field('Dev sentences shown', controls.devSentences),
        field('Held out for dev, %', controls.heldOut, 'and again for test'),
        field('Checkpoint every, s', controls.checkpointSeconds, '0: only at the end'),
      ),
    ),
  );

  const put = (control: HTMLInputElement | HTMLSelectElement, value: string | number) => {
    if (!touched.has(control)) control.value = String(value);
  };
  function fillFrom(corpus: CorpusChoice, chosen?: PresetName): void {
    const s = settingsFor(corpus, chosen);
    const model: Partial<ModelOptions> = { ...presets[s.preset], ...s.model };
    if (!chosen) put(preset, s.preset);
    put(name, s.name);
    if (!touched.has(length)) {
      unit.value = s.steps > 0 ? 'steps' : 'epochs';
      length.value = String(s.steps > 0 ? s.steps : s.epochs);
    }
    put(controls.batch, s.batch);
    put(controls.learningRate, s.schedule.learningRate);
    put(controls.schedule, s.schedule.kind ?? 'constant');
    put(controls.dropout, typeof model.dropout === 'number' ? model.dropout : (model.dropout?.output ?? 0));
    put(controls.tokenizer, s.tokenizer.kind);
    put(controls.vocabulary, s.tokenizer.size);
    put(controls.optimizer, s.optimizer.kind ?? 'adamw');
    put(controls.norm, model.norm ?? 'post');
    put(controls.evalEvery, s.evalEvery);
    put(controls.checkpointSeconds, s.checkpointSeconds);
    put(controls.devSentences, s.devSentences);
  }

  let last: CorpusChoice = { kind: 'intl', source: 'en', target: 'es', pairs: 1, seed: 1 };
  const presetChosen = () => (touched.has(preset) ? (preset.value as PresetName) : undefined);
  element.addEventListener('input', (event) => {
    const control = event.target as HTMLInputElement | HTMLSelectElement;
    touched.add(control === unit ? length : control);
    if (control === preset) fillFrom(last, presetChosen());
    changed();
  });

  return {
    element,
    suit(corpus) {
      last = corpus;
      fillFrom(corpus, presetChosen());
    },
    rename(text) {
      name.value = text;
      touched.add(name);
    },
    settings(corpus) {
      for (const label of element.querySelectorAll('label')) {
        const control = label.control as HTMLInputElement | HTMLSelectElement | null;
        if (control && !markValid(control)) {
          const closed = control.closest('details');
          if (closed) closed.open = true;
          return `${label.textContent}: ${control.validationMessage}`;
        }
      }
      if (!isModelName(name.value)) {
        set(name, { 'aria-invalid': 'true' });
        return 'Name in this browser: letters, digits, - and _, single dots or spaces between them, 60 at most.';
      }
      const number = (control: HTMLInputElement) => control.valueAsNumber;
      const base = settingsFor(corpus, preset.value as PresetName);
      const schedule: TrainingSettings['schedule'] = {
        ...base.schedule,
        kind: controls.schedule.value as ScheduleConfig['kind'],
        learningRate: number(controls.learningRate),
        ...(controls.warmup.value !== '' && { warmup: number(controls.warmup) }),
      };
      const kind = controls.tokenizer.value as TrainingSettings['tokenizer']['kind'];
      return {
        ...base,
        name: name.value,
        heldOut: number(controls.heldOut) / 100,
        model: {
          ...base.model,
          ...(dropoutOf(preset.value as PresetName, number(controls.dropout), base.model.dropout) ?? {}),
          norm: controls.norm.value as ModelOptions['norm'] & string,
          labelSmoothing: number(controls.labelSmoothing),
        },
        tokenizer: {
          kind,
          size: number(controls.vocabulary),
          ...(base.tokenizer.kind === kind &&
            base.tokenizer.lowercase !== undefined && { lowercase: base.tokenizer.lowercase }),
          ...(base.tokenizer.kind === kind && base.tokenizer.fill && { fill: true }),
        },
        batch: number(controls.batch),
        buckets: number(controls.buckets),
        accumulate: number(controls.accumulate),
        steps: unit.value === 'steps' ? number(length) : 0,
        epochs: unit.value === 'epochs' ? number(length) : 0,
        optimizer: {
          kind: controls.optimizer.value as OptimizerConfig['kind'],
          weightDecay: number(controls.weightDecay),
          clipNorm: number(controls.clipNorm),
        },
        schedule,
        seed: number(controls.seed),
        evalEvery: number(controls.evalEvery),
        devSentences: number(controls.devSentences),
        checkpointSeconds: number(controls.checkpointSeconds),
      };
    },
  };
}

/** Dropout as the form has it: Keras's example drops before the output projection alone, all other presets in the paper's places. */
function dropoutOf(
  preset: PresetName,
  rate: number,
  recipe: ModelOptions['dropout'],
): Partial<ModelOptions> | undefined {
  if (preset === 'keras') return { dropout: { output: rate } };
  return rate === 0 && recipe === undefined ? undefined : { dropout: rate };
}
