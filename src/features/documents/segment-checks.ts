// Checks of a translated segment, as CAT tools have them. They warn; codes are also enforced (inline-text.ts).

import { privateUse } from '../../text/placeholders.ts';
import { type InlineText, keepsCodes, renderText } from './inline/inline-text.ts';

/** A term that a translation must have. */
export interface WantedTerm {
  readonly source: string;
  readonly target: string;
}

/** The checks by name: each returns what is wrong, or nothing. */
const checks = {
  tags: (source, target) =>
    keepsCodes(source, target) ? undefined : 'codes differ from those of the source',
  numbers(source, target) {
    const [a, b] = [numbersIn(source.text), numbersIn(target)];
    const missing = a.filter((number) => !b.includes(number));
    const added = b.filter((number) => !a.includes(number));
    const parts = [
      missing.length > 0 ? `missing ${missing.join(', ')}` : '',
      added.length > 0 ? `added ${added.join(', ')}` : '',
    ].filter(Boolean);
    return parts.length > 0 ? parts.join('; ') : undefined;
  },
  terms(_, target, terms) {
    const missing = terms.filter((term) => !hasTerm(target, term.target));
    return missing.length > 0
      ? missing.map((term) => `${term.source} → ${term.target} is not used`).join('; ')
      : undefined;
  },
  length(source, target) {
    const [a, b] = [source.text, target].map((text) => text.replace(privateUse, '').trim().length) as [
      number,
      number,
    ];
    const isOdd = Math.max(a, b) > 20 && (b > 3 * a || a > 3 * b);
    return isOdd ? `${b} characters for ${a}` : undefined;
  },
  spaces: (source, target) =>
    / {2}/.test(target) && !/ {2}/.test(source.text) ? 'double spaces' : undefined,
  empty: (source, target) => (target.trim() === '' && source.text.trim() !== '' ? 'empty' : undefined),
  same: (source, target) =>
    /\p{L}{3}.*\s.*\p{L}{3}/u.test(source.text) && source.text === target ? 'equals the source' : undefined,
} as const satisfies Readonly<
  Record<string, (source: InlineText, target: string, terms: readonly WantedTerm[]) => string | undefined>
>;

/** Name of a check. */
export type CheckName = keyof typeof checks;

/** A failed check of a translated segment. */
export interface CheckResult {
  /** Which check. */
  readonly check: CheckName;
  /** What is wrong, in English. */
  readonly problem: string;
}

/** Numbers of a text as digits, without separators. */
const numbersIn = (text: string): string[] =>
  (text.match(/\p{Nd}+(?:[.,'\u00a0\u202f\u066b\u066c]\p{Nd}+)*/gu) ?? []).map((number) =>
    Array.from(number, digitOf).join(''),
  );

/** The ASCII digit of a decimal digit of any script; empty for a separator. */
function digitOf(character: string): string {
  if (!/\p{Nd}/u.test(character)) return '';
  const code = character.codePointAt(0) ?? 0;
  // Digits of a script are ten characters in a row.
  let zero = code;
  while (
    zero > code - 9 &&
    /\p{Nd}/u.test(String.fromCodePoint(zero - 1)) &&
    zero % 16 !== 0 &&
    zero % 16 !== 6
  )
    zero--;
  return String((code - zero) % 10);
}

/** Whether a text has a term, without regard to case. */
export const hasTerm = (text: string, term: string): boolean =>
  text.replace(privateUse, '').toLowerCase().includes(term.toLowerCase());

/** The failed checks of a segment. */
export function checkSegment(
  source: InlineText,
  target: string,
  terms: readonly WantedTerm[] = [],
): CheckResult[] {
  return (Object.keys(checks) as CheckName[]).flatMap((check) => {
    const problem = checks[check](source, target, terms);
    return problem === undefined ? [] : [{ check, problem }];
  });
}

/** A segment as people read it: codes as the document writes them. */
export const shownText = (text: string, { codes }: InlineText): string =>
  renderText(text, codes).replace(/[\ue000-\uf7ff]/g, (c) => codes.get(c)?.raw ?? '');
