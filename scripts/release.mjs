// npm run release -- 1.2.0: writes the version to every file that has it, and the date to CHANGELOG.md, checks what a
// release needs, commits, and tags v1.2.0. Pushing the tag publishes it (.github/workflows/release.yml).
// npm run release -- --check v1.2.0: only checks that a tag can be published; writes nothing.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
process.chdir(root);
const words = process.argv.slice(2);
const isCheck = words.includes('--check');
const [given = ''] = words.filter((word) => word !== '--check');
const version = given.replace(/^v/, '');
if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
  fail(`give a semantic version: npm run release -- 1.2.0${given ? `, not ${given}` : ''}`);

/** Files with the version, and where it is. */
const places = [
  ['package.json', /^( {2}"version": ")[^"]+(",)$/m],
  ['package-lock.json', /^( {2}"version": ")[^"]+(",)$/m],
  ['package-lock.json', /^( {6}"version": ")[^"]+(",)$/m],
  ['jsr.json', /^( {2}"version": ")[^"]+(",)$/m],
  ['CITATION.cff', /^(version: )\S+($)/m],
];

if (!isCheck) {
  if (git('status', '--porcelain') !== '') fail('the work tree has changes; commit or stash them');
  if (git('tag', '--list', `v${version}`) !== '') fail(`the tag v${version} exists; choose a higher version`);
  for (const [file, pattern] of places) edit(file, pattern, (_, before, after) => before + version + after);
  const date = new Date().toISOString().slice(0, 10);
  edit('CHANGELOG.md', /^## (?:Unreleased|[\d.]+ \(unreleased\))$/im, () => `## ${version} (${date})`);
}

const problems = [];
for (const [file, pattern] of places) {
  const found = pattern.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
  if (!found.includes(version))
    problems.push(`${file}: ${found.trim().replace(/,$/, '') || 'no version'}, not ${version}`);
}
if (
  !new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d\\d-\\d\\d\\)$`, 'm').test(
    readFileSync('CHANGELOG.md', 'utf8'),
  )
)
  problems.push(`CHANGELOG.md has no section "## ${version} (date)"`);
for (const file of ['LICENSE', 'README.md', 'SECURITY.md'])
  if (!existsSync(file)) problems.push(`${file} is missing`);
stopIf(problems);

console.log('release: building');
run('node', 'scripts/build.mjs', '--no-docs');
/** The files that the exports name. */
const targets = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targets));
for (const file of ['package.json', 'jsr.json'])
  for (const target of targets(JSON.parse(readFileSync(file, 'utf8')).exports))
    if (!existsSync(join(root, target)))
      problems.push(`${file} exports ${target}, which the build does not write`);
stopIf(problems);
run(program('npx'), 'publint', '--strict');
const [{ files, size }] = JSON.parse(
  execFileSync(program('npm'), ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  }),
);
console.log(`release: the package has ${files.length} files, ${(size / 1e6).toFixed(1)} MB`);

if (isCheck) console.log(`release: v${version} can be published`);
else {
  git('add', ...new Set(places.map(([file]) => file)), 'CHANGELOG.md');
  if (git('diff', '--cached', '--name-only') !== '') git('commit', '-m', `Version ${version}`);
  git('tag', `v${version}`, '-m', `Version ${version}`);
  console.log(`release: tagged v${version}; npm test, then: git push origin main v${version}`);
}

/** Replaces what a pattern finds in a file. */
function edit(file, pattern, by) {
  const text = readFileSync(file, 'utf8');
  if (!pattern.test(text)) return;
  writeFileSync(file, text.replace(pattern, by));
}

/** npm and npx by their names on this system. */
function program(name) {
  return process.platform === 'win32' ? `${name}.cmd` : name;
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}

function run(command, ...args) {
  try {
    execFileSync(command, args, { stdio: 'inherit' });
  } catch {
    fail(`${[command, ...args].join(' ')} failed`);
  }
}

function stopIf(list) {
  if (list.length > 0) fail(`not ready:\n  ${list.join('\n  ')}`);
}

function fail(text) {
  console.error(`release: ${text}`);
  process.exit(1);
}
