// heddle plan

import { type Command, Option } from 'commander';
import { type PlanArguments, plannedRuns } from '../jobs/plan-job.ts';
import { presets } from '../model/model-config.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import { presetRecipe } from '../train/recipes.ts';
import { optimizerNames } from '../trainer/optimizer-config.ts';
import type { Precision } from '../trainer/precision.ts';
import { print } from './output.ts';
import { weightsOption } from './parse-values.ts';
import { addPresetFlags, type PresetFlags } from './preset-flags.ts';
import { runWithProgress } from './run-command.ts';
import { settingOption } from './train-flags.ts';

interface Options extends PresetFlags<PlanArguments['run']> {
  optimizer?: NonNullable<PlanArguments['optimizer']['kind']>;
  gradientCheckpointing?: boolean;
  precision?: Precision;
  freeze?: string[];
  loraRank?: number;
  loraTargetModules?: string[];
  weights?: WeightFormat;
}

/** Adds the command `plan`. */
export function addPlan(program: Command): void {
  const command = program
    .command('plan')
    .description('print the plan of a model: kernels in order, shapes, buffers, bytes and FLOPs (needs no GPU)')
    .argument('[dir]', 'model folder, instead of --preset');
  addPresetFlags(command, plannedRuns)
    .addOption(
      new Option('--optimizer <name>', 'optimizer (default: rmsprop for keras, else adamw)').choices(optimizerNames),
    )
    .addOption(settingOption('gradientCheckpointing'))
    .addOption(settingOption('precision'))
    .addOption(settingOption('freeze'))
    .addOption(settingOption('lora.rank'))
    .addOption(settingOption('lora.targetModules'))
    .addOption(weightsOption('storage of the weights, in training with --lora-rank'))
    .action(async (folder: string | undefined, options: Options) => {
      const {
        preset,
        run,
        batchSize: batch,
        vocabSize: vocab = presetRecipe(preset).vocabSize,
        fuse: noFuse,
        precision = 'f32',
        freeze,
        weights,
        loraRank: rank,
        loraTargetModules: targetModules,
      } = options;
      const model = options.set ?? {};
      const maxLength = model.maxLength ?? presets[preset].maxLength;
      const { sourceLength: source = folder ? 0 : Math.min(32, maxLength) } = options;
      const plan = await runWithProgress(
        'plan',
        {
          ...(folder && { folder }),
          ...{ preset, run, vocab, batch, source, target: options.targetLength ?? source, model, noFuse, precision },
          optimizer: { kind: options.optimizer ?? presetRecipe(preset).optimizer },
          gradientCheckpointing: options.gradientCheckpointing ?? false,
          ...(freeze && { freeze }),
          ...(rank && { lora: { rank, ...(targetModules && { targetModules }) } }),
          ...(weights && { weights }),
        },
        { host: 'cpu' },
        folder ? [folder] : [],
      );
      print(plan);
    });
}
