// The form of a new language: a file of pairs, two languages, and the size of the trainings.

import { live } from 'lit-html/directives/live.js';
import { pairFormatLabels } from '../../src/entries/data.ts';
import type { LanguagePlan } from '../../src/features/language/language-flow.ts';
import { BusyPanel } from '../common/busy-panel.ts';
import { field, options } from '../common/form-fields.ts';
import { formatDuration } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { shortName } from '../storage/model-names.ts';
import type { NewLanguage } from './language-protocol.ts';
import { adapterKind, trainingSeconds } from './training-time.ts';

/** Files of pairs. */
const accepted = '.tsv,.csv,.jsonl,.tmx,.xliff,.xlf,.po,.mo,.txt,.gz';

/** Numbers of the form, with their smallest values. */
const numbers = {
  /** The engine of Firefox needs a multiple of 8. */
  vocabSize: { label: say`Vocabulary`, min: 304, step: 8, hint: say`pieces; 32,000 for millions of pairs` },
  teacherSteps: {
    label: say`Steps of the teacher`,
    min: 1,
    step: 1,
    hint: say`thousands for a good teacher`,
  },
  studentSteps: {
    label: say`Steps of the student`,
    min: 1,
    step: 1,
    hint: say`as many as the teacher, or more`,
  },
  quantizeSteps: {
    label: say`Steps with 8-bit weights`,
    min: 1,
    step: 1,
    hint: say`a tenth of the student’s`,
  },
  batchSize: { label: say`Batch size`, min: 1, step: 1, hint: say`pairs of a step` },
} as const;
type NumberName = keyof typeof numbers;

const teachers = ['tiny', 'small', 'mid', 'base'] as const;
const students = ['firefox-tiny', 'firefox-base-memory', 'firefox-base'] as const;

/** The form. `onStart` gets a new language and resolves when its steps begin. */
export class LanguageForm extends BusyPanel {
  readonly #onStart: (language: NewLanguage) => Promise<void>;
  #pairs: File | null = null;
  /** The kind of the adapter, once it is known. */
  #kind: Awaited<ReturnType<typeof adapterKind>> | undefined;
  #languages: [string, string] = ['en', 'es'];
  #teacher: (typeof teachers)[number] = 'small';
  #student: (typeof students)[number] = 'firefox-tiny';
  readonly #numbers: Record<NumberName, number> = {
    vocabSize: 2000,
    teacherSteps: 2000,
    studentSteps: 2000,
    quantizeSteps: 200,
    batchSize: 64,
  };

  constructor(onStart: (language: NewLanguage) => Promise<void>) {
    super();
    this.#onStart = onStart;
    this.draw();
    void adapterKind().then((kind) => {
      this.#kind = kind;
      this.draw();
    });
  }

  /** Takes a file that was dropped on the page. */
  take(file: File): void {
    this.#pairs = file;
    this.showError('');
  }

  #plan(): LanguagePlan {
    const { vocabSize, teacherSteps, studentSteps, quantizeSteps, batchSize } = this.#numbers;
    return {
      languages: this.#languages,
      vocabSize,
      teacher: { preset: this.#teacher, steps: teacherSteps, batchSize },
      student: { preset: this.#student, steps: studentSteps, batchSize },
      quantize: { steps: quantizeSteps, batchSize, learningRate: 1e-4 },
    };
  }

  #submit(event: Event): void {
    event.preventDefault();
    void this.run(() => this.#onStart({ pairs: this.#pairs, plan: this.#plan() }), say`Reading the pairs…`);
  }

  #number(name: NumberName): Content {
    const { label, min, step, hint } = numbers[name];
    const change = (event: Event) => {
      this.#numbers[name] = (event.target as HTMLInputElement).valueAsNumber;
      this.drawSoon();
    };
    const id = `language-${name}`;
    return field(
      id,
      label,
      html`<input id=${id} type="number" required min=${min} step=${step} aria-describedby="${id}-hint"
        .value=${live(String(this.#numbers[name]))} @input=${change} />`,
      hint,
    );
  }

  #code(side: 0 | 1, label: string): Content {
    const id = `language-${side === 0 ? 'source' : 'target'}`;
    const change = (event: Event) => {
      this.#languages[side] = (event.target as HTMLInputElement).value.trim();
    };
    return field(
      id,
      label,
      html`<input id=${id} type="text" required pattern="[a-z]{2,3}" title="two or three small letters, such as en"
        autocomplete="off" spellcheck="false" .value=${live(this.#languages[side])} @input=${change} />`,
    );
  }

  #preset<T extends string>(
    id: string,
    label: string,
    names: readonly T[],
    value: T,
    set: (name: T) => void,
  ) {
    const change = (event: Event) => {
      set((event.target as HTMLSelectElement).value as T);
      this.drawSoon();
    };
    const list = names.map((name) => [name, name] as const);
    return field(id, label, html`<select id=${id} @change=${change}>${options(list, value)}</select>`);
  }

  /** How long the trainings take, before they start. */
  #time(): string {
    const seconds = this.#kind ? trainingSeconds(this.#plan(), this.#kind) : Number.NaN;
    if (!Number.isFinite(seconds)) return '';
    const time = formatDuration(seconds);
    return this.#kind === 'software'
      ? say`The trainings take about ${time} on this computer, which has no GPU for this page. Stop whenever you like: it goes on from there.`
      : say`The trainings take about ${time} on the GPU of a laptop, and less on a larger one. Stop whenever you like: it goes on from there.`;
  }

  protected override template(): Content {
    const pick = (event: Event) => {
      const [file] = (event.target as HTMLInputElement).files ?? [];
      if (file) this.take(file);
    };
    return html`
      <form class="stack" @submit=${this.#submit}>
        <label class="drop">
          <span><b>Select a file of pairs</b> or drop it here</span>
          <span class="hint">${pairFormatLabels}; without a file: 4,000 built-in dates, amounts and names</span>
          ${this.#pairs ? html`<b class="picked">${shortName(this.#pairs.name)}</b>` : nothing}
          <input type="file" id="pick-pairs" accept=${accepted} @change=${pick} />
        </label>
        <div class="fields">
          ${this.#code(0, say`From`)} ${this.#code(1, say`To`)}
        </div>
        <details id="language-sizes">
          <summary>Sizes and steps of the trainings</summary>
          <div class="stack">
            <div class="fields">${this.#number('vocabSize')} ${this.#number('batchSize')}</div>
            <div class="fields">
              ${this.#preset('language-teacher', say`Teacher`, teachers, this.#teacher, (name) => {
                this.#teacher = name;
              })}
              ${this.#number('teacherSteps')}
              ${this.#preset('language-student', say`Student`, students, this.#student, (name) => {
                this.#student = name;
              })}
              ${this.#number('studentSteps')} ${this.#number('quantizeSteps')}
            </div>
          </div>
        </details>
        <p id="language-time">${this.#time()}</p>
        <div class="row">
          <button type="submit" class="main" id="start-language" ?disabled=${this.isBusy}>Start</button>
        </div>
        ${this.messages('language-start-status')}
      </form>`;
  }
}
