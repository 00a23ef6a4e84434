// The files that the steps from pairs to the files of Firefox leave in a folder.

import { type Files, readText, withoutEndSlash, writeText } from '../../files/files.ts';

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
