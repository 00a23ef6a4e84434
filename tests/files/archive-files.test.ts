// Archives that act as model folders.
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { archiveFiles } from '../../src/files/archive-files.ts';
import { concatBytes, openBlob, readText, writeText } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { packFolder, unzipModel } from '../../src/files/model-archives.ts';
import { writeFolder } from '../../src/files/owned-folder.ts';
import { modelMetadata } from '../../src/files/safetensors-model.ts';
import { verifyFolder } from '../../src/files/verified-files.ts';
import { writeSafetensors } from '../../src/files/write-safetensors.ts';
import { zipParts } from '../../src/files/zip.ts';
import { errorAbout } from '../support/expect-error.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

it('writes a folder as an archive and reads it as a folder', async () => {
  const disk = memoryFiles();
  const files = archiveFiles(disk);
  for (const text of ['one', 'two']) {
    const config = `{"format":"heddle","text":"${text}"}`;
    await writeFolder(files, 'runs/m.zip', { 'config.json': bytes(config), 'state.json': bytes(`${text}!`) });
    expect(await disk.list('runs')).toEqual(['m.zip']);
    expect(await readText(files, 'runs/m.zip/config.json')).toBe(config);
    expect(await readText(files, 'runs/m.zip/state.json')).toBe(`${text}!`);
  }
  expect(await files.list('runs/m.zip')).toEqual(['config.json', 'heddle-manifest.json', 'state.json']);
  expect(await files.exists('runs/m.zip/none')).toBe(false);
  expect(await files.exists('runs/m.zip')).toBe(true);
  await expect(writeText(files, 'runs/m.zip/log.jsonl', 'more')).rejects.toThrow(
    errorAbout({ area: 'runs/m.zip/log.jsonl', values: ['runs/m.zip'] }),
  );
  await expect(files.read('runs/m.zip/none')).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: '/none' }),
  );
});

it('reads parts of a file without reading the rest, and parts of a file in an archive', async () => {
  const read: string[] = [];
  const blob = async (path: string) => {
    read.push(path);
    return path.endsWith('.zip')
      ? new Blob([(await memory.read(path)) as BlobPart])
      : new Blob(['0123456789']);
  };
  const memory = memoryFiles();
  const disk = { ...memory, blob };
  const files = archiveFiles(disk);
  expect(await (await openBlob(files, 'm/model.safetensors')).slice(2, 4).text()).toBe('23');
  await disk.write('m.zip', concatBytes(zipParts({ 'config.json': bytes('abcdef') })));
  expect(await (await openBlob(files, 'm.zip/config.json')).slice(1, 3).text()).toBe('bc');
  expect(read).toEqual(['m/model.safetensors', 'm.zip']);
});

it('does not change other files, nor folders with such a name', async () => {
  const disk = memoryFiles();
  const files = archiveFiles(disk);
  await writeText(files, 'old.zip/config.json', 'folder');
  expect(await readText(files, 'old.zip/config.json')).toBe('folder');
  await files.rename('old.zip', 'new');
  expect(await readText(disk, 'new/config.json')).toBe('folder');
  await writeText(disk, 'a.txt', 'x');
  await files.rename('a.txt', 'b.txt');
  expect(await readText(files, 'b.txt')).toBe('x');
  await files.remove('new');
  expect(await files.exists('new/config.json')).toBe(false);
});

it('reads archives with a top folder, and rejects those without a model', async () => {
  const inner = { 'm/config.json': bytes('{}'), 'm/deep/x': bytes('no'), 'other/config.txt': bytes('no') };
  expect(await unzipModel(concatBytes(zipParts(inner)), 'm.zip')).toEqual({ 'config.json': bytes('{}') });
  const none = concatBytes(zipParts({ 'readme.txt': bytes('hello') }));
  await expect(unzipModel(none, 'm.zip')).rejects.toThrow(errorAbout({ area: 'm.zip' }));
});

/** An archive of a folder that heddle wrote, with a flipped bit in a file, deflated or not. */
async function damagedArchive(name: string, method: 'stored' | 'deflated'): Promise<Uint8Array> {
  const disk = memoryFiles();
  const parts = { 'config.json': bytes('{"format":"heddle"}'), 'report.html': bytes('<p>'.repeat(99)) };
  await writeFolder(disk, 'm', parts);
  const files = Object.fromEntries(
    await Promise.all(
      (await disk.list('m')).map(async (each) => [each, await disk.read(`m/${each}`)] as const),
    ),
  );
  if (method === 'deflated') files[name] = deflateRawSync(files[name] as Uint8Array);
  const archive = concatBytes(zipParts(files));
  const text = new TextDecoder('latin1').decode(archive);
  const central = text.search(new RegExp(`PK\\x01\\x02[^]{42}${name}`));
  if (method === 'deflated') archive[central + 10] = 8;
  const content = text.search(new RegExp(`PK\\x03\\x04[^]{26}${name}`)) + 30 + name.length;
  archive[content + 1] = (archive[content + 1] as number) ^ 1;
  return archive;
}

it.each(['stored', 'deflated'] as const)(
  'reads an archive with a damaged report as a folder with one: %s',
  async (method) => {
    const disk = memoryFiles();
    const files = archiveFiles(disk);
    await disk.write('m.zip', await damagedArchive('report.html', method));
    expect(await readText(files, 'm.zip/config.json')).toBe('{"format":"heddle"}');
    await verifyFolder(files, 'm.zip', (name) => name === 'config.json');
    await expect(verifyFolder(files, 'm.zip')).rejects.toThrow(errorAbout({ area: 'm.zip/report.html' }));
    await writeFolder(files, 'm.zip', { 'config.json': bytes('{"format":"heddle"}') }); // replaces it
    await verifyFolder(files, 'm.zip');
  },
);

it('rejects an archive whose manifest is damaged, or a damaged file that is not in it', async () => {
  for (const method of ['stored', 'deflated'] as const) {
    const archive = await damagedArchive('heddle-manifest.json', method);
    await expect(unzipModel(archive, 'm.zip')).rejects.toThrow(
      errorAbout({ area: 'm.zip', values: ['heddle-manifest.json'] }),
    );
  }
  const plain = concatBytes(zipParts({ 'config.json': bytes('{}'), 'notes.txt': bytes('mine') }));
  plain[new TextDecoder('latin1').decode(plain).indexOf('mine')] = 77;
  await expect(unzipModel(plain, 'm.zip')).rejects.toThrow(
    errorAbout({ area: 'm.zip', values: ['notes.txt'] }),
  );
});

it('packs the files of a folder', async () => {
  const disk = memoryFiles();
  await writeText(disk, 'm/config.json', '{}');
  expect(await unzipModel(concatBytes(await packFolder(disk, 'm')), 'm.zip')).toEqual({
    'config.json': bytes('{}'),
  });
});

describe('a model in one safetensors file', () => {
  const described = { 'config.json': bytes('{"a":1}'), 'tokenizer.json': bytes('{"b":"ü"}') };
  const tensors = { w: { dtype: 'f32' as const, shape: [2], data: new Float32Array([1, 2]) } };
  const file = writeSafetensors(tensors, modelMetadata('heddle', described));

  it('is read as its folder', async () => {
    const disk = memoryFiles();
    await disk.write('m.safetensors', file);
    const files = archiveFiles(disk);
    expect(await files.list('m.safetensors')).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    expect(await readText(files, 'm.safetensors/tokenizer.json')).toBe('{"b":"ü"}');
    expect(await files.read('m.safetensors/model.safetensors')).toEqual(file);
    await expect(writeText(files, 'm.safetensors/log.jsonl', 'x')).rejects.toThrow(
      errorAbout({ area: 'm.safetensors/log.jsonl', values: ['m.safetensors'] }),
    );
    expect(await disk.read('m.safetensors')).toEqual(file);
  });

  it('is an error if it has only weights', async () => {
    const disk = memoryFiles();
    await disk.write('m.safetensors', writeSafetensors(tensors));
    await expect(archiveFiles(disk).read('m.safetensors/config.json')).rejects.toThrow(
      errorAbout({ area: 'm.safetensors', values: ['config.json'] }),
    );
  });
});

it('reads the model of heddle in an archive of another format, such as an export for transformers.js', async () => {
  const weights = writeSafetensors({}, { 'config.json': '{}', 'source-tokenizer.json': '{"a":1}' });
  const archive = zipParts({
    'config.json': bytes('{"model_type":"bart"}'),
    'onnx/encoder_model.onnx': bytes('graph'),
    'heddle.safetensors': weights,
  });
  const files = await unzipModel(concatBytes(archive), 'export.zip');
  expect(Object.keys(files).sort()).toEqual(['config.json', 'model.safetensors', 'source-tokenizer.json']);
  expect(new TextDecoder().decode(files['config.json'])).toBe('{}');
});
