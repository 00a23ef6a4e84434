// The texts in the source of the pages: of templates, of `say`, `sayCount` and `english`, of the HTML files, and
// those of the library that pages show.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hole, markupTexts } from '../../demo/common/markup-texts.ts';
import { termNames } from '../../demo/common/terms.ts';
import { examplePrograms } from '../../demo/example-programs.ts';
import { nodesOf, shortText, type Tagged } from '../../demo/short-templates.ts';
import { settingLabel } from '../../demo/train/page/setting-words.ts';
import { kernelFamilies } from '../../src/bench/kernel-families.ts';
import { liveSettingLabels, settingRows } from '../../src/entries/reports.ts';
import { features } from '../../src/features/features.ts';
import { allMetrics } from '../../src/text/metrics/main-metrics.ts';

const folder = join(import.meta.dirname, '../../demo');
const sources = join(import.meta.dirname, '../../src');

/** A call in the syntax tree. */
interface Call {
  readonly callee: { readonly name?: string };
  readonly arguments: readonly { readonly value?: unknown }[];
}

/** The texts of a file of TypeScript, by their keys in the files of languages. */
export function textsOfCode(code: string): string[] {
  const found: string[] = [];
  if (!/\b(?:html|svg|say|english|msg)`|\b(?:sayCount|counted)\(/.test(code)) return found;
  for (const node of nodesOf(code, 'TaggedTemplateExpression', 'CallExpression')) {
    if (node.type === 'CallExpression') {
      const { callee, arguments: given } = node as unknown as Call;
      const many = given[2]?.value;
      if ((callee.name === 'sayCount' || callee.name === 'counted') && typeof many === 'string')
        found.push(many);
      continue;
    }
    const { quasi, tag } = node as unknown as Tagged;
    const { quasis } = quasi;
    const { name = '' } = tag;
    if (name === 'html' || name === 'svg') {
      const texts = quasis.map(({ value }, i) => shortText(value.raw, i === 0, i === quasis.length - 1));
      const markup = texts.map((text, i) => (i === 0 ? text : hole(i - 1) + text)).join('');
      found.push(...markupTexts(markup).map(({ key }) => key));
    } else if (name === 'say' || name === 'english' || name === 'msg')
      found.push(quasis.map(({ value }, i) => (i === 0 ? '' : `{${i - 1}}`) + value.cooked).join(''));
  }
  return found;
}

/** The keys of the messages in files of the library, each with the first file that has it. */
function messagesOf(isChosen: (path: string) => boolean): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of readdirSync(sources, { recursive: true, encoding: 'utf8' }).sort())
    if (path.endsWith('.ts') && isChosen(path))
      for (const key of textsOfCode(readFileSync(join(sources, path), 'utf8')))
        if (!found.has(key)) found.set(key, path);
  return found;
}

/** The messages of the library: a language may have them. */
export const libraryMessages = (): ReadonlyMap<string, string> => messagesOf(() => true);

/**
 * Folders and files of src whose messages a visitor of a page meets: of a training, of pairs, documents and recordings
 * that cannot be read, of downloads, of memory. A language has them all; other messages may be in English.
 */
const shownSources = [
  'engine/gpu/memory-errors.ts',
  'engine/gpu/webgpu-errors.ts',
  'features/documents/pairs/',
  'features/documents/html-document.ts',
  'features/documents/text-encoding.ts',
  'features/documents/xliff-document.ts',
  'features/speech/audio/',
  'features/speech/read-image.ts',
  'files/hub/',
  'text/corpus/',
  'train/data/',
  'train/run/',
  'train/update/training-memory.ts',
];

/** The messages of the library that a visitor of a page meets, each with its file. */
export const shownMessages = (): [key: string, path: string][] =>
  [...messagesOf((path) => shownSources.some((shown) => path.startsWith(shown)))].filter(([key]) =>
    hasWords(key),
  );

/** The texts of an HTML file. */
export const textsOfPage = (page: string): string[] => {
  const title = /<title>(.*)<\/title>/.exec(page)?.[1] ?? '';
  return [title, ...markupTexts(page.replace(/<head>[\s\S]*<\/head>/, '')).map(({ key }) => key)];
};

/** Facts of a measured device, with their numbers and names as values. */
const factTexts = [
  'Bandwidth',
  'Peak',
  '{0} kernels, all correct',
  'wrong: {0}',
  '{0} GFLOP/s (spread {1})',
  '{0} GFLOP/s (spread {1}, the machine was busy)',
  '{0}, {1} GFLOP/s, {2} of the roof',
  'Training step of {0}, batch {1}',
  '{0}, {1} tokens/s, MFU {2}, {3} dispatches',
  'Decoding with {0}, batch {1}',
  '{0}, batch {1}',
  '{0} tokens/s, the same ids as heddle',
  'not timed: other ids than heddle in {0} of {1} rows',
];

/** Progress and events of the library, with its numbers and names as values. */
const progressTexts = [
  'measuring kernels: {0}',
  'measuring the peak rate of multiply-adds',
  '{0}, {1} {2}/s, {3} s left',
  'checking {0}',
  'training steps of {0}',
  'decoding at batch {0}',
  'readback and dispatches',
  '20 training steps',
  'recovery of a lost device',
  'The GPU device was lost ({0}).',
  'The GPU device was lost ({0}). There is a new device; training continues from step {1}.',
  'The GPU device was lost ({0}). There is a new device; training continues from step {1}, in smaller submissions.',
];

/** Texts of the library and its guides that pages show: settings, kernels, examples, progress. */
function libraryTexts(): string[] {
  const ofSettings = settingRows.flatMap(([name, { label, help, defaultText }]) =>
    label ? [label, help, defaultText ?? ''] : [settingLabel(name)],
  );
  const ofKernels = Object.values(kernelFamilies).flatMap(({ label, fields }) => [
    label,
    ...Object.values(fields).map((field) => field.label),
  ]);
  const [readme = '', guide = ''] = ['README.md', 'docs/examples.md'].map((path) =>
    readFileSync(join(folder, '..', path), 'utf8'),
  );
  return [
    ...ofSettings,
    ...Object.values(liveSettingLabels),
    ...allMetrics(features.metrics).map(({ label, short = label }) => short),
    ...examplePrograms(readme, guide).flatMap(({ title, text }) => [title, text]),
    ...ofKernels,
    ...termNames,
    ...factTexts,
    ...progressTexts,
  ];
}

/** Whether a text has words; names and units such as BLEU are the same in all languages. */
const hasWords = (text: string): boolean =>
  /\p{L}\p{Ll}/u.test(text.replaceAll(/\{\d+\}|<[^>]*>|\b(?:chrF2?|heddle|ms|min)\b/g, ''));

/** The texts of all pages, each with the first file that has it. */
export function sourceTexts(): Map<string, string> {
  const found = new Map<string, string>();
  const add = (key: string, path: string) => {
    if (hasWords(key) && !found.has(key)) found.set(key, path);
  };
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const isCode = path.endsWith('.ts') && !path.endsWith('.d.ts');
    if (!isCode && !path.endsWith('.html')) continue;
    const text = readFileSync(join(folder, path), 'utf8');
    for (const key of isCode ? textsOfCode(text) : textsOfPage(text)) add(key, path);
  }
  for (const key of libraryTexts()) add(key, 'src');
  return found;
}
