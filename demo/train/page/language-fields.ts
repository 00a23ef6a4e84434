// Fields for the languages of a multilingual model.

import type { ModelLanguages } from '../../../src/entries/heddle.ts';
import { field, options } from '../../common/form-fields.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import type { SentLanguages } from '../protocol.ts';
import { localeName } from './locales.ts';

/** The fields; hidden until a model has languages. */
export class LanguageFields extends Panel {
  readonly #onChange: (source: string, target: string) => void;
  /** The languages of the model: code and name. */
  #names: readonly (readonly [code: string, name: string])[] = [];
  /** Whether the model states each language; if not, the visitor selects it. */
  #isStated = { source: true, target: true };
  /** The selected codes. */
  #source = '';
  #target = '';

  /** `onChange` is called with the selected languages as BCP 47 tags. */
  constructor(onChange: (source: string, target: string) => void) {
    super('thirds');
    this.element.id = 'languages';
    this.#onChange = onChange;
    this.draw();
  }

  /** Shows the languages of a model; hides the fields if it has none. */
  offer(languages: ModelLanguages | undefined): void {
    const names = (languages?.codes ?? []).map((code) => [code, languageName(code)] as const);
    this.#names = names.sort(([, a], [, b]) => a.localeCompare(b));
    this.#isStated = {
      source: !languages || languages.source !== undefined,
      target: !languages || languages.target !== undefined,
    };
    this.#source = languages?.source ?? '';
    this.#target = languages?.target ?? '';
    this.draw();
    if (languages) this.#report();
  }

  /** The selected languages, as codes of the model. */
  read(): SentLanguages {
    return { sourceLang: this.#source || undefined, targetLang: this.#target || undefined };
  }

  #report(): void {
    this.#onChange(localeOf(this.#source), localeOf(this.#target));
  }

  #change(event: Event): void {
    const { id, value } = event.target as HTMLSelectElement;
    if (id === 'language-source') this.#source = value;
    else this.#target = value;
    this.draw();
    this.#report();
  }

  protected override template(): Content {
    this.element.hidden = this.#names.length === 0;
    const list = (isStated: boolean) =>
      isStated ? this.#names : [['', say`Select a language`] as const, ...this.#names];
    return html`
      ${field(
        'language-source',
        say`Source language`,
        html`<select id="language-source" @change=${this.#change}>${options(
          list(this.#isStated.source),
          this.#source,
        )}</select>`,
      )}
      ${field(
        'language-target',
        say`Target language`,
        html`<select id="language-target" @change=${this.#change}>${options(
          list(this.#isStated.target),
          this.#target,
        )}</select>`,
      )}`;
  }
}

/** A language code of a model as a BCP 47 tag: eng_Latn and en_XX are eng-Latn and en. */
const localeOf = (code: string): string => code.replace(/_XX$/, '').replace('_', '-');

/** `French (fra_Latn)`, or the code of a language without a name. */
function languageName(code: string): string {
  const tag = localeOf(code);
  const name = localeName(tag);
  return name === tag ? code : `${name} (${code})`;
}
