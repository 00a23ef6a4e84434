// The result of `heddle train` as text.

import { shellQuote } from '../core/errors.ts';
import { formatBytes, formatNumber, formatPercent } from '../core/format-numbers.ts';
import { features } from '../features/features.ts';
import { toSingleLine } from '../text/corpus/pairs.ts';
import { metricValue } from '../text/metrics/metric.ts';
import type { Sample } from '../train/report/training-log.ts';
import type { TrainResult } from '../train/run/train-result.ts';
import { cutText } from './text-width.ts';

/** The arguments that use the model of a result. */
const usage = ({ config }: TrainResult, folder: string, adapter = ''): string =>
  config.source === 'frames'
    ? `transcribe ${shellQuote(folder)} clip.wav${adapter}`
    : `translate ${shellQuote(folder.replace(/^-/, './-'))}${adapter} "..."`;

/** Maximum columns of a text in the result. */
const maxSample = 300;

/** A translation below its source, and above its reference if it differs from it. */
function describeSample({ source, reference, translation, exact }: Sample): string {
  const lines = [
    `  ${cutText(source, maxSample)}`,
    `  ${exact ? '=' : '→'} ${cutText(toSingleLine(translation), maxSample)}`,
  ];
  if (!exact) lines.push(`  ≠ ${cutText(reference, maxSample)}`);
  return lines.join('\n');
}

/** Some translations and the metrics of all. */
function describeEvaluation(e: NonNullable<TrainResult['evaluation']>): string[] {
  const lines = [
    `${e.sentences} test ${e.sentences === 1 ? 'sentence:' : 'sentences, the first ones:'}`,
    ...e.samples.slice(0, 12).map(describeSample),
  ].map((text) => `${text}\n`);
  for (const metric of features.metrics) {
    const value = metricValue(e, metric);
    if (value !== undefined) lines.push(`${metric.label.padEnd(12)} ${metric.show(value)}`);
  }
  lines.push(`exact match  ${formatPercent(e.exactMatch)} of ${e.sentences}`);
  lines.push(`BLEU, chrF2  ${e.bleu.toFixed(2)}, ${e.chrf.toFixed(2)}`);
  return lines;
}

/** The result as text: some translations, metrics, speed, and the path of the model. */
export function describeTraining(r: TrainResult): string {
  const lines = r.evaluation ? describeEvaluation(r.evaluation) : [];
  const loss = r.losses.at(-1);
  if (loss !== undefined) lines.push(`loss         ${formatNumber(loss)}`);
  const speed = `${r.steps} ${r.steps === 1 ? 'step' : 'steps'} in ${r.trainSeconds.toFixed(1)} s, ${Math.round(r.tokensPerSecond)} tokens/s${r.mfu === undefined ? '' : `, MFU ${formatPercent(r.mfu)}`}`;
  lines.push(
    `training     ${speed}, ${formatBytes(r.peakBytes)}, ${r.dispatches} dispatches per step${r.stopped ? '; stopped' : ''}`,
    r.loraBase === undefined
      ? `model        ${r.out} (heddle ${usage(r, r.out)})`
      : `LoRA adapter ${r.out} (heddle ${usage(r, r.loraBase, ` --lora ${shellQuote(r.out)}`)})`,
    /\.zip$/i.test(r.out)
      ? `report       report.html in ${r.out}, its values in log.jsonl`
      : `report       ${r.out}/report.html, its values in log.jsonl`,
  );
  return lines.join('\n');
}
