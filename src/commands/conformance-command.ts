// heddle conformance

import type { Command } from 'commander';
import { version } from '../../package.json';
import type { ConformanceReport } from '../bench/conformance-check.ts';
import { HeddleError } from '../core/errors.ts';
import { formatLimit } from '../core/format-numbers.ts';
import { adapterName } from '../core/host-name.ts';
import { present } from '../core/present.ts';
import { dawnVersion } from '../host/dawn.ts';
import { printResult, table } from './output.ts';
import { adapterOption, gpuHostOption, jsonOption, whole } from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';

/** Jobs of the command. */
interface Jobs {
  readonly conformance: CommandJob<{ readonly lostDevices: number }, ConformanceReport>;
}

/** Adds the command `conformance`. */
export function addConformance(program: Command, jobs: Jobs): void {
  program
    .command('conformance')
    .description(
      'check a WebGPU implementation and its adapter: limits, each kernel, 20 training steps, a lost device; readback and dispatch times',
    )
    .addOption(gpuHostOption())
    .addOption(adapterOption())
    .option('--lost-devices <n>', 'number of training runs in which the device is destroyed', whole(0), 1)
    .addOption(jsonOption())
    .action(async (options: HostOptions & { lostDevices: number }) => {
      const { lostDevices, json } = options;
      const result = await runWithProgress(jobs.conformance, { lostDevices }, { ...options, tune: false });
      const { engine } = result;
      const report = {
        ...result,
        engine: { ...engine, version: engine.name === 'Dawn' ? dawnVersion() : engine.version },
      };
      const facts = { heddle: version, when: new Date().toISOString(), ...report };
      await printResult(facts, json, () => describe(report));
      if (!report.passed)
        throw new HeddleError('this WebGPU implementation or its adapter fails a check', {
          area: 'conformance',
        });
    });
}

function describe(report: ConformanceReport): string {
  const { engine, machine, features, limits, kernels, training, readbackMs, dispatchUs, recovery } = report;
  const right = kernels.filter((kernel) => kernel.passed);
  const worst = [...kernels].sort((a, b) => b.worst - a.worst)[0];
  const wrong = kernels.flatMap(({ name, dropped }) => dropped.map((variant) => `${name} ${variant}`));
  const low = limits
    .filter((limit) => !limit.passed)
    .map(({ name, has, needed }) => `${name} ${formatLimit(name, has)} of ${formatLimit(name, needed)}`);
  const available = features.filter((feature) => feature.present).map(({ name }) => name);
  const variants = kernels.reduce((sum, kernel) => sum + kernel.variants.length, 0);
  return table(
    present([
      ['engine', `${engine.name} ${engine.version}`.trim()],
      ['adapter', adapterName(machine.adapter)],
      ['features', available.join(', ') || 'none'],
      ['subgroup kernels', report.subgroupKernels],
      ['subgroup matrices', report.subgroupMatrices],
      [
        'limits',
        low.length > 0
          ? `too low: ${low.join(', ')}; choose another adapter (--adapter, --host)`
          : `all ${limits.length} are sufficient`,
      ],
      ['kernels', `${right.length} of ${kernels.length} are correct, in ${variants} variants`],
      ['worst error', worst ? `${worst.worst.toExponential(1)} (${worst.name} ${worst.variant})` : ''],
      wrong.length > 0 ? ['wrong kernels', wrong.join(', ')] : undefined,
      ['20 training steps', `losses within ${training.error.toExponential(1)} of the stored ones`],
      ['readback', `${readbackMs.toFixed(1)} ms`],
      ['dispatch', `${dispatchUs.toFixed(1)} µs`],
      ['lost devices', `${recovery.recovered} of ${recovery.lost} recovered with the same losses`],
      ['result', report.passed ? 'passed' : 'failed'],
    ]),
  );
}
