// HTML as a document: a unit for each run of text and inline elements in a block. The parser is htmlparser2,
// which reads any HTML and knows the places of tags; parse5 would build a tree that the document does not
// need.

import { Parser } from 'htmlparser2';
import { present } from '../../core/present.ts';
import { maxCodes, placeholderOf } from '../../text/placeholders.ts';
import type { DocumentUnit, Edit, ParseDocument } from './document.ts';
import { isTextAttribute } from './html-attributes.ts';
import { anyCodes, codesIn } from './inline/code-patterns.ts';
import { type InlineCode, type InlineText, inlineText } from './inline/inline-text.ts';

const inline = new Set([
  'a',
  'abbr',
  'acronym',
  'b',
  'bdi',
  'bdo',
  'big',
  'br',
  'cite',
  'code',
  'data',
  'del',
  'dfn',
  'em',
  'font',
  'i',
  'img',
  'ins',
  'kbd',
  'label',
  'mark',
  'q',
  'rp',
  'rt',
  'ruby',
  's',
  'samp',
  'small',
  'span',
  'strike',
  'strong',
  'sub',
  'sup',
  'time',
  'tt',
  'u',
  'var',
  'wbr',
]);
/** Elements whose text is not translated. */
const skipped = new Set([
  'script',
  'style',
  'template',
  'noscript',
  'textarea',
  'svg',
  'math',
  'pre',
  'iframe',
  'code',
  'kbd',
  'samp',
  'var',
]);
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

const empty = /^(?:br|img|wbr|hr|input|meta|link|area|base|col|embed|source|track|param)$/;

/** A text attribute in a tag: its value, and its place in the file, with its quotes. */
interface TextAttribute {
  readonly name: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** A tag or text in a block. */
type Part =
  | { readonly text: string; readonly start: number; readonly end: number }
  | {
      readonly tag: string;
      readonly kind: 'open' | 'close' | 'single';
      readonly attributes: readonly TextAttribute[];
      readonly start: number;
      readonly end: number;
    };

/** Collects the runs of a page. */
class HtmlRuns {
  readonly units: DocumentUnit[] = [];
  readonly #text: string;
  #parts: Part[] = [];
  #skip = 0;
  readonly #untranslated: boolean[] = [];
  /** The attributes of the tag that is being read. */
  #attributes: TextAttribute[] = [];
  /** An inline element whose contents stay: one code. */
  #hidden: { start: number; depth: number } | undefined;
  /** Where the last counted line starts, and its number. */
  #line = { at: 0, number: 1 };

  constructor(text: string) {
    this.#text = text;
  }

  get #isSkipped(): boolean {
    return this.#skip > 0;
  }

  attribute(name: string, value: string, start: number, end: number): void {
    const head = /^[^\s=]+\s*=\s*/.exec(this.#text.slice(start, end))?.[0].length;
    if (head !== undefined) this.#attributes.push({ name, value, start: start + head, end });
  }

  open(tag: string, attributes: Readonly<Record<string, string>>, start: number, end: number): void {
    const isEmpty = empty.test(tag);
    const isSkipped = skipped.has(tag) && !(inline.has(tag) && attributes.translate === 'yes');
    const isUntranslated = attributes.translate === 'no' || /\bnotranslate\b/.test(attributes.class ?? '');
    const texts =
      this.#isSkipped || isUntranslated
        ? []
        : this.#attributes.filter(
            ({ name, value }) => isTextAttribute(tag, name, attributes) && /\p{L}/u.test(value),
          );
    this.#attributes = [];
    if (!inline.has(tag)) {
      this.flush();
      if (texts.length > 0) this.#add(undefined, texts, { start, end });
    } else if (!this.#isSkipped && !isUntranslated && !isSkipped)
      this.#parts.push({ tag, kind: isEmpty ? 'single' : 'open', attributes: texts, start, end });
    if (isEmpty) return;
    this.#untranslated.push(isSkipped || isUntranslated);
    if (isSkipped || isUntranslated) {
      if (inline.has(tag) && !this.#isSkipped) this.#hidden = { start, depth: this.#untranslated.length };
      this.#skip++;
    }
  }

  close(tag: string, start: number, end: number, isImplied: boolean): void {
    if (empty.test(tag)) return;
    const depth = this.#untranslated.length;
    if (this.#untranslated.pop()) {
      this.#skip--;
      if (this.#hidden?.depth === depth) {
        // The tag that closes a block ends what is open in it, and is no part of that.
        const hiddenEnd = isImplied ? start : end;
        this.#parts.push({ tag, kind: 'single', attributes: [], start: this.#hidden.start, end: hiddenEnd });
        this.#hidden = undefined;
      }
      if (isImplied) this.flush();
      return;
    }
    if (!inline.has(tag) || isImplied) this.flush();
    else if (!this.#isSkipped) this.#parts.push({ tag, kind: 'close', attributes: [], start, end });
  }

  text(text: string, start: number, end: number): void {
    if (this.#isSkipped) return;
    // The second character of a reference, such as that of `&nvlt;`, comes on its own, without a place.
    const last = end <= start ? this.#parts.at(-1) : undefined;
    if (last && 'text' in last) this.#parts[this.#parts.length - 1] = { ...last, text: last.text + text };
    else this.#parts.push({ text, start, end });
  }

  /**
   * Ends a run: its parts without tags and space at its ends become a segment, and so do the attributes in
   * it.
   */
  flush(): void {
    const parts = this.#parts;
    this.#parts = [];
    const attributes = parts.flatMap((part) => ('text' in part ? [] : part.attributes));
    const hasText = parts.some((part) => 'text' in part && /\p{L}/u.test(part.text));
    if (!hasText && attributes.length === 0) return;
    const range = { start: parts[0]?.start ?? 0, end: parts.at(-1)?.end ?? 0 };
    this.#add(hasText ? this.#runOf(parts) : undefined, attributes, range);
  }

  #runOf(parts: readonly Part[]): Run {
    const run = new RunText();
    /** Attributes in the tag of a code, by the placeholder. */
    const tags = new Map<string, { readonly start: number; readonly attributes: readonly TextAttribute[] }>();
    const open: { tag: string; index: number }[] = [];
    let [next, at] = [0, parts[0]?.start ?? 0];
    for (const part of parts) {
      const { start, end } = part;
      const raw = this.#text.slice(start, end);
      // Text that the parser ignores, such as a closing tag without an opening one, keeps its place.
      if (start > at) run.add('single', next++, this.#text.slice(at, start));
      at = Math.max(at, end);
      if ('text' in part) {
        run.part(part.text, raw);
      } else if (part.kind === 'close') {
        const from = open.findLastIndex(({ tag }) => tag === part.tag);
        const index = from < 0 ? next++ : (open[from]?.index as number);
        if (from >= 0) open.splice(from, 1);
        run.add(from < 0 ? 'single' : 'close', index, raw);
      } else {
        const code = run.add(part.kind, next, raw);
        if (part.kind === 'open') open.push({ tag: part.tag, index: next });
        if (part.attributes.length > 0) tags.set(code, { start, attributes: part.attributes });
        next++;
      }
    }
    return { ...run.finish(next), tags };
  }

  /** Adds a unit: the text of a run, and attributes in it or in one tag. */
  #add(
    run: Run | undefined,
    attributes: readonly TextAttribute[],
    { start, end }: { readonly start: number; readonly end: number },
  ): void {
    const texts = attributes.map(({ value, start, end }) =>
      attributeText(value, this.#text.slice(start, end)),
    );
    const segments = present([run?.source, ...texts.map(({ source }) => source)]).map((source) => ({
      source,
      isTranslated: false,
    }));
    this.#line.number += this.#text.slice(this.#line.at, start).split('\n').length - 1;
    this.#line.at = start;
    this.units.push({
      name: `line ${this.#line.number}`,
      line: this.#line.number,
      segments,
      edits: (translations) => {
        const [main, values] = run ? [translations[0], translations.slice(1)] : [undefined, translations];
        const edits = new Map<TextAttribute, Edit>();
        for (const [i, attribute] of attributes.entries()) {
          const [value, written] = [values[i], texts[i]];
          if (!value || !written) continue;
          const text = `"${writtenText(value.text, written).replaceAll('"', '&quot;')}"`;
          edits.set(attribute, { start: attribute.start, end: attribute.end, text });
        }
        if (!run || !main) return [...edits.values()];
        return [{ start, end, text: run.lead + writtenRun(main.text, run, edits) + run.trail }];
      },
    });
  }
}

/** A character of a run. `written`: as the file has it. `isReference`: it is a character reference there. */
interface RunCharacter {
  readonly text: string;
  readonly written: string;
  readonly isReference: boolean;
}

/** The text of a run while it is read. */
class RunText {
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
  finish(next: number): Omit<Run, 'tags'> {
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
function referencesOf(characters: readonly RunCharacter[]): Pick<Run, 'references' | 'words' | 'apostrophe'> {
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

/** The text of a block, with the space around it and the attributes in its inline tags. */
interface Run {
  readonly source: InlineText;
  /** The codes that are text as the file writes them, by their placeholders. */
  readonly written: ReadonlyMap<string, string>;
  /** References of characters that the run always writes so. */
  readonly references: ReadonlyMap<string, string>;
  /** Words with references, as the file writes them. */
  readonly words: ReadonlyMap<string, string>;
  /** The reference of apostrophes in words, if the run always writes them so. */
  readonly apostrophe: string | undefined;
  readonly lead: string;
  readonly trail: string;
  readonly tags: ReadonlyMap<
    string,
    { readonly start: number; readonly attributes: readonly TextAttribute[] }
  >;
}

/** The text of an attribute, or that of a block. */
type WrittenRun = Pick<Run, 'source' | 'written' | 'references' | 'words' | 'apostrophe'>;

/** Text as HTML: codes, and characters that the file writes as references, as the file writes them. */
const writtenText = (text: string, run: WrittenRun): string =>
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

/** The translation of a run as HTML, with the translations of its attributes. */
const writtenRun = (text: string, run: Run, edits: ReadonlyMap<TextAttribute, Edit>): string =>
  text
    .split(/([\ue000-\uf7ff])/)
    .map((part) => {
      const [raw, tag] = [writtenText(part, run), run.tags.get(part)];
      if (!tag) return raw;
      let [out, at] = ['', 0];
      for (const attribute of tag.attributes) {
        const edit = edits.get(attribute);
        if (!edit) continue;
        out += raw.slice(at, edit.start - tag.start) + edit.text;
        at = edit.end - tag.start;
      }
      return out + raw.slice(at);
    })
    .join('');

/** The character that a reference stands for. */
function decoded(reference: string): string {
  let out = '';
  const parser = new Parser({ ontext: (text) => (out += text) }, { decodeEntities: true });
  parser.write(reference);
  parser.end();
  return out;
}

/** The value of an attribute. `quoted`: as the file has it, with its quotes. */
function attributeText(value: string, quoted: string): WrittenRun {
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

/** Parses a page or a fragment. */
export const parseHtmlDocument: ParseDocument = (text) => {
  const runs = new HtmlRuns(text);
  const parser: Parser = new Parser(
    {
      onattribute: (name, value, quote) => {
        if (quote !== undefined) runs.attribute(name, value, parser.startIndex, parser.endIndex);
      },
      onopentag: (tag, attributes) => runs.open(tag, attributes, parser.startIndex, parser.endIndex + 1),
      onclosetag: (tag, isImplied) => runs.close(tag, parser.startIndex, parser.endIndex + 1, isImplied),
      ontext: (part) => runs.text(part, parser.startIndex, parser.endIndex + 1),
      oncomment: () => runs.flush(),
      onprocessinginstruction: () => runs.flush(),
      oncdatastart: () => runs.flush(),
    },
    { decodeEntities: true },
  );
  parser.write(text);
  parser.end();
  runs.flush();
  return { text, units: runs.units };
};
