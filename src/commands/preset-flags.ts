// Flags for the sizes of a model and a batch, which `heddle plan`, `profile` and `tune` share.

import { type Command, Option } from 'commander';
import type { ModelOptions } from '../model/model-config.ts';
import { type PresetName, presets } from '../model/presets.ts';
import { presetDefaults } from '../train/settings/run-defaults.ts';
import type { PresetArguments } from './jobs/preset-graphs.ts';
import { list, setting, whole } from './parse-values.ts';

/** Values of the flags. */
export interface PresetFlags<Run extends PresetArguments['run']> {
  readonly preset: PresetName;
  readonly run: Run;
  readonly batchSize: number;
  readonly sourceLength?: number;
  readonly targetLength?: number;
  readonly vocabSize?: number;
  readonly fuse: readonly string[];
  readonly set?: Partial<ModelOptions>;
}

/** Adds the flags. `runs` are the values of `--run`, the default first. */
export const addPresetFlags = (command: Command, runs: readonly PresetArguments['run'][]): Command =>
  command
    .addOption(new Option('--preset <name>', 'model size').choices(Object.keys(presets)).default('small'))
    .addOption(new Option('--run <kind>', 'computation').choices(runs).default(runs[0]))
    .option('--batch-size <pairs>', 'pairs per batch', whole(1), 32)
    .option(
      '--source-length <tokens>',
      'source length (default: 32, or the maximum of the model if less; of frames: the maximum)',
      whole(1),
    )
    .option('--target-length <tokens>', 'target length (default: --source-length)', whole(1))
    .option(
      '--vocab-size <tokens>',
      'size of both vocabularies (default: 15000 for keras, else 8000)',
      whole(4),
    )
    .option('--set <field=value>', 'change a field of the model configuration (repeatable)', setting)
    .addOption(
      new Option('--no-fuse <rewrite...>', 'graph rewrites to disable').argParser(list).default([], 'none'),
    );

/** The flags as arguments of a job. With a model folder the default lengths are 0, those of the model. */
export function presetArguments<Run extends PresetArguments['run']>(
  flags: PresetFlags<Run>,
  folder?: string,
): PresetArguments & { readonly run: Run } {
  const { preset, run, batchSize: batch, fuse: noFuse, set: model = {} } = flags;
  const { vocabSize: vocab = presetDefaults(preset).vocabSize } = flags;
  const { maxLength } = { ...presets[preset], ...model };
  const { sourceLength: source = folder ? 0 : Math.min(32, maxLength) } = flags;
  return {
    preset,
    run,
    model,
    vocab,
    noFuse,
    shape: { batch, source, target: flags.targetLength ?? source },
  };
}
