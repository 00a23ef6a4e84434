// heddle profile

import type { Command } from 'commander';
import { writeText } from '../formats/files.ts';
import { chromeTrace, printProfile } from '../gpu/profile.ts';
import { nodeFiles } from '../host/node-files.ts';
import { print, tell } from './output.ts';
import { addHostOptions, whole } from './parse.ts';
import { addPresetOptions, type PresetOptions, presetArguments } from './preset-options.ts';
import { type HostOptions, runWithProgress } from './run.ts';

interface Options extends HostOptions, PresetOptions<'training' | 'evaluation'> {
  runs: number;
  rows: number;
  trace?: string;
  json?: boolean;
}

/** Adds the command `profile`. */
export function addProfile(program: Command): void {
  const command = program
    .command('profile')
    .description('time every pass of a step on the adapter: milliseconds, GFLOP/s, GB/s and share, the dearest first');
  addPresetOptions(command, ['training', 'evaluation'])
    .option('--runs <n>', 'runs of which each time is the median', whole(1), 5)
    .option('--rows <n>', 'most rows of the table', whole(1), 40)
    .option('--trace <file>', 'write a trace for chrome://tracing or ui.perfetto.dev')
    .option('--json', 'print all passes as JSON instead of the table')
    .action(async (options: Options) => {
      const args = { ...presetArguments(options), runs: options.runs };
      const found = await runWithProgress('profile', args, { ...options, exactTimestamps: true });
      if (options.trace) {
        await writeText(nodeFiles(), options.trace, chromeTrace(found));
        tell(`wrote ${options.trace}`);
      }
      print(
        options.json
          ? JSON.stringify(found, undefined, 1)
          : `${found.backend}\n\n${printProfile(found, options.rows)}`.trimEnd(),
      );
    });
  addHostOptions(command);
}
