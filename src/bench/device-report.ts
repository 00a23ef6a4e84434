// The report of a device that a visitor measured in the kernel lab: one line of JSON, its schema, and the checks that
// reject nonsense. bench/results/devices/ has the reports that were sent.

import { check } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { isObject } from '../files/json-files.ts';
import { spreadOf } from './spread.ts';

/** A kernel with its time in milliseconds: median and quartiles. */
export interface ReportedKernel {
  readonly name: string;
  readonly flops: number;
  readonly bytes: number;
  readonly ms: number;
  readonly low: number;
  readonly high: number;
}

/** A training step: milliseconds, and FLOPs of its matrix products. */
export interface ReportedStep {
  readonly preset: string;
  readonly batch: number;
  readonly ms: number;
  readonly modelFlops: number;
  readonly tokensPerSecond: number;
  readonly dispatches: number;
}

/** Greedy decoding of a model: tokens per second of all rows. */
export interface ReportedDecoding {
  readonly preset: string;
  readonly parameters: number;
  readonly batch: number;
  readonly tokensPerSecond: number;
}

/** The same decoding with another library. It is timed if all its rows have the ids of heddle; else its speed is 0. */
export interface ReportedPeer {
  /** Name, version and how it ran. */
  readonly library: string;
  readonly batch: number;
  /** Number of rows with the same ids. */
  readonly sameRows: number;
  readonly tokensPerSecond: number;
}

/** The report; plain JSON. */
export interface DeviceReport {
  readonly kind: 'heddle device report';
  readonly version: 1;
  readonly heddle: string;
  /** Start time, ISO 8601. */
  readonly when: string;
  /** Name of the adapter, of the browser with its version, and of the platform. */
  readonly adapter: string;
  readonly browser: string;
  readonly platform: string;
  /** Whether the adapter computes on the CPU. */
  readonly software: boolean;
  /** Number of kernels that were compared with float64, and the names of those that were wrong. */
  readonly conformance: { readonly kernels: number; readonly wrong: readonly string[] };
  /** GB/s, GFLOP/s, and the larger spread of both before and after the kernels. */
  readonly roofs: { readonly bandwidth: number; readonly peak: number; readonly spread: number };
  readonly kernels: readonly ReportedKernel[];
  readonly step: ReportedStep;
  readonly decoding: readonly ReportedDecoding[];
  /** Absent if the visitor did not agree to load another library. */
  readonly beside?: readonly ReportedPeer[];
}

/** Limits of what is plausible. */
export const plausible = {
  /** Share of a roof; a measurement may exceed the measured roof a little. */
  share: 1.05,
  /** Half the interquartile range of a time, relative to its median; of the roofs, their range. */
  spread: 0.5,
  /** GB/s and GFLOP/s. */
  bandwidth: [0.1, 20_000],
  peak: [0.1, 1_000_000],
  /** Milliseconds. */
  ms: [1e-4, 600_000],
  textLength: 120,
  kernels: 40,
} as const;

/** A kernel's share of the roofline of its device. */
export const reportedShare = (
  { flops, bytes, ms }: ReportedKernel,
  { bandwidth, peak }: DeviceReport['roofs'],
): number => Math.max(flops / ms / 1e6 / peak, bytes / ms / 1e6 / bandwidth);

/** Model FLOPs utilization of the training step. */
export const reportedMfu = ({ step, roofs }: DeviceReport): number =>
  step.modelFlops / step.ms / 1e6 / roofs.peak;

type Unchecked<T> = { readonly [Name in keyof T]?: unknown };

/** Reads a report. Throws a HeddleError that names what is wrong or not plausible. */
export function readDeviceReport(text: string): DeviceReport {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    check(false, 'The report is not JSON; copy the whole line from the kernel lab.');
  }
  return deviceReportOf(json);
}

/** Checks a parsed report. Throws a HeddleError that names what is wrong or not plausible. */
export function deviceReportOf(json: unknown): DeviceReport {
  check(
    isObject(json) && json.kind === 'heddle device report' && json.version === 1,
    'This is no report of a device; it must come from "Measure this device" of the kernel lab.',
  );
  const report: Unchecked<DeviceReport> = json;
  const when = textIn('when', report.when);
  check(!Number.isNaN(Date.parse(when)), msg`The time ${when} is no date.`);
  check(typeof report.software === 'boolean', 'The field software must be true or false.');
  const read: DeviceReport = {
    kind: 'heddle device report',
    version: 1,
    heddle: textIn('heddle', report.heddle),
    when,
    adapter: textIn('adapter', report.adapter),
    browser: textIn('browser', report.browser),
    platform: textIn('platform', report.platform),
    software: report.software,
    conformance: conformanceIn(report.conformance),
    roofs: roofsIn(report.roofs),
    kernels: listIn('kernels', report.kernels, kernelIn),
    step: stepIn(report.step),
    decoding: listIn('decoding', report.decoding, decodingIn),
    beside: report.beside === undefined ? undefined : listIn('beside', report.beside, peerIn),
  };
  checkPlausible(read);
  return read;
}

/** Throws a HeddleError if the numbers of a report contradict each other. */
function checkPlausible(report: DeviceReport): void {
  const { adapter, software, roofs, kernels, step, decoding, beside = [] } = report;
  const isCpu = /swiftshader|llvmpipe|lavapipe/i.test(adapter);
  check(software || !isCpu, msg`${adapter} is a software adapter, but the report says that it is a GPU.`);
  check(
    roofs.spread <= plausible.spread,
    msg`The roofs differ by ${percent(roofs.spread)} before and after the kernels; at most ${percent(plausible.spread)} is usable.`,
  );
  for (const kernel of kernels) {
    const share = reportedShare(kernel, roofs);
    check(
      share <= plausible.share,
      msg`${kernel.name} reaches ${percent(share)} of the roof, which is more than the device can.`,
    );
    const spread = spreadOf(kernel);
    check(spread <= plausible.spread, msg`The times of ${kernel.name} spread by ${percent(spread)}.`);
  }
  const mfu = reportedMfu(report);
  check(mfu <= plausible.share, msg`The training step uses ${percent(mfu)} of the peak.`);
  const tokens = (1000 * step.batch) / step.ms;
  check(
    step.tokensPerSecond >= tokens,
    msg`The training step has ${step.tokensPerSecond} tokens/s, but ${step.batch} rows take ${step.ms} ms.`,
  );
  for (const { batch, library } of beside)
    check(
      decoding.some((own) => own.batch === batch),
      msg`${library} was measured at batch ${batch}, at which heddle was not.`,
    );
  for (const { batch, parameters, tokensPerSecond } of decoding) {
    // The embeddings of the source and the target are not part of the products; half of the rest is a low bound.
    const share = (parameters * tokensPerSecond) / 1e9 / roofs.peak / 4;
    check(
      share <= plausible.share,
      msg`Decoding at batch ${batch} has ${tokensPerSecond} tokens/s, which is more than the device can.`,
    );
  }
}

const percent = (x: number): string => `${Math.round(100 * x)} %`;

function textIn(name: string, given: unknown): string {
  const isText = typeof given === 'string' && given.length > 0 && given.length <= plausible.textLength;
  // Reports are shown in tables of Markdown and in pages.
  check(
    isText && !/[\n|<>`]/.test(given),
    msg`The field ${name} must be a short text without line breaks and | < > \`.`,
  );
  return given;
}

function numberIn(name: string, given: unknown, [min, max]: readonly [number, number]): number {
  const fits = typeof given === 'number' && Number.isFinite(given) && given >= min && given <= max;
  check(fits, () => msg`${name} is ${String(given).slice(0, 40)}, must be a number from ${min} to ${max}.`);
  return given;
}

const countIn = (name: string, given: unknown, min = 1): number => {
  const n = numberIn(name, given, [min, 1e15]);
  check(Number.isInteger(n), msg`${name} is ${n}, must be a whole number.`);
  return n;
};

function listIn<T>(name: string, given: unknown, read: (item: unknown) => T): T[] {
  check(
    Array.isArray(given) && given.length > 0 && given.length <= plausible.kernels,
    msg`The report needs the list ${name}, of 1 to ${plausible.kernels} items.`,
  );
  return (given as unknown[]).map(read);
}

function conformanceIn(given: unknown): DeviceReport['conformance'] {
  check(isObject(given) && Array.isArray(given.wrong), 'The report needs conformance: kernels and wrong.');
  const kernels = countIn('The number of checked kernels', given.kernels);
  const wrong = (given.wrong as unknown[]).map((name) => textIn('wrong', name));
  check(wrong.length <= kernels, 'More kernels are wrong than were checked.');
  return { kernels, wrong };
}

function roofsIn(given: unknown): DeviceReport['roofs'] {
  check(isObject(given), 'The report has no roofs.');
  return {
    bandwidth: numberIn('The bandwidth', given.bandwidth, plausible.bandwidth),
    peak: numberIn('The peak', given.peak, plausible.peak),
    spread: numberIn('The spread of the roofs', given.spread, [0, 1]),
  };
}

function kernelIn(given: unknown): ReportedKernel {
  check(isObject(given), 'A kernel of the report is no record.');
  const name = textIn('name of a kernel', given.name);
  const time = (field: 'ms' | 'low' | 'high') => numberIn(`${name}: ${field}`, given[field], plausible.ms);
  const [ms, low, high] = [time('ms'), time('low'), time('high')];
  check(low <= ms && ms <= high, msg`The time of ${name} is not between its quartiles.`);
  return {
    name,
    ms,
    low,
    high,
    flops: countIn(`${name}: flops`, given.flops, 0),
    bytes: countIn(`${name}: bytes`, given.bytes),
  };
}

function stepIn(given: unknown): ReportedStep {
  check(isObject(given), 'The report has no training step.');
  return {
    preset: textIn('preset', given.preset),
    batch: countIn('The batch of the training step', given.batch),
    ms: numberIn('The time of the training step', given.ms, plausible.ms),
    modelFlops: countIn('The FLOPs of the training step', given.modelFlops),
    tokensPerSecond: numberIn('The speed of the training step', given.tokensPerSecond, [1e-3, 1e9]),
    dispatches: countIn('The dispatches of the training step', given.dispatches),
  };
}

function decodingIn(given: unknown): ReportedDecoding {
  check(isObject(given), 'A decoding of the report is no record.');
  return {
    preset: textIn('preset', given.preset),
    parameters: countIn('The number of parameters', given.parameters),
    batch: countIn('The batch of a decoding', given.batch),
    tokensPerSecond: numberIn('The speed of a decoding', given.tokensPerSecond, [1e-3, 1e9]),
  };
}

function peerIn(given: unknown): ReportedPeer {
  check(isObject(given), 'A library of the report is no record.');
  const library = textIn('library', given.library);
  const batch = countIn(`The batch of ${library}`, given.batch);
  const sameRows = countIn(`The same rows of ${library}`, given.sameRows, 0);
  const tokensPerSecond = numberIn(`The speed of ${library}`, given.tokensPerSecond, [0, 1e9]);
  check(
    sameRows === batch ? tokensPerSecond > 0 : sameRows < batch && tokensPerSecond === 0,
    msg`${library} has a speed of ${tokensPerSecond} tokens/s with ${sameRows} of ${batch} rows that are the same; only equal results are timed.`,
  );
  return { library, batch, sameRows, tokensPerSecond };
}
