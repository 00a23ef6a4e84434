// The two languages of a file with texts in several languages, such as a TMX: those that the caller names, or
// those that the file has.

import { HeddleError } from '../../core/errors.ts';
import { msg, option } from '../../core/message.ts';

const normalized = (tag: string): string => tag.trim().toLowerCase().replaceAll('_', '-');
const primary = (tag: string): string => tag.split('-')[0] ?? '';

/** Whether two language tags name the same language: `en` and `en-US`, but not `pt-BR` and `pt-PT`. */
export function isSameLanguage(a: string, b: string): boolean {
  const [x, y] = [normalized(a), normalized(b)];
  return x === y || x.startsWith(`${y}-`) || y.startsWith(`${x}-`);
}

/** Chooses source and target among the texts of each unit of a file. */
export class LanguageChoice {
  readonly #name: string;
  readonly #given: { readonly source?: string; readonly target?: string };
  #source: string | undefined;
  #target: string | undefined;
  readonly #seen = new Set<string>();

  /** `name`: the file in messages; `source` and `target`: languages that the caller names. */
  constructor(name: string, given: { readonly source?: string; readonly target?: string }) {
    this.#name = name;
    this.#given = given;
    this.#source = given.source;
    this.#target = given.target;
  }

  /** All languages so far, as the file writes them. */
  get languages(): string {
    return [...this.#seen].join(', ') || 'no language';
  }

  /** Sets the source language that the file names, unless the caller names one. */
  setSource(tag: string): void {
    this.#source ??= tag;
  }

  /** Source and target of a unit: texts by language; undefined if a side is missing. */
  choose(texts: ReadonlyMap<string, string>): { source: string; target: string } | undefined {
    for (const tag of texts.keys()) this.#seen.add(tag);
    const source = this.#find(texts, this.#sourceIn(texts));
    if (source === undefined) return undefined;
    const others = new Map([...texts].filter(([tag]) => tag !== source));
    const target = this.#find(others, this.#targetIn(others, source));
    if (!this.#given.target) this.#checkOnly(others, source);
    return target === undefined
      ? undefined
      : { source: texts.get(source) ?? '', target: texts.get(target) ?? '' };
  }

  #sourceIn(texts: ReadonlyMap<string, string>): string | undefined {
    if (this.#source === undefined) {
      const { target } = this.#given;
      this.#source = [...texts.keys()].find((tag) => target === undefined || !isSameLanguage(tag, target));
    }
    return this.#source;
  }

  #targetIn(others: ReadonlyMap<string, string>, source: string): string | undefined {
    this.#target ??= [...others.keys()].find(
      (tag) => primary(normalized(tag)) !== primary(normalized(source)),
    );
    this.#target ??= others.keys().next().value;
    return this.#target;
  }

  /** The tag of a text in a language: the same tag if there is one. */
  #find(texts: ReadonlyMap<string, string>, language: string | undefined): string | undefined {
    if (language === undefined) return undefined;
    const tags = [...texts.keys()];
    return (
      tags.find((tag) => normalized(tag) === normalized(language)) ??
      tags.find((tag) => isSameLanguage(tag, language)) ??
      tags.find((tag) => primary(normalized(tag)) === primary(normalized(language)))
    );
  }

  /** Throws a HeddleError if a unit has a third language, so that it is not clear which is the target. */
  #checkOnly(others: ReadonlyMap<string, string>, source: string): void {
    const known = [source, this.#target ?? ''].map((tag) => primary(normalized(tag)));
    const third = [...others.keys()].find((tag) => !known.includes(primary(normalized(tag))));
    if (third !== undefined)
      throw new HeddleError(
        msg`the file has the languages ${this.languages}; choose two (${option('sourceColumn')}, ${option('targetColumn')}), for example ${source} and ${third}`,
        { area: this.#name },
      );
  }
}
