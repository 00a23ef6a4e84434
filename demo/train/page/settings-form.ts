// Form of the training settings: one field per row of the settings table (src/train/settings/settings.ts)
// that has a label, filled with the recipe of the corpus and preset.

import {
  completeSettings,
  type DropoutRates,
  describeType,
  fitsType,
  formatChanges,
  type LogChange,
  type ModelOptions,
  parseChanges,
  presets,
  runKindOf,
  type Setting,
  type SettingName,
  settingRows,
  type TrainSettings,
} from '../../../src/index.ts';
import { el, set, stack } from '../../common/dom.ts';
import { field, markValid, select } from '../../common/form-controls.ts';
import { isModelName, modelNameRule, toModelName } from '../../storage/model-names.ts';
import { isCsv } from '../corpus-format.ts';
import type { CorpusChoice, TrainingSettings } from '../protocol.ts';

/** The settings form. */
export interface SettingsForm {
  readonly element: HTMLElement;
  /** Fills in the recipe of a corpus; values that the visitor has changed are kept. */
  fillDefaults(corpus: CorpusChoice): void;
  /** Returns the settings, or a message that says what is invalid. */
  read(corpus: CorpusChoice): TrainingSettings | string;
  /** Default name of a model of a corpus. */
  nameFor(corpus: CorpusChoice): string;
  /** Sets the name of the model. */
  rename(name: string): void;
  /** Fills in the name and settings of a stored model. */
  load(name: string, settings: TrainSettings): void;
  /** Adds a change of the running training, unless the settings list it already. */
  addChange(change: LogChange): void;
  /** Shows the planned length in the unit that is not entered: steps for epochs, and the reverse. */
  showLength(steps: number, stepsPerEpoch: number): void;
}

/**
 * Defaults that differ on the page: the samples table has a row for each translated dev sentence, and
 * checkpoints are saved often because a tab is easily closed.
 */
const pageDefaults = {
  devSentences: 24,
  saveSeconds: 20,
  probe: 'dev',
  updateRatioSteps: 10,
} satisfies TrainSettings;

/** Hints below fields. */
const hints: Partial<Record<SettingName, string>> = {
  probeSteps: 'Recorded less often if recording takes over 3 % of the training time; 0: never',
  saveSeconds: 'Saved less often if saving takes over 2 % of the time',
  changes: 'Settings to change during the run, by step: 40 learningRate=0.001 dropout=0; 80 evalSteps=50',
};

type Control = HTMLInputElement | HTMLSelectElement;

/** A control of the form and its row of the table. */
interface SettingField {
  readonly name: SettingName;
  readonly row: Setting;
  readonly control: Control;
}

/** Creates the form; `onChange` is called after each change. */
export function createSettingsForm(onChange: () => void): SettingsForm {
  const fields = settingRows.flatMap(([name, row]): SettingField[] =>
    row.label ? [{ name, row, control: createControl(row) }] : [],
  );
  const controlOf = (name: string): Control | undefined => fields.find((f) => f.name === name)?.control;
  const modelName = el('input', {
    type: 'text',
    required: true,
    maxlength: 60,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const element = layOut(modelName, fields);
  /** Controls that the visitor has changed; a new preset or corpus does not reset them. */
  const touched = new Set<Element>();
  let corpus: CorpusChoice = { kind: 'intl', source: 'en', target: 'es', pairs: 1, seed: 1 };

  function fillDefaults(chosen: CorpusChoice): void {
    corpus = chosen;
    const preset = controlOf('preset');
    const given = preset && touched.has(preset) ? ({ preset: preset.value } as TrainSettings) : {};
    const defaults = defaultsFor(corpus, given) as Record<string, unknown>;
    if (!touched.has(modelName)) modelName.value = defaultName(corpus);
    for (const { name, row, control } of fields) {
      const excluded = fields.some(
        (f) => touched.has(f.control) && f.control.value !== '' && excludes(f, name, row),
      );
      // The focused control is skipped: the visitor may be replacing its value.
      if (!touched.has(control) && control !== document.activeElement)
        control.value = excluded ? '' : String(defaults[name] ?? '');
    }
    updateApplicable();
  }
  /** Disables the settings that do not exist for the selected optimizer or schedule. */
  function updateApplicable(): void {
    for (const { row, control } of fields) {
      const [other = '', ...values] = row.onlyFor ?? [];
      control.disabled = values.length > 0 && !values.includes(controlOf(other)?.value ?? '');
    }
  }

  element.addEventListener('input', (event) => {
    const changed = event.target as Control;
    touched.add(changed);
    const own = fields.find((f) => f.control === changed);
    if (own && changed.value !== '')
      for (const { name, row, control } of fields)
        if (control !== changed && excludes(own, name, row)) control.value = '';
    if (changed === controlOf('preset')) fillDefaults(corpus);
    updateApplicable();
    onChange();
  });
  return {
    element,
    fillDefaults,
    nameFor: defaultName,
    rename(text) {
      modelName.value = text;
      touched.add(modelName);
    },
    load(name, settings) {
      modelName.value = name;
      touched.add(modelName);
      for (const { name: field, control } of fields) {
        const value = shownValue(settings[field as keyof TrainSettings]);
        if (value === '' && control instanceof HTMLSelectElement) {
          touched.delete(control); // it gets the default
          continue;
        }
        control.value = value;
        touched.add(control);
      }
      updateApplicable();
    },
    addChange({ type: _, ...change }) {
      const control = controlOf('changes');
      if (!control) return;
      const listed = parseChanges(control.value);
      if (listed.some((other) => formatChanges([other]) === formatChanges([change]))) return;
      control.value = formatChanges([...listed, change].sort((a, b) => a.step - b.step));
      touched.add(control);
    },
    showLength(steps, stepsPerEpoch) {
      const texts = { steps: steps.toLocaleString('en'), epochs: (steps / stepsPerEpoch).toPrecision(2) };
      for (const [name, text] of Object.entries(texts)) {
        const control = controlOf(name);
        if (control) set(control, { placeholder: control.value === '' && `planned: ${text}` });
      }
    },
    read(chosen) {
      for (const { name, row, control } of fields) {
        const value = readControl(row, control);
        const valid = value === undefined || fitsType(row.type, value);
        const wrong = name === 'changes' ? wrongChanges(control.value) : '';
        control.setCustomValidity(valid ? wrong : `must be ${describeType(row.type)}`);
      }
      modelName.setCustomValidity(isModelName(modelName.value) ? '' : modelNameRule);
      const error = firstError(element);
      if (error) return error;
      const values = fields.flatMap(({ name, row, control }) => {
        const value = control.disabled ? undefined : readControl(row, control);
        return value === undefined ? [] : [[name, value]];
      });
      const settings: TrainSettings = { probe: pageDefaults.probe, ...Object.fromEntries(values) };
      // The Keras example has dropout only before the output projection.
      const { dropout, preset } = settings;
      const keras = preset === 'keras' && typeof dropout === 'number' && { dropout: { output: dropout } };
      return { name: modelName.value, corpus: chosen, settings: { ...settings, ...keras } };
    },
  };
}

/** Returns whether one of two settings excludes the other. */
const excludes = (a: SettingField, name: SettingName, row: Setting): boolean =>
  a.row.excludes === name || row.excludes === a.name;

/**
 * Text of a field for a stored value; of several dropout rates, the one before the output projection is
 * shown.
 */
const shownValue = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? String((value as Partial<DropoutRates>).output ?? '')
    : String(value ?? '');

/** Minimum number of updates for a small corpus: ten pairs in ten epochs would be ten updates. */
const minUpdates = 300;

/**
 * Number of pairs from which the default held-out share has ten dev pairs; of fewer pairs a tenth is held
 * out.
 */
const manyPairs = 500;

/** Larger texts get more than `minUpdates` updates in any case, so their lines are not counted. */
const maxCounted = 2 ** 18;

/**
 * Epochs, batch size, held-out share and evaluation interval for a text with few pairs; nothing for a larger
 * one.
 */
function smallCorpus(corpus: CorpusChoice, { epochs = 1, batchSize = 64 }: TrainSettings): TrainSettings {
  if (corpus.kind !== 'text' || corpus.data instanceof Blob || corpus.data.length > maxCounted) return {};
  const text = typeof corpus.data === 'string' ? corpus.data : new TextDecoder().decode(corpus.data);
  const separator = isCsv(corpus.name, text) ? ',' : '\t';
  const lines = text.split('\n').filter((line) => line.includes(separator));
  const pairs = Math.max(1, lines.length);
  const needed = Math.ceil(minUpdates / Math.ceil(pairs / batchSize));
  return {
    ...(needed > epochs && { epochs: needed }),
    ...(pairs < batchSize && { batchSize: 2 ** Math.ceil(Math.log2(pairs)) }), // a batch has no empty rows
    ...(pairs < manyPairs && { heldOut: 0.1 }),
    ...(needed > epochs && { evalSteps: 100 }),
  };
}

/** Values of the fields for a corpus: recipe, preset and defaults of the page. */
function defaultsFor(corpus: CorpusChoice, given: TrainSettings): TrainSettings {
  const complete = completeSettings({ ...pageDefaults, ...given }, runKindOf(corpus.kind));
  const recipe = { ...complete, ...smallCorpus(corpus, complete) };
  const { dropout = 0, norm = 'post', labelSmoothing }: Partial<ModelOptions> = presets[recipe.preset];
  const rate = recipe.dropout ?? dropout;
  return {
    norm,
    ...(labelSmoothing !== undefined && { labelSmoothing }),
    ...recipe,
    dropout: typeof rate === 'number' ? rate : (rate.output ?? 0),
  };
}

/** Name of a model of a corpus: `intl-en-es`, or that of the file. */
function defaultName(corpus: CorpusChoice): string {
  if (corpus.kind === 'task') return corpus.task;
  return toModelName(
    corpus.kind === 'intl' ? `intl-${corpus.source}-${corpus.target}` : corpus.name.replace(/\.[^.]+$/, ''),
  );
}

/** Creates the control of a row; its tooltip is the help text. */
function createControl({ type, help, defaultText }: Setting): Control {
  if (type.kind === 'choice') {
    const list = select(
      type.choices.map((name) => [name, name]),
      '',
    );
    list.title = help;
    return list;
  }
  const { min, below } = { min: 0, below: undefined, ...type };
  if (type.kind === 'text')
    return el('input', {
      type: 'text',
      autocomplete: 'off',
      spellcheck: 'false',
      title: help,
      placeholder: defaultText,
    });
  return el('input', {
    type: 'number',
    inputmode: 'decimal',
    step: type.kind === 'integer' ? 1 : 'any',
    min,
    max: below,
    title: defaultText ? `${help}. Default: ${defaultText}` : help,
    placeholder: defaultText && 'default',
  });
}

/** Returns what is wrong with a list of changes; empty if it is valid. */
function wrongChanges(text: string): string {
  try {
    parseChanges(text);
    return '';
  } catch (error) {
    return (error as Error).message.replace(/^train: /, '');
  }
}

/** Returns the value of a control; undefined if it is empty. */
function readControl({ type }: Setting, control: Control): unknown {
  if (control.value === '') return undefined;
  return type.kind === 'choice' || type.kind === 'text' ? control.value : Number(control.value);
}

/** Lays out the preset, the common settings and the advanced ones. */
function layOut(modelName: HTMLInputElement, fields: readonly SettingField[]): HTMLElement {
  const grid = (chosen: readonly SettingField[]) =>
    el(
      'div',
      { class: 'pairs' },
      ...chosen.map(({ name, row, control }) => {
        const labelled = field(row.label ?? '', control, hints[name]);
        if (row.type.kind === 'text') labelled.classList.add('whole');
        return labelled;
      }),
    );
  const preset = fields.find((f) => f.name === 'preset');
  const common = fields.filter((f) => f !== preset && !f.row.advanced);
  return stack(
    preset && field(preset.row.label ?? '', preset.control),
    field('Model name', modelName),
    grid(common),
    el('details', {}, el('summary', {}, 'Advanced'), grid(fields.filter((f) => f.row.advanced))),
  );
}

/**
 * Returns the error of the first invalid control and expands the section it is in; undefined if all are
 * valid.
 */
function firstError(form: HTMLElement): string | undefined {
  for (const label of form.querySelectorAll('label')) {
    const control = label.control as Control | null;
    if (!control || control.disabled || markValid(control)) continue;
    const closed = control.closest('details');
    if (closed) closed.open = true;
    return `${label.textContent}: ${control.validationMessage}`;
  }
  return undefined;
}
