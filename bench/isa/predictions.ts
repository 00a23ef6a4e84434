// Predicted times of steps on GPUs that are not here, kept in bench/results/compilers/predictions.json with their date, and
// their table in docs/devices.md beside what reports of visitors have measured.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DeviceReport } from '../../src/bench/device-report.ts';
import type { EstimatedPass } from './compile-kernels.ts';
import type { KernelRow } from './kernel-rows.ts';
import { estimatedGpus, predict } from './time-model.ts';

/** A predicted step. */
export interface PredictedStep {
  readonly ms: number;
  readonly dispatches: number;
  /** The three kernels that take longest, with their shares of the time. */
  readonly kernels: readonly (readonly [kernel: string, share: number])[];
}

/** Predictions for one GPU. */
export interface GpuPredictions {
  /** Day on which they were computed. */
  readonly date: string;
  /** Steps by preset: an update of `batch` sentences of 32 tokens, and a token of one sentence. */
  readonly presets: Readonly<
    Record<string, { readonly training: PredictedStep; readonly token: PredictedStep }>
  >;
}

/** Predictions by the names of the GPUs. */
export type Predictions = Readonly<Record<string, GpuPredictions>>;

/** Sentences of a predicted update: those of `bench:device`. */
export const predictedBatch = 32;
const predictedPresets = ['small', 'mid', 'base'];

/** Passes by GPU and step, as `mid training 32`. */
export type PassesOfRuns = Readonly<Record<string, Readonly<Record<string, readonly EstimatedPass[]>>>>;

/** The predictions for those GPUs of `estimatedGpus` that were compiled. */
export function predictionsOf(rows: readonly KernelRow[], runs: PassesOfRuns, date: string): Predictions {
  const found: Record<string, GpuPredictions> = {};
  for (const [name, gpu] of Object.entries(estimatedGpus)) {
    const own = runs[gpu.gpu] ?? {};
    const step = (run: string): PredictedStep | undefined => {
      const passes = own[run];
      if (!passes) return undefined;
      const { ms, dispatches, kernels } = predict(passes, rows, gpu);
      return { ms: Number(ms.toPrecision(3)), dispatches, kernels: kernels.slice(0, 3) };
    };
    const presets: Record<string, GpuPredictions['presets'][string]> = {};
    for (const preset of predictedPresets) {
      const training = step(`${preset} training ${predictedBatch}`);
      const token = step(`${preset} decoding step 1`);
      if (training && token) presets[preset] = { training, token };
    }
    if (Object.keys(presets).length > 0) found[name] = { date, presets };
  }
  return found;
}

/** The predictions in a file; none if it does not exist. */
export const readPredictions = (path: string): Predictions =>
  existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};

/** Replaces those of the same GPUs in a file. */
export function addPredictions(path: string, predictions: Predictions): void {
  const all = { ...readPredictions(path), ...predictions };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(all, undefined, 1)}\n`);
}

const number = (value: number): string => Number(value.toPrecision(2)).toLocaleString('en');

/** A table in Markdown. `measured`: from reports of the same GPU, if there are any. */
export function predictionTable(predictions: Predictions, reports: readonly DeviceReport[]): string {
  const head = [
    '| GPU | predicted on | model | update, predicted | measured | token, predicted | measured | kernels that dominate the update |',
    '| --- | --- | --- | ---: | ---: | ---: | ---: | --- |',
  ];
  const names = Object.keys(estimatedGpus).filter((name) => predictions[name]);
  const rows = names.flatMap((name) => {
    const { date, presets } = predictions[name] as GpuPredictions;
    const own = reports.filter(({ adapter }) => estimatedGpus[name]?.adapter.test(adapter));
    return Object.entries(presets).map(([preset, { training, token }]) => {
      const step = own.find((r) => r.step.preset === preset && r.step.batch === predictedBatch)?.step;
      const decoding = own
        .flatMap((report) => report.decoding)
        .find((d) => d.preset === preset && d.batch === 1);
      const kernels = training.kernels.map(([kernel, share]) => `${kernel} ${Math.round(100 * share)} %`);
      const cells = [
        name,
        date,
        preset,
        `${number(training.ms)} ms`,
        step ? `${number(step.ms)} ms` : '–',
        `${number(token.ms)} ms`,
        decoding ? `${number(1000 / decoding.tokensPerSecond)} ms` : '–',
        kernels.join(', '),
      ];
      return `| ${cells.join(' | ')} |`;
    });
  });
  return [...head, ...rows].join('\n');
}
