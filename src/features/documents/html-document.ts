// HTML as a document: a unit for each run of text and inline elements in a block. The parser is htmlparser2,
// which reads any HTML and knows the places of tags; parse5 would build a tree that the document does not
// need.

import { Parser } from 'htmlparser2';
import { present } from '../../core/present.ts';
import type { DocumentUnit, Edit, ParseDocument } from './document.ts';
import { isTextAttribute } from './html-attributes.ts';
import { anyCodes } from './inline/code-patterns.ts';
import { type InlineCode, type InlineText, inlineText, renderText } from './inline/inline-text.ts';
import { maxCodes, placeholderOf } from './inline/placeholders.ts';

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
]);
/** Characters that are written as references, since they are hard to see. */
const invisible: Readonly<Record<string, string>> = {
  '\u00a0': '&nbsp;',
  '\u00ad': '&shy;',
  '\u200b': '&ZeroWidthSpace;',
  '\u200c': '&zwnj;',
  '\u200d': '&zwj;',
};

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
    } else if (!this.#isSkipped && !isUntranslated)
      this.#parts.push({ tag, kind: isEmpty ? 'single' : 'open', attributes: texts, start, end });
    if (isEmpty) return;
    this.#untranslated.push(skipped.has(tag) || isUntranslated);
    if (skipped.has(tag) || isUntranslated) {
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
        this.#parts.push({ tag, kind: 'single', attributes: [], start: this.#hidden.start, end });
        this.#hidden = undefined;
      }
      return;
    }
    if (!inline.has(tag) || isImplied) this.flush();
    else if (!this.#isSkipped) this.#parts.push({ tag, kind: 'close', attributes: [], start, end });
  }

  text(text: string, start: number, end: number): void {
    if (!this.#isSkipped) this.#parts.push({ text, start, end });
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
        for (const character of withoutPrivate(part.text)) {
          const reference = invisible[character];
          if (reference === undefined) run.text(character, part.text === character ? raw : character);
          else run.add('single', next++, raw.includes(character) ? character : reference);
        }
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
    return { ...run.finish(), tags };
  }

  /** Adds a unit: the text of a run, and attributes in it or in one tag. */
  #add(
    run: Run | undefined,
    attributes: readonly TextAttribute[],
    { start, end }: { readonly start: number; readonly end: number },
  ): void {
    const sources = attributes.map(({ value }) => attributeText(value));
    const segments = present([run?.source, ...sources]).map((source) => ({
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
          const [value, source] = [values[i], sources[i]];
          if (!value || !source) continue;
          const text = `"${writtenValue(renderText(value.text, source.codes), source)}"`;
          edits.set(attribute, { start: attribute.start, end: attribute.end, text });
        }
        if (!run || !main) return [...edits.values()];
        return [{ start, end, text: run.lead + writtenRun(main.text, run, edits) + run.trail }];
      },
    });
  }
}

/** The text of a run while it is read. */
class RunText {
  readonly #codes = new Map<string, InlineCode>();
  readonly #characters: string[] = [];
  /** The characters as the file writes them. */
  readonly #written: string[] = [];

  text(character: string, written: string): void {
    this.#characters.push(character);
    this.#written.push(written);
  }

  /** Adds an element or a reference as a code; returns its placeholder. */
  add(kind: InlineCode['kind'], index: number, raw: string): string {
    const placeholder = add(this.#codes, kind, index, raw);
    this.text(placeholder, '');
    return placeholder;
  }

  finish(): Omit<Run, 'tags'> {
    const isSpace = (character: string | undefined) => character !== undefined && /\s/.test(character);
    let [from, to] = [0, this.#characters.length];
    while (from < to && isSpace(this.#characters[from])) from++;
    while (to > from && isSpace(this.#characters[to - 1])) to--;
    const [characters, written] = [[] as string[], [] as string[]];
    for (let i = from; i < to; i++) {
      const character = this.#characters[i] as string;
      if (isSpace(character) && isSpace(this.#characters[i - 1])) continue;
      characters.push(isSpace(character) ? ' ' : character);
      written.push(isSpace(character) ? ' ' : (this.#written[i] as string));
    }
    const source = inlineText(characters.join(''), anyCodes, this.#codes);
    return {
      source,
      written: writtenCodes(source, characters, written),
      lead: this.#characters.slice(0, from).join(''),
      trail: this.#characters.slice(to).join(''),
    };
  }
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
  readonly lead: string;
  readonly trail: string;
  readonly tags: ReadonlyMap<
    string,
    { readonly start: number; readonly attributes: readonly TextAttribute[] }
  >;
}

/** The translation of a run as HTML: codes as the file writes them. */
const writtenRun = (
  text: string,
  { source, written, tags }: Run,
  edits: ReadonlyMap<TextAttribute, Edit>,
): string =>
  escapeText(text).replace(/[\ue000-\uf7ff]/g, (c) => {
    const [raw, tag] = [written.get(c) ?? source.codes.get(c)?.raw ?? '', tags.get(c)];
    if (!tag) return raw;
    let [out, at] = ['', 0];
    for (const attribute of tag.attributes) {
      const edit = edits.get(attribute);
      if (!edit) continue;
      out += raw.slice(at, edit.start - tag.start) + edit.text;
      at = edit.end - tag.start;
    }
    return out + raw.slice(at);
  });

/** The value of an attribute; characters that are hard to see are codes. */
function attributeText(value: string): InlineText {
  const codes = new Map<string, InlineCode>();
  let text = '';
  for (const character of withoutPrivate(value)) {
    const raw = invisible[character];
    text += raw === undefined ? character : add(codes, 'single', codes.size, raw);
  }
  return inlineText(text, anyCodes, codes);
}

/** A value in double quotes. */
const writtenValue = (text: string, { codes }: InlineText): string =>
  text
    .replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c)
    .replace(/[\ue000-\uf7ff]/g, (c) => codes.get(c)?.raw ?? '');

const withoutPrivate = (text: string): string => text.replace(/[\ue000-\uf8ff]/g, '');

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
