// heddle bench

import type { Command } from 'commander';
import { version } from '../../package.json';
import { HeddleError } from '../core/errors.ts';
import { formatBytes, formatLimit, formatNumber, formatPercent } from '../core/format-numbers.ts';
import type { BenchArguments, BenchResult } from '../jobs/bench-job.ts';
import { type PresetName, presets } from '../model/model-config.ts';
import { presetRecipe } from '../train/recipes.ts';
import { type JsonOption, printResult, table } from './output.ts';
import { addHostOptions, jsonOption, whole } from './parse-values.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';

interface Options extends HostOptions {
  filter?: string;
  preset: PresetName[];
  kernels: boolean;
  batchSize: number;
  vocabSize?: number;
  steps: number;
  small?: boolean;
  quick?: boolean;
  json?: JsonOption;
}

/** Adds the command `bench`. */
export function addBench(program: Command): void {
  const command = program
    .command('bench')
    .description('check all kernels against the float64 reference, then time kernels and training steps')
    .option('--filter <text>', 'only kernels whose name contains this text, and no training steps')
    .option('--no-kernels', 'only training steps')
    .option('--preset <name...>', 'model sizes whose training step is timed', ['tiny', 'small', 'mid'])
    .option('--batch-size <pairs>', 'pairs per batch, of up to 32 tokens', whole(1), 32)
    .option('--vocab-size <tokens>', 'size of both vocabularies (default: 15000 for keras, else 8000)', whole(5))
    .option('--steps <n>', 'number of timed steps per preset', whole(3), 10)
    .option('--small', 'only some kernels at small sizes, for slow devices')
    .option('--quick', 'shorter and less exact measurements')
    .addOption(jsonOption())
    .action(async (options: Options) => {
      let browser: { version: string; flags: readonly string[] } | undefined;
      const result = await runWithProgress('bench', argumentsOf(options), {
        ...options,
        onBrowser({ version: program, flags }) {
          browser = { version: program, flags };
        },
      });
      const when = new Date().toISOString();
      const facts = { heddle: version, when, ...(browser && { browser }), ...result };
      await printResult(facts, options.json, () => describe(result));
      const wrong = result.kernels.flatMap(({ name, variants }) =>
        variants.filter((v) => !v.passed).map((v) => `${name} ${v.variant} (error ${v.error.toExponential(1)})`),
      );
      if (wrong.length > 0)
        throw new HeddleError(`bench: ${wrong.length} kernels exceed their tolerance: ${wrong.join(', ')}`);
    });
  addHostOptions(command);
}

function argumentsOf(o: Options): BenchArguments {
  const unknown = o.preset.find((name) => !(name in presets));
  if (unknown) throw new HeddleError(`--preset ${unknown}: it must be one of ${Object.keys(presets).join(', ')}`);
  const steps = o.filter === undefined && !o.small ? o.preset : [];
  return {
    kernels: o.kernels,
    set: o.small ? 'small' : 'all',
    filter: o.filter ?? '',
    steps: steps.map((preset) => {
      const length = Math.min(32, presets[preset].maxLength);
      return {
        preset,
        shape: {
          batch: o.batchSize,
          source: length,
          target: length,
          vocab: o.vocabSize ?? presetRecipe(preset).vocabSize,
        },
      };
    }),
    timedSteps: o.steps,
    span: o.quick ? 20 : 100,
    rounds: o.quick ? 3 : 5,
  };
}

function describe({ backend, roofs, conformance, kernels, steps }: BenchResult): string {
  const parts = [backend];
  if (roofs) parts.push(roofLines(roofs));
  if (kernels.length > 0) parts.push(kernelTable(kernels));
  if (conformance) parts.push(conformanceLines(conformance));
  if (steps.length > 0) parts.push(stepTable(steps));
  return parts.join('\n\n');
}

function roofLines({ bandwidth, peak }: NonNullable<BenchResult['roofs']>): string {
  const spread = ({ ms, low, high }: typeof peak) => `± ${((50 * (high - low)) / ms).toFixed(1)} %`;
  return [
    `copy bandwidth ${formatNumber(bandwidth.rate)} GB/s (${bandwidth.variant}, ${spread(bandwidth)})`,
    `peak ${formatNumber(peak.rate)} GFLOP/s in float32 (${peak.variant}, ${spread(peak)})`,
  ].join('\n');
}

function conformanceLines({ features, limits, subgroups, kernels }: NonNullable<BenchResult['conformance']>): string {
  const wrong = kernels.filter((k) => !k.passed).length;
  const short = limits
    .filter((l) => !l.passed)
    .map((l) => `${l.name} ${formatLimit(l.name, l.has)} of ${formatLimit(l.name, l.needed)}`);
  const has = features.filter((f) => f.present).map((f) => f.name);
  return [
    `conformance: ${kernels.length - wrong} of ${kernels.length} kernels within their tolerance`,
    ...kernels.flatMap(({ name, dropped }) => dropped.map((variant) => `not used on this adapter: ${name} ${variant}`)),
    short.length > 0
      ? `limits too low: ${short.join(', ')}; choose another adapter (--adapter, --host)`
      : `all ${limits.length} limits are sufficient`,
    `features: ${has.join(', ') || 'none'}; subgroups: ${subgroups ? `${subgroups.min} to ${subgroups.max}` : 'not reported'}`,
  ].join('\n');
}

function kernelTable(kernels: BenchResult['kernels']): string {
  const head = ['kernel', 'ms', 'GFLOP/s', 'GB/s', 'error', 'best variant', 'others (time relative to the best)'];
  const rows = kernels.map(({ name, flops, bytes, variants }) => {
    const [best, ...others] = variants;
    const worst = Math.max(...variants.map((v) => v.error)).toExponential(0);
    if (best?.ms === undefined) return [name, '', '', '', worst, 'none is correct'];
    const ms = best.ms;
    const slower = others.map((v) => `${v.variant} ${v.ms === undefined ? 'WRONG' : (v.ms / ms).toFixed(2)}`);
    return [
      name,
      formatNumber(ms),
      flops > 0 ? formatNumber(flops / ms / 1e6) : '',
      formatNumber(bytes / ms / 1e6),
      worst,
      best.variant,
      slower.join(', '),
    ];
  });
  return table([head, ...rows], [1, 2, 3, 4]);
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
    'memory',
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
  return table([[...head, 'JS ms', 'first s'], ...rows], [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
}
