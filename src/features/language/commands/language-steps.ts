// The steps of `heddle language`: each is a command of heddle that reads the files of the steps before it.

import { languagePaths } from '../language-files.ts';
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
