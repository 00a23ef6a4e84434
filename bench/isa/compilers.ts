// The compilers of GPUs that are not here, and the processes in which Dawn runs with them. Mesa's drm-shim libraries
// pretend that the kernel driver of a GPU is there; for AMD a Vulkan layer does (null-driver.ts). Shaders are compiled
// as on a real machine, but nothing runs.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { HeddleError } from '../../src/core/errors.ts';
import type { Announcement, CompileOutput, Workload } from './compile-kernels.ts';
import { CompiledCache } from './compiled-cache.ts';
import { driverVersion, families, missingPackages, nullDriverEnvironment } from './null-driver.ts';
import { PrintedParts } from './printed-parts.ts';
import { type CompiledKernel, parsers, type Vendor, vendors } from './vendor-listings.ts';

/** A GPU that kernels can be compiled for. */
interface CompiledGpu {
  readonly vendor: Vendor;
  /** Whether `--vendor` means this GPU. */
  readonly usual?: boolean;
  /** Release of Debian whose driver compiles. [trixie] */
  readonly release?: 'trixie' | 'forky';
  /** Variables that choose the GPU and make the driver print. */
  readonly env: Readonly<Record<string, string>>;
}

const intel = (platform: string, usual = false): CompiledGpu => ({
  vendor: 'intel',
  usual,
  env: { INTEL_STUB_GPU_PLATFORM: platform, INTEL_DEBUG: 'cs' },
});
const nvidia = (chipset: string, usual = false): CompiledGpu => ({
  vendor: 'nvidia',
  usual,
  env: { NOUVEAU_CHIPSET: chipset, NAK_DEBUG: 'print' },
});
const adreno = (id: string, usual = false): CompiledGpu => ({
  vendor: 'adreno',
  usual,
  env: { FD_GPU_ID: id, IR3_SHADER_DEBUG: 'cs,nocache' },
});
const mali = (id: string, usual = false): CompiledGpu => ({
  vendor: 'mali',
  usual,
  env: { PAN_GPU_ID: id, PAN_I_WANT_A_BROKEN_VULKAN_DRIVER: '1', BIFROST_MESA_DEBUG: 'shaders,shaderdb' },
});

/** The GPUs by the names of their drivers; `-new`: with the driver of Mesa 26, which has subgroup matrices. */
export const compiledGpus: Readonly<Record<string, CompiledGpu>> = {
  skl: intel('skl'),
  tgl: intel('tgl', true),
  adl: intel('adl'),
  dg2: intel('dg2'),
  mtl: intel('mtl', true),
  lnl: intel('lnl', true),
  bmg: intel('bmg', true),
  'lnl-new': { ...intel('lnl'), release: 'forky' },
  nv162: nvidia('162'),
  nv170: nvidia('170'),
  nv172: nvidia('172', true),
  'nv172-new': { ...nvidia('172'), release: 'forky' },
  m1: {
    vendor: 'apple',
    usual: true,
    release: 'forky',
    env: { AGX_MESA_DEBUG: 'shaders,shaderdb' },
  },
  fd660: adreno('660'),
  fd740: adreno('740', true),
  fd750: adreno('750'),
  'mali-a867': mali('a867', true),
  'mali-ac74': mali('ac74'),
  ...Object.fromEntries(families.map((family) => [family, { vendor: 'amd', usual: true, env: {} } as const])),
};

/** The GPUs that `--vendor` means. */
export const usualGpus = (vendor: Vendor): string[] =>
  Object.entries(compiledGpus)
    .filter(([, gpu]) => gpu.vendor === vendor && gpu.usual)
    .map(([name]) => name);

/** Throws a HeddleError that names the known ones. */
export function checkNamed(option: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new HeddleError(`--${option} ${unknown}: unknown; choose from ${known.join(', ')}`);
}

/** Reads `--vendor`. */
export function vendorsNamed(names: readonly string[]): Vendor[] {
  checkNamed('vendor', names, vendors);
  return names as Vendor[];
}

/** Folder of the compilers. */
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'heddle', 'gpu-compilers');
const source = (file: string): string => resolve(import.meta.dirname, '..', file); // this module runs from .vite/
const setUpScript = source('set-up-compilers.sh');

/** Name of the set-up of a GPU's compiler. */
const setUpName = ({ vendor, release }: CompiledGpu): string =>
  release === 'forky' && vendor !== 'apple' ? `new-${vendor}` : vendor;

/**
 * Sets up the compilers of GPUs, if they are missing; prints what it does. Throws a HeddleError if that is not
 * possible on this machine.
 */
export function setUpCompilers(gpus: readonly string[]): void {
  const wanted = new Set(gpus.map((name) => setUpName(compiledGpus[name] as CompiledGpu)));
  if (wanted.delete('amd')) {
    const missing = missingPackages();
    if (missing.length > 0)
      throw new HeddleError(
        `bench:isa needs ${missing.join(', ')} for AMD; on Debian: apt-get install -y ${missing.join(' ')}`,
      );
  }
  if (wanted.size === 0) return;
  const { status } = spawnSync('sh', [setUpScript, cache, ...wanted], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0)
    throw new HeddleError(`bench:isa: the compilers of ${[...wanted].join(', ')} are not set up; see above`);
}

/** Removes all that `setUpCompilers` has made. */
export const removeCompilers = (): void => rmSync(cache, { recursive: true, force: true });

/** The kernels that were compiled for a GPU, with these versions of its compiler, of Dawn and of the parser. */
function compiledCacheOf(name: string): CompiledCache {
  const { vendor } = compiledGpus[name] as CompiledGpu;
  const text = (file: string) => readFileSync(source(file), 'utf8');
  return CompiledCache.of(join(cache, 'compiled'), name, [
    vendor === 'amd' ? driverVersion() : text('set-up-compilers.sh'),
    createRequire(import.meta.url)('webgpu/package.json').version,
    text('vendor-listings.ts'),
    text('listing.ts'),
    text('printed-parts.ts'),
  ]);
}

/** A command and its environment. */
interface Command {
  readonly words: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** The command that runs a Node program whose only Vulkan device is a GPU. */
function commandFor(name: string, program: readonly string[]): Command {
  const { vendor, release = 'trixie', env: own } = compiledGpus[name] as CompiledGpu;
  const env = { ...process.env, ...own, HEDDLE_ADAPTER: adapterOf(name) };
  if (vendor === 'amd')
    return { words: [process.execPath, ...program], env: { ...env, ...nullDriverEnvironment(name) } };
  const shared = { ...env, MESA_SHADER_CACHE_DISABLE: '1', VK_LOADER_LAYERS_DISABLE: '~all~' };
  if (vendor === 'intel' || vendor === 'nvidia') {
    const root = join(cache, `${release}-amd64`);
    const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
    const [driver, shim] =
      vendor === 'intel'
        ? ['intel', join(cache, 'libintel_noop_drm_shim.so')]
        : ['nouveau', join(libraries, 'libnouveau_noop_drm_shim.so')];
    const loader = join(root, 'usr/lib64/ld-linux-x86-64.so.2');
    return {
      words: [loader, '--library-path', libraries, '--preload', shim, process.execPath, ...program],
      env: { ...shared, VK_DRIVER_FILES: join(cache, `${release}-amd64-${driver}.json`) },
    };
  }
  // Debian's Node for arm64, emulated.
  const driver = { apple: 'asahi', adreno: 'freedreno', mali: 'panfrost' }[vendor];
  const root = join(cache, `${release}-arm64`);
  const libraries = join(root, 'usr/lib/aarch64-linux-gnu');
  const inside = {
    LD_PRELOAD: join(libraries, `lib${driver}_noop_drm_shim.so`),
    LD_LIBRARY_PATH: libraries,
    VK_DRIVER_FILES: join(cache, `${release}-arm64-${driver}.json`),
  };
  const settings = Object.entries(inside).flatMap(([key, value]) => ['-E', `${key}=${value}`]);
  const emulator = join(cache, 'qemu/usr/bin/qemu-aarch64');
  return { words: [emulator, '-L', root, ...settings, join(root, 'usr/bin/node'), ...program], env: shared };
}

/** The known adapter whose kernels a GPU takes; '' for those that Dawn describes as they are. */
const adapterOf = (name: string): string =>
  ({
    m1: 'm1',
    fd660: 'fd740',
    fd740: 'fd740',
    fd750: 'fd740',
    'mali-a867': 'mali-a867',
    'mali-ac74': 'mali-a867',
  })[name] ?? '';

/** What was compiled for a GPU. */
export interface Compilation {
  readonly kernels: readonly { readonly announcement: Announcement; readonly compiled: CompiledKernel }[];
  readonly output: CompileOutput;
  /** What looks wrong in what the compiler printed. */
  readonly problems: readonly string[];
}

/** Whether the compiler of a GPU runs in an emulator. */
const isEmulated = ({ vendor }: CompiledGpu): boolean =>
  vendor === 'apple' || vendor === 'adreno' || vendor === 'mali';

/** The program of an entry of this tool, with its arguments. */
const program = (entry: string, ...args: string[]): string[] => [
  join(import.meta.dirname, `${entry}.js`),
  ...args,
];

/**
 * Compiles a workload for a GPU in another process. In an emulator only recorded kernels are compiled, since planning
 * models takes minutes there. Throws a HeddleError with the last kernel if that fails.
 */
export async function compileFor(name: string, workload: Workload): Promise<Compilation> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-isa-'));
  const compiled = compiledCacheOf(name);
  try {
    const path = join(folder, 'output.json');
    const plans = workload.kind === 'untuned' || workload.kind === 'variants';
    const recorded = plans && isEmulated(compiledGpus[name] as CompiledGpu);
    const args = [JSON.stringify(workload), path, compiled.folder];
    if (recorded)
      await kernelsIn(
        name,
        printedParts(name, {
          words: [process.execPath, ...program('compile', ...args, 'record')],
          env: { ...process.env, HEDDLE_ADAPTER: adapterOf(name) },
        }),
      );
    const parts = printedParts(
      name,
      commandFor(name, recorded ? program('recorded', path, compiled.folder) : program('compile', ...args)),
    );
    const found = await kernelsIn(name, parts, compiled);
    return { ...found, output: JSON.parse(readFileSync(path, 'utf8')) as CompileOutput };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * What a command prints of each kernel, from its announcement on, as soon as the next one is announced: NVIDIA's
 * compiler prints gigabytes. Drivers print on both streams, whose order a terminal keeps: `script` is one. Throws a
 * HeddleError with the last kernel if the command fails.
 */
async function* printedParts(name: string, { words, env }: Command): AsyncGenerator<string> {
  const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', `exec ${line}`, '/dev/null'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = new Promise((done) => child.once('close', (code, signal) => done(code ?? signal)));
  const parts = new PrintedParts();
  for await (const chunk of child.stdout.setEncoding('utf8')) yield* parts.add(chunk);
  const whole = parts.rest();
  const status = await closed;
  if (status !== 0) throw new HeddleError(`compiling for ${name} failed (${status}):\n${lastLines(whole)}`);
  if (whole.startsWith('@@ ')) yield whole;
}

/** Instructions that the parser finds, relative to those that the driver counts. Adreno's driver leaves out preambles. */
const [minParsed, maxParsed] = [0.8, 1.6];

/**
 * The kernels in what a compiler printed, a part each, which the cache keeps, and those that are in it. The driver
 * compiles equal modules once, and then prints nothing.
 */
export async function kernelsIn(
  gpu: string,
  parts: AsyncIterable<string> | Iterable<string>,
  cache?: CompiledCache,
): Promise<Omit<Compilation, 'output'>> {
  const parse = parsers[(compiledGpus[gpu] as CompiledGpu).vendor];
  const kernels: Compilation['kernels'][number][] = [];
  for await (const part of parts) {
    const end = part.indexOf('\n');
    const announcement = JSON.parse(part.slice('@@ '.length, end)) as Announcement;
    const { key, cached } = announcement;
    const text = part.slice(end);
    const compiled = key && cached ? cache?.read(key) : parse(text);
    if (key && !cached && (compiled || !text.trim())) cache?.write(key, compiled);
    if (compiled) kernels.push({ announcement, compiled });
  }
  const problems = kernels.flatMap(({ announcement, compiled: { instructions, parsed } }) =>
    parsed >= minParsed * instructions && parsed <= maxParsed * instructions
      ? []
      : [
          `${gpu}: ${announcement.name}: the driver counts ${instructions} instructions, the parser ${parsed}`,
        ],
  );
  return { kernels, problems };
}

/** The first line, and lines that are no assembly. */
function lastLines(text: string): string {
  const [first = '', ...lines] = text.split('\n');
  const said = lines.filter(
    (line) => line.trim() && !/^(\s|[(A-Z]?[a-z0-9_.]+ ?\(|MESA: info|BB\d|[A-Z]+\d+:)/.test(line),
  );
  return [first, ...said.slice(-12)].join('\n');
}

/** Whether the compiler of a GPU is there. */
export function isSetUp(name: string): boolean {
  const { vendor, release = 'trixie' } = compiledGpus[name] as CompiledGpu;
  if (vendor === 'amd') return missingPackages().length === 0;
  const isDone = (step: string) => existsSync(join(cache, 'done', step));
  if (vendor === 'nvidia') return isDone(`${release}-amd64`);
  if (vendor === 'intel') return isDone(`${release}-amd64`) && isDone('intel-shim');
  return isDone('qemu') && isDone(`${release}-arm64`);
}
