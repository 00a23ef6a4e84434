// Reads the translated segments of XLIFF 1.2 and 2.x as pairs.

import { isSameLanguage } from '../../../text/corpus/language-choice.ts';
import type { SegmentPair } from '../../../text/corpus/pair-reader.ts';
import type { CodeKind } from '../../../text/placeholders.ts';
import { CodeNumbers, InlineBuilder } from '../inline/inline-builder.ts';
import type { SegmentReader } from './segment-reader.ts';
import { readXmlPairs, type XmlPairs } from './xml-pairs.ts';
import type { XmlAttributes } from './xml-reader.ts';

/** States of a target that is no translation yet, in 1.2 and in 2.x. */
export const untranslatedStates: ReadonlySet<string> = new Set([
  'new',
  'initial',
  'needs-translation',
  'needs-l10n',
  'needs-adaptation',
]);

/** Inline elements of both versions: their kinds, and whether their content is code instead of text. */
export const inlineElements: Readonly<
  Record<string, { readonly kind: CodeKind | 'pair'; readonly holdsCode?: true }>
> = {
  g: { kind: 'pair' },
  x: { kind: 'single' },
  bx: { kind: 'open' },
  ex: { kind: 'close' },
  bpt: { kind: 'open', holdsCode: true },
  ept: { kind: 'close', holdsCode: true },
  ph: { kind: 'single', holdsCode: true },
  it: { kind: 'single', holdsCode: true },
  pc: { kind: 'pair' },
  sc: { kind: 'open' },
  ec: { kind: 'close' },
};

/** What identifies an inline element in source and target: its id, or that of its opening element. */
export function inlineKey(name: string, a: XmlAttributes): string | undefined {
  const id =
    name === 'ec' ? (a.startRef ?? a.id) : name === 'bx' || name === 'ex' ? (a.rid ?? a.id) : (a.rid ?? a.id);
  return id === undefined ? undefined : `${inlineElements[name]?.kind === 'single' ? 's' : 'p'} ${id}`;
}

/** The text of an element `cp`, a character that XML does not allow. */
export const codePoint = ({ hex = '' }: XmlAttributes): string =>
  /^[0-9a-f]{1,6}$/i.test(hex) && Number.parseInt(hex, 16) <= 0x10ffff
    ? String.fromCodePoint(Number.parseInt(hex, 16))
    : '';

/** Local name of an element of XLIFF, whose root may have a prefix. */
export const localName = (name: string, prefix: string): string =>
  prefix && name.startsWith(prefix) ? name.slice(prefix.length) : name;

type Given = { readonly source?: string; readonly target?: string };

/** Collects the units of a file. */
class XliffUnits implements XmlPairs {
  readonly format = ['XLIFF', 'xliff'] as const;
  readonly #given: Given;
  pairs: SegmentPair[] = [];
  isFound = false;
  readonly languages = new Set<string>();
  #prefix = '';
  /** Languages of the file, the unit's sides swapped if the caller wants it. */
  #isWanted = true;
  #isSwapped = false;
  #numbers = new CodeNumbers();
  #source: InlineBuilder | undefined;
  #target: InlineBuilder | undefined;
  #state: string | undefined;
  /** The side that text goes to. */
  #side: InlineBuilder | undefined;
  #alternative = 0;
  #code = 0;
  readonly #open: (string | undefined)[] = [];

  constructor(given: Given) {
    this.#given = given;
  }

  get described(): string {
    return `segments in ${[...this.languages].join(', ')}`;
  }

  open(fullName: string, a: XmlAttributes): void {
    if (!this.isFound && fullName.endsWith('xliff')) {
      this.isFound = true;
      this.#prefix = fullName.slice(0, -'xliff'.length);
      if (a.srcLang) this.#languages(a.srcLang, a.trgLang ?? '');
    }
    const name = localName(fullName, this.#prefix);
    if (name === 'file' && a['source-language'])
      this.#languages(a['source-language'], a['target-language'] ?? '');
    else if (name === 'trans-unit' || name === 'segment') {
      this.#numbers = new CodeNumbers();
      this.#source = undefined;
      this.#target = undefined;
      // The header of a PO file, as translate-toolkit writes it, is no text.
      const isHeader = a.restype === 'x-gettext-domain-header';
      this.#state = isHeader ? 'new' : name === 'segment' ? a.state : undefined;
    } else if (name === 'alt-trans' || name === 'matches') this.#alternative++;
    else if (this.#alternative > 0) return;
    else if (name === 'source') this.#side = this.#source = new InlineBuilder(this.#numbers);
    else if (name === 'target') {
      this.#side = this.#target = new InlineBuilder(this.#numbers);
      this.#state ??= a.state;
    } else if (this.#side) this.#openInline(name, a, this.#side);
  }

  close(fullName: string): void {
    const name = localName(fullName, this.#prefix);
    if (name === 'alt-trans' || name === 'matches') this.#alternative--;
    else if (this.#alternative > 0) return;
    else if (name === 'source' || name === 'target') this.#side = undefined;
    else if (name === 'trans-unit' || name === 'segment') this.#end();
    else if (this.#side) {
      const key = this.#open.pop();
      const element = inlineElements[name];
      if (element?.kind === 'pair' && this.#code === 0) this.#side.code('close', key);
      if (element?.holdsCode) this.#code--;
    }
  }

  text(text: string): void {
    if (this.#code === 0) this.#side?.text(text);
  }

  #openInline(name: string, a: XmlAttributes, side: InlineBuilder): void {
    const element = inlineElements[name];
    const key = inlineKey(name, a);
    this.#open.push(key);
    if (name === 'cp' && this.#code === 0) side.text(codePoint(a));
    if (!element) return;
    if (this.#code === 0) side.code(element.kind === 'pair' ? 'open' : element.kind, key);
    if (element.holdsCode) this.#code++;
  }

  #languages(source: string, target: string): void {
    this.languages.add(source).add(target);
    const { source: from = source, target: to = target } = this.#given;
    const is = (a: string, b: string) => a === b || (a !== '' && isSameLanguage(a, b));
    this.#isSwapped = is(from, target) && is(to, source) && !is(from, source);
    this.#isWanted = this.#isSwapped || (is(from, source) && is(to, target));
  }

  #end(): void {
    const [source, target] = [String(this.#source ?? ''), String(this.#target ?? '')];
    const isTranslated = source.trim() !== '' && target.trim() !== '';
    if (!isTranslated || !this.#isWanted || untranslatedStates.has(this.#state ?? '')) return;
    this.pairs.push(this.#isSwapped ? { source: target, target: source } : { source, target });
  }
}

/** Reads a file. See `PairReader.read`. */
export const readXliff: SegmentReader = (chunks, name, given) =>
  readXmlPairs(chunks, name, new XliffUnits(given));
