// heddle info

import type { Command } from 'commander';
import { formatLimit } from '../core/format-numbers.ts';
import { dawnAdapters } from '../host/dawn.ts';
import type { InfoResult } from './jobs/info-job.ts';
import { printResult, table } from './output.ts';
import { adapterOption, gpuHostOption, jsonOption } from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';

/** Jobs of the command. */
interface Jobs {
  readonly info: CommandJob<Record<string, never>, InfoResult>;
}

/** Adds the command `info`. */
export function addInfo(program: Command, jobs: Jobs): void {
  program
    .command('info')
    .description('list the WebGPU adapters of this machine, and print one with its features and limits')
    .addOption(gpuHostOption())
    .addOption(adapterOption())
    .addOption(jsonOption())
    .action(async (options: HostOptions) => {
      const adapter = await runWithProgress(jobs.info, {}, options);
      const adapters = options.host === 'dawn' ? await dawnAdapters() : undefined;
      await printResult({ ...adapter, adapters }, options.json, () => describe(adapter, adapters));
    });
}

function describe(a: InfoResult, adapters: readonly string[] = []): string {
  const rows: [string, string][] = [
    ['host', a.host],
    ...adapters.map((name, i): [string, string] => [i === 0 ? 'adapters' : '', `${i}: ${name}`]),
    ['vendor', a.vendor],
    ['architecture', a.architecture],
    ['device', a.device],
    ['description', a.description],
    ['software', a.software ? 'yes' : 'no'],
    ['subgroups', a.subgroups ? `${a.subgroups.min} to ${a.subgroups.max}` : 'not reported'],
    ['subgroup kernels', a.subgroupKernels],
    ['subgroup matrices', a.subgroupMatrices],
    ['features', a.features.join(', ')],
    ...Object.entries(a.limits).map(([name, value]): [string, string] => [name, formatLimit(name, value)]),
  ];
  return table(rows);
}
