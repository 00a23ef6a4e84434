// Form of the training settings: one field per row of the settings table (src/train/settings/settings.ts)
// that has a label, filled with the recipe of the corpus and preset.

import { live } from 'lit-html/directives/live.js';
import {
  type DropoutRates,
  type ModelOptions,
  presets,
  type TrainSettings,
} from '../../../src/entries/heddle.ts';
import {
  describeChanges,
  fitsType,
  formatChanges,
  type LogChange,
  parseChanges,
  type Setting,
  type SettingName,
  settingRows,
} from '../../../src/entries/reports.ts';
import { field, markValid, options } from '../../common/form-fields.ts';
import { formatInteger, inDigits } from '../../common/format.ts';
import { say, translated } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import { termList } from '../../common/terms.ts';
import { translatedMessage } from '../../common/translated-message.ts';
import { isModelName, modelNameRule, toModelName } from '../../storage/model-names.ts';
import type { CorpusChoice, TrainingSettings } from '../protocol.ts';
import { errorForVisitors } from '../worker/visitor-messages.ts';
import { defaultsFor, pageDefaults } from './page-defaults.ts';
import { changesIn, typeWords } from './setting-words.ts';

/** Hints below fields. */
const hints: Partial<Record<SettingName, string>> = {
  probeSteps: say`Recorded less often if recording takes over 3 % of the training time; 0: never`,
  saveSeconds: say`Saved less often if saving takes over 2 % of the time`,
  changes: say`Learning rate, dropout or evaluation interval, each after a step: learning rate 0.001 and dropout 0 after step 40, evaluation interval 50 after step 80`,
};

type Control = HTMLInputElement | HTMLSelectElement;

/** A row of the settings table with a label, and its name. */
interface Field {
  readonly name: SettingName;
  readonly row: Setting;
}

const fields = settingRows.flatMap(([name, row]): Field[] =>
  row.label ? [{ name: name as SettingName, row }] : [],
);
const idOf = (name: SettingName): string => `setting-${name}`;

/** The form. */
export class SettingsForm extends Panel {
  readonly #onChange: () => void;
  /** The changes of a training by hand, as the field `changes` writes them. */
  readonly #recorded = new Set<string>();
  #corpus: CorpusChoice = { kind: 'intl', source: 'en', target: 'es', pairs: 1, seed: 1 };
  #name = '';
  #isNamed = false;
  /** Settings without a field that a plan offered and the visitor took. */
  #offered: TrainSettings = {};
  /** Text of each field; empty or absent: the default. */
  readonly #values = new Map<SettingName, string>();
  /** Fields that the visitor has changed; a new preset or corpus does not reset them. */
  readonly #touched = new Set<SettingName>();
  /** What the adapter can do in ten minutes, if it is slow; see `ease`. */
  #eased: TrainSettings = {};
  /** The planned length in the unit that is not entered: steps for epochs, and the reverse. */
  #planned: Partial<Record<SettingName, string>> = {};

  /** `onChange` is called after each change. */
  constructor(onChange: () => void) {
    super();
    this.#onChange = onChange;
    this.draw();
  }

  /** Fills in the recipe of a corpus; values that the visitor has changed are kept. */
  fillDefaults(corpus: CorpusChoice): void {
    this.#corpus = corpus;
    const { steps, ...preset } = this.#eased;
    const given = this.#touched.has('preset')
      ? ({ preset: this.#value('preset') } as TrainSettings)
      : (preset as TrainSettings);
    const recipe = defaultsFor(corpus, given) as Record<string, unknown>;
    const defaults = steps === undefined ? recipe : { ...recipe, steps, epochs: undefined };
    if (!this.#isNamed) this.#name = this.nameFor(corpus);
    for (const field of fields) {
      const { name } = field;
      // The focused control is skipped: the visitor may be replacing its value.
      if (this.#touched.has(name) || document.activeElement?.id === idOf(name)) continue;
      const isExcluded = fields.some(
        (other) => this.#touched.has(other.name) && this.#value(other.name) !== '' && excludes(other, field),
      );
      this.#values.set(name, isExcluded ? '' : String(defaults[name] ?? ''));
    }
    this.draw();
  }

  /**
   * Chooses a preset and a number of steps that a slow adapter does in about ten minutes; what the visitor has changed
   * stays. Returns whether that changes the form.
   */
  ease(settings: TrainSettings): boolean {
    const { preset = this.#eased.preset, steps = this.#eased.steps } = settings;
    if (preset === this.#eased.preset && steps === this.#eased.steps) return false;
    this.#eased = { ...(preset === undefined ? {} : { preset }), ...(steps === undefined ? {} : { steps }) };
    return true;
  }

  /** Default name of a model of a corpus: `intl-en-es`, or that of the file. */
  nameFor(corpus: CorpusChoice): string {
    if (corpus.kind === 'task') return corpus.task;
    return toModelName(
      corpus.kind === 'intl' ? `intl-${corpus.source}-${corpus.target}` : corpus.name.replace(/\.[^.]+$/, ''),
    );
  }

  /** Sets the name of the model. */
  rename(name: string): void {
    this.#name = name;
    this.#isNamed = true;
    this.draw();
  }

  /** Fills in the name and settings of a stored model. */
  load(model: string, settings: TrainSettings): void {
    this.#offered = {};
    for (const { name, row } of fields) {
      const text = shownSetting(name, settings);
      if (text === '' && row.type.kind === 'choice')
        this.#touched.delete(name); // it gets the default
      else this.#set(name, text);
    }
    this.rename(model);
  }

  /** Takes settings that a plan offers, also those that have no field. */
  take(settings: TrainSettings): void {
    const shown = new Set<string>(fields.map(({ name }) => name));
    for (const { name } of fields) {
      const value = settings[name as keyof TrainSettings];
      if (value !== undefined) this.#set(name, shownSetting(name, settings));
    }
    const others = Object.entries(settings).filter(
      ([name, value]) => !shown.has(name) && value !== undefined,
    );
    this.#offered = Object.fromEntries(others);
    this.draw();
    this.#onChange();
  }

  /**
   * Adds a change of the running training, unless the settings list it already: a link to the training has it. It
   * belongs to that training, see `dropRecorded`.
   */
  addChange({ type: _, ...change }: LogChange): void {
    const listed = changesIn(this.#value('changes'));
    if (listed.some((other) => formatChanges([other]) === formatChanges([change]))) return;
    this.#recorded.add(formatChanges([change]));
    this.#set('changes', describeChanges([...listed, change].sort((a, b) => a.step - b.step)));
    this.draw();
  }

  /** Removes the changes that `addChange` added: the next training is another one. Returns whether there were some. */
  dropRecorded(): boolean {
    if (this.#recorded.size === 0) return false;
    const kept = changesIn(this.#value('changes')).filter(
      (change) => !this.#recorded.has(formatChanges([change])),
    );
    this.#recorded.clear();
    this.#set('changes', describeChanges(kept));
    this.draw();
    return true;
  }

  /** The learning rate of the recipe, which the field has if the visitor did not change it. */
  usualRate(): number | undefined {
    const preset = this.#touched.has('preset') ? { preset: this.#value('preset') } : {};
    return defaultsFor(this.#corpus, preset as TrainSettings).learningRate;
  }

  /** Sets the learning rate of the recipe again. */
  resetRate(): void {
    this.#touched.delete('learningRate');
    this.fillDefaults(this.#corpus);
    this.#onChange();
  }

  /** Shows the planned length in the unit that is not entered. */
  showLength(steps: number, stepsPerEpoch: number): void {
    this.#planned = { steps: formatInteger(steps), epochs: inDigits((steps / stepsPerEpoch).toPrecision(2)) };
    this.draw();
  }

  /** Returns the settings, or a message that says what is invalid. */
  read(corpus: CorpusChoice): TrainingSettings | string {
    for (const { name, row } of fields) {
      const value = this.#read(name, row);
      const isValid = value === undefined || fitsType(row.type, value);
      const wrong = name === 'changes' ? wrongChanges(this.#value(name)) : '';
      this.#control(name).setCustomValidity(isValid ? wrong : say`must be ${typeWords(row.type)}`);
    }
    this.find('#model-name').setCustomValidity(isModelName(this.#name) ? '' : translated(modelNameRule));
    const error = this.#firstError();
    if (error) return error;
    const values = fields.flatMap(({ name, row }) => {
      const value = this.#applies(row) ? this.#read(name, row) : undefined;
      return value === undefined ? [] : [[name, value]];
    });
    const own = Object.fromEntries(values);
    const { probe, earlyEvals } = pageDefaults;
    const given: TrainSettings = { probe, earlyEvals, ...this.#offered, ...own };
    // A probe shows tokens of the source; images have none.
    const readsImages = corpus.kind === 'task' && corpus.task === 'read-line';
    const settings = readsImages ? { ...given, probe: undefined, probeSteps: undefined } : given;
    // The Keras example has dropout only before the output projection.
    const { dropout, preset } = settings;
    const isKeras = preset === 'keras' && typeof dropout === 'number';
    return {
      name: this.#name,
      corpus,
      settings: isKeras ? { ...settings, dropout: { output: dropout } } : settings,
    };
  }

  #value(name: SettingName): string {
    return this.#values.get(name) ?? '';
  }

  /**
   * The text that an input shows. A focused one keeps its own: a program that fills it clears it first, and a plan that
   * arrives then would put the old value back before the new one.
   */
  #shown(name: SettingName): string {
    const { activeElement } = document;
    const isEdited = activeElement instanceof HTMLInputElement && activeElement.id === idOf(name);
    return isEdited ? activeElement.value : this.#value(name);
  }

  #set(name: SettingName, text: string): void {
    this.#values.set(name, text);
    this.#touched.add(name);
  }

  #control(name: SettingName): Control {
    return this.find<Control>(`#${idOf(name)}`);
  }

  /** Returns the value of a field; undefined if it is empty. */
  #read(name: SettingName, { type }: Setting): unknown {
    const text = this.#value(name);
    if (text === '') return undefined;
    if (name === 'changes') return wrongChanges(text) ? text : formatChanges(changesIn(text));
    return type.kind === 'choice' || type.kind === 'text' ? text : Number(text);
  }

  /** Whether a setting exists for the selected optimizer or schedule. */
  #applies({ onlyFor }: Setting): boolean {
    const [other, ...values] = onlyFor ?? [];
    return values.length === 0 || values.includes(this.#value(other as SettingName));
  }

  /** Returns the error of the first invalid control and expands the section it is in. */
  #firstError(): string | undefined {
    for (const label of this.element.querySelectorAll('label')) {
      const control = label.control as Control | null;
      if (!control || control.disabled || markValid(control)) continue;
      const closed = control.closest('details');
      if (closed) closed.open = true;
      return `${label.textContent}: ${control.validationMessage}`;
    }
    return undefined;
  }

  #editName(event: Event): void {
    this.rename((event.target as HTMLInputElement).value);
    this.#onChange();
  }

  #edit(field: Field, text: string): void {
    this.#set(field.name, text);
    if (text !== '') for (const other of fields) if (excludes(field, other)) this.#values.set(other.name, '');
    if (field.name === 'preset') this.fillDefaults(this.#corpus);
    this.draw();
    this.#onChange();
  }

  protected override template(): Content {
    const preset = fields.filter(({ name }) => name === 'preset');
    const others = fields.filter(({ name }) => name !== 'preset');
    const grid = (isAdvanced: boolean) => html`
      <div class="pairs">
        ${others.filter(({ row }) => (row.advanced ?? false) === isAdvanced).map((each) => this.#field(each))}
      </div>`;
    const name = html`<input
      id="model-name"
      type="text"
      required
      maxlength="60"
      autocomplete="off"
      spellcheck="false"
      .value=${live(this.#name)}
      @input=${this.#editName}
    />`;
    return html`
      ${preset.map((each) => this.#field(each))}
      ${field('model-name', say`Model name`, name)}
      ${grid(false)}
      <details>
        <summary>Advanced</summary>
        ${grid(true)} ${termList('settings', ['warm-up', 'label smoothing', 'dev'])}
      </details>`;
  }

  #field(own: Field): Content {
    const { name, row } = own;
    const id = idOf(name);
    const hint = hints[name];
    return html`
      <div class=${row.type.kind === 'text' ? 'field whole' : 'field'}>
        <label for=${id}>${translated(row.label ?? '')}</label>
        ${row.type.kind === 'choice' ? this.#list(own, row.type.choices) : this.#input(own)}
        ${hint ? html`<p class="hint" id="${id}-hint">${hint}</p>` : nothing}
      </div>`;
  }

  #list(own: Field, choices: readonly string[]): Content {
    const { name, row } = own;
    return html`<select
      id=${idOf(name)}
      title=${translated(row.help)}
      ?disabled=${!this.#applies(row)}
      aria-describedby=${hints[name] ? `${idOf(name)}-hint` : nothing}
      @input=${(event: Event) => this.#edit(own, (event.target as HTMLSelectElement).value)}
    >${options(
      choices
        .filter((choice) => isOfText(choice) || choice === this.#value(name))
        .map((choice) => [choice, choice] as const),
      this.#value(name),
    )}</select>`;
  }

  #input(own: Field): Content {
    const { name, row } = own;
    const { type, help, defaultText } = row;
    const isText = type.kind === 'text';
    const { min, below } = { min: 0, below: undefined, ...type };
    const planned = this.#planned[name];
    const placeholder = isText ? translated(defaultText ?? '') : defaultText && say`default`;
    return html`<input
      id=${idOf(name)}
      type=${isText ? 'text' : 'number'}
      inputmode=${isText ? nothing : 'decimal'}
      autocomplete=${isText ? 'off' : nothing}
      spellcheck=${isText ? 'false' : nothing}
      step=${isText ? nothing : type.kind === 'integer' ? 1 : 'any'}
      min=${isText ? nothing : min}
      max=${isText ? nothing : (below ?? nothing)}
      title=${isText || !defaultText ? translated(help) : say`${translated(help)}. Default: ${translated(defaultText)}`}
      placeholder=${planned ? say`planned: ${planned}` : (placeholder ?? nothing)}
      ?disabled=${!this.#applies(row)}
      aria-describedby=${hints[name] ? `${idOf(name)}-hint` : nothing}
      .value=${live(this.#shown(name))}
      @input=${(event: Event) => this.#edit(own, (event.target as HTMLInputElement).value)}
    />`;
  }
}

/** Whether a choice is no preset of a model of speech or images; those are the default of their task only. */
const isOfText = (choice: string): boolean => {
  const preset: Partial<ModelOptions> | undefined = presets[choice as keyof typeof presets];
  return preset?.source !== 'frames';
};

/** Returns whether one of two settings excludes the other. */
const excludes = (a: Field, b: Field): boolean =>
  a.name !== b.name && (a.row.excludes === b.name || b.row.excludes === a.name);

/**
 * Text of a field for a stored value; of several dropout rates, the one before the output projection is
 * shown.
 */
const shownValue = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? String((value as Partial<DropoutRates>).output ?? '')
    : String(value ?? '');

/** Text of the field of a setting; changes during the run are a phrase. */
const shownSetting = (name: SettingName, settings: TrainSettings): string =>
  name === 'changes'
    ? describeChanges(parseChanges(settings.changes))
    : shownValue(settings[name as keyof TrainSettings]);

/** Returns what is wrong with a list of changes; empty if it is valid. */
function wrongChanges(text: string): string {
  try {
    changesIn(text);
    return '';
  } catch (error) {
    return translatedMessage(errorForVisitors(error));
  }
}
