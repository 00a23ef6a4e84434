// Learns from corrections: trains a LoRA adapter on the confirmed pairs, with pairs mixed in that the model
// knows, so that it does not forget. Loaded at its first use, since it is the code of training.

import { type Message, msg } from '../../../src/core/message.ts';
import { HeddleError, type Model, type Pair, train } from '../../../src/entries/heddle.ts';
import { loraLesson } from '../../common/lora-lesson.ts';
import type { LearnReport } from '../documents-protocol.ts';

/** What there is to learn. */
export interface Corrections {
  readonly confirmed: readonly Pair[];
  /** Pairs of the memory. */
  readonly memory: readonly Pair[];
  /** The model's own translations of other segments, for projects without a memory. */
  readonly own: readonly Pair[];
}

/** At most so many held-out pairs, and so many rehearsal pairs for each correction. */
const [maxHeldOut, rehearsalShare] = [60, 3];
/** Fewest confirmed segments. */
const minCorrections = 3;
const batchSize = 16;
/**
 * Measured with `npm run bench:codes -- MODEL --corrections PAIRS`: higher rates learn the corrections less well, and
 * other texts are forgotten.
 */
const [learningRate, epochs] = [3e-4, 6];

/** `count` of a list, spread evenly over it. */
const evenly = <T>(list: readonly T[], count: number): T[] =>
  list.filter((_, i) => Math.floor(((i + 1) * count) / list.length) > Math.floor((i * count) / list.length));

/** Which pairs are trained on, and which measure. */
export function splitCorrections({ confirmed, memory, own }: Corrections): {
  readonly corrections: readonly Pair[];
  readonly rehearsal: readonly Pair[];
  readonly heldOut: readonly Pair[];
  readonly isOfMemory: boolean;
} {
  // A memory has single spaces.
  const keyOf = ({ source }: Pair) => source.replace(/\s+/g, ' ').trim();
  const sources = new Set(confirmed.map(keyOf));
  const known = [...new Map(memory.map((pair) => [keyOf(pair), pair])).values()].filter(
    (pair) => !sources.has(keyOf(pair)),
  );
  const isOfMemory = known.length >= 20;
  const [from, share] = isOfMemory ? [known, 5] : [confirmed, 4];
  const heldOut = evenly(from, Math.min(maxHeldOut, Math.max(1, Math.floor(from.length / share))));
  const held = new Set(heldOut);
  const corrections = confirmed.filter((pair) => !held.has(pair));
  const others = [...known.filter((pair) => !held.has(pair)), ...own];
  return {
    corrections,
    rehearsal: evenly(others, Math.min(others.length, rehearsalShare * corrections.length)),
    heldOut,
    isOfMemory,
  };
}

/** Trains the adapter and stores it under a name. Throws a HeddleError if too little is confirmed. */
export async function learnCorrections(
  model: Model,
  given: Corrections,
  adapter: string,
  onStatus: (text: Message) => void,
): Promise<LearnReport> {
  const { length } = given.confirmed;
  if (length < minCorrections)
    throw new HeddleError(msg`Confirm at least ${minCorrections} segments first; ${length} are confirmed.`);
  const { corrections, rehearsal, heldOut, isOfMemory } = splitCorrections(given);
  const begin = performance.now();
  onStatus(msg`Measuring before…`);
  model.useLora(null);
  const before = await model.evaluate(heldOut);
  // A correction counts as often as all rehearsal pairs together count, at most three times.
  const repeats = Math.max(1, Math.min(3, Math.round(rehearsal.length / corrections.length)));
  const pairs = [...Array.from({ length: repeats }, () => corrections).flat(), ...rehearsal];
  const steps = Math.max(20, Math.min(200, Math.ceil((epochs * pairs.length) / batchSize)));
  const tuned = await train(pairs, {
    from: model,
    ...loraLesson(steps, onStatus),
    batchSize,
    learningRate,
    dev: heldOut,
  });
  try {
    onStatus(msg`Measuring after…`);
    const after = await tuned.evaluate(heldOut);
    await tuned.save(adapter, { format: 'lora', force: true });
    return {
      corrections: corrections.length,
      rehearsal: rehearsal.length,
      heldOut: heldOut.length,
      isOfMemory,
      before: before.bleu,
      after: after.bleu,
      seconds: (performance.now() - begin) / 1000,
    };
  } finally {
    tuned.dispose();
  }
}
