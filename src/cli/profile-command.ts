// heddle profile

import type { Command } from 'commander';
import { writeText } from '../files/files.ts';
import { chromeTrace, printProfile } from '../gpu/profile.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { ProfileResult } from '../jobs/profile-job.ts';
import { print, tell } from './output.ts';
import { addHostOptions, whole } from './parse-values.ts';
import { addPresetOptions, type PresetOptions, presetArguments } from './preset-flags.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';

interface Options extends HostOptions, PresetOptions<'training' | 'evaluation'> {
  runs: number;
  rows: number;
  passes?: boolean;
  trace?: string | false;
  json?: boolean;
}

/** Adds the command `profile`. */
export function addProfile(program: Command): void {
  const command = program
    .command('profile')
    .description('time every pass of a step on the adapter: milliseconds, GFLOP/s, GB/s and share, the dearest first');
  addPresetOptions(command, ['training', 'evaluation'])
    .option('--runs <n>', 'runs of which each time is the median', whole(1), 5)
    .option('--rows <n>', 'most rows of the table, which has one for all passes of a kind', whole(1), 40)
    .option('--passes', 'list every pass in order instead')
    .option(
      '--trace <file>',
      'trace to write, for chrome://tracing or ui.perfetto.dev (default: runs/profile-PRESET.json)',
    )
    .option('--no-trace', 'write no trace')
    .option('--json', 'print all passes as JSON instead of the table')
    .action(async (options: Options) => {
      const args = { ...presetArguments(options), runs: options.runs };
      const found = await runWithProgress('profile', args, { ...options, exactTimestamps: true });
      print(options.json ? JSON.stringify(found, undefined, 1) : describe(found, options));
      const { trace = `runs/profile-${options.preset}.json` } = options;
      if (trace === false) return;
      await writeText(nodeFiles(), trace, chromeTrace(found));
      tell(`trace of the last run: ${trace}`);
    });
  addHostOptions(command);
}

function describe(found: ProfileResult, { rows, passes = false }: Options): string {
  const table = printProfile(found, { rows, each: passes }).trimEnd();
  return `${found.backend}\n\n${table}${passes ? '' : '\na row is all passes of a kind; --passes lists each of them'}`;
}
