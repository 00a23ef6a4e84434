// A document under review: its segments as people read and edit them, and the document with what they
// confirmed. An edited text has the codes as the document writes them; here they become placeholders again.

import type { SegmentTranslation, TranslationOrigin } from './document.ts';
import type { OpenedDocument } from './document-formats.ts';
import { type InlineText, keepsCodes, renderText, withPlaceholders } from './inline/inline-text.ts';
import { type CheckResult, checkSegment, shownText } from './segment-checks.ts';
import type { MemoryPair } from './write-tmx.ts';

/** A segment of a document under review. */
export interface ReviewSegment {
  /** Its text, with placeholders for its inline codes. */
  readonly source: InlineText;
  /** The source as people read it. */
  readonly shown: string;
  /** Name of its unit, and its line if that is the name. */
  readonly unit: string;
  /** Line in the file, from 1. Absent if its unit has a name of its own. */
  readonly line?: number;
  /** Whether the document has a translation, which stays unless `write` gets another one. */
  readonly isTranslated: boolean;
  /** That translation as people read it; undefined if there is none. */
  readonly target?: string;
}

/** A translation of a segment as people read it. */
export interface ReviewTranslation {
  /** The text, with codes as the file writes them. */
  readonly text: string;
  /** Where it comes from. */
  readonly origin: TranslationOrigin;
}

/** A document and the translations of its segments. */
export class DocumentReview {
  /** All segments, in the order of the document. */
  readonly segments: readonly ReviewSegment[];
  readonly #document: OpenedDocument;

  constructor(document: OpenedDocument) {
    this.#document = document;
    this.segments = document.units.flatMap(({ name, line, segments }) =>
      segments.map(({ source, isTranslated, target }) => ({
        source,
        unit: name,
        line,
        isTranslated,
        target,
        shown: shownText(source.text, source),
      })),
    );
  }

  /** The failed checks of a translation, in words; those of codes first. */
  check(index: number, text: string): readonly CheckResult[] {
    const source = this.#sourceOf(index);
    return checkSegment(source, withPlaceholders(source, text));
  }

  /** Whether a translation keeps the codes of its segment, so that the document stays valid. */
  isValid(index: number, text: string): boolean {
    const source = this.#sourceOf(index);
    return keepsCodes(source, withPlaceholders(source, text));
  }

  /**
   * The file with translations by the indices of their segments; those that do not keep their codes are left
   * out.
   */
  write(translations: ReadonlyMap<number, ReviewTranslation>): Uint8Array {
    const { text, head = [], units, encode } = this.#document;
    let [index, at, out] = [0, 0, ''];
    const found = (): SegmentTranslation | undefined => {
      const own = translations.get(index++);
      if (!own || !this.isValid(index - 1, own.text)) return undefined;
      return { text: withPlaceholders(this.#sourceOf(index - 1), own.text), origin: own.origin };
    };
    const edits = [...head, ...units.flatMap((unit) => unit.edits(unit.segments.map(found)))];
    for (const edit of edits) {
      out += text.slice(at, edit.start) + edit.text;
      at = edit.end;
    }
    return encode(out + text.slice(at));
  }

  /** A translated segment as a pair of a memory: codes that are text stay text. */
  pairOf(index: number, text: string): MemoryPair {
    const source = this.#sourceOf(index);
    const { codes } = source;
    const elements = new Map([...codes].flatMap(([c, { isText, raw }]) => (isText ? [] : [[c, raw]])));
    return {
      source: renderText(source.text, codes),
      target: renderText(withPlaceholders(source, text), codes),
      elements,
    };
  }

  #sourceOf(index: number): InlineText {
    const segment = this.segments[index];
    if (!segment) throw new RangeError(`there is no segment ${index}`);
    return segment.source;
  }
}
