// HTML as a document: a unit for each run of text and inline elements in a block. The parser is htmlparser2, which
// reads any HTML and knows the places of tags; parse5 would build a tree that the document does not need.

import { Parser } from 'htmlparser2';
import { anyCodes } from '../text/inline/code-patterns.ts';
import { type InlineCode, inlineText, renderText } from '../text/inline/inline-text.ts';
import { maxCodes, placeholderOf } from '../text/inline/placeholders.ts';
import type { DocumentUnit, ParseDocument } from './document.ts';

const inline = new Set(
  (
    'a abbr acronym b bdi bdo big br cite code data del dfn em font i img ins kbd label mark q rp rt ruby s samp ' +
    'small span strike strong sub sup time tt u var wbr'
  ).split(' '),
);
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

/** A tag or text in a block. */
type Part =
  | { readonly text: string; readonly start: number; readonly end: number }
  | {
      readonly tag: string;
      readonly kind: 'open' | 'close' | 'single';
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

  constructor(text: string) {
    this.#text = text;
  }

  get #isSkipped(): boolean {
    return this.#skip > 0;
  }

  open(tag: string, attributes: Readonly<Record<string, string>>, start: number, end: number): void {
    const isEmpty = /^(?:br|img|wbr|hr|input|meta|link|area|base|col|embed|source|track|param)$/.test(tag);
    const isUntranslated = attributes.translate === 'no' || /\bnotranslate\b/.test(attributes.class ?? '');
    if (!inline.has(tag)) this.flush();
    else if (!this.#isSkipped && !isUntranslated)
      this.#parts.push({ tag, kind: isEmpty ? 'single' : 'open', start, end });
    if (isEmpty) return;
    this.#untranslated.push(skipped.has(tag) || isUntranslated);
    if (skipped.has(tag) || isUntranslated) {
      if (inline.has(tag) && !this.#isSkipped) this.#hidden = { start, depth: this.#untranslated.length };
      this.#skip++;
    }
  }

  /** An inline element whose contents stay: one code. */
  #hidden: { start: number; depth: number } | undefined;

  close(tag: string, start: number, end: number, isImplied: boolean): void {
    if (/^(?:br|img|wbr|hr|input|meta|link|area|base|col|embed|source|track|param)$/.test(tag)) return;
    const depth = this.#untranslated.length;
    if (this.#untranslated.pop()) {
      this.#skip--;
      if (this.#hidden?.depth === depth) {
        this.#parts.push({ tag, kind: 'single', start: this.#hidden.start, end });
        this.#hidden = undefined;
      }
      return;
    }
    if (!inline.has(tag) || isImplied) this.flush();
    else if (!this.#isSkipped) this.#parts.push({ tag, kind: 'close', start, end });
  }

  text(text: string, start: number, end: number): void {
    if (!this.#isSkipped) this.#parts.push({ text, start, end });
  }

  /** Ends a run: its parts without tags and space at its ends become a segment. */
  flush(): void {
    const parts = this.#parts;
    this.#parts = [];
    if (!parts.some((part) => 'text' in part && /\p{L}/u.test(part.text))) return;
    const codes = new Map<string, InlineCode>();
    const open: { tag: string; index: number; code: string }[] = [];
    let [text, next] = ['', 0];
    for (const part of parts) {
      if ('text' in part) {
        for (const character of part.text.replace(/[\ue000-\uf8ff]/g, '')) {
          const raw = invisible[character];
          if (raw === undefined) text += character;
          else text += add(codes, 'single', next++, this.#rawOf(part, character) ?? raw);
        }
        continue;
      }
      const raw = this.#text.slice(part.start, part.end);
      if (part.kind === 'close') {
        const from = open.findLastIndex(({ tag }) => tag === part.tag);
        const index = from < 0 ? next++ : (open[from]?.index as number);
        if (from >= 0) open.splice(from, 1);
        text += add(codes, from < 0 ? 'single' : 'close', index, raw);
      } else {
        const code = add(codes, part.kind, next, raw);
        if (part.kind === 'open') open.push({ tag: part.tag, index: next, code });
        next++;
        text += code;
      }
    }
    const lead = /^\s*/.exec(text)?.[0].length ?? 0;
    const source = inlineText(text.slice(lead).trimEnd().replace(/\s+/g, ' '), anyCodes, codes);
    this.#add(parts, source, { lead: text.slice(0, lead), trail: /\s*$/.exec(text)?.[0] ?? '' });
  }

  /** A reference as the page writes it; undefined if it writes the character itself. */
  #rawOf(part: Part, character: string): string {
    return this.#text.slice(part.start, part.end).includes(character)
      ? character
      : (invisible[character] ?? character);
  }

  #add(
    parts: readonly Part[],
    source: DocumentUnit['segments'][number]['source'],
    { lead, trail }: { readonly lead: string; readonly trail: string },
  ): void {
    const [start, end] = [parts[0]?.start ?? 0, parts.at(-1)?.end ?? 0];
    const line = this.#text.slice(0, start).split('\n').length;
    this.units.push({
      name: `line ${line}`,
      segments: [{ source, isTranslated: false }],
      edits: ([translation]) => {
        if (!translation) return [];
        const { codes } = source;
        // A text code is text of the page too, so both are escaped before the elements are written.
        const escaped = escapeText(renderText(translation.text, codes));
        const written = escaped.replace(/[\ue000-\uf7ff]/g, (c) => codes.get(c)?.raw ?? '');
        return [{ start, end, text: lead + written + trail }];
      },
    });
  }
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
