// heddle profile

import type { Command } from 'commander';
import { formatNumber, formatPercent } from '../core/format-numbers.ts';
import { chromeTrace, printProfile } from '../engine/gpu/profile.ts';
import { writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { ProfileResult } from './jobs/profile-job.ts';
import { log } from './output.ts';
import { addHostOptions, jsonOption, whole } from './parse-values.ts';
import { addPresetFlags, type PresetFlags, presetArguments } from './preset-flags.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';

interface Options extends HostOptions, PresetFlags<'training' | 'evaluation'> {
  runs: number;
  rows: number;
  passes?: boolean;
  trace?: string | false;
}

/** Adds the command `profile`. */
export function addProfile(program: Command): void {
  const command = program
    .command('profile')
    .description(
      'time each compute pass of a step on this device: milliseconds, GFLOP/s, GB/s and share, slowest first',
    );
  addPresetFlags(command, ['training', 'evaluation'])
    .option('--runs <n>', 'number of runs; times are medians', whole(1), 5)
    .option(
      '--rows <n>',
      'maximum number of table rows; a row is the sum over all passes of a kind',
      whole(1),
      40,
    )
    .option('--passes', 'list all passes in order instead')
    .option(
      '--trace <file>',
      'trace file for chrome://tracing or ui.perfetto.dev (default: runs/profile-PRESET.json)',
    )
    .option('--no-trace', 'do not write a trace')
    .addOption(jsonOption())
    .action(async (options: Options) => {
      const args = { ...presetArguments(options), runs: options.runs };
      const host = { ...options, exactTimestamps: true };
      const profile = await runAndPrint('profile', args, host, (result) => describe(result, options));
      const { trace = `runs/profile-${options.preset}.json` } = options;
      if (trace === false) return;
      await writeText(nodeFiles(), trace, chromeTrace(profile));
      log(`wrote the trace of the last run to ${trace}`);
    });
  addHostOptions(command);
}

function describe(profile: ProfileResult, { rows, passes = false }: Options): string {
  const table = printProfile(profile, { rows, each: passes }).trimEnd();
  const { modelFlops, ms, peakGflops, mfu } = profile;
  const used =
    `\nmodel FLOPs utilization (MFU) ${formatPercent(mfu)}: ${formatNumber(modelFlops / 1e9)} GFLOP of matrix products ` +
    `in ${formatNumber(ms)} ms, peak ${formatNumber(peakGflops)} GFLOP/s`;
  return `${profile.backend}\n\n${table}${used}${passes ? '' : '\na row is the sum over all passes of a kind; --passes lists each pass'}`;
}
