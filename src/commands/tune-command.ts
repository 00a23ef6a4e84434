// heddle tune

import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { formatNumber } from '../core/format-numbers.ts';
import { msg } from '../core/message.ts';
import { present } from '../core/present.ts';
import { type PresetArguments, presetRuns } from './jobs/preset-graphs.ts';
import type { TuneArguments, TuneResult } from './jobs/tune-job.ts';
import { table } from './output.ts';
import { adapterOption, gpuHostOption, jsonOption, positive } from './parse-values.ts';
import { addPresetFlags, type PresetFlags, presetArguments } from './preset-flags.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';

interface Options extends HostOptions, PresetFlags<PresetArguments['run']> {
  seconds: number;
}

/** Jobs of the command. */
interface Jobs {
  readonly tune: CommandJob<TuneArguments, TuneResult>;
}

/** Adds the command `tune`. */
export function addTune(program: Command, jobs: Jobs): void {
  const command = program
    .command('tune')
    .description('auto-tune the kernels of a model for this device and store the result in the cache folder');
  addPresetFlags(command, presetRuns)
    .option('--seconds <n>', 'time limit in seconds', positive, 120)
    .addOption(jsonOption())
    .addOption(gpuHostOption())
    .addOption(adapterOption())
    .action(async (options: Options) => {
      const args = { ...presetArguments(options), seconds: options.seconds };
      const { failure } = await runAndPrint(jobs.tune, args, options, describe);
      if (failure !== undefined)
        throw new HeddleError(
          msg`the tuned kernels could not be stored: ${failure}; set HEDDLE_CACHE to a writable folder`,
          { area: 'tune' },
        );
    });
}

function describe({ backend, ms, nodes, measured, dropped, place }: TuneResult): string {
  const rows = measured.map((list): string[] => {
    const [best, ...others] = list as [
      TuneResult['measured'][number][number],
      ...TuneResult['measured'][number],
    ];
    // `linear {"activation":"relu"} f32[512,128] ...` without the attributes.
    const name = best.key.replace(/ \{.*\} /, ' ').replaceAll('f32[', '[');
    const slower = others.map((m) => `${m.variant} ${formatNumber(m.ms / best.ms)}`);
    return [
      name.length > 70 ? `${name.slice(0, 67)}...` : name,
      formatNumber(best.ms),
      best.variant,
      slower.join(', '),
    ];
  });
  const alike = nodes - measured.length;
  return present([
    backend,
    '',
    table([['kernel and tensors', 'ms', 'best', 'others (time relative to the best)'], ...rows], [1]),
    '',
    `${measured.length} kernels measured in ${(ms / 1000).toFixed(1)} s${
      alike > 0
        ? `; ${alike} others use a cached choice, the choice of a similar kernel, or the default kernel`
        : ''
    }`,
    ...Object.entries(dropped).map(([kernel, reason]) => `not used: ${kernel}: ${reason}`),
    place === undefined ? undefined : `stored in ${place}`,
  ]).join('\n');
}
