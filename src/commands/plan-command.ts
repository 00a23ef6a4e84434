// heddle plan

import { type Command, Option } from 'commander';
import { formatMiB, formatPercent } from '../core/format-numbers.ts';
import { defaultTraits } from '../engine/ops/device-traits.ts';
import { printPlan } from '../engine/plan/plan.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import { presetDefaults } from '../train/settings/run-defaults.ts';
import { optimizerNames, type Precision } from '../train/update/optimizer-config.ts';
import type { NamedPlan, PlanArguments, PlannedModel } from './jobs/plan-job.ts';
import { presetRuns } from './jobs/preset-graphs.ts';
import { jsonOption, weightsExcludeOption, weightsOption, whole } from './parse-values.ts';
import { addPresetFlags, type PresetFlags, presetArguments } from './preset-flags.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';
import { settingOption } from './train-flags.ts';

interface Options extends PresetFlags<PlanArguments['run']>, Pick<HostOptions, 'json'> {
  optimizer?: NonNullable<PlanArguments['optimizer']['kind']>;
  gradientCheckpointing?: boolean;
  precision?: Precision;
  freeze?: string[];
  loraRank?: number;
  loraTargetModules?: string[];
  weights?: WeightFormat;
  weightsExclude?: string[];
  beams?: number;
  cacheType?: 'f32' | 'f16';
  launchBound?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly plan: CommandJob<PlanArguments, PlannedModel>;
}

/** Adds the command `plan`. */
export function addPlan(program: Command, jobs: Jobs): void {
  const command = program
    .command('plan')
    .description(
      'print the plan of a model: passes in order, shapes, memory slots, bytes and FLOPs (needs no GPU)',
    )
    .argument('[dir]', 'model folder, instead of --preset');
  addPresetFlags(command, presetRuns)
    .addOption(
      new Option('--optimizer <name>', 'optimizer (default: rmsprop for keras, else adamw)').choices(
        optimizerNames,
      ),
    )
    .addOption(settingOption('gradientCheckpointing'))
    .addOption(settingOption('precision'))
    .addOption(settingOption('freeze'))
    .addOption(settingOption('lora.rank'))
    .addOption(settingOption('lora.targetModules'))
    .addOption(weightsOption('format of the weights; in training only with --lora-rank'))
    .addOption(weightsExcludeOption())
    .option('--beams <n>', 'for --run decoding: number of beams (default: 1)', whole(1))
    .addOption(
      new Option(
        '--cache-type <type>',
        'for --run decoding: storage of keys and values (default: f32)',
      ).choices(['f32', 'f16']),
    )
    .option(
      '--launch-bound',
      'plan the fewest dispatches, as auto-tuning does where a dispatch costs more than its work (default: off)',
    )
    .addOption(jsonOption())
    .action(async (folder: string | undefined, options: Options) => {
      const {
        precision = 'f32',
        gradientCheckpointing = false,
        freeze,
        weights,
        weightsExclude,
        json,
      } = options;
      const { loraRank: rank, loraTargetModules: targetModules } = options;
      const args = {
        ...presetArguments(options, folder),
        optimizer: { kind: options.optimizer ?? presetDefaults(options.preset).optimizer },
        folder,
        precision,
        gradientCheckpointing,
        freeze,
        weights,
        weightsExclude,
        lora: rank ? { rank, targetModules } : undefined,
        decoding: { beams: options.beams, cacheType: options.cacheType },
        launchBound: options.launchBound,
      };
      await runAndPrint(jobs.plan, args, { host: 'cpu', json }, describe);
    });
}

/** The `maxBufferSize` that every adapter allows. */
const guaranteedBufferSize = 256 * 2 ** 20;

function describe(planned: PlannedModel): string {
  const { model, parameters, shape, plans, sessionBytes, savings, formats } = planned;
  const head =
    `${model}: ${parameters.toLocaleString('en')} parameters; ` +
    `${shape.batch} rows of ${shape.source} source and ${shape.target} target positions`;
  const text = plans.map((entry) => `${head}\n${entry.name}\n\n${printPlan(entry.plan)}${comparison(entry)}`);
  return [
    text.join('\n'),
    plans.length > 1 ? `session of both plans: ${formatMiB(sessionBytes)}\n` : '',
    bufferLimit(plans),
    bindingLimit(plans),
    formats ? formatsText(formats, planned.weightBytes) : '',
    savings ? savingsTable(savings, shape.batch) : '',
  ].join('');
}

/** The layers of each weight format, and the memory of all weights. */
function formatsText(formats: NonNullable<PlannedModel['formats']>, bytes: number): string {
  const lines = Object.entries(formats).map(
    ([format, layers]) => `  ${format.padEnd(9)}  ${layers.join(', ')}`,
  );
  return `\nlayers by weight format; weights ${formatMiB(bytes)}\n${lines.join('\n')}\n`;
}

/** The required buffer size, if not every adapter allows it. */
function bufferLimit(plans: readonly NamedPlan[]): string {
  const [largest] = plans.flatMap(({ plan }) => plan.buffers).sort((a, b) => b.bytes - a.bytes);
  if (!largest || largest.bytes <= guaranteedBufferSize) return '';
  return (
    `the largest buffer, ${largest.name}, takes ${formatMiB(largest.bytes)}: ` +
    `the adapter must allow that as maxBufferSize (every one allows ${formatMiB(guaranteedBufferSize)})\n`
  );
}

/** The required binding size, if not every adapter allows it. */
function bindingLimit(plans: readonly NamedPlan[]): string {
  const bindings = plans.flatMap(({ plan }) =>
    plan.passes.flatMap(({ op, scope, bind }) =>
      Object.values(bind).map(({ bytes }) => ({ bytes, name: `${op} (${scope})` })),
    ),
  );
  const largest = bindings.reduce((max, other) => (other.bytes > max.bytes ? other : max), {
    bytes: 0,
    name: '',
  });
  if (largest.bytes <= defaultTraits.maxBindingBytes) return '';
  return (
    `the largest binding, of ${largest.name}, takes ${formatMiB(largest.bytes)}: the adapter must allow that as ` +
    `maxStorageBufferBindingSize (every one allows ${formatMiB(defaultTraits.maxBindingBytes)}), or use a smaller batch or shorter sequences
`
  );
}

/** Compares a plan with the one in f32 without gradient checkpointing. */
function comparison({ plan: { bytes }, plain }: NamedPlan): string {
  if (!plain) return '';
  return (
    `without f16 and gradient checkpointing: activations ${formatMiB(plain.slots)} (this plan: ${formatPercent(bytes.slots / plain.slots)}), ` +
    `peak ${formatMiB(plain.peak)} (this plan: ${formatPercent(bytes.peak / plain.peak)})\n`
  );
}

/** Table of the GPU memory of an update with each combination of memory-saving flags. */
function savingsTable(savings: NonNullable<PlannedModel['savings']>, pairs: number): string {
  const width = Math.max(...savings.map(({ flags }) => flags.length));
  const lines = savings.map(
    ({ flags, bytes }) => `  ${flags.padEnd(width)}  ${formatMiB(bytes).padStart(11)}`,
  );
  return `\nGPU memory of an update of ${pairs} pairs\n${lines.join('\n')}\n`;
}
