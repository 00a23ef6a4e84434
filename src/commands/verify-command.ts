// heddle verify

import { type Command, Option } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { listed, msg } from '../core/message.ts';
import { present } from '../core/present.ts';
import { features } from '../features/features.ts';
import { archiveFiles } from '../files/archive-files.ts';
import type { Files } from '../files/files.ts';
import { isModelFolder } from '../formats/model-folder.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { CacheType } from './jobs/verify/golden-checks.ts';
import type { Comparison, VerifiedCase, VerifyArguments } from './jobs/verify/verify-job.ts';
import { log, table, warn } from './output.ts';
import {
  adapterOption,
  deviceOption,
  hostOption,
  jsonOption,
  type ModelRunOptions,
  weightsExcludeOption,
  weightsOption,
} from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';

interface Options extends HostOptions, Pick<ModelRunOptions, 'weights' | 'weightsExclude'> {
  cacheType?: CacheType;
  verbose?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly verify: CommandJob<VerifyArguments, VerifiedCase[]>;
}

/** Adds the command `verify`. */
export function addVerify(program: Command, jobs: Jobs): void {
  program
    .command('verify')
    .description(
      'compare results with a reference: golden cases with PyTorch, Hugging Face models with their expected.json, other models with float64',
    )
    .argument('<dir...>', 'golden cases, model folders, or folders that contain them')
    .addOption(hostOption())
    .addOption(deviceOption())
    .addOption(adapterOption())
    .option('--tune', 'auto-tune kernels first, as training does (default: off)')
    .addOption(weightsOption('compare weights in this format with f32 instead'))
    .addOption(weightsExcludeOption())
    .addOption(
      new Option('--cache-type <type>', 'f16: only decode golden cases, with keys and values in f16').choices(
        ['f32', 'f16'],
      ),
    )
    .option(
      '--verbose',
      'print each gradient and each loss, every event with its time, and the stack of an error',
    )
    .addOption(jsonOption())
    .action(
      async (
        dirs: string[],
        { weights, weightsExclude, cacheType, verbose = false, tune = false, ...options }: Options,
      ) => {
        const { folders, refused } = await casesAmong(archiveFiles(nodeFiles()), dirs);
        const describe = (all: VerifiedCase[]) => all.map((one) => printCase(one, verbose)).join('\n\n');
        const cases = await runAndPrint(
          jobs.verify,
          { folders, weights, weightsExclude, cacheType },
          { ...options, tune },
          describe,
          folders,
        );
        const failed = cases.flatMap((c) =>
          present([
            ...c.compared.filter((q) => !q.passed).map((q) => `${c.name}: ${q.quantity}`),
            c.refused === undefined ? undefined : `${c.name}: it cannot be read`,
          ]),
        );
        failed.push(...refused.map((dir) => `${dir}: neither a case nor a model`));
        if (failed.length > 0)
          throw new HeddleError(msg`${failed.length} failed: ${listed(failed)}`, { area: 'verify' });
      },
    );
}

/** The cases among several folders, and those that are neither. */
interface Found {
  readonly folders: readonly string[];
  readonly refused: readonly string[];
}

/**
 * The cases in folders. Of several, a file that is no archive, as `*` finds it, is skipped, and a folder without
 * a case does not stop the others.
 */
async function casesAmong(files: Files, dirs: readonly string[]): Promise<Found> {
  if (dirs.length === 1) return { folders: await casesIn(files, dirs[0] as string), refused: [] };
  const folders: string[] = [];
  const refused: string[] = [];
  for (const dir of dirs) {
    if (await isOtherFile(files, dir)) {
      log(`verify: ${dir} is skipped: it is a file, not a case or a model`);
      continue;
    }
    const inside = await casesIn(files, dir).catch((error: unknown) => {
      if (!(error instanceof HeddleError)) throw error;
      warn(`verify: ${error.message}`);
      refused.push(dir);
      return [];
    });
    folders.push(...inside);
  }
  if (folders.length === 0)
    throw new HeddleError('there is no folder with a case or a model', { area: 'verify' });
  return { folders, refused };
}

/** Whether a path is a file and not a model in one file. */
const isOtherFile = async (files: Files, path: string): Promise<boolean> =>
  (await files.exists(path)) &&
  !(await isModelFolder(files, path, features.formats)) &&
  files.list(path).then(
    () => false,
    () => true,
  );

/** The case in a folder, or the cases in its subfolders. */
async function casesIn(files: Files, dir: string): Promise<string[]> {
  const isCase = async (folder: string) =>
    (await files.exists(`${folder}/config.json`)) || (await isModelFolder(files, folder, features.formats));
  if (await isCase(dir)) return [dir];
  if (!(await files.exists(dir)))
    throw new HeddleError('there is no such file or folder', { area: dir, kind: 'not-found' });
  const inside = (await files.list(dir)).map((name) => `${dir}/${name}`);
  const cases: string[] = [];
  for (const folder of inside) if (await isCase(folder)) cases.push(folder);
  if (cases.length === 0)
    throw new HeddleError(
      'neither a golden case nor a model; a case has config.json and weights, batch and expected.safetensors',
      { area: dir },
    );
  return cases;
}

/**
 * A table of the quantities of a case. Without `verbose` it has only the maximum error of all gradients and
 * of all losses.
 */
function printCase({ name, backend, compared, fact, refused }: VerifiedCase, verbose: boolean): string {
  if (refused !== undefined) return `${name}\n  FAILED: ${refused}`;
  const groups: [string, Comparison[]][] = [];
  for (const quantity of compared) {
    const kind = verbose ? quantity.quantity : groupOf(quantity.quantity);
    const group = groups.find(([known]) => known === kind);
    if (group) group[1].push(quantity);
    else groups.push([kind, [quantity]]);
  }
  const rows = groups.map(([kind, members]) => {
    const worst = members.reduce((a, b) => (b.error > a.error ? b : a));
    const several = members.length > 1;
    const failed = members.filter((q) => !q.passed).length;
    return [
      `  ${kind}`,
      several ? `${members.length}` : '',
      error(worst),
      worst.limit === 0 ? '0' : worst.limit.toExponential(0),
      failed === 0 ? 'ok' : several ? `FAILED (${failed})` : 'FAILED',
      several ? `worst: ${worst.quantity}` : '',
    ];
  });
  return `${name} on ${backend}\n${fact === undefined ? '' : `  ${fact}\n`}${table([['  quantity', 'of', 'error', 'limit', '', ''], ...rows], [1, 2, 3])}`;
}

const groupOf = (quantity: string): string =>
  quantity.startsWith('grad.') ? 'gradients' : quantity.startsWith('losses[') ? 'losses' : quantity;

/** Quantities whose error is a number of tokens or texts that differ. */
const counted = ['greedy', 'int8.greedy', 'beam', 'tokens', 'source tokens', 'texts'];

const error = ({ quantity, error: e }: Comparison): string => {
  if (quantity === 'texts') return e === 1 ? '1 text' : `${e} texts`;
  if (counted.includes(quantity)) return e === 1 ? '1 token' : `${e} tokens`;
  return Number.isFinite(e) ? e.toExponential(1) : 'not finite';
};
