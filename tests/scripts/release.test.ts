// What a release needs: one version in all files, a workflow without floating versions, a script that checks.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { expect, it } from 'vitest';
import { version } from '../../package.json';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const workflows = readdirSync(new URL('../../.github/workflows', import.meta.url));

it('has one version', () => {
  expect(JSON.parse(read('jsr.json')).version).toBe(version);
  expect(JSON.parse(read('package-lock.json')).version).toBe(version);
  expect(read('CITATION.cff')).toContain(`\nversion: ${version}\n`);
  expect(read('CHANGELOG.md')).toMatch(new RegExp(`^## ${version} \\(`, 'm'));
});

it.each(workflows)('%s is YAML, and pins its actions by commit', (name) => {
  const text = read(`.github/workflows/${name}`);
  expect(load(text)).toMatchObject({ name: expect.any(String), jobs: expect.any(Object) });
  for (const [, used] of text.matchAll(/uses: (\S+)/g)) expect(used).toMatch(/@[\da-f]{40}$/);
});

it('names what is wrong with a version', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['scripts/release.mjs', ...args], { encoding: 'utf8' });
  expect(run().stderr).toContain('give a semantic version');
  const other = run('--check', 'v99.0.0');
  expect(other.status).toBe(1);
  expect(other.stderr).toContain(`package.json: "version": "${version}", not 99.0.0`);
  expect(other.stderr).toContain('CHANGELOG.md has no section "## 99.0.0 (date)"');
});
