// heddle convert: writes a model in another format, or a checkpoint for PyTorch.

import { version } from '../../../package.json';
import { openFolder } from '../../api/load-model.ts';
import { check, HeddleError, withArea } from '../../core/errors.ts';
import type { LanguageOptions } from '../../decode/text-options.ts';
import type { CorporaSettings } from '../../features/corpora/corpora-settings.ts';
import type { TorchSettings } from '../../features/pytorch/torch-run/torch-run-files.ts';
import { maskOptions } from '../../features/speech/speech-settings.ts';
import type { Files } from '../../files/files.ts';
import { verifyFolder } from '../../files/folder-commit.ts';
import { gunzip } from '../../files/gzip.ts';
import { jsonBytes, readJson } from '../../files/json-files.ts';
import { checkpointNames } from '../../files/model-file.ts';
import { ownFileNames, writeFolder } from '../../files/owned-folder.ts';
import { settledFolder } from '../../files/settled-folder.ts';
import { allFormats } from '../../formats/main-formats.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import type { WeightReader } from '../../model/quantized-parameters.ts';
import type { Job } from '../../session/job.ts';
import type { Session } from '../../session/session.ts';
import { parseChanges } from '../../train/report/run-changes.ts';
import { reportName } from '../../train/report/training-log.ts';
import { settingsAfter } from '../../train/run/live-run.ts';
import { corpusFacts } from '../../train/run/logbook.ts';
import { type PreparedRun, prepareRun } from '../../train/run/prepared-run.ts';
import { argumentsIn, readTrainingState } from '../../train/run/training-state.ts';
import { SettingTable } from '../../train/settings/train-settings.ts';
import { decayEnd } from '../../train/update/schedule.ts';
import { trainableParameters } from '../../train/update/trainable-parameters.ts';

/** Arguments of the job; plain JSON. The languages are those that OUT translates between. */
export interface ConvertArguments extends LanguageOptions {
  /** Folder of the model, or the checkpoint for `torch-run`. */
  readonly folder: string;
  readonly out: string;
  /** Name of a format, or `torch-run`. */
  readonly to: string;
  /**
   * dtype of the weights, for heddle, the formats of transformers and onnx. [that of the source checkpoint,
   * or f32]
   */
  readonly dtype?: string;
  /** Options of the format, as texts: an option that is read from a file has its path. [none] */
  readonly formatOptions?: Readonly<Record<string, string>>;
  /** Folder of a LoRA adapter to merge into the weights. */
  readonly lora?: string;
  /**
   * torch-run: total number of updates that the data is for. [the planned updates, and the end of the
   * schedule]
   */
  readonly steps?: number;
  /** Whether to replace a checkpoint in `out`. */
  readonly force?: boolean;
}

/** Result of the job; plain JSON. */
export interface Converted {
  readonly out: string;
  readonly to: ConvertArguments['to'];
  readonly parameters: number;
  /** torch-run: the updates that the data is for. */
  readonly steps?: { readonly first: number; readonly last: number };
}

/**
 * Converts a model or a checkpoint. Throws a HeddleError that names the fields that the format does not
 * support.
 */
export const convert: Job<ConvertArguments, Converted> = async (args, session) => {
  const { folder, out, to, dtype, force } = args;
  if (to === 'torch-run') return convertRun(args, session);
  check(args.steps === undefined, `convert: steps (${args.steps}) is only for torch-run; omit it`);
  const format = allFormats(session.features.formats).find(({ names }) => names.includes(to));
  const formatOptions: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(args.formatOptions ?? {})) {
    const { fromFile } = format?.options?.[name] ?? {};
    const bytes = fromFile && (await readUnpacked(session.files, value));
    formatOptions[name] = bytes ? withArea(value, () => fromFile(bytes)) : value;
  }
  const model = await openFolder(folder, session, args);
  const onWarning = (text: string) => session.emit({ type: 'warning', text });
  await model.save(out, { format: to, onWarning, dtype, force, formatOptions });
  return { out, to, parameters: model.parameterCount };
};

/** A file, unpacked if its name ends in .gz. */
async function readUnpacked(files: Files, path: string): Promise<Uint8Array> {
  const bytes = await files.read(path);
  return path.endsWith('.gz') ? gunzip(bytes, path) : bytes;
}

/** Converts a checkpoint to a folder for continue.py. The folder is a checkpoint too. */
async function convertRun(
  { folder, out, to, steps, force: _, ...changes }: ConvertArguments,
  session: Session,
) {
  const { files } = session;
  check(
    !changes.dtype && !changes.lora && !changes.sourceLang && !changes.targetLang,
    'convert: torch-run continues a checkpoint without changes; omit --dtype, --lora-adapter, --source-lang and --target-lang',
  );
  const at = await settledFolder(files, folder);
  if (!(await files.exists(`${at}/${checkpointNames.state}`)))
    throw new HeddleError(
      `${folder}: not a checkpoint: there is no ${checkpointNames.state}; torch-run continues a folder that heddle train wrote`,
    );
  const before = await readTrainingState(files, folder);
  const started = argumentsIn(before, folder, new SettingTable(session.features.settings));
  const { corpus: pairs } = started;
  // More steps than planned move the end of the schedule, as in heddle train --resume --steps.
  const longer = steps !== undefined && steps > (before.steps ?? 0) ? { steps } : {};
  const given = { corpus: pairs, out: folder, resume: true, ...longer };
  const { quantizeBits } = started;
  const { samplingAlpha, bpeDropout, augment, guidedAlignment } = started as CorporaSettings;
  check(!guidedAlignment, `${folder}: its run has guided alignment; continue.py does not`);
  check(!quantizeBits, `${folder}: its run rounds weights to ${quantizeBits} bits; continue.py does not`);
  check(
    !(pairs.kind === 'files' && pairs.stages) && !samplingAlpha && !bpeDropout && !augment,
    `${folder}: its run draws from corpora with weights, or draws fresh pieces or augments pairs in each epoch; torch-run has fixed batches`,
  );
  const prepared = await prepareRun(given, session, { files, folder });
  const { args, data, parameters, recipe, update } = prepared;
  const planned = Math.max(prepared.steps, decayEnd(update.schedule) ?? 0);
  const last = steps ?? planned;
  check(
    last > before.step,
    `${folder}: it is at step ${before.step}, and ${steps === undefined ? 'the run ends at' : 'steps is'} ${last}; ` +
      'give a larger total number of updates (--steps N)',
  );
  const { init, gradientAccumulationSteps, optimizer, schedule, seed } = update;
  const { torchRunFiles } = await import('../../features/pytorch/torch-run/torch-run-files.ts');
  const { lora } = recipe;
  const torchRun = await torchRunFiles({
    config: data.config,
    corpus: data.corpus,
    shapes: data.batches.shapes,
    batches: data.batches.order,
    masks: maskOptions(args),
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
  return { out, to, parameters: parameters.count, steps: { first: before.step, last } };
}

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
