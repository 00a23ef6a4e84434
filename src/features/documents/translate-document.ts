// Translates a document: matches of a memory first, then the model; the text of the output comes as its units are
// done, in order.

import type { TranslateOptions } from '../../decode/text-options.ts';
import type { Edit, OpenSegments, SegmentTranslation, TranslatableDocument } from './document.ts';
import type { Glossary } from './glossary.ts';
import { type InlineText, keepsCodes } from './inline/inline-text.ts';
import { followSource } from './locale-rules.ts';
import { type CheckResult, checkSegment, shownText } from './segment-checks.ts';
import {
  type SegmentMethod,
  type SentenceModel,
  type TranslatedSegment,
  translateSegments,
  withEdges,
} from './translate-segments.ts';
import type { TranslationMemory } from './translation-memory.ts';

/** Options of the translation of a document. */
export interface DocumentTranslationOptions {
  /** Options of `model.translate`, such as `beams`. [those of the model] */
  readonly decode?: TranslateOptions;
  /** Earlier translations, which are taken in place of the model's. [none] */
  readonly memory?: TranslationMemory;
  /** Smallest similarity of a match of the memory. [0.75] */
  readonly threshold?: number;
  /** Terms that translations must have. [none] */
  readonly glossary?: Glossary;
  /** Which segments are translated. ['untranslated'] */
  readonly segments?: OpenSegments;
  /** Language tag of the translations, for rules of punctuation and case. [only those of all languages] */
  readonly targetLang?: string;
  /** Number of segments that are translated together. [64] */
  readonly atOnce?: number;
  /** Translations of the first units from an interrupted run, which are not translated again. [none] */
  readonly done?: readonly (readonly (SegmentTranslation | null)[])[];
  /** Stops the translation, which rejects with the signal's reason. [never] */
  readonly signal?: AbortSignal;
}

/** What happened to a segment. */
export interface SegmentReport {
  /** Name of its unit. */
  readonly unit: string;
  /** Source as people read it. */
  readonly source: string;
  /** Translation as people read it. */
  readonly target: string;
  /** Where the translation comes from; `kept`: it was in the file. */
  readonly origin: SegmentTranslation['origin'] | 'kept' | 'not translated';
  /** Similarity of the match of the memory. */
  readonly similarity?: number;
  /** How its inline codes were translated. Absent if the model did not translate it. */
  readonly method?: SegmentMethod;
  /** Mean log-probability of its tokens. */
  readonly confidence?: number;
  /** Checks that the translation fails. */
  readonly checks: readonly CheckResult[];
}

/** The next part of an output. */
export interface DocumentPart {
  /** The next characters of the translated file. */
  readonly text: string;
  /** Translations of the units in it, to resume with. */
  readonly translations: readonly (readonly (SegmentTranslation | null)[])[];
  /** One report for each segment in it. */
  readonly reports: readonly SegmentReport[];
  /** Number of units that are done. */
  readonly done: number;
}

/** Writes a text with edits in order. */
class EditedText {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text up to the last of some edits, with these. */
  apply(edits: readonly Edit[]): string {
    let out = '';
    for (const { start, end, text } of edits) {
      out += this.#text.slice(this.#at, start) + text;
      this.#at = end;
    }
    return out;
  }

  rest(): string {
    return this.#text.slice(this.#at);
  }
}

/** Translates a document; yields its output in parts. Throws as the model, and the signal's reason. */
export async function* translateDocument(
  model: SentenceModel,
  document: TranslatableDocument,
  options: DocumentTranslationOptions = {},
): AsyncGenerator<DocumentPart, void, void> {
  const { units, head = [] } = document;
  const { atOnce = 64, done = [], signal } = options;
  const edited = new EditedText(document.text);
  const before =
    edited.apply(head) +
    done.map((known, i) => edited.apply(units[i]?.edits(known.map(orNone)) ?? [])).join('');
  yield { text: before, translations: [], reports: [], done: done.length };
  for (let at = done.length; at < units.length; ) {
    signal?.throwIfAborted();
    let [end, segments] = [at, 0];
    while (end < units.length && (segments === 0 || segments < atOnce))
      segments += openIn(units[end++], options);
    const group = units.slice(at, end);
    const { translations, reports } = await translateUnits(model, group, options);
    const text = group
      .map((unit, i) => edited.apply(unit.edits((translations[i] ?? []).map(orNone))))
      .join('');
    at = end;
    yield { text, translations, reports, done: at };
  }
  yield { text: edited.rest(), translations: [], reports: [], done: units.length };
}

const orNone = (translation: SegmentTranslation | null): SegmentTranslation | undefined =>
  translation ?? undefined;

const isOpen = (
  segment: { readonly isTranslated: boolean },
  { segments = 'untranslated' }: DocumentTranslationOptions,
) => segments === 'all' || !segment.isTranslated;

const openIn = (
  unit: TranslatableDocument['units'][number] | undefined,
  options: DocumentTranslationOptions,
): number => unit?.segments.filter((segment) => isOpen(segment, options)).length ?? 0;

async function translateUnits(
  model: SentenceModel,
  units: TranslatableDocument['units'],
  options: DocumentTranslationOptions,
): Promise<Pick<DocumentPart, 'translations' | 'reports'>> {
  const { memory, threshold = 0.75, targetLang, decode, glossary } = options;
  const termsOf = glossary && ((text: string) => glossary.find(text));
  const all = units.flatMap((unit) => unit.segments.map((segment) => ({ unit, segment })));
  const matches = all.map(({ segment }) =>
    isOpen(segment, options) ? memory?.find(segment.source, threshold) : undefined,
  );
  const forModel = all.flatMap(({ segment }, i) => (isOpen(segment, options) && !matches[i] ? [i] : []));
  const made = await translateSegments(
    model,
    forModel.map((i) => (all[i] as (typeof all)[number]).segment.source),
    { ...decode, longTexts: 'skip', termsOf },
  );
  const byIndex = new Map(forModel.map((i, k) => [i, made[k]]));
  const results = all.map(({ unit, segment: { source }, segment }, i) => {
    const [match, found] = [matches[i], byIndex.get(i)];
    const common = { unit: unit.name, source: shownText(source.text, source) };
    if (!isOpen(segment, options)) return { translation: null, report: undefined };
    if (!match && (!found || found.method === 'not translated'))
      return {
        // The source stands for it and is marked for review: a program shows nothing for an empty text.
        translation: { text: source.text, origin: 'machine' as const },
        report: {
          ...common,
          target: common.source,
          origin: 'not translated' as const,
          checks: checkSegment(source, source.text, termsOf?.(source.text)),
        },
      };
    const text = match?.text ?? formed(source, found, targetLang);
    const origin = !match
      ? ('machine' as const)
      : match.similarity === 1
        ? ('exact' as const)
        : ('fuzzy' as const);
    const report: SegmentReport = {
      ...common,
      target: shownText(text, source),
      origin,
      similarity: match?.similarity,
      method: found?.method,
      confidence: found?.confidence,
      checks: checkSegment(source, text, termsOf?.(source.text)),
    };
    return { translation: { text, origin }, report };
  });
  let at = 0;
  const translations = units.map(({ segments }) => {
    const own = results.slice(at, at + segments.length).map(({ translation }) => translation);
    at += segments.length;
    return own;
  });
  return { translations, reports: results.flatMap(({ report }) => (report ? [report] : [])) };
}

/** A translation in the form of its source, if its codes stay valid. */
function formed(
  source: InlineText,
  found: TranslatedSegment | undefined,
  targetLang: string | undefined,
): string {
  const { text = '', method } = found ?? {};
  if (method === 'copied') return text;
  const followed = withEdges(source.text, followSource(source.text, text, targetLang));
  return keepsCodes(source, followed) ? followed : text;
}
