// Zip archives: other tools read what heddle writes and the reverse; damaged archives are errors that name
// the file.
import { deflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { concatBytes } from '../../src/files/files.ts';
import { crc32, unzip, zipParts } from '../../src/files/zip.ts';
import { errorAbout } from '../support/expect-error.ts';

const text = (s: string) => new TextEncoder().encode(s);
const files = {
  'config.json': text('{"a":1}'),
  'größe.bin': Uint8Array.from({ length: 70_000 }, (_, i) => i * 7),
  empty: text(''),
};

it('computes the checksum in the specification', () => {
  expect(crc32(text('123456789'))).toBe(0xcbf43926); // the check value of CRC-32/ISO-HDLC
});

it('reads what it wrote, and writes the same bytes each time', async () => {
  const bytes = concatBytes(zipParts(files));
  expect(await unzip(bytes, 'm.zip')).toEqual(files);
  expect(concatBytes(zipParts(files))).toEqual(bytes);
});

/** Made by Python's zipfile: deflated, a folder and a file of another alphabet in it, a comment behind it. */
const ofOtherTools = [
  'UEsDBBQAAAAAAAAAoVgAAAAAAAAAAAAAAAACAAAAbS9QSwMEFAAAAAgAAAChWNkeQMwbAAAAeAAAAA0AAABtL2NvbmZpZy5qc29uq1ZKVLJSMN',
  'RRUEqC0slQOgVKp4Lo2moqqwMAUEsDBBQAAAgIAAAAoVifaKqICgAAAAgAAAANAAAAbS9ncsO2w59lLmJpbmNgZGJmYWVjBwBQSwECFAMUAAAA',
  'AAAAAKFYAAAAAAAAAAAAAAAAAgAAAAAAAAAAAAAAgAEAAAAAbS9QSwECFAMUAAAACAAAAKFY2R5AzBsAAAB4AAAADQAAAAAAAAAAAAAAgAEgAA',
  'AAbS9jb25maWcuanNvblBLAQIUAxQAAAgIAAAAoVifaKqICgAAAAgAAAANAAAAAAAAAAAAAACAAWYAAABtL2dyw7bDn2UuYmluUEsFBgAAAAAD',
  'AAMApgAAAJsAAAAMAG1hZGUgYnkgaGFuZA==',
].join('');

it('reads what another tool deflated, with folders and comments', async () => {
  expect(await unzip(Buffer.from(ofOtherTools, 'base64'), 'other.zip')).toEqual({
    'm/config.json': text('{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}'.repeat(3)),
    'm/größe.bin': Uint8Array.from({ length: 8 }, (_, i) => i),
  });
});

it('writes the bytes that another tool has read', () => {
  const bytes = concatBytes(zipParts({ 'a/ß': text('hello') }));
  expect(Buffer.from(bytes).toString('base64')).toBe(
    'UEsDBBQAAAgAAAAAIQCGphA2BQAAAAUAAAAEAAAAYS/Dn2hlbGxvUEsBAhQAFAAACAAAAAAhAIamEDYFAAAABQAAAAQAAAAAAAAAAAAAAAAAAAAAAGEvw59QSwUGAAAAAAEAAQAyAAAAJwAAAAAA',
  );
});

it('rejects archives that are truncated, damaged, or have paths that leave the folder', async () => {
  const bytes = concatBytes(zipParts(files));
  await expect(unzip(bytes.subarray(0, -30), 'm.zip')).rejects.toThrow(errorAbout({ area: 'm.zip' }));
  await expect(unzip(text('hello'), 'm.zip')).rejects.toThrow(errorAbout({ area: 'm.zip' }));
  const changed = bytes.slice();
  changed[43] = (changed[43] as number) ^ 1; // in the text of config.json
  await expect(unzip(changed, 'm.zip')).rejects.toThrow(errorAbout({ area: 'm.zip' }));
  for (const name of ['../up', '/abs', 'a/../../b', 'c:\\x', '..'])
    await expect(unzip(concatBytes(zipParts({ [name]: text('x') })), 'm.zip')).rejects.toThrow(
      errorAbout({ area: 'm.zip' }),
    );
});

it('stops inflating at the declared size', async () => {
  const packed = deflateRawSync(new Uint8Array(100_000));
  const bytes = concatBytes(zipParts({ bomb: packed }));
  const view = new DataView(bytes.buffer);
  const central = 30 + 4 + packed.length;
  view.setUint16(central + 10, 8, true); // deflated
  view.setUint32(central + 24, 10, true); // to ten bytes
  await expect(unzip(bytes, 'm.zip')).rejects.toThrow(errorAbout({ area: 'm.zip' }));
});

it('reads the directory of a Blob first, and only the files in it', async () => {
  const whole = concatBytes(zipParts({ 'a.txt': text('a'), 'b.txt': text('bb') }));
  const reads: number[] = [];
  class Watched extends Blob {
    override slice(from: number, to: number): Blob {
      reads.push(to - from);
      return super.slice(from, to);
    }
  }
  const blob = new Watched([new Uint8Array(3_000_000), whole as BlobPart]);
  await expect(unzip(new Watched([new Uint8Array(1_000_000)]), 'm.zip')).rejects.toThrow(
    errorAbout({ area: 'm.zip' }),
  );
  await expect(unzip(blob, 'm.zip')).rejects.toThrow(errorAbout({ area: 'm.zip' })); // its offsets are those of the smaller archive
  expect(reads.every((bytes) => bytes < 70_000)).toBe(true);
  expect(Object.keys(await unzip(new Watched([whole as BlobPart]), 'm.zip'))).toEqual(['a.txt', 'b.txt']);
});

it('refuses files that would fill the memory before it unpacks them', async () => {
  const bytes = concatBytes(zipParts({ 'config.json': text('x'.repeat(100)) }));
  await expect(unzip(bytes, 'm.zip', undefined, () => 99)).rejects.toThrow(errorAbout({ area: 'm.zip' }));
  const bomb = bytes.slice();
  const entry = new DataView(bomb.buffer, bomb.length - 22 - 46 - 'config.json'.length);
  entry.setUint16(10, 8, true); // deflate
  entry.setUint32(24, 2 ** 31, true);
  await expect(unzip(bomb, 'm.zip')).rejects.toThrow(errorAbout({ area: 'm.zip' }));
});
