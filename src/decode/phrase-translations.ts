// Translations that must contain phrases: their token ids, and batches of texts with phrases.

import { Memo } from '../core/memo.ts';
import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { DecodeSettings } from './decode-options.ts';
import type { DecodeMode } from './decoding-graphs.ts';
import { minPhraseBeams, PhraseDecoder } from './phrase-decoder.ts';
import { phraseIds } from './phrase-ids.ts';
import { maxPhrases } from './phrase-search.ts';
import type { TranslatorShape } from './source-texts.ts';
import type { Translation } from './text-options.ts';

/** What decoding with phrases needs of a translator. */
export interface PhraseContext {
  readonly engine: Engine;
  readonly config: ModelConfig;
  readonly parameters: ParameterList;
  readonly target: Tokenizer;
  readonly shape: TranslatorShape;
  readonly settings: DecodeSettings;
  /** The mode of the step graph for these settings. */
  readonly mode: DecodeMode;
  upload(peak: number): void | Promise<void>;
}

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

/**
 * Translates sources in order: those with phrases by their own search, others with `plain`. Throws as `Translator.decode`.
 */
export async function decodeWithPhrases(
  context: PhraseContext,
  sources: readonly number[][],
  phrases: readonly (readonly string[])[],
  plain: (sources: readonly number[][]) => Promise<Translation[][]>,
): Promise<Translation[][]> {
  const out: Translation[][] = [];
  const all = [...sources.keys()];
  const free = all.filter((i) => phrases[i]?.length === 0);
  const bound = all.filter((i) => !free.includes(i));
  const pick = <T>(list: readonly T[], which: readonly number[]) => which.map((i) => list[i] as T);
  const put = (which: readonly number[], found: readonly Translation[][]) => {
    for (const [k, i] of which.entries()) out[i] = found[k] ?? [];
  };
  if (bound.length > 0) put(bound, await decodeBound(context, pick(sources, bound), pick(phrases, bound)));
  if (free.length > 0) put(free, await plain(pick(sources, free)));
  return out;
}

/** Translates sources that all have phrases. */
async function decodeBound(
  { engine, config, parameters, target, shape, settings, mode: plain, upload }: PhraseContext,
  sources: readonly ArrayLike<number>[],
  phrases: readonly (readonly string[])[],
): Promise<Translation[][]> {
  const ids = phrases.map((list) =>
    list.map((phrase) => phraseIds(target, phrase)).filter((p) => p.length > 0),
  );
  const most = Math.min(maxPhrases, Math.max(...ids.map((list) => list.length)));
  const { maxLength } = config;
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
    const found = await decoder.decode(sources.slice(at, at + batch), ids.slice(at, at + batch), settings);
    for (const [k, list] of found.entries())
      out.push(list.map((h) => ({ ...h, text: textOf(target, h.ids, phrases[at + k] ?? []) })));
    settings.onProgress?.(Math.min(sources.length, at + batch), sources.length);
  }
  return out;
}
