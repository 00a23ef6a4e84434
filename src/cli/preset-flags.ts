// The options of commands that look at the kernels of a preset.

import { type Command, Option } from 'commander';
import type { PresetArguments } from '../jobs/preset-graphs.ts';
import { type ModelOptions, type PresetName, presets } from '../model/model-config.ts';
import { noFuseOption, setting, whole } from './parse-values.ts';

/** What commander makes of them. */
export interface PresetOptions<Run extends PresetArguments['run']> {
  readonly preset: PresetName;
  readonly run: Run;
  readonly batch: number;
  readonly source?: number;
  readonly target?: number;
  readonly vocab: number;
  readonly fuse: readonly string[];
  readonly set?: Partial<ModelOptions>;
}

/** Adds the options; `runs` are those that the command knows, the first by default. */
export function addPresetOptions(command: Command, runs: readonly PresetArguments['run'][]): Command {
  return command
    .addOption(new Option('--preset <name>', 'sizes of the model').choices(Object.keys(presets)).default('small'))
    .addOption(new Option('--run <kind>', 'what is run').choices(runs).default(runs[0]))
    .option('--batch <rows>', 'sentences a batch', whole(1), 32)
    .option('--source <positions>', 'source positions (default: 32, or the longest the model takes)', whole(1))
    .option('--target <positions>', 'target positions (default: as --source)', whole(1))
    .option('--vocab <tokens>', 'tokens of both vocabularies', whole(4), 8000)
    .option('--set <field=value>', 'a field of the model that differs from the preset; may be repeated', setting)
    .addOption(noFuseOption());
}

/** The options as arguments of a job. */
export function presetArguments<Run extends PresetArguments['run']>(
  options: PresetOptions<Run>,
): PresetArguments & { readonly run: Run } {
  const { preset, run, batch, vocab, fuse: noFuse, set: model = {} } = options;
  const { source = Math.min(32, model.maxLength ?? presets[preset].maxLength), target = source } = options;
  return { preset, run, model, vocab, noFuse, shape: { batch, source, target } };
}
