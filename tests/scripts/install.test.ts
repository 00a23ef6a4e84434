// The set-up of `npm start` and `npm test`, with fake installers.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const asRoot = process.getuid?.() === 0;
let clone: string;

/** Creates a clone whose PATH has `chromium`, and an `npm` and `apt-get` that only record their arguments. */
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'heddle-setup-'));
  for (const folder of ['scripts', 'src/host', 'bin', 'node_modules'])
    mkdirSync(join(clone, folder), { recursive: true });
  for (const file of ['scripts/install.mjs', 'src/host/browser-programs.json'])
    cpSync(join(root, file), join(clone, file));
  for (const name of ['package-lock.json', 'node_modules/.package-lock.json'])
    writeFileSync(join(clone, name), '{}');
  symlinkSync(join(root, 'node_modules/webgpu'), join(clone, 'node_modules/webgpu'));
  program('chromium', 'exit 0');
  for (const name of ['npm', 'apt-get']) program(name, `echo "${name} $*" >> "${join(clone, 'calls')}"`);
  writeFileSync(join(clone, 'calls'), '');
});
afterEach(() => rmSync(clone, { recursive: true }));

function program(name: string, script: string) {
  writeFileSync(join(clone, 'bin', name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(clone, 'bin', name), 0o755);
}

function setup(env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(clone, 'scripts/install.mjs')], {
    env: { PATH: join(clone, 'bin'), ...driver(), ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr, calls: readFileSync(join(clone, 'calls'), 'utf8') };
}

/** The variables of the environment that select a driver. */
function driver(): NodeJS.ProcessEnv {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES } = process.env;
  return { VK_DRIVER_FILES, VK_ICD_FILENAMES };
}

it('runs no installer if everything is installed', () => {
  expect(setup()).toMatchObject({ status: 0, stdout: 'setup: ready\n', calls: '' });
});

it('installs packages if node_modules is older than the lock file', () => {
  utimesSync(join(clone, 'node_modules/.package-lock.json'), 0, 0);
  const { calls, stdout } = setup();
  expect(calls).toMatch(/^npm ci /);
  expect(stdout).toContain('setup: npm ci');
});

it('ends with one line if npm fails', () => {
  rmSync(join(clone, 'node_modules/.package-lock.json'));
  program('npm', 'exit 7');
  const { status, stderr } = setup();
  expect(status).toBe(1);
  expect(stderr).toMatch(/^setup: "npm ci .*" failed with status 7.*\n$/);
});

it('as root, installs a driver if Dawn finds no adapter; else prints what to install', () => {
  const { status, stderr, calls } = setup({ VK_DRIVER_FILES: '/nowhere/driver.json' });
  expect(status).toBe(1);
  if (asRoot) {
    expect(calls).toMatch(/apt-get update .*\napt-get install -y .*mesa-vulkan-drivers libvulkan1\n/);
    expect(stderr).toMatch(/^setup: no WebGPU adapter, although .*\n$/);
  } else {
    expect(calls).toBe('');
    expect(stderr).toMatch(
      /^setup: a Vulkan driver not found: run "sudo apt-get install .*mesa-vulkan-drivers.*\n$/,
    );
  }
});

it('prints what to install if there is no apt-get', () => {
  rmSync(join(clone, 'bin/apt-get'));
  const { status, stderr } = setup({ VK_DRIVER_FILES: '/nowhere/driver.json' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^setup: a Vulkan driver not found: install it \(on Debian: apt-get install .*\n$/);
});

it('rejects a CHROME_PATH that is not a program', () => {
  const { status, stderr } = setup({ CHROME_PATH: '/nowhere/chrome' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/CHROME_PATH names \/nowhere\/chrome, which is not a program\n$/);
});
