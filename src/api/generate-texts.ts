// Translates texts: encodes them, decodes them as a whole or sentence by sentence, computes attention, and
// replaces unknown words.

import { check, HeddleError } from '../core/errors.ts';
import type { Attention } from '../decode/alignment.ts';
import type { Translation, Translator } from '../decode/translator.ts';
import type { LanguageOptions } from '../formats/hf/languages.ts';
import type { Languages, SavedModel } from '../formats/shared/saved-model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { modelInLanguages } from '../session/open-model.ts';
import { tokenLabel } from '../text/tokenizers/tokenizer.ts';
import type { ModelEngine, TranslatorShape } from './model-engine.ts';
import type { GenerateOptions, Generation, ModelLanguages, TranslateOptions } from './model-types.ts';

/** Maximum bytes of the KV cache of one decoder layer; larger batches are split. */
const maxCacheBytes = 128 * 2 ** 20;

/** The maximum length of texts. Throws a HeddleError if the model has fewer positions. */
export function checkedMaxLength(maxLength: number, config: ModelConfig): number {
  check(
    maxLength <= config.maxLength,
    () =>
      `translate: maxLength (${maxLength}) is above the ${config.maxLength} positions of the model; ` +
      'lower or omit --max-length, and split long texts (--split-sentences)',
  );
  return maxLength;
}

/** The message about a text that is too long. */
export const describeLong = (number: number, tokens: number, limit: number): string =>
  `text ${number} has ${tokens} tokens, its end included; the maximum length is ${limit}; split it`;

/** The languages of a model, as in `Model.languages`. */
export const modelLanguages = ({ ids, source, target }: Languages): ModelLanguages => ({
  codes: [...ids.keys()],
  source,
  target,
});

/** Decoding options with the start token or the first token of the target language. */
export const decodingIn = <O extends LanguageOptions>(
  { sourceLang: _, targetLang, ...decode }: O,
  { config: own }: Pick<SavedModel, 'config'>,
  { config: { startId }, decode: { forcedBosTokenId } = {} }: SavedModel,
) => ({
  ...(startId !== own.startId && { decoderStartTokenId: startId }),
  ...(targetLang !== undefined && forcedBosTokenId !== undefined && { forcedBosTokenId }),
  ...decode,
});

/** Encoded texts, and the shape of a translator for them. */
export interface EncodedTexts {
  /** Token ids of each text, with the end token. */
  readonly encoded: readonly number[][];
  /** Indices of the texts to decode: neither empty nor too long. */
  readonly full: readonly number[];
  /** `fitting`: number of sentences whose keys and values fit in memory. */
  readonly shape: TranslatorShape & { readonly fitting: number };
}

/**
 * Encodes texts. `numberOf` is the number of a text in messages. Throws a HeddleError for an invalid option,
 * and for a text that is too long if `longTexts` is `error`.
 */
export function encodeTexts(
  texts: readonly string[],
  { config, source }: Pick<SavedModel, 'config' | 'source'>,
  {
    batchSize = 32,
    beams = 1,
    numReturn = 1,
    maxNewTokens,
    maxLength = config.maxLength,
    ...o
  }: TranslateOptions,
  numberOf: (index: number) => number = (index) => index + 1,
): EncodedTexts {
  check(
    Number.isSafeInteger(batchSize) && batchSize > 0,
    `batchSize is ${batchSize}, it must be a whole number of at least 1`,
  );
  check(
    texts.every((text) => typeof text === 'string'),
    `translate: text ${texts.findIndex((text) => typeof text !== 'string')} (from 0) is not a string; pass a string or an array of strings`,
  );
  const { longTexts = 'error' } = o;
  const limit = checkedMaxLength(maxLength, config);
  const encoded = texts.map((text) => [...source.encode(text), source.special.end]);
  const full: number[] = [];
  for (const [i, ids] of encoded.entries()) {
    if (ids.length > limit && longTexts === 'error')
      throw new HeddleError(
        `translate: ${describeLong(numberOf(i), ids.length, limit)}: "${texts[i]?.slice(0, 60)}"`,
      );
    if (ids.length > limit && longTexts === 'crop') ids.splice(limit - 1, ids.length - limit);
    if (ids.length > 1 && ids.length <= limit) full.push(i);
  }
  const longest = full.reduce((n, i) => Math.max(n, (encoded[i] as number[]).length), 1);
  const maxTarget = Math.min(config.maxLength, Math.max(1, maxNewTokens ?? config.maxLength));
  const rowBytes = 8 * config.decoderHeads * config.decoderHeadWidth * maxTarget * Math.max(beams, numReturn);
  const fitting = Math.max(1, Math.floor(maxCacheBytes / rowBytes));
  const batch = Math.min(batchSize, powerOfTwo(full.length), fitting);
  const minSource = batch <= fewTexts ? commonLength : 1;
  const maxSource = Math.min(config.maxLength, Math.max(minSource, paddedLength(longest)));
  const shape = { fitting, batch, maxSource, maxTarget };
  return { encoded, full, shape };
}

const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));

/**
 * Plans for at most `fewTexts` texts have room for at least `commonLength` source tokens, so that shorter
 * sentences that come one after another share a translator.
 */
const [fewTexts, commonLength] = [4, 64];

/** A length rounded up to a multiple of 8, or of 32 above 64: few shapes, little padding. */
const paddedLength = (n: number): number => (n <= 64 ? Math.ceil(n / 8) * 8 : Math.ceil(n / 32) * 32);

/** Translates texts, or their sentences. Called within `model.inTurn`. */
export async function generateTexts(
  saved: SavedModel,
  model: ModelEngine,
  texts: readonly string[],
  { splitSentences: splits = false, ...options }: GenerateOptions,
): Promise<Generation[][]> {
  if (!splits) return generateWhole(saved, model, texts, options);
  const { attention, onPiece, numReturn = 1 } = options;
  check(
    !attention && !onPiece && numReturn === 1,
    'splitSentences gives one translation per text; omit attention, onPiece and numReturn',
  );
  const { splitSentences } = await import('../text/sentences.ts');
  const parts = texts.map(splitSentences);
  const owners = parts.flatMap(({ sentences }, i) => sentences.map(() => i + 1));
  const sentences = parts.flatMap((part) => part.sentences);
  const generations = await generateWhole(saved, model, sentences, options, (i) => owners[i] as number);
  let at = 0;
  return parts.map(({ sentences: { length }, join }) => {
    const own = generations.slice(at, at + length);
    at += length;
    const best = own.flatMap(([first]) => (first ? [first] : []));
    if (best.length === 0) return [];
    const sum = (key: 'score' | 'logProb') => best.reduce((n, translation) => n + translation[key], 0);
    return [
      {
        text: join(own.map(([first]) => first?.text ?? '')),
        ids: best.flatMap(({ ids }) => ids),
        ...{ score: sum('score'), logProb: sum('logProb'), ended: best.every(({ ended }) => ended) },
      },
    ];
  });
}

async function generateWhole(
  saved: SavedModel,
  model: ModelEngine,
  texts: readonly string[],
  options: GenerateOptions,
  numberOf?: (index: number) => number,
): Promise<Generation[][]> {
  const {
    attention = false,
    onPiece,
    batchSize,
    replaceUnknown: replaces,
    longTexts,
    maxLength,
    ...given
  } = options;
  const configured = await modelInLanguages(saved, given);
  const decode = decodingIn(given, saved, configured);
  const { full, encoded, shape } = encodeTexts(texts, configured, options, numberOf);
  const out: Generation[][] = texts.map(() => []);
  if (full.length === 0) return out;
  const translator = await model.translator(onPiece ? { ...shape, batch: 1 } : shape, decode);
  if (onPiece)
    for (const [place, i] of full.entries()) {
      const ids: number[] = [];
      let text = '';
      for await (const piece of translator.stream(encoded[i] as number[], decode, place)) {
        if (piece.id !== saved.config.endId) ids.push(piece.id);
        text += piece.text;
        onPiece(piece, i);
      }
      const ended = ids.length < (decode.maxNewTokens ?? shape.maxTarget);
      out[i] = [{ ids, text, score: Number.NaN, logProb: Number.NaN, ended }];
    }
  else {
    const generations = await translator.generate(
      full.map((i) => encoded[i] as number[]),
      decode,
    );
    for (const [k, i] of full.entries()) out[i] = generations[k] ?? [];
  }
  for (const i of attention ? full : []) {
    decode.signal?.throwIfAborted();
    const withAttention: Generation[] = [];
    for (const translation of out[i] as Generation[])
      withAttention.push({
        ...translation,
        attention: await attentionOf(configured, translator, encoded[i] as number[], translation),
      });
    out[i] = withAttention;
  }
  if (!replaces) return out;
  const { replaceUnknown } = await import('../decode/replace-unknown.ts');
  const { target } = saved;
  for (const i of full) {
    const replaced = (out[i] as Generation[]).map(async (generation): Promise<Generation> => {
      if (!generation.ids.includes(target.special.unknown)) return generation;
      decode.signal?.throwIfAborted();
      const alignment = await translator.align(
        encoded[i] as number[],
        generation.ids,
        configured.config.startId,
      );
      return {
        ...generation,
        text: replaceUnknown(configured.source, target, texts[i] as string, generation.ids, alignment),
      };
    });
    out[i] = await Promise.all(replaced);
  }
  return out;
}

async function attentionOf(
  { source, target, config: { startId } }: SavedModel,
  translator: Translator,
  text: readonly number[],
  { ids, ended }: Translation,
): Promise<Attention> {
  const all = await translator.align(text, ids, startId);
  const { layers, heads } = all;
  const [S, T] = [all.source.length, all.target.length];
  const length = ended ? T : Math.min(T, ids.length);
  const weights = new Float32Array(layers * heads * length * S);
  for (let n = 0; n < layers * heads; n++)
    weights.set(all.weights.subarray(n * T * S, (n * T + length) * S), n * length * S);
  return {
    source: all.source.map((id) => tokenLabel(source, id)),
    target: all.target.slice(0, length).map((id) => tokenLabel(target, id)),
    layers,
    heads,
    weights,
  };
}
