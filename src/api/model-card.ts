// The model card: README.md in the folder of a saved model. It says what the model is, how it was trained, how it scores,
// and how it is loaded. Its front matter is that of the Hugging Face hub.

import { formatInteger } from '../core/format-numbers.ts';
import { type Files, readText } from '../files/files.ts';
import { readSettled } from '../files/settled-folder.ts';
import type { ModelFormat } from '../formats/model-format.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { mainMetrics } from '../text/metrics/main-metrics.ts';
import { metricValue } from '../text/metrics/metric.ts';
import { historyOf, type LogEval, logName, parseLog } from '../train/report/training-log.ts';
import type { TrainResult } from '../train/run/train-result.ts';

/** Name of the file. */
export const cardName = 'README.md';

/** The first line of a card, by which heddle knows its own: a card without it is never replaced. */
const marker = '<!-- Written by heddle. Remove this line to keep your changes. -->';

/** What a card says of the training. */
export interface TrainingFacts {
  /** Name of the corpus, or its files. */
  readonly data?: string;
  /** Number of training pairs. */
  readonly pairs?: number;
  /** Number of updates. */
  readonly steps?: number;
  /** Settings by name. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The evaluation of the weights on dev pairs, and that of test pairs. */
  readonly evaluations: readonly Omit<LogEval, 'type' | 'seconds'>[];
}

/** What a card says. */
export interface CardFacts {
  /** Name of the folder. */
  readonly name: string;
  readonly config: ModelConfig;
  readonly parameters: number;
  readonly format: ModelFormat;
  /** Name of the format: one of `format.names`. */
  readonly formatName: string;
  readonly dtype?: string;
  readonly languages: readonly (string | undefined)[];
  readonly training?: TrainingFacts;
  /** The functions that open a model which reads no tokens: `SourceKind.openedBy`. */
  readonly openedBy?: string;
}

/** The facts of a training that has just ended. */
export function factsOfResult({ pairs, settings, best, dev, evaluation, steps }: TrainResult): TrainingFacts {
  const kept = dev.find(({ step, part }) => part === 'dev' && step === (best?.step ?? dev.at(-1)?.step));
  const test = evaluation && { part: 'test' as const, step: steps, ...evaluation };
  return {
    data: dataOf(settings),
    pairs,
    steps,
    settings,
    evaluations: [kept, test].filter((found) => found !== undefined),
  };
}

/** The facts in the training log of a folder; undefined if it has none that can be read. */
export async function factsOfFolder(files: Files, folder: string): Promise<TrainingFacts | undefined> {
  try {
    return await readSettled(files, folder, async (at) => {
      const path = `${at}/${logName}`;
      if (!(await files.exists(path))) return undefined;
      const { start, steps, evals } = historyOf(parseLog(await readText(files, path), path));
      const settings = start.arguments as Readonly<Record<string, unknown>>;
      return {
        data: start.corpus.name,
        pairs: start.corpus.pairs,
        steps: steps.at(-1)?.step ?? start.step,
        settings,
        evaluations: (['dev', 'test'] as const).flatMap(
          (part) => evals.findLast((e) => e.part === part) ?? [],
        ),
      };
    });
  } catch {
    return undefined; // the model is saved without the facts of a damaged log
  }
}

const dataOf = (settings: Readonly<Record<string, unknown>>): string | undefined => {
  const { corpus } = settings as { readonly corpus?: { readonly files?: readonly string[] } };
  return corpus?.files?.join(', ');
};

/** Settings that say nothing about the model: where and how it ran. */
const unsaid = ['out', 'resume', 'corpus', 'tensorboard', 'keepLast'];

/** The card as Markdown. */
export function modelCard(facts: CardFacts): string {
  const { name, config: c, parameters, format, formatName, dtype, training, openedBy } = facts;
  const languages = facts.languages.filter((language) => language !== undefined && language !== '');
  const isTokens = c.source === 'tokens';
  const lines = [
    '---',
    'library_name: heddle',
    ...(isTokens ? ['pipeline_tag: translation'] : []),
    ...(languages.length > 0 ? ['language:', ...languages.map((language) => `- ${language}`)] : []),
    '---',
    marker,
    '',
    `# ${name}`,
    '',
    `An encoder-decoder transformer with ${formatInteger(parameters)} parameters, saved by heddle as ${formatName}${dtype ? `, ${dtype}` : ''}.`,
    '',
    '| | |',
    '| --- | --- |',
    `| layers | ${c.encoderLayers} encoder, ${c.decoderLayers} decoder |`,
    `| hidden size, heads | ${c.dModel}, ${c.heads} |`,
    `| vocabulary | ${isTokens ? `${formatInteger(c.srcVocab)} source, ` : ''}${formatInteger(c.tgtVocab)} target |`,
    `| maximum length | ${c.maxLength} tokens |`,
    '',
    ...trainingLines(training),
    '## License',
    '',
    'Not stated. The licenses of the training data and of a base model apply to the weights; write them here.',
    '',
    '## Use',
    '',
    ...(format.usage?.(name) ?? (openedBy ? [`heddle: ${openedBy}.`] : heddleUsage(name))),
    '',
  ];
  return lines.join('\n');
}

/** Whether a setting does something: not off, and not empty. */
const isSaid = (value: unknown): boolean =>
  value !== undefined &&
  value !== null &&
  value !== false &&
  value !== 0 &&
  !['{}', '[]'].includes(JSON.stringify(value));

const cell = (value: unknown): string =>
  (typeof value === 'string' ? value : JSON.stringify(value)).replace(/\s+/g, ' ').replaceAll('|', '\\|');

function trainingLines(training: TrainingFacts | undefined): string[] {
  if (!training) return [];
  const { data, pairs, steps, settings = {}, evaluations } = training;
  const said = Object.entries(settings).filter(([name, value]) => isSaid(value) && !unsaid.includes(name));
  const counts = [
    data && `data: ${data}`,
    pairs !== undefined && `${formatInteger(pairs)} pairs`,
    steps !== undefined && `${formatInteger(steps)} updates`,
  ].filter(Boolean);
  return [
    '## Training',
    '',
    ...(counts.length > 0 ? [`${counts.join(', ')}.`, ''] : []),
    ...(said.length > 0
      ? [
          '| setting | value |',
          '| --- | --- |',
          ...said.map(([name, value]) => `| \`${name}\` | ${cell(value)} |`),
          '',
        ]
      : []),
    ...(evaluations.length > 0
      ? [
          '## Scores',
          '',
          '| pairs | metric | value | signature |',
          '| --- | --- | --- | --- |',
          ...evaluations.flatMap(scoreLines),
          '',
        ]
      : []),
  ];
}

/** Rows of the scores of an evaluation, with sacreBLEU's signatures. */
const scoreLines = (evaluation: TrainingFacts['evaluations'][number]): string[] =>
  mainMetrics.flatMap((metric) => {
    const value = metricValue(evaluation, metric);
    if (value === undefined) return [];
    const signatures: Readonly<Record<string, string | undefined>> = {
      bleu: evaluation.bleuSignature,
      chrf: evaluation.chrfSignature,
    };
    const count = evaluation.sentences ?? evaluation.pairs;
    const signature = signatures[metric.name];
    return [
      `| ${evaluation.part}${count === undefined ? '' : ` (${formatInteger(count)})`} | ${metric.label} | ${metric.show(value)} | ${signature ? `\`${cell(signature)}\`` : ''} |`,
    ];
  });

/** How heddle loads a model. */
const heddleUsage = (name: string): string[] => [
  'heddle, in a page or in Node:',
  '',
  '```js',
  'import { loadModel } from "heddle";',
  '',
  `const model = await loadModel('${name}');`,
  "console.log(await model.translate('Good morning.'));",
  '',
  `await model.save('${name}-onnx', { format: 'onnx', dtype: 'q8' }); // for transformers.js`,
  `await model.save('${name}-firefox', { format: 'firefox' }); // for Firefox, if the model has its shape`,
  '```',
  '',
  `On the command line: \`npx heddle translate ${name} "Good morning."\`, \`npx heddle convert\`.`,
];

/** Writes a card beside a model, unless the folder has one that heddle did not write. */
export async function writeCard(files: Files, folder: string, card: string): Promise<void> {
  const path = `${folder}/${cardName}`;
  if ((await files.exists(path)) && !(await readText(files, path)).includes(marker)) return;
  await files.write(path, new TextEncoder().encode(card));
}
