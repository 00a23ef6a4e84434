// Built-in tasks: corpora that are generated from a seed, and that a small model learns in seconds. Tokens
// are characters.
import { check } from '../../core/errors.ts';
import { checkNames } from '../../core/fields.ts';
import { formatInteger } from '../../core/format-numbers.ts';
import { listed, msg } from '../../core/message.ts';
import { keyOf, type Random, random } from '../../core/random.ts';
import { runSteps, type Steps } from '../../core/steps.ts';
import { drawsPerStep, maxFailedDraws, maxGeneratedPairs } from '../corpus/generated-pairs.ts';
import type { Pair } from '../corpus/pairs.ts';

const letters = [...'abcdefghijklmnopqrstuvwxyz'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** `min` to `max` elements of a list. */
const picks = <T>(r: Random, list: readonly T[], min: number, max: number): T[] =>
  Array.from({ length: min + r.int(max - min + 1) }, () => r.pick(list));

/** A date between 1950 and 2049 in one of the forms of English, and in ISO 8601. */
function date(r: Random): Pair {
  const [year, month, day] = [1950 + r.int(100), r.int(12), 1 + r.int(28)];
  const name = months[month] as string;
  const short = name.slice(0, 3);
  const source = r.pick([
    `${name} ${day}, ${year}`,
    `${day} ${name} ${year}`,
    `${short} ${day}, ${year}`,
    `${day} ${short} ${year}`,
  ]);
  const two = (n: number) => String(n).padStart(2, '0');
  return { source, target: `${year}-${two(month + 1)}-${two(day)}` };
}

const consonants: readonly (readonly [string, string])[] = Object.entries({
  б: 'b',
  в: 'v',
  г: 'g',
  д: 'd',
  ж: 'zh',
  з: 'z',
  к: 'k',
  л: 'l',
  м: 'm',
  н: 'n',
  п: 'p',
  р: 'r',
  с: 's',
  т: 't',
  ф: 'f',
  х: 'kh',
  ц: 'ts',
  ч: 'ch',
  ш: 'sh',
  щ: 'shch',
});
const vowels: readonly (readonly [string, string])[] = Object.entries({
  а: 'a',
  е: 'e',
  ё: 'yo',
  и: 'i',
  о: 'o',
  у: 'u',
  ы: 'y',
  э: 'e',
  ю: 'yu',
  я: 'ya',
});

/**
 * A made-up word in Cyrillic, and in Latin letters (BGN/PCGN for Russian): `е` is `ye` at the start and after
 * a vowel.
 */
function word(r: Random): Pair {
  const out: (readonly [string, string])[] = [];
  for (let syllables = 2 + r.int(3); syllables > 0; syllables--) {
    if (r.int(4) > 0) out.push(r.pick(consonants));
    out.push(r.pick(vowels));
    if (r.int(4) === 0) out.push(r.pick(consonants));
  }
  const isVowel = (at: number) => vowels.some(([v]) => v === out[at]?.[0]);
  const latin = out.map(([c, text], i) => (c === 'е' && (i === 0 || isVowel(i - 1)) ? 'ye' : text));
  return { source: out.map(([c]) => c).join(''), target: latin.join('') };
}

/** One or two made-up words; they are drawn for a model that reads images. */
function line(r: Random): Pair {
  const words = Array.from({ length: 1 + r.int(2) }, () => picks(r, letters, 2, 6).join(''));
  const text = words.join(' ');
  return { source: text, target: text };
}

const draw = {
  reverse(r: Random): Pair {
    const text = picks(r, letters, 3, 10);
    return { source: text.join(''), target: [...text].reverse().join('') };
  },
  sort(r: Random): Pair {
    const text = picks(r, letters, 3, 10);
    return { source: text.join(''), target: [...text].sort().join('') };
  },
  addition(r: Random): Pair {
    const [a, b] = [r.int(100), r.int(100)];
    return { source: `${a}+${b}`, target: String(a + b) };
  },
  dates: date,
  transliteration: word,
  'read-line': line,
} satisfies Record<string, (r: Random) => Pair>;

/** Name of a built-in task. */
export type TaskName = keyof typeof draw;

/** All built-in tasks. */
export const taskNames = Object.keys(draw) as TaskName[];

/** Options of `taskCorpus`. Equal options give equal pairs. */
export interface TaskOptions {
  /**
   * `reverse` and `sort`: the letters of a text; `addition`: of numbers below 100; `dates`: English dates to
   * ISO 8601; `transliteration`: Cyrillic to Latin letters; `read-line`: the text in an image of a line.
   */
  readonly task: TaskName;
  /** Maximum number of pairs; `addition` has 10,000. */
  readonly pairs: number;
  /** Random seed, default 1. */
  readonly seed?: number;
}

/** Maximum number of pairs of small tasks. */
export const taskSizes: Partial<Record<TaskName, number>> = { addition: 10_000 };

/**
 * Generates pairs of a task with distinct sources, in random order. Draw i depends only on the seed and i.
 * Throws a HeddleError for an unknown task or a number of pairs that is not from 1 to `maxGeneratedPairs`.
 *
 * @example
 * const pairs = taskCorpus({ task: 'reverse', pairs: 1000 }); // { source: 'hedge', target: 'egdeh' }, ...
 */
export const taskCorpus = (options: TaskOptions): Pair[] => runSteps(taskCorpusSteps(options));

/** Generates pairs in steps, which report progress. See `taskCorpus`. */
export function* taskCorpusSteps(options: TaskOptions): Steps<Pair[]> {
  const { task, pairs, seed = 1 } = options;
  checkNames({ area: 'task' }, ['kind', 'task', 'pairs', 'seed'], Object.keys(options));
  check(Object.hasOwn(draw, task), msg`no task '${task}'; there are ${listed(taskNames)}`, {
    area: 'corpus',
  });
  check(Number.isInteger(pairs) && pairs > 0, msg`pairs is ${pairs}, it must be a whole number above 0`, {
    area: task,
  });
  check(
    pairs <= maxGeneratedPairs,
    msg`pairs is ${formatInteger(pairs)}; a built-in task has at most ${formatInteger(maxGeneratedPairs)} distinct pairs, which are held in memory; use files of pairs for a larger corpus`,
    { area: task },
  );
  const out = new Map<string, Pair>();
  for (let i = 0, last = 0; out.size < pairs && i - last < maxFailedDraws; i++) {
    if (i % drawsPerStep === 0) yield { task: 'make corpus', done: out.size, total: pairs };
    const pair = draw[task](random(seed, keyOf(task), i));
    if (out.has(pair.source)) continue;
    last = i;
    out.set(pair.source, pair);
  }
  return [...out.values()];
}
