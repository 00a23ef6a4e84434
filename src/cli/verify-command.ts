// heddle verify

import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { type Files, writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { Comparison, VerifiedCase } from '../jobs/verify/verify-job.ts';
import { print, table } from './output.ts';
import { hostOption, type ModelRunOptions, weightsOption } from './parse-values.ts';
import { type HostOptions, runWithProgress } from './run-command.ts';

/** Adds the command `verify`. */
export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('compare golden cases with what PyTorch computed: logits, loss, gradients, AdamW, greedy decoding')
    .argument(
      '<dir...>',
      'folders of cases, model folders (with an expected.json, or else held against float64), or folders that hold such',
    )
    .addOption(hostOption())
    .option('--tune', 'choose kernels by measuring, as training does, instead of taking the first guess')
    .addOption(weightsOption('compare weights kept as f16 or int8 with those in f32, on cases and any model folders'))
    .option('--verbose', 'every gradient and every loss on a line of its own')
    .option('--json <file>', 'write all errors as JSON')
    .action(
      async (
        dirs: string[],
        options: HostOptions & Pick<ModelRunOptions, 'weights'> & { verbose?: boolean; json?: string },
      ) => {
        const files = nodeFiles();
        const folders = (await Promise.all(dirs.map((dir) => casesIn(files, dir)))).flat();
        const args = { folders, ...(options.weights && { weights: options.weights }) };
        const cases = await runWithProgress('verify', args, { tune: false, ...options }, folders);
        if (options.json) await writeText(files, options.json, `${JSON.stringify(cases, undefined, 2)}\n`);
        print(cases.map((c) => printCase(c, options.verbose === true)).join('\n\n'));
        const failed = cases.flatMap((c) => c.compared.filter((q) => !q.passed).map((q) => `${c.name}: ${q.quantity}`));
        if (failed.length > 0) throw new HeddleError(`verify: ${failed.length} failed: ${failed.join(', ')}`);
      },
    );
}

/** The case that a folder is, or those in it. */
async function casesIn(files: Files, dir: string): Promise<string[]> {
  const isCase = (folder: string) => files.exists(`${folder}/config.json`);
  if (await isCase(dir)) return [dir];
  const inside = (await files.list(dir)).map((name) => `${dir}/${name}`);
  const cases: string[] = [];
  for (const folder of inside) if (await isCase(folder)) cases.push(folder);
  if (cases.length === 0)
    throw new HeddleError(`${dir}: not a golden case; a case has config.json, weights, batch and expected.safetensors`);
  return cases;
}

/** A table of a case's quantities; gradients, and losses of the run, by the worst of them unless `verbose`. */
function printCase({ name, backend, compared, fact }: VerifiedCase, verbose: boolean): string {
  const groups: [string, Comparison[]][] = [];
  for (const quantity of compared) {
    const kind = verbose ? quantity.quantity : groupOf(quantity.quantity);
    const group = groups.find(([known]) => known === kind);
    if (group) group[1].push(quantity);
    else groups.push([kind, [quantity]]);
  }
  const rows = groups.map(([kind, members]) => {
    const worst = members.reduce((a, b) => (b.error > a.error ? b : a));
    const many = members.length > 1;
    const failed = members.filter((q) => !q.passed).length;
    return [
      `  ${kind}`,
      many ? `${members.length}` : '',
      error(worst),
      worst.limit === 0 ? '0' : worst.limit.toExponential(0),
      failed === 0 ? 'ok' : many ? `FAILED (${failed})` : 'FAILED',
      many ? `worst: ${worst.quantity}` : '',
    ];
  });
  return `${name} on ${backend}\n${fact === undefined ? '' : `  ${fact}\n`}${table([['  quantity', 'of', 'error', 'limit', '', ''], ...rows], [1, 2, 3])}`;
}

const groupOf = (quantity: string): string =>
  quantity.startsWith('grad.') ? 'gradients' : quantity.startsWith('losses[') ? 'losses' : quantity;

const counted = ['greedy', 'tokens', 'source tokens', 'texts'];

const error = ({ quantity, error: e }: Comparison): string => {
  if (quantity === 'texts') return e === 1 ? '1 text' : `${e} texts`;
  if (counted.includes(quantity)) return e === 1 ? '1 token' : `${e} tokens`;
  return Number.isFinite(e) ? e.toExponential(1) : 'not finite';
};
