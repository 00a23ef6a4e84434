// npm run bench:isa: compiles heddle's kernels with the compiler of AMD GPUs, without such a GPU, and reports
// their instructions. docs/gpu-compiler.md explains the columns.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { HeddleError } from '../../src/core/errors.ts';
import { present } from '../../src/core/present.ts';
import type { Announcement, CompileOutput, EstimatedPass, Peer, Workload } from './compile-kernels.ts';
import { type KernelRow, parseKernel } from './disassembly.ts';
import { type Budgets, budgetsOf, checkBudgets } from './isa-budgets.ts';
import { estimate, estimatedGpus } from './isa-estimate.ts';
import { type Family, families, missingPackages, nullDriverEnvironment } from './null-driver.ts';

/** Packages of the peers, from the root of the project, and the scripts that install them. */
const PEERS = {
  tfjs: { path: 'bench/peers/node_modules/@tensorflow/tfjs-backend-webgpu', script: 'bench:peers' },
  jax: { path: 'bench/peers/node_modules/@jax-js/jax', script: 'bench:peers' },
  ort: { path: 'bench/decode/node_modules/onnxruntime-web', script: 'bench:decode' },
} as const satisfies Record<Peer, { path: string; script: string }>;

const USAGE = `usage: npm run bench:isa -- [FILE.wgsl...] [options]

Compiles kernels with Mesa's compiler for AMD GPUs (no GPU needed) and reports the instructions of their hot loops.

  FILE.wgsl...           your shaders (default: all kernels and variants of heddle bench and of the presets)
  --family NAMES         GPU families, separated by commas: ${families.join(', ')} (default: all)
  --preset NAMES         presets whose training, evaluation and decoding steps are compiled (default: small,mid)
  --peers                also the installed peers: TensorFlow.js, jax-js (npm run bench:peers installs them), and the
                         flash attention of onnxruntime-web (npm run bench:decode)
  --only TEXT            only kernels whose name contains TEXT, in any case
  --show KERNEL          print WGSL and assembly of the hot loop of the first kernel whose name contains KERNEL
  --estimate GPU         predict the time of each step on a GPU: ${'GPUS'}
  --check                compare with bench/isa/budgets.json; exit 1 if a kernel is worse
  --update-budgets       write bench/isa/budgets.json from this run; with --only, --family or --preset: only its rows
  --json FILE            write all numbers of the run

A run of all families and kernels also stores its numbers in bench/results/DATE-isa.json.`;

const BUDGETS = resolve(import.meta.dirname, '../budgets.json'); // this module runs from .vite/
const RESULTS = resolve(import.meta.dirname, '../../results');

const defaultPresets = 'small,mid';

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

async function report(args: readonly string[]): Promise<number> {
  const { values: o, positionals: files } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      family: { type: 'string', default: families.join(',') },
      preset: { type: 'string', default: defaultPresets },
      peers: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      show: { type: 'string' },
      estimate: { type: 'string' },
      check: { type: 'boolean', default: false },
      'update-budgets': { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (o.help) {
    console.log(USAGE.replace('GPUS', Object.keys(estimatedGpus).join(', ')));
    return 0;
  }
  const missing = missingPackages();
  if (missing.length > 0)
    throw new HeddleError(
      `bench:isa needs ${missing.join(', ')}; on Debian: apt-get install -y ${missing.join(' ')}`,
    );
  const gpu = o.estimate === undefined ? undefined : estimatedGpus[o.estimate];
  if (o.estimate !== undefined && !gpu)
    throw new HeddleError(
      `--estimate ${o.estimate}: unknown GPU; choose from ${Object.keys(estimatedGpus).join(', ')}`,
    );
  const wanted = gpu ? [gpu.family] : o.family.split(',').map(familyOf);
  const presets = o.preset.split(',').filter(Boolean);
  const workloads: Workload[] =
    files.length > 0
      ? [{ kind: 'files', files: files.map((file) => resolve(file)) }]
      : present([
          gpu ? undefined : ({ kind: 'cases' } as const),
          ...presets.map((preset) => ({ kind: 'preset', preset }) as Workload),
          ...(o.peers ? installedPeers().map((peer) => ({ kind: 'peer', peer }) as const) : []),
        ]);
  const rows: KernelRow[] = [];
  const runs: Record<string, readonly EstimatedPass[]> = {};
  for (const family of wanted) {
    for (const workload of workloads) {
      const { kernels, output } = await compile(family, workload);
      Object.assign(runs, output.runs);
      for (const { announcement, isa } of kernels) {
        const { from, name, module } = announcement;
        if (
          !name.toLowerCase().includes(o.only.toLowerCase()) ||
          rows.some((r) => r.family === family && r.from === from && r.name === name)
        )
          continue;
        if (o.show !== undefined && name.includes(o.show)) {
          console.log(
            `${family}: ${name}\n\n${output.modules[module] ?? ''}\n\nhot loop, ${family}:\n${isa.assembly.join('\n')}`,
          );
          return 0;
        }
        const { assembly: _, ...numbers } = isa;
        rows.push({ family, from, name, ...numbers });
      }
    }
  }
  if (o.show !== undefined) throw new HeddleError(`--show ${o.show}: no kernel name contains it`);
  if (rows.length === 0) throw new HeddleError('no kernel was compiled; see the messages above');
  console.log(table(rows));
  if (gpu)
    for (const [run, passes] of Object.entries(runs))
      console.log(estimate(o.estimate as string, gpu, run, passes, rows));
  if (o.json) writeFileSync(o.json, `${JSON.stringify({ rows, runs }, undefined, 1)}\n`);
  if (files.length === 0 && !o.only && wanted.length === families.length) {
    const path = join(RESULTS, `${new Date().toISOString().slice(0, 10)}-isa.json`);
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(path, `[\n${rows.map(resultLine).join(',\n')}\n]\n`);
    console.log(`saved to ${path}`);
  }
  const known: Budgets = JSON.parse(readFileSync(BUDGETS, 'utf8'));
  if (o['update-budgets']) {
    // A run of all kernels drops the budgets of kernels that are gone.
    const isWhole = !o.only && wanted.length === families.length && o.preset === defaultPresets;
    const kept = isWhole ? undefined : known;
    const budgets = { ...kept, ...budgetsOf(rows) };
    writeFileSync(BUDGETS, `${JSON.stringify(budgets, undefined, 2)}\n`);
  }
  return o.check ? checkBudgets(rows, known) : 0;
}

/** A row as one line of JSON, without zeros. */
const resultLine = (row: KernelRow): string =>
  JSON.stringify(row, (_, value) =>
    value === 0 ? undefined : typeof value === 'number' ? Number(value.toFixed(3)) : value,
  );

function familyOf(name: string): Family {
  const family = families.find((known) => known === name);
  if (!family) throw new HeddleError(`--family ${name}: unknown; choose from ${families.join(', ')}`);
  return family;
}

/** Compiles a workload in a separate process. */
async function compile(family: Family, workload: Workload) {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-isa-'));
  try {
    const path = join(folder, 'output.json');
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'compile.js'), JSON.stringify(workload), path],
      {
        env: nullDriverEnvironment(family),
        stdio: ['ignore', 'inherit', 'pipe'],
      },
    );
    const chunks: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    const status = await new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal)));
    const printed = Buffer.concat(chunks).toString('utf8');
    if (status !== 0)
      throw new HeddleError(
        `compiling ${JSON.stringify(workload)} for ${family} failed (${status}):\n${lastLines(printed)}`,
      );
    const output = JSON.parse(readFileSync(path, 'utf8')) as CompileOutput;
    const kernels = printed
      .split('\n@@ ')
      .slice(1)
      .flatMap((part) => {
        const end = part.indexOf('\n');
        const isa = parseKernel(part.slice(end));
        return isa ? [{ announcement: JSON.parse(part.slice(0, end)) as Announcement, isa }] : [];
      });
    return { kernels, output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const lastLines = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !/^\s|^BB\d|^[A-Z]/.test(line))
    .slice(-20)
    .join('\n');

/** One line per kernel: the columns that docs/gpu-compiler.md explains. */
function table(rows: readonly KernelRow[]): string {
  const head =
    'family  share  fma  matrix  valu  lds/fma  loads B  stores B  inst/elem  checks  div  counters  regs  waves  spill  kernel';
  const lines = rows.map(({ family, from, name, share, loop, registers, waves, spills, scratch }) => {
    const elements = Math.max(loop.loadBytes, loop.storeBytes) / 4;
    const instructions = loop.fma + loop.valu + loop.lds + loop.loads + loop.stores + loop.matrix;
    return [
      family.padEnd(7),
      share.toFixed(2).padStart(5),
      String(loop.fma).padStart(5),
      String(loop.matrix).padStart(7),
      String(loop.valu).padStart(5),
      (loop.fma > 0 ? (loop.lds / loop.fma).toFixed(2) : '-').padStart(7),
      `${loop.loads}x${loop.loads ? (loop.loadBytes / loop.loads).toFixed(0) : 0}`.padStart(8),
      `${loop.stores}x${loop.stores ? (loop.storeBytes / loop.stores).toFixed(0) : 0}`.padStart(8),
      (elements > 0 ? (instructions / elements).toFixed(1) : '-').padStart(10),
      String(loop.boundsChecks).padStart(7),
      String(loop.divisions).padStart(4),
      String(loop.loopCounters).padStart(9),
      String(registers).padStart(5),
      String(waves).padStart(6),
      String(spills + scratch).padStart(6),
      ` ${from === 'heddle' ? '' : `${from}: `}${name}`,
    ].join(' ');
  });
  return [head, ...lines].join('\n');
}

/** The peers that are installed; names those that are not. */
function installedPeers(): Peer[] {
  const peers = Object.entries(PEERS) as [Peer, (typeof PEERS)[Peer]][];
  const missing = peers.filter(([, { path }]) => !existsSync(path));
  for (const [peer, { script }] of missing) console.error(`${peer} is not installed; run npm run ${script}`);
  return peers.filter((entry) => !missing.includes(entry)).map(([peer]) => peer);
}
