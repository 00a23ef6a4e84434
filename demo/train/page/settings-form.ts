// Form of the training settings, filled with the recipe of the corpus and preset.

import { type ModelOptions, type PresetName, presets } from '../../../src/model/model-config.ts';
import { completeSettings } from '../../../src/train/recipes.ts';
import type { OptimizerConfig } from '../../../src/trainer/optimizer-config.ts';
import { type ScheduleConfig, scheduleNames } from '../../../src/trainer/schedule.ts';
import { el, set } from '../../common/dom.ts';
import { field, markValid, numberInput, select } from '../../common/form-controls.ts';
import { isModelName, modelNameRule, toModelName } from '../../storage/model-names.ts';
import { type CorpusChoice, defaultCheckpointSeconds, type TrainingSettings } from '../protocol.ts';

/** The settings form. */
export interface SettingsForm {
  readonly element: HTMLElement;
  /** Fills in the recipe of a corpus; values that the visitor has changed are kept. */
  fillDefaults(corpus: CorpusChoice): void;
  /** Returns the settings, or a message that says what is invalid. */
  read(corpus: CorpusChoice): TrainingSettings | string;
  /** Sets the name of the model. */
  rename(name: string): void;
}

const presetLabels: Record<PresetName, string> = {
  tiny: 'Tiny: trains in a minute',
  small: 'Small',
  mid: 'Medium',
  base: 'Base: size of the paper',
  keras: "Keras's example",
};

/** Listed here so that the page does not load the engine. */
const optimizers = ['adamw', 'adam', 'rmsprop', 'sgd'] as const satisfies readonly OptimizerConfig['kind'][];

const tokenizers = [
  ['word', 'Words'],
  ['bpe', 'Byte pairs'],
  ['char', 'Characters'],
] as const;

/** Creates the form; `onChange` is called after each change. */
export function createSettingsForm(onChange: () => void): SettingsForm {
  const controls = createControls();
  const { preset, name, length, unit } = controls;
  const element = layOut(controls);
  /** Controls that the visitor has changed; a new preset or corpus does not reset them. */
  const touched = new Set<Element>();
  const presetChosen = () => (touched.has(preset) ? (preset.value as PresetName) : undefined);
  let last: CorpusChoice = { kind: 'intl', source: 'en', target: 'es', pairs: 1, seed: 1 };
  const fillFrom = (corpus: CorpusChoice) => fillIn(controls, defaultSettings(corpus, presetChosen()), touched);

  element.addEventListener('input', (event) => {
    const control = event.target as Control;
    touched.add(control === unit ? length : control);
    if (control === preset) fillFrom(last);
    onChange();
  });
  return {
    element,
    fillDefaults(corpus) {
      last = corpus;
      fillFrom(corpus);
    },
    rename(text) {
      name.value = text;
      touched.add(name);
    },
    read(corpus) {
      const error = firstError(element);
      if (error) return error;
      if (!isModelName(name.value)) {
        set(name, { 'aria-invalid': 'true' });
        return `Model name: ${modelNameRule}.`;
      }
      return readControls(controls, defaultSettings(corpus, preset.value as PresetName));
    },
  };
}

type Control = HTMLInputElement | HTMLSelectElement;
type Controls = ReturnType<typeof createControls>;

/** Creates the controls with values for the time before a corpus is known. */
function createControls() {
  const length = numberInput(800, { min: 1, step: 1 });
  length.id = 'train-for';
  const unit = select(
    [
      ['steps', 'steps'],
      ['epochs', 'epochs'],
    ],
    'steps',
  );
  unit.setAttribute('aria-label', 'Unit of the training length');
  const warmup = numberInput(0, { min: 0, step: 1 });
  warmup.required = false;
  warmup.value = '';
  return {
    preset: select(
      (Object.keys(presets) as PresetName[]).map((name) => [name, presetLabels[name]]),
      'tiny',
    ),
    name: el('input', { type: 'text', required: true, maxlength: 60, autocomplete: 'off', spellcheck: 'false' }),
    length,
    unit,
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
    warmup,
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
}

/** Lays out the common settings, then the advanced ones. */
function layOut(controls: Controls): HTMLElement {
  const { length, unit } = controls;
  return el(
    'div',
    { class: 'stack' },
    field('Model', controls.preset),
    field('Model name', controls.name),
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
}

/** Writes settings into the controls that the visitor has not changed. */
function fillIn(controls: Controls, s: TrainingSettings, touched: ReadonlySet<Element>): void {
  const put = (control: Control, value: string | number) => {
    if (!touched.has(control)) control.value = String(value);
  };
  const { dropout, norm = 'post' }: Partial<ModelOptions> = { ...presets[s.preset], ...s.model };
  put(controls.preset, s.preset);
  put(controls.name, s.name);
  if (!touched.has(controls.length)) controls.unit.value = s.steps > 0 ? 'steps' : 'epochs';
  put(controls.length, s.steps > 0 ? s.steps : s.epochs);
  put(controls.batch, s.batch);
  put(controls.learningRate, s.schedule.learningRate);
  put(controls.schedule, s.schedule.kind ?? 'constant');
  put(controls.dropout, typeof dropout === 'number' ? dropout : (dropout?.output ?? 0));
  put(controls.tokenizer, s.tokenizer.kind);
  put(controls.vocabulary, s.tokenizer.size);
  put(controls.optimizer, s.optimizer.kind ?? 'adamw');
  put(controls.norm, norm);
  put(controls.evalEvery, s.evalEvery);
  put(controls.checkpointSeconds, s.checkpointSeconds);
  put(controls.devSentences, s.devSentences);
}

/** Returns the error of the first invalid control and expands the section it is in; undefined if all are valid. */
function firstError(form: HTMLElement): string | undefined {
  for (const label of form.querySelectorAll('label')) {
    const control = label.control as Control | null;
    if (!control || markValid(control)) continue;
    const closed = control.closest('details');
    if (closed) closed.open = true;
    return `${label.textContent}: ${control.validationMessage}`;
  }
  return undefined;
}

/** Reads the settings from the controls; `base` has the settings without a control. */
function readControls(controls: Controls, base: TrainingSettings): TrainingSettings {
  const number = (control: HTMLInputElement) => control.valueAsNumber;
  const { length, unit, warmup } = controls;
  const kind = controls.tokenizer.value as TrainingSettings['tokenizer']['kind'];
  const { lowercase, fill } = base.tokenizer.kind === kind ? base.tokenizer : {};
  return {
    ...base,
    name: controls.name.value,
    heldOut: number(controls.heldOut) / 100,
    model: {
      ...base.model,
      ...dropoutOf(base.preset, number(controls.dropout), base.model.dropout),
      norm: controls.norm.value as ModelOptions['norm'] & string,
      labelSmoothing: number(controls.labelSmoothing),
    },
    tokenizer: {
      kind,
      size: number(controls.vocabulary),
      ...(lowercase !== undefined && { lowercase }),
      ...(fill && { fill: true }),
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
    schedule: {
      ...base.schedule,
      kind: controls.schedule.value as ScheduleConfig['kind'],
      learningRate: number(controls.learningRate),
      ...(warmup.value !== '' && { warmupSteps: number(warmup) }),
    },
    seed: number(controls.seed),
    evalEvery: number(controls.evalEvery),
    devSentences: number(controls.devSentences),
    checkpointSeconds: number(controls.checkpointSeconds),
  };
}

/** Dropout option of the model: Keras's example has dropout before the output projection only. */
function dropoutOf(
  preset: PresetName,
  rate: number,
  recipe: ModelOptions['dropout'],
): Partial<ModelOptions> | undefined {
  if (preset === 'keras') return { dropout: { output: rate } };
  return rate === 0 && recipe === undefined ? undefined : { dropout: rate };
}

/** Returns the recipe of a corpus, and of a preset if one is given, as `heddle train` has it. */
function defaultSettings(corpus: CorpusChoice, preset?: PresetName): TrainingSettings {
  const recipe = completeSettings(preset ? { preset } : {}, corpus.kind === 'intl' ? 'intl' : 'pairs');
  return {
    name: toModelName(
      corpus.kind === 'intl' ? `intl-${corpus.source}-${corpus.target}` : corpus.name.replace(/\.[^.]+$/, ''),
    ),
    corpus,
    heldOut: 0.02,
    preset: recipe.preset,
    model: {
      ...(recipe.norm !== undefined && { norm: recipe.norm }),
      ...(recipe.dropout !== undefined && { dropout: recipe.dropout }),
    },
    tokenizer: {
      kind: recipe.tokenizer,
      size: recipe.vocabSize,
      ...(recipe.lowercase !== undefined && { lowercase: recipe.lowercase }),
      ...(recipe.fillVocab && { fill: true }),
    },
    batch: recipe.batchSize ?? 64,
    buckets: 2,
    accumulate: 1,
    steps: recipe.steps ?? 0,
    epochs: recipe.epochs ?? 0,
    optimizer: { kind: recipe.optimizer },
    schedule: { kind: recipe.schedule, learningRate: recipe.learningRate },
    seed: 1,
    evalEvery: recipe.evalSteps,
    devSentences: 24,
    checkpointSeconds: defaultCheckpointSeconds,
  };
}
