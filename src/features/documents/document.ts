// The interface of a document: segments in, translations out, and everything else as it is. A format (formats/)
// finds the units of a file; a translated unit becomes edits of the file's text.

import type { InlineText } from './inline/inline-text.ts';

/** Where a translation comes from; `machine` and `fuzzy` need a review. */
export type TranslationOrigin = 'machine' | 'exact' | 'fuzzy';

/** Which segments of a file are translated. */
export const openSegments = ['untranslated', 'all'] as const;
/** Which segments of a file are translated: those without a translation, or all. */
export type OpenSegments = (typeof openSegments)[number];

/** A segment: a text to translate. */
export interface Segment {
  /** Its text, with placeholders for its inline codes. */
  readonly source: InlineText;
  /** Whether the file has a translation. */
  readonly isTranslated: boolean;
  /** That translation as people read it, with codes as the file writes them. Undefined if there is none. */
  readonly target?: string;
}

/** The translation of a segment, with the placeholders of its source. */
export interface SegmentTranslation {
  /** The translation, with the placeholders of the source. */
  readonly text: string;
  /** The model, or an equal or a similar text of a memory. PO files mark all but `exact` for review. */
  readonly origin: TranslationOrigin;
}

/** A replacement in the text of a file; `start` equals `end` for an insertion. */
export interface Edit {
  /** First UTF-16 code unit that is replaced. */
  readonly start: number;
  /** The one after the last. */
  readonly end: number;
  /** The new text. */
  readonly text: string;
}

/** Segments that are written together: a message with its plural forms, or one segment. */
export interface DocumentUnit {
  /** What identifies it in reports: an id, or its line. */
  readonly name: string;
  /** Its line, if that is its name. */
  readonly line?: number;
  /** Its segments: one, or one for each plural form. */
  readonly segments: readonly Segment[];
  /**
   * The edits for translations of its segments, in order; undefined for a segment that stays as it is. Edits are
   * in order and behind those of the unit before.
   */
  edits(translations: readonly (SegmentTranslation | undefined)[]): Edit[];
}

/** A parsed file: its text, and the units that edits of this text translate. */
export interface TranslatableDocument {
  /** The whole file as text. */
  readonly text: string;
  /** Its units in the order of the text. */
  readonly units: readonly DocumentUnit[];
  /** Edits of the file's head, before all units. */
  readonly head?: readonly Edit[];
}

/** Options of parsing a document. */
export interface DocumentOptions {
  /**
   * Language tag of the translations, written into XLIFF that has none; another one in the file is an error. [that of the
   * file]
   */
  readonly targetLang?: string;
}

/** Parses a file. Throws a HeddleError that starts with `name` if it is not of the format. */
export type ParseDocument = (text: string, name: string, options: DocumentOptions) => TranslatableDocument;
