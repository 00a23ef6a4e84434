// heddle info

import type { Command } from 'commander';
import type { AdapterDescription } from '../host/adapter-info.ts';
import { type JsonOption, printResult, table } from './output.ts';
import { gpuHostOption, jsonOption } from './parse-values.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';

/** Adds the command `info`. */
export function addInfo(program: Command): void {
  program
    .command('info')
    .description('print the WebGPU adapter of this machine with its features and limits')
    .addOption(gpuHostOption())
    .addOption(jsonOption())
    .action(async (options: HostOptions & { json?: JsonOption }) => {
      const adapter = await runWithProgress('info', {}, options);
      await printResult(adapter, options.json, () => describe(adapter));
    });
}

function describe(a: AdapterDescription): string {
  const rows: [string, string][] = [
    ['host', a.host],
    ['vendor', a.vendor],
    ['architecture', a.architecture],
    ['device', a.device],
    ['description', a.description],
    ['software', a.software ? 'yes' : 'no'],
    ['subgroups', a.subgroups ? `${a.subgroups.min} to ${a.subgroups.max}` : 'not reported'],
    ['features', a.features.join(', ')],
    ...Object.entries(a.limits).map(([name, value]): [string, string] => [name, String(value)]),
  ];
  return table(rows);
}
