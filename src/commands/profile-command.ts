// heddle profile

import type { Command } from 'commander';
import { formatNumber, formatPercent } from '../core/format-numbers.ts';
import { chromeTrace, printProfile } from '../engine/gpu/profile.ts';
import { writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { ProfileArguments, ProfileResult } from './jobs/profile-job.ts';
import { log } from './output.ts';
import { checkOutputFile } from './output-file.ts';
import { addHostOptions, jsonOption, whole } from './parse-values.ts';
import { addPresetFlags, type PresetFlags, presetArguments } from './preset-flags.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';

interface Options extends HostOptions, PresetFlags<'training' | 'evaluation'> {
  runs: number;
  rows: number;
  passes?: boolean;
  trace?: string | false;
  force?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly profile: CommandJob<ProfileArguments, ProfileResult>;
}

/** Adds the command `profile`. */
export function addProfile(program: Command, jobs: Jobs): void {
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
      'trace file for chrome://tracing or ui.perfetto.dev (default: runs/profile-PRESET.json, or a free name like it)',
    )
    .option('--force', 'overwrite the files of --trace and --json')
    .option('--no-trace', 'do not write a trace')
    .addOption(jsonOption())
    .action(async (options: Options) => {
      const { trace, force } = options;
      if (typeof trace === 'string') checkOutputFile('--trace', trace, { force });
      const args = { ...presetArguments(options), runs: options.runs };
      const host = { ...options, exactTimestamps: true };
      const profile = await runAndPrint(jobs.profile, args, host, (result) => describe(result, options));
      if (trace === false) return;
      const file = trace ?? (await freeFile(`runs/profile-${options.preset}`));
      await writeText(nodeFiles(), file, chromeTrace(profile));
      log(`wrote the trace of the last run to ${file}`);
    });
  addHostOptions(command);
}

/** The first of `base.json`, `base-2.json`, `base-3.json`, ... that does not exist. */
async function freeFile(base: string): Promise<string> {
  for (let n = 1; ; n++) {
    const file = `${base}${n === 1 ? '' : `-${n}`}.json`;
    if (!(await nodeFiles().exists(file))) return file;
  }
}

function describe(profile: ProfileResult, { rows, passes = false }: Options): string {
  const table = printProfile(profile, { rows, each: passes }).trimEnd();
  const { modelFlops, ms, peakGflops, mfu } = profile;
  const used =
    `\nmodel FLOPs utilization (MFU) ${formatPercent(mfu)}: ${formatNumber(modelFlops / 1e9)} GFLOP of matrix products ` +
    `in ${formatNumber(ms)} ms, peak ${formatNumber(peakGflops)} GFLOP/s`;
  return `${profile.backend}\n\n${table}${used}${passes ? '' : '\na row is the sum over all passes of a kind; --passes lists each pass'}`;
}
