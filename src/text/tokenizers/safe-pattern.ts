// Protection against catastrophic backtracking (ReDoS): regular expressions of downloaded tokenizers are
// checked before they run.

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';

/** Maximum length of a pattern; those of published tokenizers have a few hundred characters. */
const maxLength = 4000;

/**
 * Maximum number of repetitions of variable length (`*`, `+`, `{m,n}`) in one alternative; published
 * tokenizers have three.
 */
const maxOpen = 4;

/** A repeated group in heddle's own patterns (normalization.ts), which matches in only one way. */
const safeGroup = "(?:['’][\\p{L}\\p{M}]+)*";

/**
 * Throws a HeddleError that starts with `where` if matching may take exponential time: a repeated group, or
 * many repetitions in a row.
 */
export function checkPattern(pattern: string, where: string): void {
  const named = () => `${where}: the pattern ${JSON.stringify(pattern.slice(0, 60))}`;
  check(
    pattern.length <= maxLength,
    () => msg`${named()} has ${pattern.length} characters, the maximum is ${maxLength}`,
  );
  const bare = pattern
    .replaceAll(safeGroup, 'x*')
    .replace(/\\(?:[pPu]\{[^}]*\}|.)/gsu, 'x') // escapes
    .replace(/\[[^\]]*\]/g, 'x'); // classes
  const group = /\)(?:[*+]|\{\d*,?\d*\})/.exec(bare);
  check(!group, () => msg`${named()} repeats a group, which can take exponential time`);
  for (const alternative of alternatives(bare)) {
    const open = alternative.match(/[*+]|\{\d*,\d*\}/g)?.length ?? 0;
    check(
      open <= maxOpen,
      () => msg`${named()} has ${open} unbounded repetitions in a row, the maximum is ${maxOpen}`,
    );
  }
}

/** The top-level alternatives of a pattern. */
function alternatives(bare: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of bare) {
    if (character === '(') depth++;
    if (character === ')') depth--;
    if (character === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** Checks every `{ Regex: '...' }` of a parsed tokenizer.json; see `checkPattern`. */
export function checkPatterns(json: unknown, where: string): void {
  if (typeof json !== 'object' || json === null) return;
  for (const [key, value] of Object.entries(json)) {
    if (key === 'Regex' && typeof value === 'string') checkPattern(value, where);
    else checkPatterns(value, where);
  }
}
