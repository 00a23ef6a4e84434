// What must hold for a translated segment, found out from the parts of its source and the text in the file alone.

import { hasWords, type Part } from './drawn-segments.ts';

const isCode = ({ kind }: Part): boolean => kind === 'single' || kind === 'open' || kind === 'close';
const isLetter = (c: string): boolean => /\p{L}|\p{M}/u.test(c);
const isLetterOrDigit = (c: string): boolean => /[\p{L}\p{M}\p{N}]/u.test(c);
const isSpace = (c: string): boolean => /\s/.test(c);

/** Splits a translation at the codes of its source; `read`: the text of what the file has. */
function partsOf(target: string, codes: readonly Part[], read: (written: string) => string): Part[] {
  const known = [...new Map(codes.map((code) => [code.written, code])).values()].sort(
    (a, b) => b.written.length - a.written.length,
  );
  const out: Part[] = [];
  let text = '';
  const flush = () => {
    for (const c of read(text))
      out.push({ kind: isSpace(c) ? 'space' : isLetter(c) ? 'word' : 'mark', text: c, written: c });
    text = '';
  };
  for (let at = 0; at < target.length; ) {
    const code = known.find(({ written }) => target.startsWith(written, at));
    if (code) {
      flush();
      out.push(code);
      at += code.written.length;
    } else text += target[at++];
  }
  flush();
  return out;
}

/** The character next to a code: codes of pairs have no width; '' at an end; '\0' is another code. */
function beside(parts: readonly Part[], index: number, step: -1 | 1): string {
  let i = index + step;
  // A pair around nothing has no inside.
  const [own, next] = [parts[index]?.kind, parts[i]?.kind];
  if (own === (step > 0 ? 'open' : 'close') && next === (step > 0 ? 'close' : 'open')) return '';
  while (parts[i]?.kind === 'open' || parts[i]?.kind === 'close') i += step;
  const part = parts[i];
  if (!part) return '';
  if (part.kind === 'single') return '\0';
  const characters = Array.from(part.text);
  return (step < 0 ? characters.at(-1) : characters[0]) ?? '';
}

/** Counts the codes of a text with a property of a side, by what the file has. */
function countSides(parts: readonly Part[], step: -1 | 1, has: (c: string) => boolean): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [i, part] of parts.entries())
    if (isCode(part) && has(beside(parts, i, step)))
      counts.set(part.written, (counts.get(part.written) ?? 0) + 1);
  return counts;
}

/** What is wrong with the translation of a segment, in words. */
export function problemsOf(
  source: readonly Part[],
  target: string,
  { read, isOrderKept = false }: { read(written: string): string; readonly isOrderKept?: boolean },
): string[] {
  const problems: string[] = [];
  if (target.trim() === '') return hasWords(source) ? ['empty, though the source has words'] : [];
  const codes = source.filter(isCode);
  const parts = partsOf(target, codes, read);
  const found = parts.filter(isCode);
  const sorted = (list: readonly Part[]) => list.map(({ written }) => written).sort();
  if (sorted(codes).join('\n') !== sorted(found).join('\n'))
    problems.push(`codes ${sorted(found).join(' ')} instead of ${sorted(codes).join(' ')}`);
  if (hasWords(source) && !parts.some(({ text }) => /[\p{L}\p{N}]/u.test(text))) problems.push('no word');
  const ends = (text: string) => [/^\s*/, /\s*$/].map((end) => end.exec(text)?.[0]).join('|');
  if (ends(target) !== ends(source.map(({ written }) => written).join('')))
    problems.push('white space at an end');
  if (isOrderKept) {
    if (parts.some((part) => !isCode(part) && part.text.includes('%')))
      problems.push('a % that is no directive');
    const inOrder = (list: readonly Part[]) =>
      list
        .filter((part) => part.isOrdered)
        .map(({ written }) => written)
        .join(' ');
    if (inOrder(codes) !== inOrder(found)) problems.push('order of the codes');
  }
  if (found.some(({ kind }) => kind !== 'single')) {
    const open: Part[] = [];
    for (const part of found) {
      if (part.kind === 'open') open.push(part);
      if (part.kind !== 'close') continue;
      const last = open.pop();
      const pairs = codes.filter(({ kind, written }) => kind === 'open' && written === last?.written);
      if (
        !pairs.some(({ pair }) =>
          codes.some((c) => c.kind === 'close' && c.pair === pair && c.written === part.written),
        )
      )
        problems.push(`${last?.written} … ${part.written} is no pair`);
    }
    if (open.length > 0) problems.push('a pair is not closed');
  }
  for (const step of [-1, 1] as const) {
    const side = step < 0 ? 'before' : 'behind';
    // A tag may be at a number instead of a letter.
    const isPair = (code: string) => codes.some(({ written, kind }) => written === code && kind !== 'single');
    // What touches a tag of another pair has no rule if a single code or a space is behind that.
    const isBehindTag = (written: string) =>
      source.some(
        (part, i) =>
          part.written === written &&
          part.kind !== 'single' &&
          /open|close/.test(source[i + step]?.kind ?? '') &&
          /[\s\0]/.test(beside(source, i, step)),
      );
    const got = countSides(parts, step, isLetter);
    const [letters, numbers] = [
      countSides(source, step, isLetter),
      countSides(source, step, isLetterOrDigit),
    ];
    for (const [code, count] of got)
      if (count > ((isPair(code) ? numbers : letters).get(code) ?? 0) && !isBehindTag(code))
        problems.push(`a letter ${side} ${code}`);
    // A code with a space at a side has one there, or an end, or a mark; another code does not touch it.
    const apart = countSides(source, step, (c) => c !== '\0');
    const free = countSides(parts, step, (c) => c !== '\0');
    for (const [code, count] of apart)
      if (count > (free.get(code) ?? 0) && codes.find(({ written }) => written === code)?.kind === 'single')
        problems.push(`a code ${side} ${code}`);
  }
  // Inside of a pair there is a space only where the source has one.
  for (const [kind, step] of [
    ['open', 1],
    ['close', -1],
  ] as const) {
    const spaces = (list: readonly Part[], written: string) =>
      list.filter(
        (part, i) => part.written === written && part.kind === kind && list[i + step]?.kind === 'space',
      );
    for (const { written } of codes.filter((code) => code.kind === kind))
      if (spaces(parts, written).length > spaces(source, written).length)
        problems.push(`a space inside of ${written}`);
  }
  // Brackets and quotes that touch a single code, and nothing else of the words, stay.
  for (const [i, part] of source.entries()) {
    if (part.kind !== 'single') continue;
    for (const [step, marks] of [
      [-1, /[([“«]/],
      [1, /[)\]”»]/],
    ] as const) {
      const [mark, outer] = [source[i + step], source[i + 2 * step]];
      if (mark?.kind !== 'mark' || !marks.test(mark.text) || (outer && outer.kind !== 'space')) continue;
      const isThere = parts.some(
        (p, k) => p.written === part.written && beside(parts, k, step) === mark.text,
      );
      if (!isThere) problems.push(`no ${mark.text} at ${part.written}`);
    }
  }
  // A line break between words has no space around it that the source does not have.
  for (const code of codes.filter(({ written }) => written === '<br>'))
    for (const step of [-1, 1] as const) {
      const spaces = (list: readonly Part[]) =>
        list.filter(
          (part, i) =>
            part.written === code.written &&
            list[i + step]?.kind === 'space' &&
            list[i + 2 * step]?.kind === 'word',
        ).length;
      const [own, has] = [spaces(source), spaces(parts)];
      const touching = countSides(source, step, isLetter).get(code.written) ?? 0;
      if (touching > 0 && codes.filter(({ written }) => written === '<br>').length === 1 && has > own)
        problems.push('a space at <br>');
    }
  return [...new Set(problems)];
}
