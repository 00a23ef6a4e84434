// Installs transformers.js into bench/decode/node_modules if it is missing or older than the lock file.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This folder. */
export const here = dirname(fileURLToPath(import.meta.url));

/** Installs the packages of this folder. Returns an error message, or undefined if they are installed. */
export function installTransformers() {
  const mark = join(here, 'node_modules', '.package-lock.json');
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(here, 'package-lock.json')).mtimeMs) return undefined;
  console.error('installing transformers.js into bench/decode/node_modules');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const options = { cwd: here, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', timeout: 180_000 };
  const { status, stderr } = spawnSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], options);
  return status === 0 ? undefined : `npm ci in bench/decode failed: ${stderr || 'timeout'}`;
}
