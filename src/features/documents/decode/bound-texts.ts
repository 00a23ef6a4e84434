// Sources with what their translations must have, in batches of a decoder.

import { Memo } from '../../../core/memo.ts';
import type { DecodeMode } from '../../../decode/decoding-graphs.ts';
import type { RuledDecoding } from '../../../decode/ruled-texts.ts';
import type { PlacedPhrase, Translation } from '../../../decode/text-options.ts';
import type { Engine } from '../../../engine/engine.ts';
import type { ParameterList } from '../../../model/parameter-layout.ts';
import { growsPositions } from '../../../model/positions.ts';
import { phraseIds } from '../../../text/tokenizers/phrase-ids.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import { minPhraseBeams, PhraseDecoder, type PhraseDemand } from './phrase-decoder.ts';
import { maxPhrases } from './phrase-search.ts';

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

/** Mode of the step graph for a beam search under phrases: token rules apply, and the batch does not shrink. */
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
export interface Bound {
  readonly text: string;
  readonly ids: readonly number[];
  /** Phrases of the call as texts, in the order of the translation as far as it is known. */
  readonly terms: readonly string[];
  readonly demand: PhraseDemand;
  /** Phrases with a place. */
  readonly placed: readonly PlacedPhrase[];
}

/** The ids of phrases. */
export const idsOf = (target: Tokenizer, terms: readonly string[]): number[][] =>
  terms.map((term) => phraseIds(target, term)).filter((phrase) => phrase.length > 0);

/** Translates sources that all have phrases, placeholders or a term with a place. */
export async function decodeBound(
  { engine, config, parameters, target, shape, settings, mode: plain, upload }: RuledDecoding,
  sources: readonly Bound[],
): Promise<Translation[][]> {
  if (sources.length === 0) return [];
  const most = Math.min(
    maxPhrases,
    Math.max(...sources.map(({ demand: { phrases, place } }) => phrases.length + (place ? 1 : 0))),
  );
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
