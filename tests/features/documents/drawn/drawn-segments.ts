// Draws segments of documents: words, punctuation, quotes, brackets and codes in any order, nested, repeated and at both
// ends. Shares nothing with src/: what a code is and where it is, the drawer knows.

/** Random numbers from a seed (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}

/** A part of a segment. `written`: as the file has it. `text`: as people read it. */
export interface Part {
  readonly kind: 'word' | 'mark' | 'space' | 'single' | 'open' | 'close';
  readonly text: string;
  readonly written: string;
  /** Number of its pair. */
  readonly pair?: number;
  /** Whether codes like it keep their order. */
  readonly isOrdered?: boolean;
}

/** A single code. `free`: what may not touch it, since it would be another code: letters, or anything but spaces. */
export interface DrawnCode {
  readonly written: string;
  readonly isOrdered?: boolean;
  readonly free?: 'of letters' | 'of all';
}

/** The codes of a format. */
export interface CodeDrawer {
  /** A single code, as the file has it. `n`: a number that no other code of the segment has. */
  single(dice: Dice, n: number): DrawnCode;
  /** A pair; undefined in formats without pairs. */
  pair?(dice: Dice, n: number): { readonly open: string; readonly close: string };
  /** Text as the file has it. */
  escape(text: string): string;
  /** Spaces that the format keeps. */
  readonly spaces: readonly string[];
  /** Whether spaces at the ends of a segment are a part of it. */
  readonly hasEndSpaces?: boolean;
}

const words =
  "the file user name dog house red opens closes Portrait of and in with page you Do want replace already exists Settings water time work Please delete a I we’re don't R2D2 café naïve list 12 3.5 2024 100".split(
    ' ',
  );
const [leading, trailing] = [
  ['(', '[', '"', '“', '«', "'", '¿', '-', '--', '/', '@', '#'],
  [')', ']', '"', '”', '»', "'", '.', ',', ':', ';', '!', '?', '...', '…', '%', '-', '/', '—'],
];

/** A segment: its parts. */
export function drawSegment(dice: Dice, codes: CodeDrawer): Part[] {
  const parts: Part[] = [];
  const open: { close: string; pair: number }[] = [];
  let number = 1 + dice.below(3);
  // Whether the last code may not touch a letter.
  let isFree = false;
  const text = (kind: 'word' | 'mark' | 'space', some: string) => {
    const before = parts.at(-1);
    // No mark and code or letters are another code.
    if (kind === 'word' && (isFree || /(?:[%@#$&]|--)$/.test(before?.text ?? '')) && before?.kind !== 'space')
      space();
    isFree = false;
    parts.push({ kind, text: some, written: kind === 'space' ? some : codes.escape(some) });
  };
  const space = () => {
    const last = parts.at(-1);
    if (last && last.kind !== 'space') text('space', dice.chance(0.92) ? ' ' : dice.of(codes.spaces));
  };
  const close = () => {
    const last = open.pop();
    if (last) parts.push({ kind: 'close', text: '', written: last.close, pair: last.pair });
  };
  const single = () => {
    const { written, isOrdered, free } = codes.single(dice, number++);
    if (free === 'of all' || /[%@#$&]$/.test(parts.at(-1)?.text ?? '')) space();
    parts.push({ kind: 'single', text: '', written, isOrdered });
    isFree = free !== undefined;
    if (free === 'of all') space();
  };
  const codeShare = dice.next() * 0.6;
  const gluing = dice.chance(0.3) ? 0.6 : 0.15;
  const length = 1 + dice.below(dice.chance(0.1) ? 60 : 12);
  for (let i = 0; i < length; i++) {
    if (!dice.chance(gluing)) space();
    if (dice.chance(0.25)) text('mark', dice.of(leading));
    if (dice.chance(codeShare)) {
      const pair = dice.chance(0.4) ? codes.pair?.(dice, number) : undefined;
      if (open.length > 0 && dice.chance(0.4)) close();
      else if (pair) {
        if (/%$/.test(parts.at(-1)?.text ?? '')) space();
        parts.push({ kind: 'open', text: '', written: pair.open, pair: number });
        open.push({ close: pair.close, pair: number++ });
        if (dice.chance(0.9)) text('word', dice.of(words));
      } else single();
    } else {
      // Two words in a row are one.
      if (parts.at(-1)?.kind === 'word') text('space', ' ');
      text('word', dice.of(words));
    }
    if (dice.chance(0.25)) text('mark', dice.of(trailing));
    if (dice.chance(0.08)) {
      text('mark', dice.of(['.', '!', '?']));
      space();
    }
  }
  while (open.length > 0) close();
  if (dice.chance(0.15)) single();
  while (parts.at(-1)?.kind === 'space') parts.pop();
  if (codes.hasEndSpaces && dice.chance(0.2)) space();
  return parts;
}

/** A segment as the file has it. */
export const writtenText = (parts: readonly Part[]): string => parts.map(({ written }) => written).join('');

/** Whether a segment has words that are no part of codes. */
export const hasWords = (parts: readonly Part[]): boolean =>
  parts.some(({ kind, text }) => kind === 'word' && /\p{L}/u.test(text));
