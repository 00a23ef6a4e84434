// A translation in pieces: the tokens of a decoding, each with the text that it adds.

import { HeddleError } from '../core/errors.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { DecodeSettings } from './decode-options.ts';
import type { DecodeBatch, Decoder } from './decoder.ts';
import type { Search } from './hypotheses.ts';
import type { StreamedToken, Translation } from './text-options.ts';

/**
 * Decodes a batch of one sentence into `search`; yields its tokens. `open` opens the decoder. Throws a HeddleError if
 * there is more than one row.
 */
export async function* streamTokens(
  { config: { endId }, target }: { readonly config: { readonly endId: number }; readonly target: Tokenizer },
  batch: DecodeBatch,
  settings: DecodeSettings,
  search: Search,
  open: () => Promise<Decoder>,
): AsyncGenerator<StreamedToken, void, void> {
  if (settings.rows > 1)
    throw new HeddleError(
      'beam search and several translations cannot be streamed; use greedy decoding or a sample',
      { area: 'stream' },
    );
  const decoder = await open();
  const newText = createTextStreamer(target);
  let seen = 0;
  for await (const _ of decoder.run(batch, settings, search)) {
    const ids = search.idsOf(0, 0);
    for (; seen < ids.length; seen++)
      yield { id: ids[seen] as number, text: newText(ids.slice(0, seen + 1)) };
  }
  const rest = newText(search.idsOf(0, 0), true);
  if (rest) yield { id: endId, text: rest };
}

/** The translation of streamed tokens, which also go to `onPiece`; its scores are unknown. */
export async function joinTokens(
  tokens: AsyncIterable<StreamedToken>,
  {
    endId,
    maxTokens,
    onPiece,
  }: {
    readonly endId: number;
    readonly maxTokens: number;
    readonly onPiece: (piece: StreamedToken) => void;
  },
): Promise<Translation> {
  const ids: number[] = [];
  let text = '';
  for await (const piece of tokens) {
    if (piece.id !== endId) ids.push(piece.id);
    text += piece.text;
    onPiece(piece);
  }
  return { ids, text, score: Number.NaN, logProb: Number.NaN, ended: ids.length < maxTokens };
}

/**
 * Returns a function that decodes growing lists of ids and returns the new text. Text that may still change
 * is held back: an incomplete UTF-8 character, or a token that changes the text before it. `all` flushes it.
 */
function createTextStreamer(target: Tokenizer): (ids: readonly number[], all?: boolean) => string {
  let streamed = '';
  return (ids, all = false) => {
    const text = all ? target.decode(ids) : target.decode(ids).replace(/\uFFFD+$/, '');
    if (!text.startsWith(streamed)) return '';
    const added = text.slice(streamed.length);
    streamed = text;
    return added;
  };
}
