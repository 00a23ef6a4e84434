// Installs the package as a user does: packs it, installs it from the registry's packages in an empty
// project, checks its types, builds a page with Vite, esbuild and webpack, and trains in Node. Part
// of `npm run test:full`; --keep leaves the project in place.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'heddle-install-'));
const app = join(folder, 'app');

const page = `import { loadModel } from 'heddle';
const model = await loadModel('model');
document.title = await model.translate('a');
`;

/** Imports every entry in a project that does not include @webgpu/types. */
const typed = `import { loadModel, type Model, train } from 'heddle';
import { corpusBleu } from 'heddle/metrics';
import { Graph, openDevice } from 'heddle/engine';
import { nodeFiles } from 'heddle/node';
const model: Model = await loadModel('model');
const text: string = await model.translate('a');
const score: number = corpusBleu([text], ['a']).score;
const device: GPUDevice | undefined = undefined;
const largest = (gpu: GPUDevice): number => gpu.limits.maxBufferSize;
{
  using other = await loadModel('model');
  await other.translate('b');
}
export { largest, device, Graph, nodeFiles, openDevice, score, train };
`;

const program = `import { train } from 'heddle';
const pairs = Array.from({ length: 40 }, (_, i) => ({ source: 'a b ' + (i % 7), target: 'b a ' + (i % 7) }));
const options = { preset: 'tiny', steps: 2, batchSize: 4, buckets: 1, tokenizer: 'word', heldOut: 0.1, tune: false };
const model = await train(pairs, { ...options, device: 'cpu', model: { dModel: 8, heads: 1, feedForward: 8, encoderLayers: 1, decoderLayers: 1 } });
console.log('steps', model.training.steps);
await train(pairs, options).catch((error) => console.log(error.message));
`;

const node = (...args) =>
  execFileSync(process.execPath, args, { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
// npm is a script on Windows, which only a shell runs.
const shell = process.platform === 'win32';
const npm = (cwd, ...args) =>
  execFileSync(shell ? 'npm.cmd' : 'npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    shell,
  });
const esbuild = (...args) =>
  execFileSync(shell ? 'npx.cmd' : 'npx', ['esbuild', ...args], { cwd: app, stdio: 'inherit', shell });
const bin = (name) => join(root, 'node_modules', name);
const install = (...names) => npm(app, 'install', ...names);

function check(what, holds, details = '') {
  console.log(`${holds ? 'ok    ' : 'FAILED'} ${what}${details && `: ${details}`}`);
  if (!holds) process.exitCode = 1;
}

function attempt(what, work) {
  try {
    work();
    check(what, true);
  } catch (error) {
    check(what, false, `${error.message}\n${error.stdout ?? ''}`);
  }
}

try {
  mkdirSync(join(app, 'src'), { recursive: true });
  npm(root, 'pack', '--ignore-scripts', '--pack-destination', folder);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  install(join(folder, tarball));
  check(
    'neither Dawn nor Puppeteer',
    !['webgpu', 'puppeteer', 'puppeteer-core'].some((name) => existsSync(join(app, 'node_modules', name))),
  );

  writeFileSync(join(app, 'typed.ts'), typed);
  // TypeScript 7 has WebGPU in lib.dom, TypeScript 5 needs @webgpu/types: neither may see both (scripts/build.mjs).
  const compilers = {
    5: bin('typescript/bin/tsc'),
    7: bin('typescript-7/bin/tsc'),
  };
  for (const [module, moduleResolution] of [
    ['ESNext', 'bundler'],
    ['node16', 'node16'],
  ]) {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      target: 'ES2022',
      skipLibCheck: false,
      module,
      moduleResolution,
      types: [],
      noEmit: true,
    };
    for (const [version, tsc] of Object.entries(compilers))
      for (const lib of [
        ['ES2022', 'DOM'],
        ['ESNext', 'DOM'],
      ]) {
        const options = { ...compilerOptions, lib };
        writeFileSync(
          join(app, 'tsconfig.json'),
          JSON.stringify({ compilerOptions: options, files: ['typed.ts'] }),
        );
        attempt(`types, TypeScript ${version}, module resolution ${moduleResolution}, lib ${lib}`, () =>
          node(tsc, '-p', '.'),
        );
      }
  }

  writeFileSync(join(app, 'program.mjs'), program);
  attempt('training in Node on the CPU, and the message about the missing GPU package', () => {
    const printed = node('program.mjs');
    if (!/steps 2\n.*"webgpu" is not installed: run "npm install webgpu"/s.test(printed))
      throw new Error(printed);
  });

  writeFileSync(join(app, 'src/main.js'), page);
  writeFileSync(join(app, 'index.html'), '<script type="module" src="/src/main.js"></script>');
  attempt('Vite', () => node(bin('vite/bin/vite.js'), 'build', '--logLevel', 'error'));
  install('--save-dev', 'esbuild', 'webpack', 'webpack-cli');
  const built = [
    '--bundle',
    '--minify',
    '--format=esm',
    '--splitting',
    '--outdir=out',
    '--log-level=warning',
  ];
  attempt('esbuild', () => esbuild('src/main.js', ...built));
  attempt('webpack', () =>
    node('node_modules/webpack/bin/webpack.js', '--mode=production', '--entry=./src/main.js'),
  );
} finally {
  if (process.argv.includes('--keep')) console.log(folder);
  else rmSync(folder, { recursive: true, force: true });
}
