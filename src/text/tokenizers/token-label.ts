// A token as a reader knows it.
import type { Tokenizer } from './tokenizer.ts';

/** The text of an id, without spaces around it; its name in the vocabulary where it stands for none. */
export function tokenLabel(tokenizer: Tokenizer, id: number): string {
  const { special } = tokenizer;
  const isSpecial = [special.pad, special.start, special.end, special.unknown].includes(id);
  const text = isSpecial ? '' : tokenizer.decode([id]);
  return text.trim() || tokenizer.token(id);
}
