// heddle bench

import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { version } from '../../package.json';
import { type BenchRun, compareRuns, fastestOf, readBenchRun, referenceNote } from '../bench/bench-file.ts';
import type { KernelResult } from '../bench/check-kernel.ts';
import type { KernelSpec } from '../bench/kernel-case.ts';
import type { RoofSpread } from '../bench/repeated-roofs.ts';
import { shareOfRoof } from '../bench/roofline-model.ts';
import { disturbance, maxSpread, spreadOf } from '../bench/spread.ts';
import { HeddleError, withArea } from '../core/errors.ts';
import { formatBytes, formatLimit, formatNumber, formatPercent } from '../core/format-numbers.ts';
import { listed, msg } from '../core/message.ts';
import type { Roofs } from '../engine/gpu/roofs.ts';
import { type PresetName, presets } from '../model/presets.ts';
import { presetDefaults } from '../train/settings/run-defaults.ts';
import type { BenchArguments, BenchResult } from './jobs/bench-job.ts';
import { printResult, table } from './output.ts';
import { addHostOptions, jsonOption, whole } from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';

interface Options extends HostOptions {
  filter?: string;
  kernel?: string;
  size?: string[];
  baseline?: string;
  preset: PresetName[];
  kernels: boolean;
  batchSize: number;
  vocabSize?: number;
  steps: number;
  small?: boolean;
  quick?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly bench: CommandJob<BenchArguments, BenchResult>;
}

/** Adds the command `bench`. */
export function addBench(program: Command, jobs: Jobs): void {
  const command = program
    .command('bench')
    .description('check all kernels against the float64 reference, then time kernels and training steps')
    .option('--filter <text>', 'only kernels whose name contains this text, and no training steps')
    .option('--kernel <family>', 'only this kernel, e.g. matmul or attention, at the sizes in --size')
    .option('--size <name=value...>', 'sizes and options of --kernel, e.g. M=512 form=NT')
    .option(
      '--baseline <file>',
      'compare with the results of an earlier --json: the difference, and whether it exceeds the noise',
    )
    .option('--no-kernels', 'only training steps')
    .addOption(
      new Option('--preset <name...>', 'presets whose training step is timed').default(
        ['tiny', 'small', 'mid'],
        'tiny, small, mid',
      ),
    )
    .option('--batch-size <pairs>', 'pairs per batch, of up to 32 tokens', whole(1), 32)
    .option(
      '--vocab-size <tokens>',
      'size of both vocabularies (default: 15000 for keras, else 8000)',
      whole(5),
    )
    .option('--steps <n>', 'number of timed steps per preset', whole(3), 10)
    .option('--small', 'only some kernels at small sizes, for slow devices')
    .option('--quick', 'shorter and less exact measurements')
    .addOption(jsonOption())
    .action(async (options: Options) => {
      const earlier = options.baseline === undefined ? undefined : await readBaseline(options.baseline);
      let browser: { version: string; flags: readonly string[] } | undefined;
      const onBrowser: HostOptions['onBrowser'] = ({ version: program, flags }) => {
        browser = { version: program, flags };
      };
      const result = await runWithProgress(jobs.bench, argumentsOf(options), { ...options, onBrowser });
      const facts = { heddle: version, when: new Date().toISOString(), browser, ...result };
      await printResult(facts, options.json, () => describe(result, earlier));
      const wrong = result.kernels.flatMap(({ name, variants }) =>
        variants
          .filter((v) => !v.passed)
          .map((v) => `${name} ${v.variant} (error ${v.error.toExponential(1)})`),
      );
      if (wrong.length > 0)
        throw new HeddleError(msg`${wrong.length} kernel variants fail the check: ${listed(wrong)}`, {
          area: 'bench',
        });
    });
  addHostOptions(command);
}

async function readBaseline(path: string): Promise<BenchRun> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new HeddleError(msg`it cannot be read (${error.message})`, { area: `--baseline ${path}` });
  });
  return withArea(`--baseline ${path}`, () => readBenchRun(text));
}

/** The kernel in --kernel and --size. */
function specOf({ kernel, size = [] }: Options): KernelSpec | undefined {
  if (kernel === undefined) {
    if (size.length > 0) throw new HeddleError('--size: it needs --kernel');
    return undefined;
  }
  const values = size.map((text): [string, string | number] => {
    const at = text.indexOf('=');
    if (at < 1) throw new HeddleError('it must be NAME=VALUE, for example M=512', { area: `--size ${text}` });
    const value = text.slice(at + 1);
    return [text.slice(0, at), value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value];
  });
  return { family: kernel, values: Object.fromEntries(values) };
}

function argumentsOf(o: Options): BenchArguments {
  const unknown = o.preset.find((name) => !(name in presets));
  if (unknown)
    throw new HeddleError(msg`it must be one of ${listed(Object.keys(presets))}`, {
      area: `--preset ${unknown}`,
    });
  const spec = specOf(o);
  const steps = o.filter === undefined && !o.small && !spec ? o.preset : [];
  return {
    kernels: o.kernels,
    set: o.small ? 'small' : 'all',
    filter: o.filter ?? '',
    specs: spec && [spec],
    steps: steps.map((preset) => {
      const length = Math.min(32, presets[preset].maxLength);
      const vocab = o.vocabSize ?? presetDefaults(preset).vocabSize;
      return { preset, shape: { batch: o.batchSize, source: length, target: length, vocab } };
    }),
    timedSteps: o.steps,
    span: o.quick ? 20 : 100,
    rounds: o.quick ? 3 : 5,
  };
}

function describe(
  { backend, machine, roofs, roofSpread, conformance, kernels, steps }: BenchResult,
  earlier?: BenchRun,
): string {
  const parts = [backend];
  if (roofs) parts.push(roofLines(roofs, roofSpread, machine.adapter.software));
  if (kernels.length > 0) parts.push(kernelTable(kernels, roofs));
  if (earlier) parts.push(changeTable({ kernels, roofSpread }, earlier));
  if (conformance) parts.push(conformanceLines(conformance));
  if (steps.length > 0) parts.push(stepTable(steps));
  return parts.join('\n\n');
}

const percent = (spread: number): string => `± ${(100 * spread).toFixed(1)} %`;

function roofLines({ bandwidth, peak }: Roofs, spread: RoofSpread | undefined, software: boolean): string {
  const ranges = (name: 'bandwidth' | 'peak') => (spread ? `, ${percent(spread[name].spread / 2)}` : '');
  const lines = [
    `copy bandwidth ${formatNumber(bandwidth.rate)} GB/s (${bandwidth.variant}${ranges('bandwidth')})`,
    `peak ${formatNumber(peak.rate)} GFLOP/s in float32 (${peak.variant}${ranges('peak')})`,
  ];
  if (spread) {
    const { before, after } = spread.peak;
    lines.push(`the highest of ${before.length} measurements before and ${after.length} after the kernels`);
  }
  if (software) lines.push('the adapter is software: it computes on the CPU, which other programs share');
  if (spread?.busy) {
    const widest = formatPercent(Math.max(spread.bandwidth.spread, spread.peak.spread));
    lines.push(`this machine is busy, measure again: repeated measurements of a roof differ by ${widest}`);
  }
  return lines.join('\n');
}

/** Compares the kernels that both runs have. */
function changeTable(run: Pick<BenchRun, 'kernels' | 'roofSpread'>, earlier: BenchRun): string {
  const before = new Map(earlier.kernels.map((kernel) => [kernel.name, fastestOf(kernel)?.ms]));
  const changes = [...compareRuns(run, earlier)];
  const title = `compared with ${earlier.when || 'an earlier run'} on ${earlier.adapter}`;
  if (changes.length === 0) return `${title}: no kernel is in both`;
  const rows = changes.map(([name, { change, noise, significant }]) => [
    name,
    formatNumber(before.get(name) ?? Number.NaN),
    `${change < 0 ? '' : '+'}${(100 * change).toFixed(1)} %`,
    percent(noise),
    !significant ? 'within the noise' : change < 0 ? 'faster' : 'slower',
  ]);
  return `${title}\n${table([['kernel', 'ms before', 'difference', 'noise', ''], ...rows], [1, 2, 3])}`;
}

function conformanceLines({
  features,
  limits,
  subgroups,
  kernels,
}: NonNullable<BenchResult['conformance']>): string {
  const wrong = kernels.filter((k) => !k.passed).length;
  const short = limits
    .filter((l) => !l.passed)
    .map((l) => `${l.name} ${formatLimit(l.name, l.has)} of ${formatLimit(l.name, l.needed)}`);
  const has = features.filter((f) => f.present).map((f) => f.name);
  return [
    `conformance: ${kernels.length - wrong} of ${kernels.length} kernels within their tolerance`,
    ...kernels.flatMap(({ name, dropped }) =>
      dropped.map((variant) => `not used on this adapter: ${name} ${variant}`),
    ),
    short.length > 0
      ? `limits too low: ${short.join(', ')}; choose another adapter (--adapter, --host)`
      : `all ${limits.length} limits are sufficient`,
    `features: ${has.join(', ') || 'none'}; subgroups: ${subgroups ? `${subgroups.min} to ${subgroups.max}` : 'not reported'}`,
  ].join('\n');
}

/** `roof`: the share of the attainable rate that a kernel reaches. */
function kernelTable(kernels: BenchResult['kernels'], roofs: Roofs | undefined): string {
  const head = [
    'kernel',
    'ms',
    'spread',
    'GFLOP/s',
    'GB/s',
    'roof',
    'error',
    'best variant',
    'others (time relative to the best)',
  ];
  const rows = kernels.map((kernel) => {
    const { name, flops, bytes, variants } = kernel;
    const [best, ...others] = variants;
    const worst = Math.max(...variants.map((v) => v.error)).toExponential(0);
    if (best?.ms === undefined) return [name, '', '', '', '', '', worst, 'none is correct'];
    const ms = best.ms;
    const slower = others.map((v) => `${v.variant} ${v.ms === undefined ? 'WRONG' : (v.ms / ms).toFixed(2)}`);
    return [
      name,
      formatNumber(ms),
      spreadText(kernel),
      flops > 0 ? formatNumber(flops / ms / 1e6) : '',
      formatNumber(bytes / ms / 1e6),
      roofs ? formatPercent(shareOfRoof(kernel, best, roofs)) : '',
      worst,
      best.variant,
      slower.join(', '),
    ];
  });
  const marked = kernels.filter((kernel) => disturbance(kernel) > maxSpread).length;
  const note = `\n! ${marked} kernels: spread over ${formatPercent(maxSpread)}, or a machine below its peak right after; do not quote these`;
  const references = kernels.map(referenceNote).filter(Boolean);
  return [`${table([head, ...rows], [1, 2, 3, 4, 5, 6])}${marked > 0 ? note : ''}`, ...references].join('\n');
}

/** The spread of the fastest variant, marked if the kernel was disturbed. */
function spreadText(kernel: KernelResult): string {
  const fastest = fastestOf(kernel);
  if (!fastest) return '';
  return `${percent(spreadOf(fastest))}${disturbance(kernel) > maxSpread ? ' !' : ''}`;
}

function stepTable(steps: BenchResult['steps']): string {
  const head = [
    'training step',
    'batch',
    'weights',
    'ms',
    'tokens/s',
    'GFLOP/s',
    'MFU',
    'dispatches',
    'submits',
  ];
  const rows = steps.map((s) => [
    s.preset,
    `${s.batch}x${s.source}x${s.target}`,
    s.parameters.toLocaleString('en'),
    formatNumber(s.ms),
    s.tokensPerSecond.toFixed(0),
    formatNumber(s.gflops),
    s.mfu === undefined ? '' : formatPercent(s.mfu),
    `${s.dispatches}`,
    `${s.submits}`,
    formatBytes(s.bytes),
    formatNumber(s.jsMs),
    (s.firstMs / 1000).toFixed(1),
  ]);
  return table([[...head, 'memory', 'JS ms', 'first s'], ...rows], [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
}
