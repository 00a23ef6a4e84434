// A Vulkan device without a GPU: Mesa's RADV compiles for an AMD GPU that does not exist, and the Vulkan
// layer null-gpu.c replaces buffers, commands and fences by no-ops. Shaders are compiled as on a real
// machine, but nothing runs.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { HeddleError } from '../../src/core/errors.ts';
import { present } from '../../src/core/present.ts';

/** GPU families to compile for, by RADV's names. */
export const families = ['navi31', 'navi21', 'vega10'] as const;

const DRIVER_FOLDER = '/usr/share/vulkan/icd.d';
const HEADER = '/usr/include/vulkan/vk_layer.h';
const SOURCE = resolve(import.meta.dirname, '../null-gpu.c'); // this module runs from .vite/

/** Debian packages that are needed to compile and are missing. */
export function missingPackages(): string[] {
  const compiler = spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0;
  return present([
    driverFile() ? undefined : 'mesa-vulkan-drivers',
    existsSync(HEADER) ? undefined : 'libvulkan-dev',
    compiler ? undefined : 'gcc',
  ]);
}

function driverFile(): string | undefined {
  if (!existsSync(DRIVER_FOLDER)) return undefined;
  const name = readdirSync(DRIVER_FOLDER).find((file) => /^radeon_icd.*\.json$/.test(file));
  return name && join(DRIVER_FOLDER, name);
}

/** What tells one installed driver from another. */
export function driverVersion(): string {
  const file = driverFile();
  if (!file) return '';
  const { library_path: library } = JSON.parse(readFileSync(file, 'utf8')).ICD;
  const path = [library, join('/usr/lib/x86_64-linux-gnu', library)].find((path) => existsSync(path));
  return path ? `${statSync(path).size} ${statSync(path).mtimeMs}` : library;
}

/**
 * The environment of a process whose Vulkan device is a GPU of `family`. RADV prints the assembly and the
 * statistics of each shader to stderr. Throws a HeddleError that names the missing Debian packages.
 */
export function nullDriverEnvironment(family: string): NodeJS.ProcessEnv {
  const missing = missingPackages();
  if (missing.length > 0)
    throw new HeddleError(
      `bench:isa needs ${missing.join(', ')}; on Debian: apt-get install -y ${missing.join(' ')}`,
    );
  return {
    ...process.env,
    RADV_FORCE_FAMILY: family,
    RADV_DEBUG: 'shaders,shaderstats,nocache',
    VK_DRIVER_FILES: driverFile(),
    VK_LAYER_PATH: buildLayer(),
    VK_INSTANCE_LAYERS: 'VK_LAYER_heddle_null_gpu',
  };
}

/**
 * Compiles the layer into the user's cache folder if it is missing or older than its source; returns the
 * folder.
 */
function buildLayer(): string {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'heddle', 'null-gpu');
  const library = join(folder, 'libnull-gpu.so');
  if (existsSync(library) && statSync(library).mtimeMs >= statSync(SOURCE).mtimeMs) return folder;
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync('gcc', ['-O1', '-shared', '-fPIC', '-o', library, SOURCE], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new HeddleError(`gcc cannot compile ${SOURCE}:\n${stderr}`);
  const layer = {
    name: 'VK_LAYER_heddle_null_gpu',
    type: 'INSTANCE',
    library_path: library,
    api_version: '1.3.0',
    implementation_version: '1',
    description: 'Buffers are host memory; commands and submissions do nothing.',
  };
  writeFileSync(join(folder, 'null-gpu.json'), JSON.stringify({ file_format_version: '1.2.0', layer }));
  return folder;
}
