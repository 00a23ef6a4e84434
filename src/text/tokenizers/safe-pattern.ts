// Regular expressions of files from elsewhere. JavaScript tries every way to match, so a pattern can take longer than anyone lives; risky
// ones are recognised by their form, and refused before they are run.

import { check } from '../../core/errors.ts';

/** Most characters of a pattern; those of published tokenizers have some hundred. */
const maxLength = 4000;

/** Most repetitions without an end in one alternative; those of published tokenizers have three. */
const maxOpen = 4;

/** A repeated group of heddle's own patterns (rules.ts), which each text matches in one way alone. */
const sound = "(?:['’][\\p{L}\\p{M}]+)*";

/**
 * Throws a HeddleError, with `where` in it, for a pattern whose time may grow faster than a small power of the text: a repeated group, or
 * many repetitions in a row.
 */
export function checkPattern(pattern: string, where: string): void {
  const named = () => `${where}: the pattern ${JSON.stringify(pattern.slice(0, 60))}`;
  check(
    pattern.length <= maxLength,
    () => `${named()} has ${pattern.length} characters, at most ${maxLength} are read`,
  );
  const bare = pattern
    .replaceAll(sound, 'x*')
    .replace(/\\(?:[pPu]\{[^}]*\}|.)/gsu, 'x') // escapes
    .replace(/\[[^\]]*\]/g, 'x'); // classes
  const group = /\)(?:[*+]|\{\d*,?\d*\})/.exec(bare);
  check(!group, () => `${named()} repeats a group, which can take for ever; write it without`);
  for (const alternative of alternatives(bare)) {
    const open = alternative.match(/[*+]|\{\d*,\d*\}/g)?.length ?? 0;
    check(
      open <= maxOpen,
      () => `${named()} repeats ${open} things in a row, which can take for ever; at most ${maxOpen} are read`,
    );
  }
}

/** The parts of a pattern between bars outside all groups. */
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

/** As `checkPattern`, of every `{ Regex: '...' }` in a parsed tokenizer.json that nests no deeper than a few levels. */
export function checkPatterns(json: unknown, where: string): void {
  if (typeof json !== 'object' || json === null) return;
  for (const [key, value] of Object.entries(json)) {
    if (key === 'Regex' && typeof value === 'string') checkPattern(value, where);
    else checkPatterns(value, where);
  }
}
