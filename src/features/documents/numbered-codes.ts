// The codes of a sentence as the placeholders that models see in training: numbered from 0 in the order of
// the sentence. For models whose vocabulary has them; decoding then places each exactly once.

import { placeholderAt, placeholderOf } from '../../text/placeholders.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import { validOf } from './aligned-codes.ts';
import { hasPlaceholders } from './decode/placeholder-rules.ts';
import { codesIn } from './inline/code-patterns.ts';
import { type InlineText, placeholdersIn } from './inline/inline-text.ts';

/** A sentence for the model. */
export interface NumberedText {
  readonly text: string;
  /** Those of its placeholders that keep their order. */
  readonly ordered: string;
  /** The placeholders of the sentence by those of the text. */
  readonly own: ReadonlyMap<string, string>;
}

/** The sentence with numbered placeholders; undefined if a vocabulary lacks one. */
export function numberedText(
  { text, codes }: InlineText,
  { source, target }: { readonly source: Tokenizer; readonly target: Tokenizer },
): NumberedText | undefined {
  const numbers = new Map<number, number>();
  const own = new Map<string, string>();
  let ordered = '';
  const numbered = Array.from(text, (c) => {
    const code = placeholderAt(c);
    if (!code || !codes.has(c)) return c;
    const number = numbers.get(code.index) ?? numbers.size;
    numbers.set(code.index, number);
    const placeholder = placeholderOf(code.kind, number);
    own.set(placeholder, c);
    if (codes.get(c)?.isOrdered) ordered += placeholder;
    return placeholder;
  }).join('');
  const isKnown = hasPlaceholders(source, own.keys()) && hasPlaceholders(target, own.keys());
  return isKnown ? { text: numbered, ordered, own } : undefined;
}

/** A translation with the placeholders of the sentence; undefined if it does not keep them. */
export function fromNumbered(
  sentence: InlineText,
  { own }: NumberedText,
  translation: string,
): string | undefined {
  const text = translation.replace(/[\ue000-\uf7ff]/g, (c) => own.get(c) ?? '');
  return validOf(sentence, [text, withoutInvented(sentence, text)]);
}

/** A text without codes that the model has written out, and the characters that they are made of. */
function withoutInvented({ pattern }: InlineText, text: string): string {
  const isOurs = (raw: string) => placeholdersIn(raw).length > 0;
  return codesIn(text, pattern)
    .reduceRight(
      (out, { start, raw }) => (isOurs(raw) ? out : out.slice(0, start) + out.slice(start + raw.length)),
      text,
    )
    .replace(/[%<>{}&$#@~]/g, '');
}
