// npm run bench:isa: compiles heddle's kernels with the compilers of GPUs that are not here, and reports their
// instructions. docs/gpu-compiler.md explains the columns.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseAssignment } from '../../src/commands/field-parsers.ts';
import { HeddleError } from '../../src/core/errors.ts';
import { present } from '../../src/core/present.ts';
import { type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import { type PresetName, presets } from '../../src/model/presets.ts';
import type { EstimatedPass, Peer, VariantKernels, Workload } from './compile-kernels.ts';
import {
  type Compilation,
  checkNamed,
  compiledGpus,
  compileFor,
  removeCompilers,
  setUpCompilers,
  usualGpus,
  vendorsNamed,
} from './compilers.ts';
import { budgetsOf, exceeded, readBudgets, writeBudgets } from './isa-budgets.ts';
import { isHot, type KernelRow, table } from './kernel-rows.ts';
import { addSummaries, summariesOf } from './kernel-summary.ts';
import { addPredictions, type PassesOfRuns, predictionsOf } from './predictions.ts';
import { estimatedGpus, predict, predictionText } from './time-model.ts';
import { vendors } from './vendor-listings.ts';

/** Packages of the peers, from the root of the project, and the scripts that install them. */
const peerPackages = {
  tfjs: { path: 'bench/peers/node_modules/@tensorflow/tfjs-backend-webgpu', script: 'bench:peers' },
  jax: { path: 'bench/peers/node_modules/@jax-js/jax', script: 'bench:peers' },
  ort: { path: 'bench/decode/node_modules/onnxruntime-web', script: 'bench:decode' },
} as const satisfies Record<Peer, { path: string; script: string }>;

const usage = `usage: npm run bench:isa -- [options]

Compiles kernels with the compilers of GPUs that are not here, and reports the instructions of their hot loops.
Without options: the kernels that AMD's GPUs take before tuning.

  --vendor NAMES         vendors, separated by commas: ${vendors.join(', ')} [amd]. Their compilers are set up at
                         the first use, on Debian trixie for amd64: 0.8 GB and 5 minutes for all, without root. AMD's
                         needs packages instead: apt-get install -y mesa-vulkan-drivers libvulkan-dev gcc
  --gpu NAMES            these GPUs instead: ${Object.keys(compiledGpus).join(', ')}
  --preset NAMES         presets whose training, evaluation and decoding are compiled [small,mid,base,keras]
  --set FIELD=VALUE      change a field of the presets' configuration, such as dModel, heads, feedForward, encoderLayers,
                         decoderLayers (repeatable); --check then fails if a hot loop accesses scratch memory
  --vocab-size NUMBER    tokens of both vocabularies [8000]; --check as with --set
  --batch NUMBERS        sentences of batches of training [64,32]
  --rows NUMBERS         rows of decoding [1,8,16,32]
  --widths NUMBERS       widths of heads whose attention is compiled too [16,32,48,64,80,96,128]
  --few                  --preset small,mid,base --batch 32 --rows 1 --widths '': for slow compilers
  --variants             all variants of the kernels of heddle bench instead, and which hot kernels have none without
                         accesses to scratch memory in the loop
  --wgsl FILES           your shaders instead: each entry point, with layout 'auto'
  --peer NAMES           a peer's kernels instead: tfjs, jax (npm run bench:peers installs them), ort (npm run bench:decode)
  --only TEXTS           only kernels whose name contains one of these texts, in any case
  --spills               only kernels that access scratch memory
  --show KERNEL          print WGSL and assembly of the hot loop of the first kernel whose name contains KERNEL
  --estimate GPU         predict the time of each step on a GPU: ${'GPUS'}
  --record               store a summary of these GPUs' kernels and predictions for them in bench/results/compilers: the kernel
                         lab shows the summary, npm run bench:table writes the predictions into docs/devices.md
  --check                compare with bench/isa/budgets; exit 1 if a kernel is worse
  --update-budgets       write bench/isa/budgets from this run; with --only, --gpu or --preset: only its rows
  --json FILE            write all numbers of the run
  --read FILES           take the numbers of earlier runs (--json) instead of compiling
  --remove               remove the compilers that were set up`;

const root = resolve(import.meta.dirname, '../../..'); // this module runs from bench/isa/.vite/
const budgetFolder = resolve(root, 'bench/isa/budgets');
const results = resolve(root, 'bench/results/compilers');

/** Runs the command; resolves to its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await report(args);
  } catch (error) {
    if (!(error instanceof HeddleError) && !(error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS'))
      throw error;
    console.error((error as Error).message);
    return 2;
  }
}

const list = (text: string | undefined): string[] => (text ?? '').split(',').filter(Boolean);

/** Positive integers of an option. */
function integers(option: string, text: string): number[] {
  const values = list(text).map(Number);
  if (!values.every((value) => Number.isInteger(value) && value > 0))
    throw new HeddleError(`--${option} ${text}: not positive integers`);
  return values;
}

/** What `--few` stands for. */
const fewKernels = ['--preset=small,mid,base', '--batch=32', '--rows=1', '--widths='];

function optionsOf(args: readonly string[]) {
  return parseArgs({
    args: args.flatMap((arg) => (arg === '--few' ? [arg, ...fewKernels] : [arg])),
    options: {
      vendor: { type: 'string' },
      gpu: { type: 'string' },
      preset: { type: 'string', default: 'small,mid,base,keras' },
      set: { type: 'string', multiple: true, default: [] },
      'vocab-size': { type: 'string', default: '8000' },
      batch: { type: 'string', default: '64,32' },
      rows: { type: 'string', default: '1,8,16,32' },
      widths: { type: 'string', default: '16,32,48,64,80,96,128' },
      few: { type: 'boolean', default: false },
      variants: { type: 'boolean', default: false },
      wgsl: { type: 'string' },
      peer: { type: 'string' },
      only: { type: 'string' },
      spills: { type: 'boolean', default: false },
      show: { type: 'string' },
      estimate: { type: 'string' },
      record: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      'update-budgets': { type: 'boolean', default: false },
      json: { type: 'string' },
      read: { type: 'string' },
      remove: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values;
}
type Options = ReturnType<typeof optionsOf>;

/** The GPUs of the options. */
function gpusOf(o: Options): string[] {
  const estimated = o.estimate === undefined ? undefined : estimatedGpus[o.estimate];
  if (o.estimate !== undefined && !estimated)
    checkNamed('estimate', [o.estimate], Object.keys(estimatedGpus));
  const named = list(o.gpu);
  checkNamed('gpu', named, Object.keys(compiledGpus));
  if (estimated) return [estimated.gpu];
  return named.length > 0 ? named : vendorsNamed(list(o.vendor ?? 'amd')).flatMap(usualGpus);
}

function workloadsOf(o: Options): Workload[] {
  const only = list(o.only);
  if (o.wgsl !== undefined) {
    const files = list(o.wgsl).map((file) => resolve(file));
    const missing = files.find((file) => !existsSync(file));
    if (missing) throw new HeddleError(`--wgsl: there is no ${missing}`);
    return [{ kind: 'files', files }];
  }
  if (o.peer !== undefined) return peersNamed(list(o.peer)).map((peer) => ({ kind: 'peer', peer }));
  if (o.variants) return [{ kind: 'variants', only }];
  const names = list(o.preset);
  checkNamed('preset', names, Object.keys(presets));
  const batches = integers('batch', o.batch);
  const [rows, widths] = [integers('rows', o.rows), integers('widths', o.widths)];
  const [vocab = 0] = integers('vocab-size', o['vocab-size']);
  const sizes = { presets: names as PresetName[], model: modelOf(o), vocab };
  for (const name of sizes.presets)
    modelConfig({ srcVocab: vocab, tgtVocab: vocab, ...presets[name], ...sizes.model });
  return [{ kind: 'untuned', ...sizes, batches, rows, widths, only }];
}

/** Reads `--set`. */
const modelOf = (o: Options): Partial<ModelOptions> =>
  o.set.reduce<Record<string, unknown>>((fields, text) => parseAssignment(text, fields), {});

/** Whether the sizes of the models are not those of budgets. */
const hasOwnSizes = (o: Options): boolean => o.set.length > 0 || o['vocab-size'] !== '8000';

/** Reads `--peer`; throws a HeddleError for a peer that is not installed. */
function peersNamed(names: readonly string[]): Peer[] {
  checkNamed('peer', names, Object.keys(peerPackages));
  for (const name of names as Peer[]) {
    const { path, script } = peerPackages[name];
    if (!existsSync(resolve(root, path)))
      throw new HeddleError(`--peer ${name}: it is not installed; npm run ${script} installs it`);
  }
  return names as Peer[];
}

/** What `--json` writes. */
interface RunNumbers {
  readonly rows: readonly KernelRow[];
  /** Passes by GPU and step. */
  readonly runs: PassesOfRuns;
  readonly variants: VariantKernels;
}

async function report(args: readonly string[]): Promise<number> {
  const o = optionsOf(args);
  if (o.help) {
    console.log(usage.replace('GPUS', Object.keys(estimatedGpus).join(', ')));
    return 0;
  }
  if (o.remove) {
    removeCompilers();
    return 0;
  }
  const earlier = list(o.read).map((file) => JSON.parse(readFileSync(file, 'utf8')) as RunNumbers);
  const isRead = earlier.length > 0;
  const gpus = isRead ? [...new Set(earlier.flatMap((run) => run.rows.map(({ gpu }) => gpu)))] : gpusOf(o);
  const workloads = isRead ? [] : workloadsOf(o);
  if (!isRead) setUpCompilers(gpus);
  const rows: KernelRow[] = earlier.flatMap((run) => run.rows);
  const runs: Record<string, Record<string, readonly EstimatedPass[]>> = Object.assign(
    {},
    ...earlier.map((run) => run.runs),
  );
  const variants: Record<string, VariantKernels[string]> = Object.assign(
    {},
    ...earlier.map((run) => run.variants),
  );
  let problems = 0;
  for (const gpu of gpus)
    for (const workload of workloads) {
      const compilation = await compileFor(gpu, workload);
      runs[gpu] = { ...runs[gpu], ...compilation.output.runs };
      Object.assign(variants, compilation.output.variants);
      for (const problem of compilation.problems) console.error(problem);
      problems += compilation.problems.length;
      if (o.show !== undefined && show(o.show, gpu, compilation)) return 0;
      rows.push(...rowsOf(gpu, compilation));
    }
  if (o.show !== undefined) throw new HeddleError(`--show ${o.show}: no kernel name contains it`);
  if (rows.length === 0) throw new HeddleError('no kernel was compiled: no name contains a text of --only');
  const hidden = (row: KernelRow) => o.spills && row.spills === 0 && !row.fills && !row.scratch;
  console.log(table(rows.filter((row) => !hidden(row))));
  if (o.variants) for (const gpu of gpus) console.log(cleanVariants(gpu, variants, rows));
  if (!o.variants) for (const gpu of gpus) console.log(scratchInLoops(gpu, rows));
  const estimated = estimatedGpus[o.estimate ?? ''];
  if (o.estimate !== undefined && estimated)
    for (const [run, passes] of Object.entries(runs[estimated.gpu] ?? {}))
      console.log(predictionText(o.estimate, run, predict(passes, rows, estimated), estimated));
  if (o.record) {
    addSummaries(resolve(results, 'kernels.json'), summariesOf(rows, today()));
    addPredictions(resolve(results, 'predictions.json'), predictionsOf(rows, runs, today()));
  }
  if (o.json) writeFileSync(o.json, `${JSON.stringify({ rows, runs, variants }, undefined, 1)}\n`);
  if (o['update-budgets']) updateBudgets(rows, isWhole(o));
  const worse = !o.check ? 0 : hasOwnSizes(o) ? rows.filter(isDirty).length : check(rows);
  return problems + worse > 0 ? 1 : 0;
}

/** The day, as 2026-12-02. */
const today = (): string => new Date().toISOString().slice(0, 10);

/** Whether a run has all kernels that are taken before tuning, so that other budgets are of kernels that are gone. */
const isWhole = (o: Options): boolean =>
  !(hasOwnSizes(o) || o.read || o.few || o.only || o.gpu || o.wgsl || o.peer || o.variants || o.estimate);

/** Rows of the kernels that were compiled; one of a name. */
function rowsOf(gpu: string, { kernels }: Compilation): KernelRow[] {
  const rows = new Map<string, KernelRow>();
  for (const { announcement, compiled } of kernels) {
    const { assembly: _, ...numbers } = compiled;
    const { from, name } = announcement;
    if (!rows.has(name)) rows.set(name, { gpu, from, name, ...numbers });
  }
  return [...rows.values()];
}

/** Prints a kernel whose name contains a text; returns whether there is one. */
function show(text: string, gpu: string, { kernels, output }: Compilation): boolean {
  const found = kernels.find(({ announcement }) => announcement.name.includes(text));
  if (!found) return false;
  const { announcement, compiled } = found;
  const wgsl = output.modules[announcement.module] ?? '';
  console.log(
    `${gpu}: ${announcement.name}\n\n${wgsl}\n\nhot loop, ${gpu}:\n${compiled.assembly.join('\n')}`,
  );
  return true;
}

/** Whether the hot loop of a kernel accesses scratch memory. */
const isDirty = ({ loop }: KernelRow): boolean => loop.spill > 0;

/** How many kernels access scratch memory in their hot loop, and which. */
function scratchInLoops(gpu: string, rows: readonly KernelRow[]): string {
  const own = rows.filter((row) => row.gpu === gpu);
  const dirty = own.filter(isDirty);
  return [
    `${gpu}: ${dirty.length} of ${own.length} kernels access scratch memory in their hot loop`,
    ...dirty.map(({ name, loop }) => `  ${loop.spill}: ${name}`),
  ].join('\n');
}

/** Which hot kernels have a variant whose loop does not access scratch memory. */
function cleanVariants(gpu: string, variants: VariantKernels, all: readonly KernelRow[]): string {
  const rows = new Map(all.filter((row) => row.gpu === gpu).map((row) => [row.name, row]));
  const spilling = (names: readonly string[]) => names.some((name) => (rows.get(name)?.loop.spill ?? 0) > 0);
  const compiled = Object.entries(variants).map(
    ([name, kernels]) =>
      [name, Object.fromEntries(Object.entries(kernels).filter(([, names]) => names.length > 0))] as const,
  );
  const hot = compiled.filter(([, kernels]) =>
    Object.values(kernels)
      .flat()
      .some((name) => {
        const row = rows.get(name);
        return row && isHot(row);
      }),
  );
  const without = hot.filter(([, kernels]) => Object.values(kernels).every(spilling));
  return [
    `${gpu}: ${hot.length - without.length} of ${hot.length} hot kernels have a variant without scratch accesses in the loop`,
    ...without.map(([name, kernels]) => `  not ${name}: ${Object.keys(kernels).join(', ')}`),
  ].join('\n');
}

/** Writes the budgets of the vendors of rows. A whole run drops those of kernels that are gone. */
function updateBudgets(rows: readonly KernelRow[], whole: boolean): void {
  for (const [vendor, own] of byVendor(rows)) {
    const kept = whole ? {} : readBudgets(budgetFolder, vendor);
    writeBudgets(budgetFolder, vendor, { ...kept, ...budgetsOf(own) });
  }
}

/** Prints what exceeds the budgets; returns how many. */
function check(rows: readonly KernelRow[]): number {
  const worse = byVendor(rows).flatMap(([vendor, own]) => exceeded(own, readBudgets(budgetFolder, vendor)));
  for (const line of worse) console.error(line);
  console.log(
    worse.length > 0 ? `${worse.length} budgets exceeded` : `${rows.length} kernels are within their budgets`,
  );
  return worse.length;
}

const vendorOf = ({ gpu }: KernelRow) => compiledGpus[gpu]?.vendor;
const byVendor = (rows: readonly KernelRow[]) =>
  present(
    vendors.map((vendor) => {
      const own = rows.filter((row) => vendorOf(row) === vendor);
      return own.length > 0 ? ([vendor, own] as const) : undefined;
    }),
  );
