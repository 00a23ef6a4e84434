// Texts as input of a translator: their token ids, which of them are too long, and the batch shape for them.

import { check, HeddleError } from '../core/errors.ts';
import { type Message, msg, option } from '../core/message.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { growsPositions } from '../model/positions.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { LongText, TextOptions } from './text-options.ts';

/** The message about a text that is too long; `number` counts texts from 1. */
export const describeLong = (
  number: number,
  { tokens, limit }: Pick<LongText, 'tokens' | 'limit'>,
): Message =>
  msg`text ${number} has ${tokens} tokens, its end included; the maximum length is ${limit}; split it`;

/** Shape of a translator's batches: number of sentences, and maximum numbers of source and target tokens. */
export interface TranslatorShape {
  readonly batch: number;
  readonly maxSource: number;
  readonly maxTarget: number;
}

/** Encoded texts. */
export interface SourceTexts {
  /** Token ids of each text, with the end token. */
  readonly encoded: readonly number[][];
  /** Indices of the texts to decode: neither empty nor too long. */
  readonly full: readonly number[];
  /** The texts that are skipped because they are too long. */
  readonly long: readonly LongText[];
}

/** Lets the event loop run between parts of long work, so that an abort arrives; then throws the signal's reason. */
export async function nextTurn(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  signal?.throwIfAborted();
}

/**
 * Encodes texts. `limit`: maximum number of tokens; `numberOf`: number of a text in messages. Throws a
 * HeddleError for a text that is too long if `longTexts` is `error`, and the signal's reason if it is aborted.
 */
export async function encodeTexts(
  texts: readonly string[],
  source: Tokenizer,
  limit: number,
  { longTexts = 'error', signal }: Pick<TextOptions, 'longTexts' | 'signal'> = {},
  numberOf = (index: number): number => index + 1,
): Promise<SourceTexts> {
  const full: number[] = [];
  const long: LongText[] = [];
  const encoded: number[][] = [];
  for (const [index, text] of texts.entries()) {
    if (index % 1000 > 998) await nextTurn(signal); // 1000 texts take some milliseconds
    check(typeof text === 'string', msg`text ${index + 1} is not a string`, { area: 'translate' });
    const ids = [...source.encode(text), source.special.end];
    const tokens = ids.length;
    if (tokens > limit && longTexts === 'error')
      throw new HeddleError(
        msg`${describeLong(numberOf(index), { tokens, limit })}: "${text.slice(0, 60)}"`,
        { area: 'translate' },
      );
    if (tokens > limit && longTexts === 'crop') ids.splice(limit - 1, tokens - limit);
    if (ids.length > limit) long.push({ index, tokens, limit });
    else if (ids.length > 1) full.push(index);
    encoded.push(ids);
  }
  return { encoded, full, long };
}

/** Maximum number of tokens of a text; infinite if the positions of the model have no end. */
const sourceLimit = (c: ModelConfig): number => (growsPositions(c) ? Number.POSITIVE_INFINITY : c.maxLength);

/** The maximum length of the texts of a call. Throws a HeddleError if the model has fewer positions. */
export function lengthLimit({ maxLength }: TextOptions, c: ModelConfig, most = sourceLimit(c)): number {
  if (maxLength === undefined) return most;
  check(
    maxLength <= sourceLimit(c),
    msg`${option('maxLength')} (${maxLength}) is above the ${c.maxLength} positions of the model; lower it`,
    { area: 'translate' },
  );
  return Math.min(maxLength, most);
}

/** Maximum bytes of the KV cache of one decoder layer; larger batches are split. */
const maxCacheBytes = 128 * 2 ** 20;

/**
 * Plans for at most `fewTexts` texts have room for at least `commonLength` source tokens, so that shorter
 * sentences that come one after another share a plan.
 */
const [fewTexts, commonLength] = [4, 64];

/**
 * The batch shape for encoded texts. `fitting`: number of sentences whose keys and values fit in memory. Throws
 * a HeddleError for an invalid batch size.
 */
export function shapeFor(
  { encoded, full }: SourceTexts,
  { batchSize = 32, beams = 1, numReturn = 1, maxNewTokens, onPiece }: TextOptions,
  c: ModelConfig,
): TranslatorShape & { readonly fitting: number } {
  const longest = full.reduce((n, i) => Math.max(n, (encoded[i] as number[]).length), 1);
  // A longer source may have a longer translation.
  const most = growsPositions(c) ? Math.max(c.maxLength, maxNewTokens ?? paddedLength(longest)) : c.maxLength;
  const maxTarget = Math.min(most, Math.max(1, maxNewTokens ?? most));
  const rowBytes = 8 * c.decoderHeads * c.decoderHeadWidth * maxTarget * Math.max(beams, numReturn);
  const fitting = Math.max(1, Math.floor(maxCacheBytes / rowBytes));
  const batch = Math.min(batchSize, powerOfTwo(full.length), fitting);
  const minSource = batch <= fewTexts ? commonLength : 1;
  const maxSource = Math.min(sourceLimit(c), Math.max(minSource, paddedLength(longest)));
  return { fitting, batch: onPiece ? 1 : batch, maxSource, maxTarget };
}

/** Throws a HeddleError for an invalid batch size. */
export const checkBatchSize = ({ batchSize = 32 }: TextOptions): void =>
  check(
    Number.isSafeInteger(batchSize) && batchSize > 0,
    msg`${option('batchSize')} is ${batchSize}, it must be a whole number of at least 1`,
  );

const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));

/** A length rounded up to a multiple of 8, or of 32 above 64: few shapes, little padding. */
const paddedLength = (n: number): number => (n <= 64 ? Math.ceil(n / 8) * 8 : Math.ceil(n / 32) * 32);

/**
 * Whether plans of a shape can be used for a smaller one, of at most `fitting` sentences. They may be a little
 * larger, so that successive texts share plans; `exact`: with as many sentences, since an engine on the CPU computes
 * empty rows too.
 */
export const isReusable = (
  existing: TranslatorShape,
  shape: TranslatorShape,
  fitting: number,
  exact = false,
): boolean =>
  (!exact || (existing.batch === shape.batch && existing.maxSource <= shape.maxSource + 16)) &&
  existing.batch >= shape.batch &&
  existing.batch <= Math.min(4 * shape.batch, fitting) &&
  existing.maxTarget === shape.maxTarget &&
  existing.maxSource >= shape.maxSource &&
  existing.maxSource <= 2 * shape.maxSource;
