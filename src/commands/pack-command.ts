// heddle pack and heddle unpack: a model folder to a .zip file and back.

import { isAbsolute } from 'node:path';
import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { features } from '../features/features.ts';
import { archiveFiles } from '../files/archive-files.ts';
import { baseName, type Files, withoutEndSlash } from '../files/files.ts';
import { jsonBytes, parseJson, readJson } from '../files/json-files.ts';
import { checkpointNames, modelFileNames } from '../files/model-file.ts';
import { ownFileNames, writeFolder } from '../files/owned-folder.ts';
import { readSettled } from '../files/settled-folder.ts';
import { verifyFolder } from '../files/verified-files.ts';
import { isModelFolder } from '../formats/model-folder.ts';
import { nodeFiles } from '../host/node-files.ts';
import { allMetrics } from '../text/metrics/main-metrics.ts';
import { corpusFile } from '../train/data/corpus-kinds.ts';
import { formatLog, logName, parseLog, reportName } from '../train/report/training-log.ts';
import { trainingReport } from '../train/report/training-report.ts';
import { Interruption } from './interruption.ts';
import { checkNewFolder } from './out-folder.ts';
import { type JsonOption, printResult } from './output.ts';
import { isSamePlace } from './output-file.ts';
import { jsonOption } from './parse-values.ts';

interface Options {
  readonly force?: boolean;
  readonly weightsOnly?: boolean;
  readonly json?: JsonOption;
}

/** Files of a run in a model folder, which only further training needs. */
const runFiles: readonly string[] = [...Object.values(checkpointNames), logName, reportName, corpusFile];

const force = ['--force', 'replace the target if it exists'] as const;

/** Adds the command `pack`. */
export function addPack(program: Command): void {
  program
    .command('pack')
    .description('pack a model folder into a .zip file, which the page can open')
    .argument('<dir>', 'model folder')
    .argument('<file.zip>', 'file to write')
    .option(
      '--weights-only',
      'omit training state, log, report and stored pairs, which translation does not need',
    )
    .option(...force)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nAbsolute paths in the log and in the training state are shortened to their last part.',
    )
    .action(async (from: string, to: string, options: Options) => {
      if (!/\.zip$/i.test(to))
        throw new HeddleError(msg`${to}: the file name must end in .zip`, { area: 'pack' });
      await copy(from, to, options, async (files, folder) => {
        const names = await ownFileNames(files, folder);
        const packed = names.filter((name) => !options.weightsOnly || !runFiles.includes(name));
        return withoutPaths(await readAll(files, folder, packed), folder);
      });
    });
}

/** Adds the command `unpack`. */
export function addUnpack(program: Command): void {
  program
    .command('unpack')
    .description('unpack a .zip file, for example one that the page saved, into a model folder')
    .argument('<file.zip>', 'packed model')
    .argument('<dir>', 'folder to write')
    .option(...force)
    .addOption(jsonOption())
    .action(async (from: string, to: string, options: Options) => {
      if (!/\.zip$/i.test(from))
        throw new HeddleError(msg`${from}: the file name must end in .zip`, { area: 'unpack' });
      if (/\.zip$/i.test(to))
        throw new HeddleError(msg`${to}: the name of a folder must not end in .zip`, { area: 'unpack' });
      await copy(from, to, options, async (files, folder) =>
        readAll(files, folder, await ownFileNames(files, folder)),
      );
    });
}

/** Files of a folder by name. */
const readAll = async (
  files: Files,
  folder: string,
  names: readonly string[],
): Promise<Record<string, Uint8Array>> =>
  Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await files.read(`${folder}/${name}`)] as const)),
  );

/** Copies a model folder; `partsOf` gives the files to write. */
async function copy(
  from: string,
  target: string,
  { force, json }: Options,
  partsOf: (files: Files, folder: string) => Promise<Record<string, Uint8Array>>,
): Promise<void> {
  const files = archiveFiles(nodeFiles());
  const to = withoutEndSlash(target);
  if (isSamePlace(from, to)) throw new HeddleError('it is the model itself; use another name', { area: to });
  if (!(await files.exists(from))) throw new HeddleError('there is no such file or folder', { area: from });
  if (!(await isModelFolder(files, from, features.formats))) {
    const config = `${from}/${modelFileNames.config}`;
    if (await files.exists(config)) await readJson(files, config); // a damaged file is called damaged
    throw new HeddleError('it contains no model', { area: from });
  }
  await checkNewFolder(files, to, force);
  const parts = await readSettled(files, from, async (at) => {
    await verifyFolder(files, at); // the copy has new checksums
    return partsOf(files, at);
  });
  const interruption = Interruption.open(); // a signal waits for the end of the replacement
  try {
    await writeFolder(files, to, parts);
  } finally {
    interruption.close();
  }
  const written = Object.entries(parts).map(([name, { length: bytes }]) => ({ name, bytes }));
  await printResult({ out: to, files: written }, json, () => `wrote ${to}`);
}

/** The files with absolute paths in the arguments of the run shortened to their last part. */
function withoutPaths(parts: Record<string, Uint8Array>, folder: string): Record<string, Uint8Array> {
  const { [checkpointNames.state]: state, [logName]: log } = parts;
  const changed: Record<string, Uint8Array> = { ...parts };
  if (state) {
    const json = parseJson(state, `${folder}/${checkpointNames.state}`);
    changed[checkpointNames.state] = jsonBytes({ ...json, arguments: shortened(json.arguments) });
  }
  if (log) {
    const records = parseLog(new TextDecoder().decode(log), `${folder}/${logName}`);
    const short = records.map((r) => (r.type === 'start' ? { ...r, arguments: shortened(r.arguments) } : r));
    changed[logName] = new TextEncoder().encode(formatLog(short));
    changed[reportName] = new TextEncoder().encode(trainingReport(short, allMetrics(features.metrics)));
  }
  return changed;
}

/** JSON in which each text that is an absolute path is its last part. */
const shortened = (json: unknown): unknown =>
  JSON.parse(
    JSON.stringify(json ?? null, (_, x: unknown) =>
      typeof x === 'string' && isAbsolute(x) ? baseName(x) : x,
    ),
  );
