// Installs the npm packages of a benchmark into its own folder.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Installs the packages of a folder if they are missing or older than its lock file. Returns an error
 * message, or undefined if they are installed.
 *
 * @param {string} folder
 * @param {string} names for the message
 */
export function installPackages(folder, names) {
  const modules = join(folder, 'node_modules');
  // A link to the packages of another checkout: npm ci would delete them there.
  if (existsSync(modules) && lstatSync(modules).isSymbolicLink()) return undefined;
  const mark = join(modules, '.package-lock.json');
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs)
    return undefined;
  console.error(`installing ${names} into ${folder}/node_modules`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const options = { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', timeout: 180_000 };
  const { status, stderr } = spawnSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], options);
  return status === 0 ? undefined : `npm ci in ${folder} failed: ${stderr || 'timeout'}`;
}
