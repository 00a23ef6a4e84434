// Model folders: saved models load again, and an interrupted save always leaves a complete folder.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ModelEngine } from '../../src/api/model-engine.ts';
import { CallbackWatch } from '../../src/core/callbacks.ts';
import { HeddleError } from '../../src/core/errors.ts';
import { sizeOf, type Tensor } from '../../src/core/tensor.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Files } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { writeFolder } from '../../src/files/owned-folder.ts';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { verifyFolder } from '../../src/files/verified-files.ts';
import { isHeddleFolder, loadModelFolder } from '../../src/formats/model-folder.ts';
import { heddleFiles, saveModelFolder } from '../../src/formats/save-heddle.ts';
import type { SavedModel } from '../../src/formats/shared/saved-model.ts';
import { widenTensors } from '../../src/formats/widen-tensors.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { initializeWeights } from '../../src/model/initialize-weights.ts';
import { modelConfig } from '../../src/model/model-config.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { isQuantized } from '../../src/model/quantized-parameters.ts';
import type { Session } from '../../src/session/session.ts';
import type { Tokenizer } from '../../src/text/tokenizers/tokenizer.ts';
import { distFile } from '../support/dist.ts';
import { errorAbout } from '../support/expect-error.ts';
import { hfFixtures, hfFolder } from '../support/hf.ts';
import { itInFull } from '../support/in-full.ts';
import { letterModel } from '../support/saved-model.ts';
import { trainCharacters, trainWords } from '../support/tokenizers.ts';

const files = nodeFiles();
const folder = mkdtempSync(join(tmpdir(), 'heddle-folder-'));
const at = (name: string) => join(folder, name);

const words = trainWords(['one two three four five'], { size: 50 });
const characters = trainCharacters(['uno dos tres']);

function model(seed: number, source: Tokenizer = words, target: Tokenizer = characters): SavedModel {
  const shared = source === target;
  const sizes = { srcVocab: source.size, tgtVocab: target.size, dModel: 8, heads: 2, feedForward: 12 };
  const tie = shared ? 'all' : 'none';
  const config = modelConfig({ ...sizes, encoderLayers: 1, decoderLayers: 1, tie });
  return { config, source, target, weights: initializeWeights(config, parameterList(config), seed) };
}

beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(at(name), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ['a tokenizer each', words, characters, ['source-tokenizer.json', 'target-tokenizer.json']],
  ['one for both', words, words, ['tokenizer.json']],
])('gives back what was saved, with %s', async (_, source, target, names) => {
  const saved = model(1, source, target);
  await saveModelFolder(files, at('m'), saved, { 'notes.txt': new Uint8Array([1]) });
  expect(readdirSync(at('m')).sort()).toEqual(
    ['config.json', 'heddle-manifest.json', 'model.safetensors', 'notes.txt', ...names].sort(),
  );
  const read = await loadModelFolder(files, at('m'));
  expect(read.config).toEqual(saved.config);
  expect(read.weights).toEqual(saved.weights);
  expect(read.source.encode('two five two')).toEqual(source.encode('two five two'));
  expect(read.target === read.source).toBe(source === target);
  expect(await isHeddleFolder(files, at('m'))).toBe(true);
});

it('stores matrices as int8 with a scale per row', async () => {
  const saved = model(3);
  const list = parameterList(saved.config);
  const files = memoryFiles();
  await writeFolder(files, 'm', heddleFiles(saved, 'int8'));
  const read = await loadModelFolder(files, 'm');
  for (const parameter of list.all) {
    const { name, shape, offset } = parameter;
    const [rows = 1, cols = rows] = shape;
    const before = saved.weights.subarray(offset, offset + sizeOf(shape));
    const after = read.weights.subarray(offset, offset + sizeOf(shape));
    if (!isQuantized(parameter)) expect(after, name).toEqual(before);
    else
      for (let row = 0; row < rows; row++) {
        const [exact, rounded] = [before, after].map((all) => all.subarray(row * cols, (row + 1) * cols));
        const step = Math.max(...exact!.map(Math.abs)) / 127;
        const worst = Math.max(...exact!.map((x, i) => Math.abs(x - rounded![i]!)));
        expect(worst, name).toBeLessThanOrEqual(0.501 * step);
      }
  }
  // Written again, the file is the same to a rounding of the scales; a wrong scale is refused.
  const bytes = heddleFiles(read, 'int8')['model.safetensors']!;
  const tensors = readSafetensors(bytes);
  const [matrix] = list.all.filter(isQuantized);
  expect(tensors[matrix!.stored.name]).toMatchObject({ dtype: 'i32', shape: matrix!.shape });
  const wrong = {
    ...tensors,
    [`${matrix!.name}.scale`]: { dtype: 'f32', shape: [1], data: new Float32Array(1) },
  };
  expect(() => widenTensors(wrong as Record<string, Tensor>, 'm')).toThrow(
    errorAbout({ area: 'm: src_embed.weight', values: ['f32', '1'] }),
  );
});

it('recognizes model folders', async () => {
  expect(await isHeddleFolder(files, folder)).toBe(false);
  expect(await isHeddleFolder(files, at('none'))).toBe(false);
});

describe('if a write fails', () => {
  /** Files that fail at the call number `n` of those that change something. */
  function failing(n: number): Files {
    let calls = 0;
    const count = async () => {
      if (calls++ === n) throw new HeddleError('the disk is full');
    };
    return {
      ...files,
      write: (path, bytes) => count().then(() => files.write(path, bytes)),
      rename: (from, to) => count().then(() => files.rename(from, to)),
    };
  }

  it.each([0, 1, 2, 3, 4, 5])('the previous model stays and nothing else (call %i)', async (n) => {
    await saveModelFolder(files, at('m'), model(1));
    const names = readdirSync(at('m'));
    await expect(saveModelFolder(failing(n), at('m'), model(2))).rejects.toThrow(
      errorAbout({ template: 'the disk is full' }),
    );
    expect(readdirSync(folder)).toEqual(['m']);
    expect(readdirSync(at('m'))).toEqual(names);
    expect((await loadModelFolder(files, at('m'))).weights).toEqual(model(1).weights);
  });

  it('no folder is created', async () => {
    await expect(saveModelFolder(failing(2), at('m'), model(1))).rejects.toThrow(
      errorAbout({ template: 'the disk is full' }),
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('is read again if another process saves it meanwhile', async () => {
  await saveModelFolder(files, at('m'), model(1));
  let saves = 0;
  const slow: Files = {
    ...files,
    // Another process saves between the configuration and the weights.
    async read(path) {
      if (path.endsWith('model.safetensors') && saves++ < 2)
        await saveModelFolder(files, at('m'), model(saves + 1));
      return files.read(path);
    },
  };
  expect((await loadModelFolder(slow, at('m'))).weights).toEqual(model(3).weights);
});

itInFull('contains a complete model at every moment, even if the writing process is killed', async () => {
  await saveModelFolder(files, at('m'), model(1, words, words));
  const script = `
    import { loadModelFolder } from ${JSON.stringify(distFile('modules/formats/model-folder.js'))};
    import { saveModelFolder } from ${JSON.stringify(distFile('modules/formats/save-heddle.js'))};
    import { nodeFiles } from ${JSON.stringify(distFile('modules/host/node-files.js'))};
    const model = await loadModelFolder(nodeFiles(), ${JSON.stringify(at('m'))});
    console.log('started');
    for (;;) await saveModelFolder(nodeFiles(), ${JSON.stringify(at('m'))}, model);`;
  for (let round = 0; round < 12; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script]);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the writer ended by itself with ${code}`)));
      child.stdout.once('data', () => resolve());
    });
    const ended = new Promise((resolve) => child.removeAllListeners('exit').once('exit', resolve));
    await new Promise((resolve) => setTimeout(resolve, 3 + round * 1.7)); // a save takes a few milliseconds
    child.kill('SIGKILL');
    await ended;
    expect((await loadModelFolder(files, at('m'))).weights, `round ${round}`).toEqual(
      model(1, words, words).weights,
    );
  }
});

it('notices a tokenizer that was exchanged for another of the same size', async () => {
  const other = trainWords(['six seven eight nine ten'], { size: 50 });
  expect(other.size).toBe(words.size);
  await saveModelFolder(files, at('m'), model(1));
  rmSync(at('m/heddle-manifest.json')); // which would name the change first
  writeFileSync(at('m/source-tokenizer.json'), JSON.stringify(words, undefined, 2)); // the same, formatted otherwise
  await loadModelFolder(files, at('m'));
  writeFileSync(at('m/source-tokenizer.json'), JSON.stringify(other));
  await expect(loadModelFolder(files, at('m'))).rejects.toThrow(
    errorAbout({ values: ['source-tokenizer.json'] }),
  );
});

it('loads a folder whose scripts of torch-run were changed', async () => {
  const files = memoryFiles();
  const text = (content: string) => new TextEncoder().encode(content);
  await writeFolder(files, 'm', { ...heddleFiles(letterModel()), 'continue.py': text('print(1)') });
  await files.write('m/continue.py', text('print(2)'));
  await loadModelFolder(files, 'm');
  await expect(verifyFolder(files, 'm')).rejects.toThrow(
    errorAbout({ area: 'm/continue.py', values: ['heddle-manifest.json'] }),
  );
});

/** Flips a bit of a file, `from` bytes before its end. */
function flip(path: string, from: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - from) ^ 1, bytes.length - from);
  writeFileSync(path, bytes);
}

const changed = (path: string) => errorAbout({ area: path, values: ['heddle-manifest.json'] });

it('finds a flipped bit of any file by XXH32 when the file is read', async () => {
  const sums = async () => JSON.parse(readFileSync(at('m/heddle-manifest.json'), 'utf8')).files;
  for (const name of ['config.json', 'model.safetensors', 'source-tokenizer.json', 'target-tokenizer.json'])
    for (const from of [1, 17, 100]) {
      rmSync(at('m'), { recursive: true, force: true });
      await saveModelFolder(files, at('m'), model(1));
      expect((await sums())[name].xxh32).toMatch(/^[\da-f]{8}$/);
      await loadModelFolder(files, at('m'));
      flip(at(`m/${name}`), from);
      await expect(loadModelFolder(files, at('m')), name).rejects.toThrow(changed(at(`m/${name}`)));
      await expect(loadModelFolder(files, at('m//')), name).rejects.toThrow(changed(at(`m/${name}`)));
    }
});

/** Writes the fixture bart, a folder of Hugging Face, with a manifest. */
async function writeBart(): Promise<void> {
  const bart = await hfFolder('bart');
  const parts = await Promise.all(
    hfFixtures.bart.map(async (name) => [name, await bart.read(`bart/${name}`)]),
  );
  await writeFolder(files, at('bart'), Object.fromEntries(parts));
}

it.each([
  ['heddle', () => saveModelFolder(files, at('heddle'), model(1))],
  ['bart', writeBart],
])('reads the weights of %s once, and compares no other checksum', async (name, write) => {
  await write();
  const read: string[] = [];
  const counted: Files = {
    ...files,
    read(path) {
      read.push(path.slice(at(`${name}/`).length));
      return files.read(path);
    },
    blob: () => expect.unreachable(),
    sha256: () => expect.unreachable(),
  };
  await loadModelFolder(counted, at(name), { inParts: 'large' });
  expect(read.filter((file) => file === 'model.safetensors')).toHaveLength(1);
});

it('compares the SHA-256 of a file whose manifest has no XXH32', async () => {
  await saveModelFolder(files, at('m'), model(1));
  const manifest = JSON.parse(readFileSync(at('m/heddle-manifest.json'), 'utf8'));
  for (const sums of Object.values<Record<string, unknown>>(manifest.files)) delete sums.xxh32;
  writeFileSync(at('m/heddle-manifest.json'), JSON.stringify({ ...manifest, fingerprint: undefined }));
  await loadModelFolder(files, at('m'));
  flip(at('m/model.safetensors'), 9);
  await expect(loadModelFolder(files, at('m'))).rejects.toThrow(
    changed(expect.stringMatching(/\/model\.safetensors$/)),
  );
});

it('compares weights that are read in parts beside loading, before anything leaves the model', async () => {
  await writeBart();
  const whole = await loadModelFolder(files, at('bart'), { inParts: true });
  expect(await whole.verified).toBeUndefined();

  flip(at('bart/model.safetensors'), 9);
  const error = changed(expect.stringMatching(/\/model\.safetensors$/));
  await expect(loadModelFolder(files, at('bart'))).rejects.toThrow(error);
  const damaged = await loadModelFolder(files, at('bart'), { inParts: true });
  await expect(damaged.verified).rejects.toThrow(error);
  // Neither a translation nor the weights leave the model.
  const session = { device: {}, callbacks: new CallbackWatch() } as Session;
  const engine = new ModelEngine(damaged, session, { engine: {} as Engine });
  await expect(engine.whole()).rejects.toThrow(error);
  await expect(engine.inTurn(async () => 'a translation')).rejects.toThrow(error);
});

it('hashes a large file in a thread of Node', async () => {
  const bytes = new Uint8Array(9 * 2 ** 20).map((_, i) => i);
  await writeFolder(files, at('large'), { data: bytes });
  const hashed: (number | undefined)[] = [];
  const counted: Files = {
    ...files,
    async sha256(path) {
      const hash = await files.sha256?.(path);
      hashed.push(hash?.length);
      return hash;
    },
  };
  await verifyFolder(counted, at('large'));
  expect(hashed).toEqual([64]);
  flip(at('large/data'), 2 ** 20);
  await expect(verifyFolder(counted, at('large'))).rejects.toThrow(changed(at('large/data')));
  await expect(verifyFolder({ ...files, sha256: undefined }, at('large'))).rejects.toThrow(
    changed(at('large/data')),
  );
});
