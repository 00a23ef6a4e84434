/**
 * The entry 'heddle/documents': translates files of translators and web pages, segment by segment, with a translation
 * memory.
 *
 * @module heddle/documents
 */

export type {
  DocumentOptions,
  DocumentUnit,
  Edit,
  OpenSegments,
  Segment,
  SegmentTranslation,
  TranslatableDocument,
  TranslationOrigin,
} from '../features/documents/document.ts';
export type {
  DocumentFormatName,
  OpenedDocument,
  OpenOptions,
} from '../features/documents/document-formats.ts';
export {
  documentFormatLabels,
  documentFormatOf,
  openDocument,
} from '../features/documents/document-formats.ts';
export type { ReviewSegment, ReviewTranslation } from '../features/documents/document-review.ts';
export { DocumentReview } from '../features/documents/document-review.ts';
export { Glossary, type GlossaryTerm, readGlossary } from '../features/documents/glossary.ts';
export type { CodePattern } from '../features/documents/inline/code-patterns.ts';
export type { InlineCode, InlineText } from '../features/documents/inline/inline-text.ts';
export type { MemoryLanguages } from '../features/documents/memory-pairs.ts';
export { memoryPairs } from '../features/documents/memory-pairs.ts';
export type { CheckResult } from '../features/documents/segment-checks.ts';
export type { PlacedTerm } from '../features/documents/soft-terms.ts';
export type {
  DocumentPart,
  DocumentTranslationOptions,
  SegmentReport,
} from '../features/documents/translate-document.ts';
export { translateDocument } from '../features/documents/translate-document.ts';
export type { SegmentMethod, SentenceModel } from '../features/documents/translate-segments.ts';
export type { MemoryMatch } from '../features/documents/translation-memory.ts';
export { TranslationMemory } from '../features/documents/translation-memory.ts';
export { type MemoryPair, writeTmx } from '../features/documents/write-tmx.ts';
export type { CodeKind } from '../text/placeholders.ts';
export { withoutPlaceholders } from '../text/placeholders.ts';
