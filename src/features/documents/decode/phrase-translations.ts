// Translations that must contain phrases: their token ids, and batches of texts with phrases.

import { check } from '../../../core/errors.ts';
import { Memo } from '../../../core/memo.ts';
import { present } from '../../../core/present.ts';
import type { DecodeMode } from '../../../decode/decoding-graphs.ts';
import type { DecodeRuledTexts, RuledDecoding, RuledTexts } from '../../../decode/ruled-texts.ts';
import type { Translation } from '../../../decode/text-options.ts';
import type { Engine } from '../../../engine/engine.ts';
import type { ParameterList } from '../../../model/parameter-layout.ts';
import { growsPositions } from '../../../model/positions.ts';
import { continuesWord, phraseIds } from '../../../text/tokenizers/phrase-ids.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import { placeholdersIn } from '../inline/inline-text.ts';
import { minPhraseBeams, PhraseDecoder, type PhraseDemand } from './phrase-decoder.ts';
import { maxPhrases } from './phrase-search.ts';
import { PlaceholderRules } from './placeholder-rules.ts';

/** Maximum number of sentences of a batch: each has many beams, and a step waits for the host. */
const maxSentences = 8;

/** Decoders of each engine by their sizes, for its present parameters. */
const decoders = new WeakMap<
  Engine,
  { parameters: ParameterList; readonly known: Memo<unknown, PhraseDecoder> }
>();

/** The decoders of an engine; new ones after its parameters have changed (LoRA adapters). */
function decodersOf(engine: Engine, parameters: ParameterList): Memo<unknown, PhraseDecoder> {
  const before = decoders.get(engine);
  if (before?.parameters === parameters) return before.known;
  const known = new Memo<unknown, PhraseDecoder>();
  decoders.set(engine, { parameters, known });
  return known;
}

/** The mode of the step graph; rules apply, the search of phrases decides where a hypothesis ends. */
const phraseMode = (mode: DecodeMode): DecodeMode => ({
  ...mode,
  method: 'beam',
  rules: true,
  shrinks: undefined,
});

/** The next power of two, but at most `max`. */
const rounded = (n: number, max: number): number => Math.min(max, 2 ** Math.ceil(Math.log2(Math.max(1, n))));

/** The text of a hypothesis, with the phrases that unknown tokens stand for, in order. */
function textOf(target: Tokenizer, ids: readonly number[], phrases: readonly string[]): string {
  const { unknown } = target.special;
  const missing = phrases.filter((phrase) => phraseIds(target, phrase)[0] === unknown);
  const text = target.decode(ids);
  if (missing.length === 0 || !ids.includes(unknown)) return text;
  const mark = target.decode([unknown]).trim();
  return missing.reduce((out, phrase) => out.replace(mark, () => phrase), text);
}

/** A source with what its translation must have. */
interface Bound {
  readonly ids: readonly number[];
  /** Phrases of the call as texts. */
  readonly terms: readonly string[];
  readonly demand: PhraseDemand;
}

function boundOf(
  target: Tokenizer,
  { texts, full, ids, phrases, placeholders }: RuledTexts,
  k: number,
): Bound | undefined {
  const i = full[k] as number;
  const [text = '', terms = [], ordered] = [texts[i], phrases?.[i], placeholders?.[i]];
  const isBound = ordered !== undefined && placeholdersIn(text).length > 0;
  if (terms.length === 0 && !isBound) return undefined;
  const rules = isBound ? new PlaceholderRules(target, text, ordered) : undefined;
  const all = [...(rules?.tokens ?? []).map((id) => [id]), ...terms.map((term) => phraseIds(target, term))];
  const joins = (before: number, token: number) => continuesWord(target, before, token);
  const demand = { phrases: all.filter((phrase) => phrase.length > 0), rules, joins };
  return { ids: ids[k] as number[], terms, demand };
}

/** Throws a HeddleError unless there is a list of phrases for each text. */
function checkPhrases(phrases: unknown, texts: number): void {
  const isList = (list: unknown) => Array.isArray(list) && list.every((term) => typeof term === 'string');
  check(
    Array.isArray(phrases) && phrases.length === texts && phrases.every(isList),
    'give a list of texts for each text; [] for none',
    { area: 'phrases' },
  );
}

/**
 * Translates sources in order: those with phrases or placeholders by their own search, others with `plain`.
 * Throws as `Translator.decode`, and a HeddleError if the vocabulary lacks a placeholder.
 */
export const decodeWithPhrases: DecodeRuledTexts = async (context, texts, plain) => {
  if (texts.phrases !== undefined) checkPhrases(texts.phrases, texts.texts.length);
  const out: Translation[][] = [];
  const all = texts.ids.map((_, k) => boundOf(context.target, texts, k));
  const free = [...all.keys()].filter((k) => !all[k]);
  const bound = [...all.keys()].filter((k) => all[k]);
  const put = (which: readonly number[], found: readonly Translation[][]) => {
    for (const [n, k] of which.entries()) out[k] = found[n] ?? [];
  };
  if (bound.length > 0) put(bound, await decodeBound(context, present(all)));
  if (free.length > 0) put(free, await plain(free.map((k) => texts.ids[k] as number[])));
  return out;
};

/** Translates sources that all have phrases or placeholders. */
async function decodeBound(
  { engine, config, parameters, target, shape, settings, mode: plain, upload }: RuledDecoding,
  sources: readonly Bound[],
): Promise<Translation[][]> {
  const most = Math.min(maxPhrases, Math.max(...sources.map(({ demand }) => demand.phrases.length)));
  const maxLength = growsPositions(config) ? Number.POSITIVE_INFINITY : config.maxLength;
  const sizes = {
    batch: rounded(Math.min(maxSentences, shape.batch, sources.length), maxSentences),
    beams: Math.max(minPhraseBeams, settings.rows),
    source: rounded(shape.maxSource, maxLength),
    target: rounded(shape.maxTarget, maxLength),
    cacheType: settings.cacheType,
  };
  const mode = { ...phraseMode(plain), phrases: rounded(most, maxPhrases) };
  const decoder = await decodersOf(engine, parameters).get([sizes, mode], () =>
    PhraseDecoder.open(engine, config, parameters, sizes, mode),
  );
  const { batch } = sizes;
  await upload(decoder.peak);
  const out: Translation[][] = [];
  for (let at = 0; at < sources.length; at += batch) {
    const some = sources.slice(at, at + batch);
    const ids = some.map((source) => source.ids);
    const found = await decoder.decode(
      ids,
      some.map(({ demand }) => demand),
      settings,
    );
    for (const [k, list] of found.entries())
      out.push(list.map((h) => ({ ...h, text: textOf(target, h.ids, some[k]?.terms ?? []) })));
    settings.onProgress?.(Math.min(sources.length, at + batch), sources.length);
  }
  return out;
}
