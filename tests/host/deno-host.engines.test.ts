// The library in Deno, from the installed package: the documented example, and errors of its files.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findDeno } from '../../src/host/programs.ts';
import { distFile } from '../support/dist.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'heddle-deno-'));
beforeAll(() => {
  distFile('heddle.deno.js');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/heddle'));
  writeFileSync(join(folder, 'package.json'), '{"dependencies":{"heddle":"*"}}');
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(code: string, flags: readonly string[] = []): Promise<string> {
  writeFileSync(join(folder, 'main.mjs'), code);
  const allowed = ['--allow-read', '--allow-write', '--allow-env'];
  return new Promise((done, fail) => {
    const env = { ...process.env, HEDDLE_CACHE: join(folder, 'cache') };
    const options = { cwd: folder, timeout: 150_000, env };
    const args = ['run', '--no-prompt', '--node-modules-dir=manual', ...allowed, ...flags, 'main.mjs'];
    execFile(findDeno() ?? 'deno', args, options, (error, stdout, stderr) =>
      error ? fail(new Error(`${error.message}\n${stderr}`)) : done(stdout.trim()),
    );
  });
}

it('runs the documented example, of ten lines', async () => {
  const [, example = ''] =
    /```js\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/engines.md'), 'utf8')) ?? [];
  expect(example.trim().split('\n').filter(Boolean)).toHaveLength(10);
  const output = await run(example);
  expect(output).toMatch(/^Deno\/[\d.]+ 50\n/);
  expect(output).toContain('"model.safetensors"');
});

it('names missing files, and replaces no folder by another', async () => {
  const output = await run(`
    import { denoFiles, loadModel } from 'heddle';
    const files = denoFiles();
    const report = (work) => work.catch((error) => console.log(error.name, error.message));
    await report(loadModel('none'));
    await report(files.read('absent/file'));
    await files.write('a/b/c.txt', new Uint8Array([1, 2]));
    await files.write('d/e.txt', new Uint8Array([3]));
    await report(files.rename('a/b', 'd'));
    await files.rename('a/b', 'f');
    console.log(await files.list('f'), await files.list('d'), await files.exists('a/b'));
    await report(files.list('f/c.txt'));
    await files.remove('d');
    await files.remove('d');
    console.log(await files.exists('d'));`);
  expect(output.split('\n')).toEqual([
    expect.stringMatching(/^HeddleError loadModel: there is no folder or file none;/),
    expect.stringMatching(/^HeddleError absent\/file: /),
    'HeddleError d: cannot rename a/b: a folder is there',
    '[ "c.txt" ] [ "e.txt" ] false',
    'HeddleError f/c.txt: cannot list: a part of the path is a file, not a folder',
    'false',
  ]);
});

it('uses a device without its adapter, whose info Deno cannot read', async () => {
  const output = await run(
    `
    import { train } from 'heddle';
    import { Graph, gpuEngine, softmax, wrapDevice } from 'heddle/engine';
    const device = await navigator.gpu.requestAdapter().then((adapter) => adapter.requestDevice());
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      gc();
    }
    const wrapped = wrapDevice(device);
    const graph = new Graph();
    graph.output('y', softmax(graph, graph.input('x', 'f32', [1, 2])));
    const [program] = await gpuEngine(wrapped).prepare([graph]);
    const { y } = await program.run();
    console.log(wrapped.adapter.description, [...y]);
    const pairs = Array.from({ length: 8 }, (_, i) => ({ source: 'a b'.slice(i % 2), target: 'c' }));
    const model = { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 8, maxLength: 8 };
    const settings = { preset: 'tiny', model, tokenizer: 'char', vocabSize: 20, batchSize: 4, steps: 2, heldOut: 0 };
    console.log((await train(pairs, { ...settings, device, tune: false })).training.steps);`,
    ['--v8-flags=--expose-gc'],
  );
  expect(output).toMatch(/^Deno [\d.]+ \[ 0\.5, 0\.5 \]\n2$/);
});
