// Fields for the languages of a multilingual model.

import type { ModelLanguages } from '../../../src/index.ts';
import { el, fill, set } from '../../common/dom.ts';
import { field, select } from '../../common/form-controls.ts';
import type { SentLanguages } from '../protocol.ts';
import { localeName } from './corpus-panel.ts';

/** The fields. */
export interface LanguageFields {
  readonly element: HTMLElement;
  /** Shows the languages of a model; hides the fields if it has none. */
  offer(languages: ModelLanguages | undefined): void;
  /** The selected languages, as codes of the model. */
  read(): SentLanguages;
}

/** Creates hidden fields; `onChange` is called with the selected languages as BCP 47 tags. */
export function createLanguageFields(onChange: (source: string, target: string) => void): LanguageFields {
  const source = select([], '');
  const target = select([], '');
  const element = el(
    'div',
    { class: 'thirds', id: 'languages', hidden: true },
    field('Source language', source),
    field('Target language', target),
  );
  const changed = () => onChange(localeOf(source.value), localeOf(target.value));
  for (const choice of [source, target]) choice.addEventListener('change', changed);
  return {
    element,
    offer(languages) {
      set(element, { hidden: !languages });
      const names = (languages?.codes ?? []).map((code) => [code, languageName(code)] as const);
      names.sort(([, a], [, b]) => a.localeCompare(b));
      for (const [choice, code] of [
        [source, languages?.source],
        [target, languages?.target],
      ] as const) {
        // If the model does not state a language, the visitor selects it.
        const options =
          code === undefined && languages ? [['', 'Select a language'] as const, ...names] : names;
        fill(
          choice,
          ...options.map(([value, name]) => el('option', { value, selected: value === (code ?? '') }, name)),
        );
      }
      if (languages) changed();
    },
    read: () => ({
      ...(source.value && { sourceLang: source.value }),
      ...(target.value && { targetLang: target.value }),
    }),
  };
}

/** A language code of a model as a BCP 47 tag: eng_Latn and en_XX are eng-Latn and en. */
const localeOf = (code: string): string => code.replace(/_XX$/, '').replace('_', '-');

/** `French (fra_Latn)`, or the code of a language without a name. */
function languageName(code: string): string {
  const tag = localeOf(code);
  const name = localeName(tag);
  return name === tag ? code : `${name} (${code})`;
}
