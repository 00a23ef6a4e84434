// Rules for translations with placeholders: each of the source occurs exactly once, pairs are nested, and
// some keep their order. The vocabulary of the model must have a token for each (augmentation
// `placeholders`).

import { HeddleError } from '../../../core/errors.ts';
import { placeholderAt, placeholderOf } from '../../../text/placeholders.ts';
import { ownToken } from '../../../text/tokenizers/phrase-ids.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import { isNested, placeholdersIn } from '../inline/inline-text.ts';

/** Placeholders of a kind that are looked up in a vocabulary. */
const maxLookedUp = 64;

const vocabularies = new WeakMap<Tokenizer, ReadonlyMap<number, string>>();

/** The placeholders of a vocabulary by their tokens. */
function placeholderTokens(tokenizer: Tokenizer): ReadonlyMap<number, string> {
  const known = vocabularies.get(tokenizer);
  if (known) return known;
  const tokens = new Map<number, string>();
  for (const kind of ['single', 'open', 'close'] as const)
    for (let i = 0; i < maxLookedUp; i++) {
      const placeholder = placeholderOf(kind, i);
      const id = ownToken(tokenizer, placeholder);
      if (id !== undefined) tokens.set(id, placeholder);
    }
  vocabularies.set(tokenizer, tokens);
  return tokens;
}

/** Whether a vocabulary has tokens for placeholders. */
export function hasPlaceholders(tokenizer: Tokenizer, placeholders: Iterable<string>): boolean {
  const known = new Set(placeholderTokens(tokenizer).values());
  return [...placeholders].every((placeholder) => known.has(placeholder));
}

/** The rules for the translation of a text. */
export class PlaceholderRules {
  /** Tokens of the placeholders of the text. */
  readonly tokens: readonly number[];
  readonly #known: ReadonlyMap<number, string>;
  readonly #own: ReadonlySet<string>;
  readonly #ordered: readonly string[];
  readonly #isNested: boolean;

  /**
   * `ordered`: placeholders that keep their order. Throws a HeddleError if the vocabulary lacks one of the
   * text, or if one occurs twice.
   */
  constructor(target: Tokenizer, text: string, ordered: string) {
    const own = placeholdersIn(text);
    this.#known = placeholderTokens(target);
    this.#own = new Set(own);
    this.#ordered = own.filter((c) => ordered.includes(c));
    this.#isNested = isNested(own);
    if (this.#own.size !== own.length)
      throw new HeddleError('a placeholder occurs twice in a text; number them', { area: 'placeholders' });
    if (!hasPlaceholders(target, own))
      throw new HeddleError(
        'the vocabulary of the model does not have those of the texts; train with augment: placeholders',
        { area: 'placeholders' },
      );
    this.tokens = [...this.#known].flatMap(([id, placeholder]) => (this.#own.has(placeholder) ? [id] : []));
  }

  /** Whether a token may follow some tokens. */
  allows(ids: readonly number[], token: number): boolean {
    const next = this.#known.get(token);
    if (next === undefined) return true;
    if (!this.#own.has(next)) return false;
    const seen = ids.flatMap((id) => this.#known.get(id) ?? []);
    if (seen.includes(next)) return false;
    const place = this.#ordered.indexOf(next);
    if (place > 0 && !seen.includes(this.#ordered[place - 1] as string)) return false;
    const { kind, index } = placeholderAt(next) ?? { kind: 'single', index: 0 };
    const partner = placeholderOf('open', index);
    if (kind !== 'close' || !this.#own.has(partner)) return true;
    return this.#isNested ? this.#openIn(seen) === partner : seen.includes(partner);
  }

  /** The pair that was opened last and is open. */
  #openIn(seen: readonly string[]): string | undefined {
    return seen.findLast((c) => {
      const { kind, index } = placeholderAt(c) ?? { kind: 'single', index: 0 };
      const close = placeholderOf('close', index);
      return kind === 'open' && this.#own.has(close) && !seen.includes(close);
    });
  }
}
