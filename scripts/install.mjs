// Sets up a clone; needs no node_modules: checks the version of Node, installs the npm packages, Chrome and a
// Vulkan driver. It runs npm ci and, as root, apt-get, with time limits; an error names what it cannot
// install. With the argument `packages` it only installs the npm packages, with `deno` only Deno.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Names (searched in PATH) and paths of Chrome and Firefox, in the order in which they are tried. */
const browserPrograms = JSON.parse(readFileSync(join(root, 'src/host/browser-programs.json'), 'utf8'));

const MINUTE = 60_000;

/** Sets up the project's folder. Throws a SetupError if something is missing that it cannot install. */
export function setup() {
  process.chdir(root);
  checkNode();
  installPackages();
  const missing = [];
  if (!findChrome()) missing.push({ what: 'Chrome', packages: ['chromium'] });
  if (!hasAdapter())
    missing.push({ what: 'a Vulkan driver', packages: ['mesa-vulkan-drivers', 'libvulkan1'] });
  if (missing.length === 0) return;
  installSystem(missing);
  if (!findChrome())
    throw new SetupError('no Chrome found after installing it; set CHROME_PATH to the path of its program');
  if (!hasAdapter())
    throw new SetupError(
      'no WebGPU adapter, although a Vulkan driver is installed; is VK_DRIVER_FILES right?',
    );
}

/** Installs Firefox if it is missing. Only the tests of engines need it. */
export function installFirefox() {
  const programs = [process.env.FIREFOX_PATH, ...browserPrograms.firefox];
  if (!programs.some((program) => program && (isProgram(program) || onPath(program))))
    installSystem([{ what: 'Firefox', packages: ['firefox-esr'] }]);
}

/**
 * Installs Deno into scripts/deno if it is missing or older than the lock file there; returns the path of its
 * program.
 */
export function installDeno() {
  const folder = join(root, 'scripts/deno');
  const installed = modified(join(folder, 'node_modules/.package-lock.json'));
  const soon = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-timeout=30000'];
  if (installed < modified(join(folder, 'package-lock.json')))
    npmCi(['--prefix', folder, '--ignore-scripts', ...soon], 'Deno, for the tests in it');
  return createRequire(join(folder, 'package.json'))('deno/install_api.cjs').runInstall();
}

/** The path of Deno, if it is installed already. */
export function findDeno() {
  const program = process.platform === 'win32' ? 'deno.exe' : 'deno';
  const installed = join(root, 'scripts/deno/node_modules/deno', program);
  const named = process.env.DENO_PATH ?? onPath('deno') ?? installed;
  return isProgram(named) ? named : undefined;
}

/** Thrown if something is missing that the user must install; the message is for the user. */
export class SetupError extends Error {}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20)
    throw new SetupError(
      `Node 20 or newer is needed, this is ${process.versions.node}; install it from nodejs.org`,
    );
}

/**
 * Runs `npm ci` if node_modules is missing or older than the lock file; npm writes .package-lock.json last.
 */
function installPackages() {
  const installed = modified(join(root, 'node_modules/.package-lock.json'));
  if (installed >= modified(join(root, 'package-lock.json'))) return;
  npmCi([], 'node_modules is missing or older than package-lock.json');
}

function npmCi(more, reason) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...more];
  run(npm, args, { minutes: 10, reason, shell: process.platform === 'win32' });
}

function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/** Installs Debian packages if this is root and apt-get exists. */
function installSystem(missing) {
  const what = missing.map((m) => m.what).join(' and ');
  const packages = missing.flatMap((m) => m.packages);
  const command = `apt-get install -y ${packages.join(' ')}`;
  if (process.platform !== 'linux') throw new SetupError(`${what} not found: install it, then try again`);
  if (!onPath('apt-get'))
    throw new SetupError(`${what} not found: install it (on Debian: ${command}), then try again`);
  if (process.getuid() !== 0)
    throw new SetupError(`${what} not found: run "sudo ${command}", then try again`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const wait = [
    '-o',
    'DPkg::Lock::Timeout=120',
    '-o',
    'Acquire::Retries=2',
    '-o',
    'Acquire::http::Timeout=30',
  ];
  try {
    run('apt-get', ['update', '-qq', ...wait], { minutes: 5, reason: `${what} not found`, env });
  } catch (error) {
    console.log(`setup: ${error.message}; continuing with the old package lists`);
  }
  const install = ['install', '-y', '--no-install-recommends', '-qq', ...wait, ...packages];
  run('apt-get', install, { minutes: 10, reason: `${what}; a minute or two`, env, quiet: true });
}

/**
 * Runs a command without input and shows its output. Throws a SetupError if it fails or exceeds its time
 * limit.
 */
function run(command, args, { minutes, reason, env = process.env, shell = false, quiet = false }) {
  const line = [command, ...args.filter((arg, i) => arg !== '-o' && args[i - 1] !== '-o')].join(' ');
  console.log(`setup: ${line} (${reason})`);
  const { status, error } = spawnSync(command, args, {
    stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit'],
    timeout: minutes * MINUTE,
    killSignal: 'SIGKILL',
    env,
    shell,
  });
  if (error?.code === 'ETIMEDOUT') throw new SetupError(`"${line}" took longer than ${minutes} minutes`);
  if (error) throw new SetupError(`"${line}" did not run: ${error.message}`);
  if (status !== 0) throw new SetupError(`"${line}" failed with status ${status}; its message is above`);
}

/** The path of Chrome or Chromium, or undefined. */
export function findChrome() {
  for (const named of [process.env.PUPPETEER_EXECUTABLE_PATH, process.env.CHROME_PATH]) {
    if (!named) continue;
    if (isProgram(named)) return named;
    throw new SetupError(`PUPPETEER_EXECUTABLE_PATH or CHROME_PATH names ${named}, which is not a program`);
  }
  for (const program of browserPrograms.chrome) {
    const path = /[\\/]/.test(program) ? isProgram(program) && program : onPath(program);
    if (path) return path;
  }
  return undefined;
}

function onPath(program) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, program)).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Whether Dawn finds an adapter. It runs in its own process, because a broken driver can crash it. */
function hasAdapter() {
  const ask = "import { create } from 'webgpu'; process.exit((await create([]).requestAdapter()) ? 0 : 1);";
  const args = ['--input-type=module', '--eval', ask];
  return (
    spawnSync(process.execPath, args, { cwd: root, stdio: 'ignore', timeout: MINUTE, killSignal: 'SIGKILL' })
      .status === 0
  );
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) {
  try {
    if (process.argv[2] === 'packages') installPackages();
    else {
      if (process.argv[2] === 'deno') installDeno();
      else setup();
      console.log('setup: ready');
    }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`setup: ${error.message}`);
    process.exitCode = 1;
  }
}
