// The built-in corpus: translation pairs that the runtime itself makes from Unicode's CLDR through `Intl`, with no data file.
import { check } from '../../core/errors.ts';
import { keyOf, random } from '../../core/random.ts';
import { type Pair, pairKey } from '../corpus/pairs.ts';
import { type IntlKind, kinds, sharedFrames } from './kinds.ts';
import { createSpeaker } from './speaker.ts';

export type { IntlKind } from './kinds.ts';

/** A pair of the `intl` corpus, with the kind of phrase it is. */
export interface IntlPair extends Pair {
  readonly kind: IntlKind;
}

/** What to make: locales are BCP 47 tags that the runtime knows; equal options give equal pairs on one runtime. */
export interface IntlOptions {
  /** Number of distinct pairs. */
  readonly pairs: number;
  /** Locale of the source side, `en` unless given. */
  readonly source?: string;
  /** Locale of the target side, `es` unless given. */
  readonly target?: string;
  /** Seed of the draws, 1 unless given. */
  readonly seed?: number;
  /** The kinds to draw from, all unless given. */
  readonly kinds?: readonly IntlKind[];
}

/** Every kind of phrase that the corpus has. */
export const intlKinds = Object.keys(kinds) as IntlKind[];

/** So many draws in a row without a new phrase mean that the kinds have no more to say. */
const patience = 20_000;

/**
 * Makes `pairs` pairs whose source sides all differ (by `pairKey`), in random order. Draw i depends on the seed and on i alone, so
 * that a longer corpus begins with the shorter one, and a phrase that another ICU version words differently disturbs no other.
 * Throws a HeddleError for an unknown locale or kind, and where the kinds have fewer distinct phrases than asked for.
 */
export function intlCorpus(options: IntlOptions): IntlPair[] {
  const { pairs, seed = 1, kinds: chosen = intlKinds } = options;
  const source = createSpeaker(options.source ?? 'en');
  const target = createSpeaker(options.target ?? 'es');
  check(Number.isInteger(pairs) && pairs > 0, `intl: pairs is ${pairs}, it must be a whole number above 0`);
  check(chosen.length > 0, `intl: no kinds chosen; there are ${intlKinds.join(', ')}`);
  for (const kind of chosen)
    check(Object.hasOwn(kinds, kind), `intl: no kind '${kind}'; there are ${intlKinds.join(', ')}`);
  const frames = sharedFrames(source.locale, target.locale);
  const urn = chosen.flatMap((kind) => Array<IntlKind>(kinds[kind].weight).fill(kind));
  const out: IntlPair[] = [];
  const seen = new Set<string>();
  for (let draw = 0, last = 0; out.length < pairs; draw++) {
    check(
      draw - last < patience,
      () => `intl: ${chosen.join(', ')} give about ${out.length} distinct pairs, ${pairs} are asked for`,
    );
    const r = random(seed, keyOf('intl'), draw);
    const kind = r.pick(urn);
    const phrase = kinds[kind].draw(r, frames);
    const text = phrase(source);
    const key = pairKey(text);
    if (seen.has(key)) continue;
    seen.add(key);
    last = draw;
    out.push({ source: text, target: phrase(target), kind });
  }
  return out;
}
