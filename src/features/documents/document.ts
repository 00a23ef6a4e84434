// The interface of a document: segments in, translations out, and everything else as it is. A format (formats/)
// finds the units of a file; a translated unit becomes edits of the file's text.

import type { InlineText } from './inline/inline-text.ts';

/** Where a translation comes from; `machine` and `fuzzy` need a review. */
export type TranslationOrigin = 'machine' | 'exact' | 'fuzzy';

/** Which segments of a file are translated. */
export const openSegments = ['untranslated', 'all'] as const;
/** Name of a choice. */
export type OpenSegments = (typeof openSegments)[number];

/** A segment: a text to translate. */
export interface Segment {
  readonly source: InlineText;
  /** Whether the file has a translation. */
  readonly isTranslated: boolean;
  /** That translation as people read it, with codes as the file writes them. Undefined if there is none. */
  readonly target?: string;
}

/** The translation of a segment, with the placeholders of its source. */
export interface SegmentTranslation {
  readonly text: string;
  readonly origin: TranslationOrigin;
}

/** A replacement in the text of a file; `start` equals `end` for an insertion. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Segments that are written together: a message with its plural forms, or one segment. */
export interface DocumentUnit {
  /** What identifies it in reports: an id, or its line. */
  readonly name: string;
  /** Its line, if that is its name. */
  readonly line?: number;
  readonly segments: readonly Segment[];
  /**
   * The edits for translations of its segments, in order; undefined for a segment that stays as it is. Edits are
   * in order and behind those of the unit before.
   */
  edits(translations: readonly (SegmentTranslation | undefined)[]): Edit[];
}

/** A parsed file. */
export interface TranslatableDocument {
  readonly text: string;
  readonly units: readonly DocumentUnit[];
  /** Edits of the file's head, before all units. */
  readonly head?: readonly Edit[];
}

/** Options of a format. */
export interface DocumentOptions {
  /** Language of the translations, for formats that name it. */
  readonly targetLang?: string;
}

/** Parses a file. Throws a HeddleError that starts with `name` if it is not of the format. */
export type ParseDocument = (text: string, name: string, options: DocumentOptions) => TranslatableDocument;
