// Terms in the place of the words that a translation has for them. A translation is a draft: the words that stand for a
// term are found by the cross-attention, and the draft is decoded again with the term there. The article before it is
// chosen again, what follows may be inflected in another way, and the words that the term replaces are not repeated.

import type { RuledDecoding } from '../../../decode/ruled-texts.ts';
import type { PlacedPhrase, Translation } from '../../../decode/text-options.ts';
import { phraseIds } from '../../../text/tokenizers/phrase-ids.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import { isForm } from '../glossary.ts';
import { type Bound, decodeBound, idsOf } from './bound-texts.ts';
import { type OwnWords, ownWordsOf } from './own-words.ts';
import { type JoinsWord, TermPlace, type TermPlacement } from './term-place.ts';

/** A translation while its terms are placed. */
interface Draft {
  readonly bound: Bound;
  found: Translation[];
  /** Phrases that have no place in the translation yet. */
  open: PlacedPhrase[];
  /** Whether a phrase could not be placed. */
  isLacking: boolean;
  /** Those that have one, in the order of the translation. */
  readonly terms: string[];
  /** Index of the first token that may change. */
  from: number;
  /** Words that the terms replace. */
  readonly replaced: { readonly word: string; readonly term: string }[];
}

/** Puts terms in the place of the words that translations have for them, one after the other. */
export async function placeTerms(
  context: RuledDecoding,
  sources: readonly Bound[],
  found: readonly Translation[][],
): Promise<Translation[][]> {
  const drafts = sources.map(
    (bound, i): Draft => ({
      bound,
      found: found[i] ?? [],
      open: [...bound.placed],
      isLacking: false,
      terms: [],
      from: 0,
      replaced: [],
    }),
  );
  for (;;) {
    const steps: Step[] = [];
    for (const draft of drafts) {
      const step = await nextTerm(context, draft);
      if (step) steps.push(step);
    }
    if (steps.length === 0) break;
    await decodeSteps(context, steps);
  }
  // What has no place is somewhere in the translation.
  const rest = drafts.filter(({ open, isLacking }) => open.length > 0 || isLacking);
  const made = await decodeBound(
    context,
    rest.map(({ bound, replaced }) => withPhrases(context.target, bound, replaced)),
  );
  for (const [i, draft] of rest.entries()) if (made[i]?.length) draft.found = made[i];
  return drafts.map((draft) => draft.found);
}

/** Decodes drafts with one more term each. A translation that is not the draft with other forms becomes the draft itself. */
async function decodeSteps(context: RuledDecoding, steps: readonly Step[]): Promise<void> {
  const made = await decodeBound(
    context,
    steps.map(({ bound }) => bound),
  );
  const others: { readonly step: Step; readonly bound: Bound }[] = [];
  for (const [i, step] of steps.entries()) {
    const [best] = made[i] ?? [];
    const { bound, rest, place } = step;
    const { joins = () => false } = bound.demand;
    const rules = new TermPlace(place, joins);
    const start = best && rules.startIn(best.ids);
    if (!best?.ended || start === undefined) {
      step.draft.isLacking = true;
      continue;
    }
    const end = rules.endIn(best.ids);
    const words = wordsOf(context.target, rest, joins);
    const isReplaced = words.some((word) => step.draft.replaced.some((own) => isForm(word, own.word)));
    step.draft.found = made[i] ?? [];
    step.draft.from = end;
    if (isReplaced || isInflected(words, wordsOf(context.target, best.ids.slice(end), joins))) continue;
    const whole = {
      prefix: best.ids.slice(0, start),
      words: 0,
      term: [...best.ids.slice(start, end), ...rest],
      isLast: true,
    };
    others.push({ step, bound: { ...bound, demand: { ...bound.demand, place: whole, avoids: undefined } } });
  }
  const copies = await decodeBound(
    context,
    others.map(({ bound }) => bound),
  );
  for (const [i, { step }] of others.entries()) if (copies[i]?.[0]?.ended) step.draft.found = copies[i];
}

/** Whether words are those of a draft, or other forms of them. */
const isInflected = (draft: readonly string[], words: readonly string[]): boolean =>
  draft.length === words.length &&
  draft.every((word, i) => {
    const other = words[i] as string;
    return (
      word === other || isForm(other, word) || isForm(word, other) || Math.max(word.length, other.length) < 4
    );
  });

/** The words of tokens. */
function wordsOf(target: Tokenizer, ids: readonly number[], joins: JoinsWord): string[] {
  const words: number[][] = [];
  for (const [i, id] of ids.entries())
    if (i > 0 && joins(ids[i - 1] as number, id)) words.at(-1)?.push(id);
    else words.push([id]);
  return words.map((word) => target.decode(word).trim().toLowerCase());
}

/** A source whose terms have no place. */
function withPhrases(target: Tokenizer, bound: Bound, replaced: Draft['replaced']): Bound {
  const texts = bound.placed.map(({ text }) => text);
  const { demand } = bound;
  return {
    ...bound,
    terms: [...texts, ...bound.terms],
    demand: {
      ...demand,
      phrases: [...demand.phrases, ...idsOf(target, texts)],
      avoids: avoids(target, replaced),
    },
  };
}

/** Words of scripts without spaces. */
const isUnspaced = (word: string): boolean => /^\p{Lo}+$/u.test(word);

/** Whether the last word of some tokens, which begins at `start`, is one that terms replace. */
const avoids =
  (target: Tokenizer, replaced: Draft['replaced']) =>
  (ids: readonly number[], start: number): boolean => {
    const text = target.decode(ids.slice(start)).trim().toLowerCase();
    const isLast = (word: string) => isUnspaced(word) && target.decode(ids.slice(-8)).endsWith(word);
    return replaced.some(
      ({ word, term }) =>
        (isForm(text, word) && !isForm(text, term)) || (isLast(word) && !term.includes(word)),
    );
  };

/** A draft with its next term. */
interface Step {
  readonly draft: Draft;
  readonly bound: Bound;
  readonly place: TermPlacement;
  /** The tokens of the draft behind the words that the term replaces. */
  readonly rest: readonly number[];
}

/** What decodes the next term of a draft in its place; undefined if no term is left that has one. */
async function nextTerm(context: RuledDecoding, draft: Draft): Promise<Step | undefined> {
  const { source, target } = context;
  const { bound, found, from } = draft;
  const [best] = found;
  if (!best || draft.open.length === 0) return undefined;
  const aligned = await context.align(bound.ids, best);
  const places = draft.open
    .flatMap((phrase) => {
      const own = ownWordsOf(bound.text, aligned, source, phrase, from);
      return own ? [{ phrase, own }] : [];
    })
    .sort((a, b) => a.own.first - b.own.first);
  for (const { phrase, own } of places) {
    draft.open = draft.open.filter((other) => other !== phrase);
    draft.terms.push(phrase.text);
    if (hasTermAt(aligned.text, phrase.text, own)) {
      draft.from = own.behind;
      continue;
    }
    const isFirst = own.first === 0 && /^\p{Lu}/u.test(aligned.text);
    const text = isFirst ? phrase.text.slice(0, 1).toUpperCase() + phrase.text.slice(1) : phrase.text;
    const term = phraseIds(target, text);
    const { joins = () => false } = bound.demand;
    const last = best.ids[own.first - 1];
    // Where words are not apart, their number is not known.
    const hasArticle = own.article !== undefined && last !== undefined && !joins(last, term[0] as number);
    const prefix = best.ids.slice(0, hasArticle ? own.article : own.first);
    if (!own.isElsewhere)
      for (const word of own.words)
        if (word.length > 2 || isUnspaced(word))
          draft.replaced.push({ word, term: phrase.text.toLowerCase() });
    const isOwnForm = (ids: readonly number[]) => isForm(target.decode(ids).trim(), text);
    const place = {
      prefix,
      words: hasArticle ? 1 : 0,
      term,
      isForm: phrase.inflects ? isOwnForm : undefined,
    };
    const demand = { ...bound.demand, place, avoids: avoids(target, [...draft.replaced]) };
    const next = { ...bound, terms: [...draft.terms, ...bound.terms], demand };
    return { draft, bound: next, place, rest: best.ids.slice(own.behind) };
  }
  return undefined;
}

/** Whether a translation has a term, or a longer form of it, in a place. */
function hasTermAt(text: string, term: string, { span }: OwnWords): boolean {
  const lower = text.toLowerCase();
  const wanted = term.toLowerCase();
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + 1)) {
    if (at >= span.end || at + wanted.length <= span.start) continue;
    const [before, after] = [lower.slice(0, at), lower.slice(at + wanted.length)];
    if (/[\p{Ll}\p{Lm}\p{M}\p{N}]$/u.test(before)) continue;
    if ((/^[\p{Ll}\p{M}]*/u.exec(after)?.[0].length ?? 0) <= (wanted.length < 4 ? 0 : 3)) return true;
  }
  return false;
}
