// XLIFF 1.2 and 2.x as documents: each segment without a translation gets a target whose state says that it needs a
// review. All other elements stay.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { isSameLanguage } from '../../text/corpus/language-choice.ts';
import { type CodeKind, placeholderOf, privateUse, withoutPlaceholders } from '../../text/placeholders.ts';
import type { DocumentUnit, Edit, ParseDocument, SegmentTranslation } from './document.ts';
import { anyCodes } from './inline/code-patterns.ts';
import { CodeNumbers } from './inline/inline-builder.ts';
import {
  type InlineCode,
  type InlineText,
  inlineText,
  keepsCodes,
  partOf,
  renderText,
  withPlaceholders,
} from './inline/inline-text.ts';
import { inlineElements, inlineKey, localName, untranslatedStates } from './pairs/xliff.ts';
import { type XmlAttributes, XmlReader } from './pairs/xml-reader.ts';

/** What an element is: a code that holds what is in it, or a pair around text. */
type ElementKind = CodeKind | 'pair';

/** Elements that only mark text; they are kept as pairs. */
const markers: Readonly<Record<string, ElementKind>> = {
  mrk: 'pair',
  sm: 'open',
  em: 'close',
  cp: 'single',
};

/** Placeholders of codes. */
const placeholders = /[\ue000-\uf7ff]/g;

const escapeXml = (text: string): string =>
  text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] ?? c);

/** The kind of an element. Text that is marked as not to be translated is part of its code. */
const kindOf = (name: string, a: XmlAttributes): ElementKind =>
  name === 'mrk' && (a.translate === 'no' || a.mtype === 'protected')
    ? 'single'
    : (inlineElements[name]?.kind ?? markers[name] ?? 'pair');

/** The text of a source or target with its elements as codes. */
class UnitText {
  text = '';
  readonly codes = new Map<string, InlineCode>();
  /** The placeholders around each sentence that the file itself has split off (`<mrk mtype="seg">`). */
  readonly sentences: (readonly [open: string, close: string])[] = [];
  readonly #file: string;
  readonly #numbers = new CodeNumbers();
  /** Elements that are open: where their tags start, and their codes. */
  readonly #open: {
    readonly kind: ElementKind;
    readonly key: string;
    readonly start: number;
    readonly holds: boolean;
  }[] = [];
  #unnamed = 0;

  constructor(file: string) {
    this.#file = file;
  }

  get #inCode(): boolean {
    return this.#open.some(({ holds }) => holds);
  }

  open(name: string, a: XmlAttributes, start: number, end: number): void {
    const kind = kindOf(name, a);
    const holds = kind !== 'pair';
    const id = a.mid ?? a.startRef ?? a.id;
    const named = !markers[name] ? inlineKey(name, a) : id === undefined ? undefined : `m ${id}`;
    // A pair whose id occurs twice, which is not valid, is another pair.
    const isTaken = named !== undefined && !holds && this.codes.has(this.#placeholder('open', named));
    const key = named === undefined || isTaken ? `# ${this.#unnamed++}` : named;
    if (!holds && !this.#inCode) this.#add('open', key, this.#file.slice(start, end));
    if (name === 'mrk' && a.mtype === 'seg' && this.#open.length === 0)
      this.sentences.push([this.#placeholder('open', key), this.#placeholder('close', key)]);
    this.#open.push({ kind, key, start, holds });
  }

  close(start: number, end: number): void {
    const element = this.#open.pop();
    if (!element || this.#inCode) return;
    const { kind } = element;
    if (kind !== 'pair') this.#add(kind, element.key, this.#file.slice(element.start, end));
    else {
      // An element without content, <g id="1"/>, has no closing tag.
      const isEmpty = end === start || this.#file[end - 2] === '/';
      this.#add('close', element.key, isEmpty ? '' : this.#file.slice(start, end));
    }
  }

  add(text: string): void {
    if (!this.#inCode) this.text += text.replace(privateUse, ''); // characters that would be read as codes
  }

  #placeholder(kind: CodeKind, key: string): string {
    return placeholderOf(kind, this.#numbers.of(key));
  }

  #add(kind: CodeKind, key: string, raw: string): void {
    const first = this.#placeholder(kind, key);
    // A code that occurs again, and the missing end of an empty element, is a code of its own.
    const isNew = !this.codes.has(first);
    const placeholder = isNew ? first : placeholderOf('single', this.#numbers.of(`again ${this.#unnamed++}`));
    this.codes.set(placeholder, { kind: isNew ? kind : 'single', raw, isText: false, isOrdered: false });
    this.text += placeholder;
  }
}

/** The parts of a text that are translated on their own: those between some placeholders, or the whole text. */
function sentencesOf(
  { text }: InlineText,
  around: UnitText['sentences'],
): { readonly from: number; readonly to: number }[] {
  const parts = around
    .map(([open, close]) => ({ from: text.indexOf(open) + 1, to: text.indexOf(close) }))
    .filter(({ from, to }) => from > 0 && withoutPlaceholders(text.slice(from, to)).trim() !== '');
  return parts.length > 0 ? parts : [{ from: 0, to: text.length }];
}

/** The sentences of a target as people read them; none if the file splits it otherwise than its source. */
function shownSentences({ text, codes, sentences }: UnitText, count: number): string[] {
  const parts = sentencesOf({ text, codes, pattern: anyCodes }, sentences);
  if (parts.length !== count) return [];
  return parts.map(({ from, to }) =>
    text.slice(from, to).replace(placeholders, (c) => codes.get(c)?.raw ?? ''),
  );
}

/** A unit while it is read; offsets in the file. */
interface OpenUnit {
  readonly id: string;
  /** The tag of a segment of 2.x, whose state changes. */
  readonly tag: { readonly start: number; readonly end: number } | undefined;
  readonly state: string | undefined;
  source?: UnitText;
  /** Range of `source` or `seg-source`; a new target goes behind it. */
  sourceStart: number;
  sourceEnd: number;
  target?: {
    readonly start: number;
    readonly tagEnd: number;
    end: number;
    readonly state?: string;
    hasText: boolean;
    readonly content: UnitText;
  };
}

/** Reads the units of a file. */
class XliffDocument {
  readonly units: DocumentUnit[] = [];
  readonly head: Edit[] = [];
  isXliff = false;
  readonly #file: string;
  readonly #targetLang: string | undefined;
  #prefix = '';
  #version = '';
  #unit: OpenUnit | undefined;
  #unitId = '';
  #side: 'source' | 'target' | undefined;
  #alternative = 0;
  /** Whether elements around are not to be translated. */
  readonly #translate: boolean[] = [true];

  constructor(file: string, targetLang: string | undefined) {
    this.#file = file;
    this.#targetLang = targetLang;
  }

  open(fullName: string, a: XmlAttributes, end: number): void {
    const start = this.#file.lastIndexOf('<', end - 1);
    if (!this.isXliff && /(?:^|:)xliff$/.test(fullName)) {
      this.isXliff = true;
      this.#prefix = fullName.slice(0, -'xliff'.length);
      this.#version = a.version ?? '1.2';
      if (this.#version.startsWith('2')) this.#addLanguage('trgLang', a.trgLang, end);
    }
    const name = localName(fullName, this.#prefix);
    this.#translate.push(a.translate === undefined ? this.#translate.at(-1) === true : a.translate !== 'no');
    if (name === 'file' && this.#version.startsWith('1'))
      this.#addLanguage('target-language', a['target-language'], end);
    else if (name === 'unit') this.#unitId = a.id ?? '';
    else if (name === 'trans-unit' || (name === 'segment' && this.#version.startsWith('2')))
      this.#begin(name, a, start, end);
    else if (name === 'alt-trans' || name === 'matches') this.#alternative++;
    else if (!this.#unit || this.#alternative > 0) return;
    else if (name === 'source' || name === 'seg-source') {
      this.#unit.source = new UnitText(this.#file);
      this.#unit.sourceStart = start;
      this.#side = 'source';
    } else if (name === 'target') {
      this.#unit.target = {
        start,
        tagEnd: end,
        end,
        state: a.state,
        hasText: false,
        content: new UnitText(this.#file),
      };
      this.#side = 'target';
    } else if (this.#side === 'source') this.#unit.source?.open(name, a, start, end);
    else if (this.#side === 'target' && this.#unit.target) {
      this.#unit.target.hasText = true;
      this.#unit.target.content.open(name, a, start, end);
    }
  }

  close(fullName: string, end: number): void {
    const name = localName(fullName, this.#prefix);
    const isTranslated = this.#translate.pop() === true;
    if (name === 'alt-trans' || name === 'matches') this.#alternative--;
    if (!this.#unit || this.#alternative > 0) return;
    if (name === 'source' || name === 'seg-source') {
      this.#unit.sourceEnd = end;
      this.#side = undefined;
    } else if (name === 'target') {
      if (this.#unit.target) this.#unit.target.end = end;
      this.#side = undefined;
    } else if (name === 'trans-unit' || (name === 'segment' && this.#version.startsWith('2'))) {
      if (isTranslated) this.#end(this.#unit);
      this.#unit = undefined;
    } else {
      const text = this.#side === 'source' ? this.#unit.source : this.#unit.target?.content;
      if (this.#side) text?.close(this.#file.lastIndexOf('<', end - 1), end);
    }
  }

  text(text: string): void {
    if (this.#alternative > 0 || !this.#unit) return;
    if (this.#side === 'source') this.#unit.source?.add(text);
    if (this.#side === 'target' && this.#unit.target) {
      if (text.trim() !== '') this.#unit.target.hasText = true;
      this.#unit.target.content.add(text);
    }
  }

  #begin(name: string, a: XmlAttributes, start: number, end: number): void {
    const isHeader = a.restype === 'x-gettext-domain-header';
    if (isHeader) return;
    this.#unit = {
      id: name === 'segment' ? [this.#unitId, a.id].filter(Boolean).join('/') : (a.id ?? ''),
      tag: name === 'segment' ? { start, end } : undefined,
      state: name === 'segment' ? a.state : undefined,
      sourceStart: 0,
      sourceEnd: 0,
    };
  }

  /** Adds the language of the translations to the tag that ends at `end`, if the file does not name one. */
  #addLanguage(attribute: string, given: string | undefined, end: number): void {
    const language = this.#targetLang;
    if (language === undefined) return;
    if (given !== undefined && given !== '') {
      if (!isSameLanguage(given, language) && this.#file[end - 1] === '>')
        throw new HeddleError(msg`the file has the target language ${given}, not ${language}`);
      return;
    }
    if (given === undefined)
      this.head.push({ start: end - 1, end: end - 1, text: ` ${attribute}="${language}"` });
  }

  #end(unit: OpenUnit): void {
    const { source, target, id } = unit;
    if (!source || source.text.trim() === '') return;
    const state = target?.state ?? unit.state ?? '';
    const isTranslated = target?.hasText === true && !untranslatedStates.has(state);
    const inline = inlineText(source.text, anyCodes, source.codes);
    const sentences = sentencesOf(inline, source.sentences);
    const segments = sentences.map(({ from, to }) => partOf(inline, inline.text.slice(from, to)));
    const targets = isTranslated && target ? shownSentences(target.content, sentences.length) : [];
    this.units.push({
      name: id,
      segments: segments.map((part, i) => ({ source: part, isTranslated, target: targets[i] })),
      edits: (translations) => {
        // A sentence without a new translation keeps the one of the file.
        const kept = segments.map((part, i): SegmentTranslation | undefined => {
          const text = withPlaceholders(part, targets[i] ?? '');
          return keepsCodes(part, text) ? { text, origin: 'exact' } : undefined;
        });
        const given = translations.flatMap((translation, i) => translation ?? kept[i] ?? []);
        if (given.length < segments.length || !translations.some(Boolean)) return [];
        const isExact = given.every(({ origin }) => origin === 'exact');
        const text = sentences.reduceRight(
          (all, { from, to }, i) => all.slice(0, from) + (given[i]?.text ?? '') + all.slice(to),
          inline.text,
        );
        return this.#edits(unit, inline.codes, { text, origin: isExact ? 'exact' : 'machine' });
      },
    });
  }

  #edits(
    unit: OpenUnit,
    codes: ReadonlyMap<string, InlineCode>,
    { text, origin }: SegmentTranslation,
  ): Edit[] {
    const content = escapeXml(renderText(text, codes)).replace(placeholders, (c) => codes.get(c)?.raw ?? '');
    const { target, tag, sourceStart, sourceEnd } = unit;
    const name = `${this.#prefix}target`;
    const edits: Edit[] = [];
    if (tag) edits.push(...this.#stateEdit(tag, origin));
    const state = tag ? '' : ` state="${origin === 'exact' ? 'translated' : 'needs-review-translation'}"`;
    if (target) {
      const attributes = this.#file
        .slice(target.start + 1 + name.length, target.tagEnd)
        .replace(/\s*\/?>$/, '')
        .replace(/\s+state\s*=\s*("[^"]*"|'[^']*')/, '');
      edits.push({
        start: target.start,
        end: target.end,
        text: `<${name}${attributes}${state}>${content}</${name}>`,
      });
    } else {
      const indent = /\s*$/.exec(this.#file.slice(0, sourceStart))?.[0] ?? '';
      edits.push({
        start: sourceEnd,
        end: sourceEnd,
        text: `${indent}<${name}${state}>${content}</${name}>`,
      });
    }
    return edits;
  }

  /** The state of a segment of 2.x: translated, and whether it needs a review. */
  #stateEdit(
    { start, end }: { readonly start: number; readonly end: number },
    origin: SegmentTranslation['origin'],
  ): Edit[] {
    const before = this.#file.slice(start, end);
    const plain = before.replace(/\s+(?:state|subState)\s*=\s*("[^"]*"|'[^']*')/g, '');
    const review = origin === 'exact' ? '' : ' subState="heddle:needs-review"';
    return [{ start, end, text: plain.replace(/>$/, ` state="translated"${review}>`) }];
  }
}

/** Parses a file. */
export const parseXliffDocument: ParseDocument = (text, name, { targetLang }) => {
  const document = new XliffDocument(text, targetLang);
  const reader = new XmlReader(name, document);
  reader.write(text);
  reader.close();
  if (!document.isXliff) throw new HeddleError('not XLIFF: there is no element xliff', { area: name });
  return { text, units: document.units, head: document.head };
};
