// heddle plan

import { type Command, Option } from 'commander';
import { type PlanArguments, plannedRuns } from '../jobs/plan-job.ts';
import { type ModelOptions, type PresetName, presets } from '../model/model-config.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import { optimizerNames } from '../trainer/optimizer-config.ts';
import { type Precision, precisions } from '../trainer/precision.ts';
import { print } from './output.ts';
import { noFuseOption, setting, weightsOption, whole } from './parse-values.ts';
import { runWithProgress } from './run-command.ts';
import { settingOption } from './train-flags.ts';

interface Options {
  preset: PresetName;
  run: PlanArguments['run'];
  vocab: number;
  batch: number;
  source?: number;
  target?: number;
  optimizer: PlanArguments['optimizer']['kind'];
  fuse: string[];
  checkpointLayers?: boolean;
  precision: Precision;
  freeze?: string[];
  weights?: WeightFormat;
  set?: Partial<ModelOptions>;
}

/** Adds the command `plan`. */
export function addPlan(program: Command): void {
  program
    .command('plan')
    .description('print a plan: passes in order, kernels, shapes, buffers, bytes, FLOPs; needs no GPU')
    .argument('[dir]', 'model folder, heddle or BART or MarianMT; without it, a preset')
    .addOption(new Option('--preset <name>', 'sizes of the model').choices(Object.keys(presets)).default('small'))
    .addOption(new Option('--run <kind>', 'what to plan').choices(plannedRuns).default('training'))
    .option('--batch <rows>', 'sentences a batch', whole(1), 32)
    .option('--source <positions>', 'source positions (default: 32, or the longest the model takes)', whole(1))
    .option('--target <positions>', 'target positions (default: as --source)', whole(1))
    .option('--vocab <tokens>', 'tokens of both vocabularies', whole(4), 8000)
    .addOption(new Option('--optimizer <name>', 'update rule').choices(optimizerNames).default('adamw'))
    .addOption(noFuseOption())
    .option('--checkpoint-layers', 'training: compute the inside of each layer again for its gradients, to save memory')
    .addOption(
      new Option('--precision <type>', 'training: what activations are kept in').choices(precisions).default('f32'),
    )
    .addOption(settingOption('freeze'))
    .addOption(weightsOption('evaluation and decoding: how weights are kept'))
    .option('--set <field=value>', 'a field of the model that differs from the preset; may be repeated', setting)
    .action(async (folder: string | undefined, options: Options) => {
      const {
        preset,
        run,
        vocab,
        batch,
        optimizer,
        fuse,
        checkpointLayers = false,
        precision,
        freeze,
        weights,
        set: model = {},
      } = options;
      const longest = model.maxLength ?? presets[preset].maxLength;
      const { source = folder ? 0 : Math.min(32, longest), target = source } = options;
      const sizes = { vocab, batch, source, target };
      print(
        await runWithProgress(
          'plan',
          {
            ...(folder && { folder }),
            preset,
            run,
            ...sizes,
            model,
            optimizer: { kind: optimizer ?? 'adamw' },
            noFuse: fuse,
            checkpointLayers,
            precision,
            ...(freeze && { freeze }),
            ...(weights && { weights }),
          },
          { host: 'cpu' },
          folder ? [folder] : [],
        ),
      );
    });
}
