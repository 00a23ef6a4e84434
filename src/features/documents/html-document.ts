// HTML as a document: a unit for each run of text and inline elements in a block (html-text.ts). The parser is htmlparser2,
// which reads any HTML and knows the places of tags; parse5 would build a tree that the document does not
// need.

import { Parser } from 'htmlparser2';
import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { present } from '../../core/present.ts';
import type { DocumentUnit, Edit, ParseDocument } from './document.ts';
import { isTextAttribute } from './html-attributes.ts';
import { attributeText, type HtmlText, RunText, writtenText } from './html-text.ts';

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
/** Elements that are open at the same time. Browsers nest at most 512; the parser takes longer for each that is open. */
const maxDepth = 10_000;
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

/** Parts of a run, at most: there are no placeholders for many more codes in a segment. */
const maxParts = 1000;

/** The parts of a block as runs: in nearly all blocks one. A long one ends where no inline element is open, if it can. */
function runsOf(parts: readonly Part[]): (readonly Part[])[] {
  const runs: (readonly Part[])[] = [];
  let [from, best, depth] = [0, 0, 0];
  for (const [i, part] of parts.entries()) {
    if ('tag' in part && part.kind !== 'single') depth += part.kind === 'open' ? 1 : -1;
    if (depth === 0) best = i + 1;
    if (i + 1 - from < maxParts) continue;
    const end = best > from ? best : i + 1;
    runs.push(parts.slice(from, end));
    from = end;
  }
  return [...runs, parts.slice(from)];
}

/** Collects the runs of a page. */
class HtmlRuns {
  readonly units: DocumentUnit[] = [];
  readonly #text: string;
  /** Name of the file, for errors. */
  readonly #name: string;
  #parts: Part[] = [];
  #skip = 0;
  readonly #untranslated: boolean[] = [];
  /** The attributes of the tag that is being read. */
  #attributes: TextAttribute[] = [];
  /** An inline element whose contents stay: one code. */
  #hidden: { start: number; depth: number } | undefined;
  /** Where the last counted line starts, and its number. */
  #line = { at: 0, number: 1 };

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
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
    check(this.#untranslated.length < maxDepth, msg`elements are nested more than ${maxDepth} deep`, {
      area: this.#name,
    });
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
    for (const run of runsOf(parts)) this.#addRun(run);
  }

  #addRun(parts: readonly Part[]): void {
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

/** The text of a block, with the attributes in its inline tags by the placeholders of the tags. */
interface Run extends HtmlText {
  readonly tags: ReadonlyMap<
    string,
    { readonly start: number; readonly attributes: readonly TextAttribute[] }
  >;
}

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

/** Parses a page or a fragment. */
export const parseHtmlDocument: ParseDocument = (text, name) => {
  const runs = new HtmlRuns(text, name);
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
