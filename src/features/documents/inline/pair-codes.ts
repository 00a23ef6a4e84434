// The codes of a pair as placeholders, for models that learn to copy them: those of inline elements, and
// those that are text (tags, entities, URLs, placeholders of programs).

import { maxCodes, placeholderAt, placeholderOf } from '../../../text/placeholders.ts';
import { anyCodes, type CodePattern } from './code-patterns.ts';
import { inlineText, placeholdersIn } from './inline-text.ts';

/**
 * The pair with a placeholder for each code, numbered in the order of the source; undefined if its sides do
 * not have the same codes, since such a pair would teach a model to lose or invent them.
 */
export function pairWithPlaceholders(
  { source, target }: { readonly source: string; readonly target: string },
  pattern: CodePattern = anyCodes,
): { readonly source: string; readonly target: string } | undefined {
  const [from, to] = [inlineText(source, pattern), inlineText(target, pattern)];
  /** Placeholders of the source by what they stand for, in order. */
  const waiting = new Map<string, string[]>();
  const numbers = new Map<number, number>();
  const renumbered = Array.from(from.text, (c) => {
    const own = placeholderAt(c);
    if (!own) return c;
    const number = numbers.get(own.index) ?? numbers.size;
    numbers.set(own.index, number);
    const code = placeholderOf(own.kind, Math.min(number, maxCodes - 1));
    const key = keyOf(from, c, own.kind);
    waiting.set(key, [...(waiting.get(key) ?? []), code]);
    return code;
  }).join('');
  let isSame = placeholdersIn(from.text).length === placeholdersIn(to.text).length;
  const text = Array.from(to.text, (c) => {
    const own = placeholderAt(c);
    if (!own) return c;
    const code = waiting.get(keyOf(to, c, own.kind))?.shift();
    isSame &&= code !== undefined;
    return code ?? '';
  }).join('');
  return isSame ? { source: renumbered, target: text } : undefined;
}

/** What a placeholder stands for: its text, or itself if it is an element. */
const keyOf = ({ codes }: ReturnType<typeof inlineText>, placeholder: string, kind: string): string =>
  `${kind} ${codes.get(placeholder)?.raw ?? placeholder}`;
