// The tokens of a window of speech as segments of text with times, and measures of their quality.

import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import { firstStampOf, type SpeechFacts, stampSeconds } from './speech-facts.ts';

/** A piece of speech with its times. */
export interface SpeechSegment {
  /** Start in seconds from the start of the recording. */
  readonly start: number;
  /** End in seconds from the start of the recording. */
  readonly end: number;
  /** What is said. */
  readonly text: string;
  /** Token ids, time stamps included. */
  readonly ids: readonly number[];
  /** Temperature at which it was decoded; 0: greedy or beam search. */
  readonly temperature: number;
  /** Mean log-probability of a token in the window. */
  readonly avgLogProb: number;
  /** Bytes of the text of the window over those when compressed; high for repetitions. */
  readonly compressionRatio: number;
  /** Probability that there is no speech in the window. */
  readonly noSpeechProb: number;
}

/** Ids of the text of a token list: without special tokens and stamps. */
export const textIds = (
  ids: readonly number[],
  { textEnd = Number.POSITIVE_INFINITY }: Pick<SpeechFacts, 'textEnd'>,
): number[] => ids.filter((id) => id < textEnd);

/** Bytes of a text over its bytes as zlib compresses them; 1 for an empty text. */
export async function compressionRatio(text: string): Promise<number> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === 0) return 1;
  const compressed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return bytes.length / (await new Response(compressed).arrayBuffer()).byteLength;
}

/** Segments of a window, and by how many seconds the next window starts later. */
export interface WindowSegments {
  readonly segments: readonly Pick<SpeechSegment, 'start' | 'end' | 'text' | 'ids'>[];
  readonly advance: number;
}

/**
 * Segments of the tokens of a window that starts at `offset` seconds and has `duration` seconds of speech. A pair of
 * stamps ends a segment and starts the next one. The next window starts at the last pair, since what follows may be
 * cut off; or after the whole window if it ended in a single stamp or has no pair (openai/whisper, transcribe.py).
 */
export function windowSegments(
  ids: readonly number[],
  speech: SpeechFacts,
  { target }: { readonly target: Tokenizer },
  { offset, duration }: { readonly offset: number; readonly duration: number },
): WindowSegments {
  const first = firstStampOf(speech) ?? Number.POSITIVE_INFINITY;
  const isStamp = (i: number) => (ids[i] ?? -1) >= first;
  const timeOf = (id: number | undefined) => Math.max(0, (id ?? first) - first) * stampSeconds;
  const segment = (part: readonly number[], start: number, end: number) => ({
    start: offset + start,
    end: offset + Math.max(start, end),
    ids: part,
    text: target.decode(textIds(part, speech)),
  });
  const pairs = ids.flatMap((_, i) => (i > 0 && isStamp(i - 1) && isStamp(i) ? [i] : []));
  const last = ids.length - 1;
  const endsInOne = last >= 0 && isStamp(last) && !isStamp(last - 1);
  if (pairs.length > 0) {
    const cuts = endsInOne ? [...pairs, ids.length] : pairs;
    const segments = cuts.map((cut, i) => {
      const part = ids.slice(cuts[i - 1] ?? 0, cut);
      return segment(part, timeOf(part[0]), timeOf(part.at(-1)));
    });
    const advance = endsInOne ? duration : timeOf(ids[(pairs.at(-1) as number) - 1]);
    return { segments, advance };
  }
  const stamps = ids.filter((_, i) => isStamp(i));
  const end = stamps.length > 0 && stamps.at(-1) !== first ? timeOf(stamps.at(-1)) : duration;
  return { segments: [segment(ids, 0, Math.min(end, duration))], advance: duration };
}
