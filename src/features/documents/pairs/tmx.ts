// Reads translation memories in TMX 1.4 (https://www.gala-global.org/tmx-14b) from a stream: one unit is in
// memory at a time.

import { LanguageChoice } from '../../../text/corpus/language-choice.ts';
import type { SegmentPair } from '../../../text/corpus/pair-reader.ts';
import { CodeNumbers, InlineBuilder } from '../inline/inline-builder.ts';
import type { SegmentReader } from './segment-reader.ts';
import { readXmlPairs, type XmlPairs } from './xml-pairs.ts';
import type { XmlAttributes } from './xml-reader.ts';

/** Elements whose content is code of the original format, not text; `sub` inside is text of another segment. */
const codeElements = { bpt: 'open', ept: 'close', ph: 'single', it: 'single', ut: 'single' } as const;
const isCode = (name: string): name is keyof typeof codeElements => Object.hasOwn(codeElements, name);

/** Collects the units of a memory. */
class TmxUnits implements XmlPairs {
  readonly format = ['TMX', 'tmx'] as const;
  readonly languages: LanguageChoice;
  pairs: SegmentPair[] = [];
  isFound = false;
  #numbers = new CodeNumbers();
  #texts = new Map<string, string>();
  #language = '';
  #segment: InlineBuilder | undefined;
  /** Depth inside of elements with code. */
  #code = 0;

  constructor(name: string, given: { readonly source?: string; readonly target?: string }) {
    this.languages = new LanguageChoice(name, given);
  }

  get described(): string {
    return `units in ${this.languages.languages}`;
  }

  open(name: string, attributes: XmlAttributes): void {
    if (name === 'tmx') this.isFound = true;
    else if (name === 'header') {
      const { srclang = '*all*' } = attributes;
      if (srclang !== '*all*') this.languages.setSource(srclang);
    } else if (name === 'tu') {
      this.#texts = new Map();
      this.#numbers = new CodeNumbers();
    } else if (name === 'tuv') this.#language = attributes['xml:lang'] ?? attributes.lang ?? '';
    else if (name === 'seg') this.#segment = new InlineBuilder(this.#numbers);
    else if (this.#segment && isCode(name)) {
      const { i, x, pos } = attributes;
      const paired = i !== undefined && (name === 'bpt' || name === 'ept');
      const key = paired ? `i ${i}` : x === undefined ? undefined : `${name} ${x} ${pos ?? ''}`;
      if (this.#code++ === 0) this.#segment.code(codeElements[name], key);
    }
  }

  close(name: string): void {
    if (name === 'seg' && this.#segment) {
      if (!this.#texts.has(this.#language)) this.#texts.set(this.#language, this.#segment.toString());
      this.#segment = undefined;
      this.#code = 0;
    } else if (this.#segment && isCode(name)) this.#code--;
    else if (name === 'tu') {
      const pair = this.languages.choose(this.#texts);
      if (pair) this.pairs.push(pair);
    }
  }

  text(text: string): void {
    if (this.#code === 0) this.#segment?.text(text);
  }
}

/** Reads a memory. See `PairReader.read`. */
export const readTmx: SegmentReader = (chunks, name, given) =>
  readXmlPairs(chunks, name, new TmxUnits(name, given));
