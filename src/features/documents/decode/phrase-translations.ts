// Translations that must contain phrases: their token ids, and batches of texts with phrases.

import { check } from '../../../core/errors.ts';
import { present } from '../../../core/present.ts';
import type { DecodeRuledTexts, RuledTexts } from '../../../decode/ruled-texts.ts';
import type { PlacedPhrase, Translation } from '../../../decode/text-options.ts';
import { continuesWord } from '../../../text/tokenizers/phrase-ids.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import { placeholdersIn } from '../inline/inline-text.ts';
import { type Bound, decodeBound, idsOf } from './bound-texts.ts';
import { placeTerms } from './placed-terms.ts';
import { PlaceholderRules } from './placeholder-rules.ts';

function boundOf(
  target: Tokenizer,
  { texts, full, ids, phrases, placeholders }: RuledTexts,
  k: number,
): Bound | undefined {
  const i = full[k] as number;
  const [text = '', all = [], ordered] = [texts[i], phrases?.[i], placeholders?.[i]];
  const isBound = ordered !== undefined && placeholdersIn(text).length > 0;
  if (all.length === 0 && !isBound) return undefined;
  const rules = isBound ? new PlaceholderRules(target, text, ordered) : undefined;
  const placed = all.filter((phrase) => typeof phrase !== 'string');
  const terms = all.filter((phrase) => typeof phrase === 'string');
  const joins = (before: number, token: number) => continuesWord(target, before, token);
  const codes = (rules?.tokens ?? []).map((id) => [id]);
  const demand = { phrases: [...codes, ...idsOf(target, terms)], rules, joins };
  return { text, ids: ids[k] as number[], terms, demand, placed };
}

/** Throws a HeddleError unless there is a list of phrases for each text. */
function checkPhrases(phrases: unknown, texts: readonly string[]): void {
  const isPhrase = (phrase: unknown, text: string) => {
    if (typeof phrase === 'string') return true;
    const { text: own, start, end, inflects } = (phrase ?? {}) as Partial<PlacedPhrase>;
    if (inflects !== undefined && typeof inflects !== 'boolean') return false;
    const isOffset = (at: unknown) =>
      Number.isInteger(at) && (at as number) >= 0 && (at as number) <= text.length;
    return typeof own === 'string' && isOffset(start) && isOffset(end) && (start as number) < (end as number);
  };
  check(
    Array.isArray(phrases) &&
      phrases.length === texts.length &&
      phrases.every(
        (list, i) => Array.isArray(list) && list.every((one) => isPhrase(one, texts[i] as string)),
      ),
    'give a list of texts for each text, or of { text, start, end } with offsets in it; [] for none',
    { area: 'phrases' },
  );
}

/**
 * Translates sources in order: those with phrases or placeholders by their own search, others with `plain`.
 * Throws as `Translator.decode`, and a HeddleError if the vocabulary lacks a placeholder.
 */
export const decodeWithPhrases: DecodeRuledTexts = async (context, texts, plain) => {
  if (texts.phrases !== undefined) checkPhrases(texts.phrases, texts.texts);
  const out: Translation[][] = [];
  const all = texts.ids.map((_, k) => boundOf(context.target, texts, k));
  /** Translates those of some kind in one call. */
  const decode = async (
    has: (bound: Bound | undefined) => boolean,
    translate: (which: readonly number[]) => Promise<Translation[][]>,
  ) => {
    const which = [...all.keys()].filter((k) => has(all[k]));
    const found = which.length > 0 ? await translate(which) : [];
    for (const [n, k] of which.entries()) out[k] = found[n] ?? [];
  };
  const boundTo = (which: readonly number[]) => present(which.map((k) => all[k]));
  const hasDemand = (bound: Bound | undefined) => (bound?.demand.phrases.length ?? 0) > 0;
  await decode(hasDemand, (which) => decodeBound(context, boundTo(which)));
  await decode(
    (bound) => !hasDemand(bound),
    (which) => plain(which.map((k) => texts.ids[k] as number[])),
  );
  await decode(
    (bound) => (bound?.placed.length ?? 0) > 0,
    (which) =>
      placeTerms(
        context,
        boundTo(which),
        which.map((k) => out[k] ?? []),
      ),
  );
  return out;
};
