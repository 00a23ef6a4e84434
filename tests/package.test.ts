// The package as npm publishes it. scripts/check-install.mjs installs it, with packages of the registry, and
// builds with other bundlers.

import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { distFile } from './support/dist.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>> & {
  keywords: string[];
};

interface LockEntry {
  readonly dev?: true;
  readonly peer?: true;
  readonly hasInstallScript?: true;
}

/** The packages that npm installs with heddle: neither development nor optional dependencies. */
const installed = Object.entries(
  JSON.parse(read('package-lock.json')).packages as Record<string, LockEntry>,
).filter(([path, { dev, peer }]) => path !== '' && !dev && !peer);

it('installs no package that runs a script, browser or GPU binding', () => {
  expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  expect(installed.map(([path]) => path)).toEqual(['node_modules/@webgpu/types']);
  expect(Object.keys(manifest.scripts ?? {}).filter((name) => /install|^prepare$/.test(name))).toEqual([]);
});

it('names the packages for Node and for headless Chrome as optional peers', () => {
  for (const name of ['webgpu', 'puppeteer-core', 'onnxruntime-web']) {
    expect(manifest.peerDependencies).toHaveProperty([name]);
    expect(manifest.peerDependenciesMeta).toHaveProperty([name], { optional: true });
  }
});

it('names the repository of the project', () => {
  for (const field of ['repository', 'homepage', 'bugs']) expect(manifest).toHaveProperty(field);
  expect(manifest.keywords).toContain('webgpu');
});

it('imports nothing from outside the package in a page', () => {
  const seen = new Set([distFile('heddle.js'), distFile('engine.js'), distFile('headless-page.js')]);
  const outside = new Set<string>();
  for (const path of seen)
    for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(/^(?:import|export)\b.*["'](.+)["'];$/gm))
      if (name.startsWith('.')) seen.add(join(dirname(path), name));
      else outside.add(`${path} imports ${name}`);
  expect(seen.size).toBeGreaterThan(100);
  expect([...outside]).toEqual([]);
});

it('has one class of errors, whatever entries a program imports', () => {
  const program = `
    import { HeddleError } from 'heddle';
    import { HeddleError as ofEngine } from 'heddle/engine';
    import { readModelFacts } from 'heddle/host';
    await readModelFacts('absent').catch((error) =>
      console.log(HeddleError === ofEngine, error instanceof HeddleError, error.kind));`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(printed).toBe('true true not-found\n');
  // So bundlers have one too, whatever condition chooses the entries.
  const dist = dirname(distFile('heddle.js'));
  const defining = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)))
    .filter(
      (path) =>
        !path.startsWith('demo') &&
        /class HeddleError\b|\bHeddleError = class\b/.test(read(join('dist', path))),
    );
  expect(defining).toEqual([join('modules', 'core', 'errors.js')]);
});

describe('the packed package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-package-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  distFile('heddle.js');
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [packed] = JSON.parse(execFileSync('npm', pack, { cwd: root, encoding: 'utf8' })) as [
    { filename: string; files: { path: string }[] },
  ];
  const paths = new Set(packed.files.map(({ path }) => path));

  it('has all files that its pages and README link to', () => {
    const pages = [...paths].filter((path) => path.endsWith('.md') && !path.startsWith('dist/'));
    expect(pages).toContain('README.md');
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
        .map(([, to = '']) => to)
        .filter((to) => !/^https?:/.test(to) && !paths.has(join(dirname(page), to)))
        .map((to) => `${page}: ${to}`),
    );
    expect(broken).toEqual([]);
  });

  it.each(['typescript', 'typescript-7'])(
    'has types for strict projects without @webgpu/types, by %s',
    (compiler) => {
      const app = join(folder, compiler);
      const unpacked = join(app, 'node_modules/heddle');
      mkdirSync(join(unpacked, 'node_modules/@webgpu'), { recursive: true });
      execFileSync('tar', ['-xzf', join(folder, packed.filename), '--strip-components=1', '-C', unpacked]);
      symlinkSync(join(root, 'node_modules/@webgpu/types'), join(unpacked, 'node_modules/@webgpu/types'));
      const text = `import { loadModel, type Model, train } from 'heddle';
      import { type Device, Graph } from 'heddle/engine';
      import { type IntlPair, intlCorpus } from 'heddle/data';
      import { corpusBleu } from 'heddle/metrics';
      import { historyOf } from 'heddle/reports';
      import { openDocument } from 'heddle/documents';
      import { type Clip } from 'heddle/speech';
      import { type Host, registerHost } from 'heddle/host';
      export const others = [corpusBleu, historyOf, openDocument, registerHost];
      export const pairs: IntlPair[] = intlCorpus({ source: 'en', target: 'es', pairs: 2 });
      export const given: { clip?: Clip; host?: Host } = {};
      import { dawnGpu } from 'heddle/node';
      const model: Model = await loadModel('model');
      const text: string = await model.translate('a');
      export const device = (d: Device): GPUDevice => d.gpu;
      export { dawnGpu, Graph, text, train };`;
      writeFileSync(join(app, 'main.ts'), text);
      writeFileSync(join(app, 'package.json'), '{ "type": "module" }');
      const common = {
        strict: true,
        exactOptionalPropertyTypes: true,
        target: 'ES2022',
        types: [],
        noEmit: true,
      };
      // Module resolution `bundler` is in check-install.mjs, since each takes seconds.
      const compilerOptions = {
        ...common,
        lib: ['ES2022', 'DOM'],
        module: 'node16',
        moduleResolution: 'node16',
      };
      writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
      execFileSync(process.execPath, [join(root, 'node_modules', compiler, 'bin/tsc'), '-p', app], {
        stdio: 'inherit',
      });
    },
    60_000,
  );
});
