// heddle eval

import { join, parse, resolve } from 'node:path';
import type { Command } from 'commander';
import { evaluationReport } from '../api/evaluation-report.ts';
import type { EvaluationReport, TranslationReport } from '../api/score-systems.ts';
import { HeddleError } from '../core/errors.ts';
import { formatPercent } from '../core/format-numbers.ts';
import { present } from '../core/present.ts';
import { features } from '../features/features.ts';
import { writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import { pathsOf } from '../text/corpus/pair-files.ts';
import { type BootstrapScore, differenceText } from '../text/metrics/bootstrap.ts';
import { metricValue } from '../text/metrics/metric.ts';
import type { GroupScores } from '../text/metrics/score-groups.ts';
import { addDecodingFlags, type DecodingFlags, decodeOptionsOf } from './decode-flags.ts';
import type { EvaluateArguments, EvaluateOutputsArguments } from './jobs/evaluate-job.ts';
import { printResult, table } from './output.ts';
import { checkOutputFiles } from './output-file.ts';
import { addPairFlags, checkStdin, type PairFlags, pairFilesOf, pairsHelp } from './pair-flags.ts';
import type { ModelRunOptions } from './parse-values.ts';
import {
  addHostOptions,
  addModelOptions,
  deviceOption,
  jsonOption,
  modelArguments,
  whole,
} from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';
import { scoredTexts } from './scored-texts.ts';
import { stdoutFile } from './stdout-file.ts';

interface Options extends HostOptions, DecodingFlags, ModelRunOptions, PairFlags {
  references: number;
  batchSize: number;
  compare?: string[];
  outputs?: string[];
  bootstrap: number;
  out?: string;
  comet?: string;
  report?: string;
  force?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly evaluate: CommandJob<EvaluateArguments, EvaluationReport>;
  readonly evaluateOutputs: CommandJob<EvaluateOutputsArguments, TranslationReport>;
}

/** Adds the command `eval`. */
export function addEvaluate(program: Command, jobs: Jobs): void {
  const command = program
    .command('eval')
    .description(
      'evaluate a model on pairs: loss, perplexity, token accuracy, BLEU, chrF, TER and exact match',
    )
    .argument(
      '[dir]',
      'model: a folder, a .zip or a .safetensors file; with --outputs the first file of pairs',
    )
    .argument('[pairs...]', `files of pairs: ${pairsHelp}`)
    .option(
      '--references <n>',
      'number of reference columns after the source; the loss uses the first that is not empty',
      whole(1),
      1,
    )
    .option('--batch-size <pairs>', 'pairs per batch', whole(1), 64)
    .option('--compare <dir...>', 'further models, compared with the first by paired bootstrap resampling')
    .option('--outputs <file...>', 'files of translations, one per line, instead of models')
    .option('--bootstrap <n>', 'number of bootstrap resamples (0: no confidence intervals)', whole(0), 1000)
    .option(
      '--out <file>',
      'write the translations, one per line, an empty line for a skipped pair; a .tsv or .jsonl file also has sources, references, and BLEU and chrF2 of each sentence',
    )
    .option('--comet <file>', 'write JSON for COMET: a list of src, mt and ref')
    .option('--report <file>', 'write an HTML report')
    .option('--force', 'overwrite the files')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nTexts and references are normalized to NFC with single spaces and without direction marks. Lines without a source or a reference\n' +
        'and pairs above the maximum length of the model are skipped and counted. Loss, perplexity and token accuracy are those of the\n' +
        'target, given the source and the previous target tokens (teacher forcing). Confidence intervals (95 %) and p-values are those of\n' +
        "sacreBLEU's paired bootstrap: NumPy's generator with seed 12345. A p-value is that of the difference to the first model. With several\n" +
        'models --out and --comet write a file for each: NAME.txt, NAME.2.txt, and so on.',
    )
    .action(async (folder: string | undefined, files: string[], options: Options) => {
      const { references, batchSize, compare = [], bootstrap: resamples, force } = options;
      const outputs = options.outputs?.map((path) => resolve(path));
      if (outputs && compare.length > 0)
        throw new HeddleError('--outputs and --compare exclude each other; give models or their outputs');
      const names = outputs && folder !== undefined ? [folder, ...files] : files;
      if (!outputs && folder === undefined)
        throw new HeddleError('give a model, or --outputs', { area: 'eval' });
      const pairs = pairFilesOf(names, options);
      if (!pairs) throw new HeddleError('give a file of pairs, or --source and --target', { area: 'eval' });
      checkStdin([pairs]);
      if (/\.(?:csv|json|gz)$/i.test(options.out ?? ''))
        throw new HeddleError(
          'name a .tsv or .jsonl file for sources, references and scores, or a .txt file for translations',
          { area: `--out ${options.out}` },
        );
      const inputs = [...pathsOf(pairs), ...(outputs ?? [])];
      const systems = outputs?.length ?? 1 + compare.length;
      const written = (['out', 'comet', 'report'] as const).flatMap((flag) =>
        outputPaths(options[flag], flag === 'report' ? 1 : systems).map(
          (path) => [`--${flag}`, path] as const,
        ),
      );
      const json = typeof options.json === 'string' ? options.json : undefined;
      checkOutputFiles([...written, ['--json', json]], { force, inputs });
      if (options.out !== undefined && options.out === stdoutFile() && systems > 1)
        throw new HeddleError('--out - is for one system; name a file');
      const texts = (options.out ?? options.comet) !== undefined;
      const common = { pairs, references, resamples, texts };
      const evaluated = async (): Promise<TranslationReport | EvaluationReport> => {
        if (outputs)
          return runWithProgress(
            jobs.evaluateOutputs,
            { ...common, outputs },
            { ...options, host: 'cpu' },
            inputs,
          );
        const { model, folders } = modelArguments(folder as string, options);
        const others = compare.map((path) => resolve(path));
        const decoding = { ...decodeOptionsOf(options), batchSize };
        const args = { ...model, ...common, compare: others, options: decoding };
        return runWithProgress(jobs.evaluate, args, options, [...folders, ...others, ...inputs]);
      };
      const result = await evaluated();
      await writeTexts(result, options);
      const { texts: _, ...scores } = result;
      if (options.report !== undefined)
        await writeText(nodeFiles(), options.report, evaluationReport(scores));
      await printResult(scores, options.json, () => describe(scores));
    });
  addModelOptions(command);
  addPairFlags(command);
  addDecodingFlags(command);
  addHostOptions(command).addOption(deviceOption());
}

/** The files of an option, one for each system: `x.tsv`, `x.2.tsv`, `x.3.tsv`, ... */
function outputPaths(path: string | undefined, systems: number): string[] {
  if (path === undefined) return [];
  const { dir, name, ext } = parse(path);
  return Array.from({ length: systems }, (_, k) => (k === 0 ? path : join(dir, `${name}.${k + 1}${ext}`)));
}

/** Writes the translations of each system, and the file for COMET. */
async function writeTexts(report: TranslationReport, { out, comet }: Options) {
  const { texts = [], systems, pairs, skipped } = report;
  const outputs = outputPaths(out, systems.length);
  const comets = outputPaths(comet, systems.length);
  for (const k of systems.keys()) {
    const translations = texts.map((text) => text.translations[k] as string);
    const [path, forComet] = [outputs[k], comets[k]];
    if (path !== undefined) {
      const scored = texts.map((text, i) => ({ ...text, translation: translations[i] as string }));
      await writeText(nodeFiles(), path, scoredTexts(path, scored, pairs + skipped));
    }
    if (forComet === undefined) continue;
    const rows = texts.map(({ source, references }, i) => ({
      src: source,
      mt: translations[i],
      ref: references[0],
    }));
    await writeText(nodeFiles(), forComet, `${JSON.stringify(rows, undefined, 1)}\n`);
  }
}

function describe(e: TranslationReport | EvaluationReport): string {
  const left = e.skipped > 0 ? ` (${e.skipped} skipped)` : '';
  const signatures = e.signatures.map((signature) => signature.replace('|', ': '));
  const losses = (): string[][] => {
    if (!('loss' in e)) return [];
    const { loss, perplexity, tokenAccuracy, knownTokenAccuracy } = e;
    if (!Number.isFinite(loss)) return [];
    const known = Object.is(knownTokenAccuracy, tokenAccuracy)
      ? ''
      : ` (${formatPercent(knownTokenAccuracy)} without unknown tokens)`;
    return [
      ['loss', `${loss.toFixed(4)} nats per token`],
      ['perplexity', perplexity.toFixed(3)],
      ['token accuracy', `${formatPercent(tokenAccuracy)}${known}`],
    ];
  };
  const others = features.metrics.flatMap((metric) => {
    const value = metricValue(e, metric);
    return value === undefined ? [] : [[metric.label, metric.show(value)]];
  });
  const scores = table([
    ['pairs', `${e.pairs}${left}`],
    ...losses(),
    ...others,
    ['BLEU', `${e.bleu.toFixed(2)} (${e.bleuSignature})`],
    ['chrF2', `${e.chrf.toFixed(2)} (${e.chrfSignature})`],
    ['chrF2++', `${e.chrfPlus.toFixed(2)} (${e.chrfSignature.replace('nw:0', 'nw:2')})`],
    ['TER', `${e.ter.toFixed(2)} (${e.terSignature}); lower is better`],
    ['exact match', formatPercent(e.exactMatch)],
  ]);
  const hasIntervals = e.systems.some(({ bleu }) => bleu.interval > 0 || bleu.p !== undefined);
  const shown = (system: BootstrapScore) => {
    const { score, mean, interval } = system;
    if (!hasIntervals) return score.toFixed(2);
    return `${score.toFixed(2)} (${mean.toFixed(2)} ± ${interval.toFixed(2)}) ${differenceText(system)}`.trimEnd();
  };
  const systems =
    e.systems.length > 1 || hasIntervals
      ? table([
          ['', hasIntervals ? 'BLEU (mean ± 95 %)' : 'BLEU', 'chrF2', 'chrF2++', 'TER'],
          ...e.systems.map((system) => [
            system.name,
            shown(system.bleu),
            shown(system.chrf),
            shown(system.chrfPlus),
            shown(system.ter),
          ]),
        ])
      : '';
  const groups = (title: string, list: readonly GroupScores[]) =>
    table([
      [title, 'pairs', 'BLEU', 'chrF2'],
      ...list.map((row) => [row.group, String(row.sentences), row.bleu.toFixed(2), row.chrf.toFixed(2)]),
    ]);
  return present([
    scores,
    systems ? `${systems}\n\n${signatures.join('\n')}` : undefined,
    groups('length of the source', e.analysis.byLength),
    groups('words that occur once', e.analysis.byRareWords),
  ]).join('\n\n');
}
