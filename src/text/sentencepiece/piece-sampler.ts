// Subword regularization: random segmentations of a text. Unigram models sample from all segmentations (Kudo, 2018,
// forward filtering and backward sampling); byte-pair encoding skips merges at random (BPE-dropout, Provilkov et
// al., 2020).

import { check } from '../../core/errors.ts';
import { logAdd } from '../../core/log-math.ts';
import { msg, option } from '../../core/message.ts';
import type { Random } from '../../core/random.ts';
import { pairOf } from '../tokenizers/bpe-merges.ts';
import { splitWord } from '../tokenizers/normalization.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { encodeUtf8 } from './byte-strings.ts';
import { openSentencePiece } from './processor.ts';
import { byteOfPiece } from './sentencepiece-model.ts';

/** Options of sampling. */
export interface SamplingOptions {
  /** Unigram: exponent of the probabilities, above 0; small values are more random. */
  readonly samplingAlpha?: number;
  /** BPE: probability to skip a merge. */
  readonly bpeDropout?: number;
}

/** Encodes a text by a random segmentation. */
export type PieceSampler = (text: string, random: Random) => number[];

/**
 * A sampler for a tokenizer; undefined if no option is set. Throws a HeddleError if the tokenizer is not of the kind
 * of the option.
 */
export function createPieceSampler(
  tokenizer: Tokenizer,
  { samplingAlpha = 0, bpeDropout = 0 }: SamplingOptions,
): PieceSampler | undefined {
  if (samplingAlpha > 0) {
    const { modelFile } = tokenizer;
    check(
      modelFile !== undefined,
      msg`${option('samplingAlpha')} needs a SentencePiece model of the kind unigram; this tokenizer has no SentencePiece model, only its tokens`,
      { area: 'train' },
    );
    return unigramSampler(modelFile, samplingAlpha);
  }
  if (bpeDropout === 0) return undefined;
  check(tokenizer.kind === 'bpe', msg`${option('bpeDropout')} needs a tokenizer of the kind bpe`, {
    area: 'train',
  });
  return bpeSampler(tokenizer, bpeDropout);
}

function unigramSampler(file: Uint8Array, alpha: number): PieceSampler {
  const { model, normalize } = openSentencePiece(file);
  const { pieces, special, byteFallback, algorithm } = model;
  check(
    algorithm === 'unigram',
    msg`${option('samplingAlpha')} needs a SentencePiece model of the kind unigram, not ${algorithm}`,
    {
      area: 'train',
    },
  );
  const scoreOf = new Map<string, { readonly id: number; readonly log: number }>();
  const symbols = new Set<string>();
  const bytes: number[] = [];
  let [longest, min] = [1, 0];
  for (const [id, { text, score, type }] of pieces.entries()) {
    if (type === 'byte') bytes[byteOfPiece(text)] = id;
    if (type === 'user-defined') symbols.add(text);
    if (type !== 'normal' && type !== 'user-defined') continue;
    scoreOf.set(text, { id, log: alpha * score });
    longest = Math.max(longest, Array.from(text).length);
    min = Math.min(min, score);
  }
  // As in encoding, an unknown character is worse than any piece.
  const unknown = { id: special.unknown, log: alpha * (min - 10) };
  return (text, random) => {
    const characters = Array.from(normalize(text));
    const n = characters.length;
    const forward = new Float64Array(n + 1).fill(Number.NEGATIVE_INFINITY);
    forward[0] = 0;
    const ends: { from: number; id: number; log: number }[][] = Array.from({ length: n + 1 }, () => []);
    for (let from = 0; from < n; from++) {
      if (forward[from] === Number.NEGATIVE_INFINITY) continue;
      let found: { to: number; id: number; log: number }[] = [];
      let part = '';
      for (let to = from + 1; to <= Math.min(n, from + longest); to++) {
        part += characters[to - 1];
        const piece = scoreOf.get(part);
        if (!piece) continue;
        // A symbol is always one piece.
        if (symbols.has(part)) found = [{ to, ...piece }];
        else found.push({ to, ...piece });
      }
      if (
        !found.some(({ to }) => to === from + 1) &&
        !found.some(({ id }) => symbols.has(pieces[id]?.text ?? ''))
      )
        found.push({ to: from + 1, ...unknown });
      for (const { to, id, log } of found) {
        const sum = (forward[from] as number) + log;
        ends[to]?.push({ from, id, log: sum });
        const before = forward[to] as number;
        forward[to] = logAdd(before, sum);
      }
    }
    const out: number[] = [];
    for (let at = n; at > 0; ) {
      const edges = ends[at] ?? [];
      let left = random.uniform();
      let chosen = edges[edges.length - 1] as (typeof edges)[number];
      for (const edge of edges) {
        left -= Math.exp(edge.log - (forward[at] as number));
        if (left >= 0) continue;
        chosen = edge;
        break;
      }
      if (chosen.id === special.unknown && byteFallback) {
        const utf8 = encodeUtf8(characters.slice(chosen.from, at).join(''));
        for (const byte of [...utf8].reverse()) out.push(bytes[byte] as number);
      } else out.push(chosen.id);
      at = chosen.from;
    }
    return out.reverse();
  };
}

function bpeSampler(tokenizer: Tokenizer, dropout: number): PieceSampler {
  const { model } = tokenizer.toJSON() as unknown as {
    model: { vocab: Record<string, number>; merges: readonly (readonly [string, string])[] };
  };
  const idOf = new Map(Object.entries(model.vocab));
  const { special } = tokenizer;
  const silent = new Set([special.pad, special.start, special.end]);
  const need = (token: string) => idOf.get(token) ?? special.unknown;
  const table = new Map(
    model.merges.map(([a, b], rank) => [pairOf(need(a), need(b)), { rank, id: need(a + b) }]),
  );
  const textId = (text: string) => (silent.has(need(text)) ? special.unknown : need(text));
  return (text, random) => {
    const normal = tokenizer.normalize(text);
    if (normal === '') return [];
    return normal.split(' ').flatMap((word) =>
      splitWord(word).flatMap((piece) => {
        const ids = Array.from(piece, textId);
        for (;;) {
          let [best, rank, merged] = [-1, Number.POSITIVE_INFINITY, 0];
          for (let i = 0; i + 1 < ids.length; i++) {
            const merge = table.get(pairOf(ids[i] as number, ids[i + 1] as number));
            // Each merge of each step is skipped at random.
            if (!merge || merge.rank >= rank || random.uniform() < dropout) continue;
            [best, rank, merged] = [i, merge.rank, merge.id];
          }
          if (best < 0) return ids;
          ids.splice(best, 2, merged);
        }
      }),
    );
  };
}
