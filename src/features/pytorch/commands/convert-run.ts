// heddle convert --to torch-run: a checkpoint as a folder that PyTorch continues (continue.py).

import { version } from '../../../../package.json';
import type { ConvertedRun, ConvertRunArguments } from '../../../commands/checkpoint-target.ts';
import { check, HeddleError } from '../../../core/errors.ts';
import { listed, msg, option } from '../../../core/message.ts';
import { jsonBytes, readJson } from '../../../files/json-files.ts';
import { checkpointNames } from '../../../files/model-file.ts';
import { ownFileNames, writeFolder } from '../../../files/owned-folder.ts';
import { settledFolder } from '../../../files/settled-folder.ts';
import { verifyFolder } from '../../../files/verified-files.ts';
import type { SavedModel } from '../../../formats/shared/saved-model.ts';
import type { WeightReader } from '../../../model/quantized-parameters.ts';
import { neededSteps } from '../../../session/data-step.ts';
import type { GuestSettings } from '../../../session/guest-settings.ts';
import type { Job } from '../../../session/job.ts';
import { parseChanges } from '../../../train/report/run-changes.ts';
import { reportName } from '../../../train/report/training-log.ts';
import { settingsAfter } from '../../../train/run/live-run.ts';
import { corpusFacts } from '../../../train/run/logbook.ts';
import { openCheckpoint } from '../../../train/run/open-checkpoint.ts';
import { type PreparedRun, prepareRun } from '../../../train/run/prepared-run.ts';
import { reportStart } from '../../../train/run/start-messages.ts';
import { openBase } from '../../../train/run/start-model.ts';
import { argumentsIn } from '../../../train/run/training-state.ts';
import { SettingTable } from '../../../train/settings/train-settings.ts';
import { hasStages } from '../../../train/settings/training-recipe.ts';
import { decayEnd } from '../../../train/update/schedule.ts';
import { trainableParameters } from '../../../train/update/trainable-parameters.ts';
import { type TorchSettings, torchRunFiles } from '../torch-run/torch-run-files.ts';

/** Converts a checkpoint to a folder for continue.py. The folder is a checkpoint too. */
export const convertRun: Job<ConvertRunArguments, ConvertedRun> = async ({ folder, out, steps }, session) => {
  const { files } = session;
  const at = await settledFolder(files, folder);
  if (!(await files.exists(`${at}/${checkpointNames.state}`)))
    throw new HeddleError(
      msg`not a checkpoint: there is no ${checkpointNames.state}; torch-run continues a folder that heddle train wrote`,
      { area: folder },
    );
  const checkpoint = await openCheckpoint({ files, folder });
  const before = checkpoint.state;
  const started = argumentsIn(before, folder, new SettingTable(session.features.settings));
  // More steps than planned move the end of the schedule, as in heddle train --resume --steps.
  const longer = steps !== undefined && steps > (before.steps ?? 0) ? { steps } : {};
  const given = { corpus: started.corpus, out: folder, resume: true, ...longer };
  const missing = neededSteps(session.features.dataSteps, started, hasStages(started))
    .map(({ name }) => name)
    .filter((name) => name !== 'frame masks'); // frames.py draws them
  check(
    missing.length === 0,
    () => msg`its run has ${listed(missing)}; continue.py does not, since torch-run has fixed batches`,
    { area: folder },
  );
  const { quantizeBits } = started;
  check(!quantizeBits, msg`its run rounds weights to ${String(quantizeBits)} bits; continue.py does not`, {
    area: folder,
  });
  const model = await openBase(given, session, started);
  const prepared = await prepareRun(given, session, checkpoint, { model });
  reportStart(prepared, given, session);
  const { args, data, parameters, recipe, update } = prepared;
  const planned = Math.max(prepared.steps, decayEnd(update.schedule) ?? 0);
  const last = steps ?? planned;
  check(
    last > before.step,
    steps === undefined
      ? msg`it is at step ${before.step}, and the run ends at ${last}; give a larger total number of updates, ${option('steps')}`
      : msg`it is at step ${before.step}, and ${option('steps')} is ${last}; give a larger total number of updates`,
    { area: folder },
  );
  const { init, gradientAccumulationSteps, optimizer, schedule, seed } = update;
  const { lora } = recipe;
  const torchRun = await torchRunFiles({
    config: data.config,
    corpus: data.corpus,
    shapes: data.batches.shapes,
    batches: data.batches.order,
    masks: data.corpus.sourceRows && maskSettings(args, session.features.settings),
    parameters,
    recipe: update,
    trainable: trainableParameters(data.config, parameters, { freeze: args.freeze, lora }),
    firstStep: before.step,
    lastStep: last,
    settings: settingsFrom(prepared, before.step),
    lora: lora && prepared.start && { config: lora, base: readerOf(prepared.start), storage: args },
    log: {
      type: 'start',
      format: 'heddle-log',
      version: 1,
      heddle: version,
      stepsPerEpoch: prepared.perEpoch,
      seed,
      parameters: parameters.count,
      preset: args.preset,
      config: data.config,
      recipe: { init, gradientAccumulationSteps, optimizer, schedule },
      corpus: corpusFacts(args, data, prepared),
      arguments: args,
    },
  });
  await verifyFolder(files, at, (name) => name !== reportName); // the copy has new checksums
  const contents: Record<string, Uint8Array> = {};
  // A folder for PyTorch may be converted again.
  const omitted = [reportName, 'data', ...Object.keys(torchRun)];
  for (const name of await ownFileNames(files, at))
    if (!omitted.includes(name)) contents[name] = await files.read(`${at}/${name}`);
  const state = {
    ...(await readJson(files, `${at}/${checkpointNames.state}`)),
    steps: prepared.steps,
    schedule,
  };
  contents[checkpointNames.state] = jsonBytes({ ...state, arguments: args });
  await writeFolder(files, out, { ...contents, ...torchRun });
  return { out, to: 'torch-run', parameters: parameters.count, steps: { first: before.step, last } };
};

/** The settings of masks that guests bring, by name, with their defaults. */
const maskSettings = (given: object, guests: readonly GuestSettings[]): Record<string, unknown> =>
  Object.fromEntries(
    guests
      .flatMap(({ rows }) => Object.entries(rows))
      .filter(([name]) => name.startsWith('mask'))
      .map(([name, row]) => [name, Reflect.get(given, name) ?? row.default]),
  );

/** The settings at a step, and the settings after each later change of the run. */
function settingsFrom(prepared: PreparedRun, first: number): TorchSettings[] {
  const changes = parseChanges(prepared.args.changes);
  const later = changes.filter(({ step }) => step > first);
  return [{ step: first }, ...later].map(({ step, ...change }) => {
    const { schedule, config } = settingsAfter(
      prepared,
      changes.filter((other) => other.step <= step),
    );
    return { step, schedule, dropout: config.dropout, change: step > first ? change : undefined };
  });
}

/** The weights of a model in parts. */
const readerOf = ({ stored, weights }: SavedModel): WeightReader =>
  stored ?? {
    read: async ({ offset }, first, count) => weights.subarray(offset + first, offset + first + count),
  };
