// The text of a block or an attribute of HTML: which characters and references are codes, and how a translation is written
// with the references of the file.

import { Parser } from 'htmlparser2';
import { maxCodes, placeholderOf } from '../../text/placeholders.ts';
import { anyCodes, codesIn } from './inline/code-patterns.ts';
import { type InlineCode, type InlineText, inlineText } from './inline/inline-text.ts';

/** Characters that are hard to see: spaces that do not break, places to break a word, joiners. */
const hidden = /^[\u00a0\u00ad\u200b-\u200d]$/;
/** Characters of icon fonts. */
const icon = /^[\ue000-\uf8ff]$/;

/** Words of a text, with apostrophes in them. */
const words = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*/gu;
/** Letters of other scripts, and signs that Unicode has as letters, such as ª and µ. */
const foreign = /(?!\p{Script=Latin})\p{L}|[ªº]/u;

const escapeText = (text: string): string =>
  text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] ?? c);

/** The text of an attribute, or that of a block. */
export interface HtmlText {
  readonly source: InlineText;
  /** The codes that are text as the file writes them, by their placeholders. */
  readonly written: ReadonlyMap<string, string>;
  /** References of characters that the text always writes so. */
  readonly references: ReadonlyMap<string, string>;
  /** Words with references, as the file writes them. */
  readonly words: ReadonlyMap<string, string>;
  /** The reference of apostrophes in words, if the text always writes them so. */
  readonly apostrophe: string | undefined;
  /** The space around it. */
  readonly lead: string;
  readonly trail: string;
}

/** A character of a run. `written`: as the file has it. `isReference`: it is a character reference there. */
interface RunCharacter {
  readonly text: string;
  readonly written: string;
  readonly isReference: boolean;
}

/** The text of a run while it is read. */
export class RunText {
  readonly #codes = new Map<string, InlineCode>();
  readonly #characters: RunCharacter[] = [];

  /** Adds text of the file: characters, or one reference. `raw`: as the file has it. */
  part(text: string, raw: string): void {
    const isReference = raw.startsWith('&') && raw !== text;
    const characters = isReference ? [text] : Array.from(text);
    for (const character of characters)
      this.#characters.push({ text: character, written: isReference ? raw : character, isReference });
  }

  /** Adds an element as a code; returns its placeholder. */
  add(kind: InlineCode['kind'], index: number, raw: string): string {
    const placeholder = add(this.#codes, kind, index, raw);
    this.#characters.push({ text: placeholder, written: '', isReference: false });
    return placeholder;
  }

  /** `next`: the first index that no element has. */
  finish(next: number): HtmlText {
    const all = this.#withReferences(next);
    const isSpace = (character: RunCharacter | undefined) =>
      character !== undefined && !character.isReference && /^\s$/.test(character.text);
    let [from, to] = [0, all.length];
    while (from < to && isSpace(all[from])) from++;
    while (to > from && isSpace(all[to - 1])) to--;
    const kept = all.slice(from, to).flatMap((character, i, list): RunCharacter[] => {
      if (!isSpace(character)) return [character];
      return isSpace(list[i - 1]) ? [] : [{ text: ' ', written: ' ', isReference: false }];
    });
    const characters = kept.map(({ text }) => text);
    const source = inlineText(characters.join(''), anyCodes, this.#codes);
    const written = kept.map((character) => character.written);
    return {
      source,
      written: writtenCodes(source, characters, written),
      ...referencesOf(kept),
      lead: all
        .slice(0, from)
        .map(({ text }) => text)
        .join(''),
      trail: all
        .slice(to)
        .map(({ text }) => text)
        .join(''),
    };
  }

  /**
   * The characters with codes for references and for what is hard to see; those that touch are one code. References in
   * words, such as `&eacute;`, and in codes, such as `&amp;` in a URL, are text.
   */
  #withReferences(first: number): RunCharacter[] {
    let next = first;
    const inCodes = new Set<number>();
    const text = this.#characters.map((character) => character.text).join('');
    for (const { start, raw } of codesIn(text, anyCodes))
      for (let i = 0; i < raw.length; i++) inCodes.add(start + i);
    const isInWord = wordTest(this.#characters);
    const out: RunCharacter[] = [];
    let [at, last] = [0, ''];
    for (const [i, character] of this.#characters.entries()) {
      const isInCode = inCodes.has(at);
      at += character.text.length;
      const isIcon = character.written !== '' && icon.test(character.text);
      const isSign = hidden.test(character.text) || (character.isReference && !isInWord(i));
      if (!isIcon && (isInCode || !isSign)) {
        out.push(character);
        last = '';
      } else if (last !== '') {
        const raw = `${this.#codes.get(last)?.raw}${character.written}`;
        this.#codes.set(last, { kind: 'single', raw, isText: false, isOrdered: false });
      } else {
        last = add(this.#codes, 'single', next++, character.written);
        out.push({ text: last, written: '', isReference: false });
      }
    }
    return out;
  }
}

/**
 * Whether a character of a run is a part of a word. A letter of another script than Latin is one in a text that is
 * written in that; in others it is a sign, such as α and µ.
 */
function wordTest(characters: readonly RunCharacter[]): (index: number) => boolean {
  const text = characters.map((character) => character.text).join('');
  const letters = text.match(/\p{L}/gu) ?? [];
  const isForeignText =
    letters.filter((c) => foreign.test(c)).length * 2 > letters.length &&
    /(?:(?!\p{Script=Latin})\p{L}){3}/u.test(text);
  const isLetter = (i: number) => /^\p{L}/u.test(characters[i]?.text ?? '');
  return (i) => {
    const c = characters[i]?.text ?? '';
    if (/^['’]$/.test(c)) return isLetter(i - 1) && isLetter(i + 1);
    if (/^\p{M}/u.test(c)) return /^[\p{L}\p{M}]/u.test(characters[i - 1]?.text ?? '');
    return /^\p{Nd}/u.test(c) || (/^\p{L}/u.test(c) && (isForeignText || !foreign.test(c)));
  };
}

/** How the file writes characters and words that have references. */
function referencesOf(
  characters: readonly RunCharacter[],
): Pick<HtmlText, 'references' | 'words' | 'apostrophe'> {
  const plain = new Set(characters.flatMap(({ text, isReference }) => (isReference ? [] : [text])));
  const references = new Map(
    characters.flatMap(({ text, written, isReference }) =>
      isReference && !plain.has(text) ? [[text, written] as const] : [],
    ),
  );
  const places = new Map<number, RunCharacter>();
  let at = 0;
  for (const character of characters) {
    places.set(at, character);
    at += character.text.length;
  }
  const found = new Map<string, string>();
  for (const { index, 0: word } of characters
    .map(({ text }) => text)
    .join('')
    .matchAll(words)) {
    const own = Array.from(word, (_, i) => places.get(index + i)).filter((c) => c !== undefined);
    if (own.some(({ isReference }) => isReference))
      found.set(word, own.map(({ written }) => written).join(''));
  }
  const apostrophes = characters.filter(({ text }) => /^['’]$/.test(text));
  return {
    references,
    words: found,
    apostrophe: apostrophes.every(({ isReference }) => isReference) ? apostrophes[0]?.written : undefined,
  };
}

/** How a file writes the codes that are text, such as a URL with `&`. */
function writtenCodes(
  { text, codes }: InlineText,
  characters: readonly string[],
  written: readonly string[],
): Map<string, string> {
  const found = new Map<string, string>();
  let at = 0;
  for (const c of text) {
    const code = codes.get(c);
    const start = at;
    for (let length = code?.isText ? code.raw.length : c.length; length > 0; at++)
      length -= characters[at]?.length ?? length;
    if (code?.isText) found.set(c, written.slice(start, at).join(''));
  }
  return found;
}

/** Text as HTML: codes, and characters that the file writes as references, as the file writes them. */
export const writtenText = (text: string, run: HtmlText): string =>
  text.replace(new RegExp(`${words.source}|.`, 'gsu'), (part) => {
    const known = run.words.get(part);
    if (known !== undefined) return known;
    const isWord = part.length > 1;
    return Array.from(part, (c) =>
      isWord && run.apostrophe !== undefined && /['’]/.test(c)
        ? run.apostrophe
        : (run.written.get(c) ?? run.source.codes.get(c)?.raw ?? run.references.get(c) ?? escapeText(c)),
    ).join('');
  });

/** The character that a reference stands for. */
function decoded(reference: string): string {
  let out = '';
  const parser = new Parser({ ontext: (text) => (out += text) }, { decodeEntities: true });
  parser.write(reference);
  parser.end();
  return out;
}

/** The value of an attribute. `quoted`: as the file has it, with its quotes. */
export function attributeText(value: string, quoted: string): HtmlText {
  const run = new RunText();
  const isQuoted = /^["']/.test(quoted);
  const parts = (isQuoted ? quoted.slice(1, -1) : quoted)
    // In attributes, a name without a semicolon is no reference before =.
    .split(/(&(?:#\d+|#[xX][\da-fA-F]+|[A-Za-z][A-Za-z\d]*)(?:;|(?![=A-Za-z\d])))/)
    .map((raw, i) => ({ raw, text: i % 2 ? decoded(raw) : raw }));
  const isSame = parts.map(({ text }) => text).join('') === value;
  for (const { raw, text } of isSame ? parts : [{ raw: value, text: value }]) run.part(text, raw);
  return run.finish(0);
}

function add(codes: Map<string, InlineCode>, kind: InlineCode['kind'], index: number, raw: string): string {
  const placeholder = placeholderOf(kind, Math.min(index, maxCodes - 1));
  codes.set(placeholder, { kind, raw, isText: false, isOrdered: false });
  return placeholder;
}
