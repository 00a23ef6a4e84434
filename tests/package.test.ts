// The package as npm publishes and installs it: package.json, package-lock.json.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));

const manifest = read('package.json') as Record<string, Record<string, string>> & { keywords: string[] };

interface LockEntry {
  readonly dev?: true;
  readonly peer?: true;
  readonly hasInstallScript?: true;
}

/** The packages that npm installs with heddle: neither for its development nor optional. */
const installed = Object.entries(read('package-lock.json').packages as Record<string, LockEntry>).filter(
  ([path, { dev, peer }]) => path !== '' && !dev && !peer,
);

it('installs no package that runs a script, browser or GPU binding', () => {
  const names = installed.map(([path]) => path.replace('node_modules/', ''));
  expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  expect(names.filter((name) => /puppeteer|webgpu$/.test(name))).toEqual([]);
  expect(names.length).toBeLessThan(12);
});

it('names the packages for Node and for headless Chrome as optional peers', () => {
  for (const name of ['webgpu', 'puppeteer-core']) {
    expect(manifest.peerDependencies).toHaveProperty([name]);
    expect(manifest.peerDependenciesMeta).toHaveProperty([name], { optional: true });
  }
});

it('says where the project is', () => {
  for (const field of ['repository', 'homepage', 'bugs']) expect(manifest).toHaveProperty(field);
  expect(manifest.keywords).toContain('webgpu');
});
