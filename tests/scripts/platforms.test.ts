// The scripts of package.json and scripts/ run on Windows and macOS too: they assume no program, path or shell of
// Linux.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const files = readdirSync(join(root, 'scripts')).filter((name) => name.endsWith('.mjs'));
const textOf = (name: string) => readFileSync(join(root, 'scripts', name), 'utf8');

it.each(Object.entries(scripts))('npm run %s starts only programs that npm or Node bring', (_, script) => {
  for (const command of script.split('&&'))
    expect(command.trim().split(' ')[0]).toMatch(/^(node|vite|vitest|tsc|biome|typedoc|npm)$/);
  expect(script).not.toMatch(/['$|;<>]|\/dev\/|\/tmp\//);
});

it.each(files)('%s has no path or program of Linux', (name) => {
  const code = textOf(name).replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
  expect(code).not.toMatch(/\/dev\/|['"`]\/(?:tmp|usr|etc|proc)\b|node_modules\/\.bin\/|['"`]nice['"`]/);
  expect(code, 'npm is npm.cmd on Windows').not.toMatch(/(?:spawn|spawnSync|execFileSync)\('npm'/);
  if (name !== 'install.mjs') expect(code).not.toMatch(/apt-get|getuid/);
});

it('asks for apt-get only on Linux', () => {
  const code = textOf('install.mjs');
  expect(code.indexOf("process.platform !== 'linux'")).toBeLessThan(code.indexOf("run('apt-get'"));
  expect(code.indexOf("process.platform !== 'linux'")).toBeLessThan(code.indexOf('process.getuid'));
});
