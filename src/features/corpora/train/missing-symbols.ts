// Whether the vocabularies of a run have the tokens that its augmentations write.

import { listed, type Message, msg, option } from '../../../core/message.ts';
import { ownToken } from '../../../text/tokenizers/phrase-ids.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import {
  type AugmentationName,
  type AugmentRates,
  augmentationRows,
  augmentSymbols,
} from '../augment/augment-rates.ts';

/** Number of texts that a message names. */
const named = 3;

/** For each augmentation whose symbols lack tokens of their own, what that means. */
export function missingSymbols(
  rates: AugmentRates,
  { source, target }: { readonly source: Tokenizer; readonly target: Tokenizer },
): Message[] {
  return (Object.keys(augmentationRows) as AugmentationName[]).flatMap((name) => {
    const symbols = augmentSymbols({ [name]: rates[name] });
    // Marks of terms are in the source only.
    const sides = name === 'terms' ? [source] : [source, target];
    const missing = symbols.filter((symbol) => sides.some((side) => ownToken(side, symbol) === undefined));
    if (missing.length === 0) return [];
    const shown = missing.slice(0, named).map(printable);
    if (missing.length > named) shown.push('...');
    return [
      msg`${option('augment')} ${name}: the vocabulary has no token for ${missing.length} of its ${symbols.length} symbols (${listed(shown)}), so documents are translated without them; train a new model with ${option('tokenizer')} unigram and ${option('augment')} ${name}, which adds them`,
    ];
  });
}

/** A symbol as text; those of Unicode's private use area by their number. */
const printable = (symbol: string): string =>
  symbol.replace(/[\ue000-\uf8ff]/g, (c) => `U+${c.charCodeAt(0).toString(16).toUpperCase()}`);
