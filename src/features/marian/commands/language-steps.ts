// The steps of `heddle language`: each is a command of heddle that reads the files of the steps before it.

import { type Files, readText, withoutEndSlash, writeText } from '../../../files/files.ts';
import { flagWords, type LanguageConfig } from './language-config.ts';

/** A step: a command line of heddle. */
export interface LanguageStep {
  readonly name: string;
  /** The words after `heddle`. */
  readonly words: readonly string[];
  /** The words that continue the command if its folder exists. */
  readonly resumed?: readonly string[];
  /** Folder or file that it writes. */
  readonly out: string;
}

/** A model whose quality is measured on the dev pairs. */
export interface Candidate {
  readonly name: string;
  readonly folder: string;
}

/** Paths in the output folder. */
export const languagePaths = (out: string) => {
  const at = (name: string) => `${withoutEndSlash(out)}/${name}`;
  return {
    state: at('language.json'),
    clean: at('clean.tsv'),
    dev: at('dev.tsv'),
    vocab: at('vocab'),
    teacher: at('teacher'),
    student: at('student'),
    translations: at('student.teacher'),
    quantized: at('quantized'),
    links: at('links.txt'),
    lexicon: at('lex.s2t'),
    texts: at('calibration.txt'),
    firefox: at('firefox'),
  };
};

/** Paths in the output folder. */
export type LanguagePaths = ReturnType<typeof languagePaths>;

/** Most texts on which the multipliers of the inputs are measured. */
const calibrationTexts = 200;

/** The files of the teacher's translations, in order; none before it has made them. */
export async function translationFiles(files: Files, folder: string): Promise<string[]> {
  if (!(await files.exists(folder))) return [];
  const names = (await files.list(folder)).filter((name) => name.endsWith('.tsv'));
  return names.sort().map((name) => `${folder}/${name}`);
}

/** Writes the texts on which the multipliers of the inputs are measured: pairs of the teacher, spread over all. */
export async function writeCalibration(files: Files, { translations, texts }: LanguagePaths): Promise<void> {
  const paths = await translationFiles(files, translations);
  const all = await Promise.all(paths.map((path) => readText(files, path)));
  const given = all.join('').split('\n').filter(Boolean);
  // A pair without a translation would have to be translated again.
  const full = given.filter((line) => line.split('\t').every(Boolean));
  const lines = full.length > 0 ? full : given;
  const every = Math.max(1, Math.floor(lines.length / calibrationTexts));
  const chosen = lines.filter((_, i) => i % every === 0).slice(0, calibrationTexts);
  await writeText(files, texts, `${chosen.join('\n')}\n`);
}

/** Names and bytes of the files that Firefox downloads. */
export async function firefoxFileSizes(files: Files, folder: string): Promise<Record<string, number>> {
  const names = (await files.list(folder)).filter((name) => !name.startsWith('heddle-'));
  const size = async (path: string) => (await files.size?.(path)) ?? (await files.read(path)).length;
  return Object.fromEntries(
    await Promise.all(names.sort().map(async (name) => [name, await size(`${folder}/${name}`)] as const)),
  );
}

/** Options of the evaluations at the end: the limit of Firefox for all models. */
export const firefoxLimit = { maxLengthFactor: 2 } as const;

/**
 * The steps in order, and the models to compare at the end. `translations`: files of the teacher's translations; empty
 * before it has made them.
 */
export function languageSteps(
  c: LanguageConfig,
  out: string,
  translations: readonly string[],
): { readonly steps: readonly LanguageStep[]; readonly candidates: readonly Candidate[] } {
  const p = languagePaths(out);
  const [source, target] = c.languages;
  const pairs = c.clean ? [p.clean] : c.data;
  const trained = c.quantize ? p.quantized : p.student;
  const teacher = typeof c.teacher === 'string' ? c.teacher : p.teacher;
  const steps: (LanguageStep | undefined)[] = [
    c.clean
      ? {
          name: 'clean',
          words: [
            ...['clean', ...c.data, '--out', p.clean, '--source-lang', source, '--target-lang', target],
            ...flagWords(c.clean),
          ],
          out: p.clean,
        }
      : undefined,
    {
      name: 'tokenizer',
      words: [
        ...['tokenizer', ...pairs, '--out', p.vocab, '--special-tokens', 'marian', '--force'],
        ...flagWords({ byteFallback: true, splitDigits: true, ...c.tokenizer }),
      ],
      out: `${p.vocab}.model`,
    },
    typeof c.teacher === 'string'
      ? undefined
      : {
          name: 'teacher',
          words: [
            'train',
            ...pairs,
            '--dev',
            c.dev,
            '--test',
            c.dev,
            '--out',
            p.teacher,
            ...flagWords(c.teacher),
          ],
          resumed: ['train', '--resume', '--out', p.teacher],
          out: p.teacher,
        },
    {
      name: 'student',
      words: [
        ...['distill', teacher, ...pairs, '--out', p.student, '--tokenizer-file', `${p.vocab}.model`],
        ...flagWords({ preset: 'firefox-tiny', ...c.student }),
      ],
      out: p.student,
    },
    c.quantize
      ? {
          name: 'quantize',
          words: [
            ...['train', ...translations, '--dev', c.dev, '--test', c.dev, '--init', p.student],
            ...['--out', p.quantized, ...flagWords({ quantizeBits: 8, ...c.quantize })],
          ],
          resumed: ['train', '--resume', '--out', p.quantized],
          out: p.quantized,
        }
      : undefined,
    c.shortlist
      ? {
          name: 'shortlist',
          words: [
            ...['align', ...translations, '--pieces', trained, '--lexical-table', p.lexicon],
            ...['--out', p.links, '--force'],
          ],
          out: p.lexicon,
        }
      : undefined,
    {
      name: 'export',
      words: [
        ...['convert', trained, p.firefox, '--to', 'firefox', '--language-pair', `${source}${target}`],
        ...['--calibration', p.texts, '--force', ...(c.shortlist ? ['--shortlist', p.lexicon] : [])],
      ],
      out: p.firefox,
    },
  ];
  return {
    steps: steps.filter((step) => step !== undefined),
    candidates: [
      { name: 'teacher', folder: teacher },
      { name: 'student', folder: p.student },
      ...(c.quantize ? [{ name: 'student, trained for int8', folder: p.quantized }] : []),
      { name: 'int8 file', folder: p.firefox },
    ],
  };
}
