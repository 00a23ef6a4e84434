// The language of the page, and its texts in that language. The English texts in the source are the keys of the
// others: a file of demo/texts/ for each language, which only pages in that language load.

import { translateMarkup } from './markup-texts.ts';
import { storeChoice } from './stored-choice.ts';

/** A translation; if it depends on a number, one for each plural category of the language (Intl.PluralRules). */
type Text = string | Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>;
/** The texts of a language by their English texts. */
type Texts = Readonly<Record<string, Text>>;

const files = import.meta.glob<Texts>('../texts/*.json', { import: 'default' });
const languageOf = (path: string): string => path.replace(/^.*\/|\.json$/g, '');

/** The languages of the pages, as BCP 47 tags. */
export const languages: readonly string[] = ['en', ...Object.keys(files).map(languageOf)];

/** The language of the page, which choose-language.js selects before the page is drawn. English in a worker. */
export const language = globalThis.document?.documentElement.lang || 'en';

const texts: Texts | undefined = language === 'en' ? undefined : await loadTexts();

async function loadTexts(): Promise<Texts | undefined> {
  const [, load] = Object.entries(files).find(([path]) => languageOf(path) === language) ?? [];
  return load?.().catch(() => undefined); // Offline in a language that was never loaded: the page stays English.
}

const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);

/** The translation of an English text; undefined if the page is English, or the text is of no language. */
export function translationOf(key: string): string | undefined {
  const text = texts && Object.hasOwn(texts, key) ? texts[key] : undefined;
  return typeof text === 'object' ? text.other : text;
}

/** A text that is not in the source of the page, such as a label of a setting; itself if it has no translation. */
export const translated = (text: string): string => translationOf(text) ?? text;

/** Whether the page has another language than its source. */
export const isTranslated = texts !== undefined;

const fill = (text: string, values: readonly unknown[]): string =>
  text.replaceAll(/\{(\d+)\}/g, (_, i: string) => String(values[Number(i)]));

/** A text of the page in its language: say`Reading ${name}`. Its key is `Reading {0}`. */
export function say(strings: readonly string[], ...values: readonly unknown[]): string {
  return fill(translated(strings.map((text, i) => (i === 0 ? text : `{${i - 1}}${text}`)).join('')), values);
}

/**
 * A text with a number of things: sayCount(n, '{0} token', '{0} tokens'). Its key is the last of both. `values`: of
 * `{0}`, `{1}` …; default: the number.
 */
export function sayCount(n: number, one: string, many: string, ...values: readonly unknown[]): string {
  const text = texts?.[many];
  const said =
    text === undefined
      ? n === 1
        ? one
        : many
      : typeof text === 'string'
        ? text
        : (text[plurals.select(n)] ?? text.other ?? many);
  return fill(said, values.length > 0 ? values : [numbers.format(n)]);
}

/** Where the choice of the visitor is stored; choose-language.js reads it. */
const key = 'heddle-language';

/** Stores another language and opens the page in it. */
export function chooseLanguage(chosen: string): void {
  storeChoice(key, chosen);
  location.reload();
}

if (texts) {
  document.title = translated(document.title);
  document.body.innerHTML = translateMarkup(document.body.innerHTML, translationOf);
}
delete globalThis.document?.documentElement.dataset.translating;
