// Model files of Marian as .npz: what is written is read, and damaged files are refused by name.

import { expect, it } from 'vitest';
import { readNpy, readNpz } from '../../../../src/features/marian/files/npz.ts';
import { npzFile } from '../../../../src/features/marian/files/write-marian.ts';
import { concatBytes } from '../../../../src/files/files.ts';
import { zipParts } from '../../../../src/files/zip.ts';
import { errorAbout } from '../../../support/expect-error.ts';

const tensors = new Map([
  ['Wemb', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ['decoder_ff_logit_out_b', { shape: [1, 2], data: Float32Array.of(7, -8) }],
]);

it('reads what it writes', async () => {
  const read = await readNpz(npzFile({ tensors, yaml: 'a: 1\n' }), 'm.npz');
  expect([read.tensors, read.yaml]).toEqual([tensors, 'a: 1\n']);
});

it('reads one axis as a row', () => {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".padEnd(117);
  const bytes = concatBytes([
    Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0),
    new TextEncoder().encode(`${header}\n`),
    new Uint8Array(8),
  ]);
  expect(readNpy(bytes, 'x')).toMatchObject({ type: '<f4', shape: [2] });
  expect(() => readNpy(bytes.slice(0, 60), 'x')).toThrow(errorAbout({ area: 'x' }));
  expect(() => readNpy(bytes.slice(1), 'x')).toThrow(errorAbout({ area: 'x' }));
});

it('refuses a file without model.yml, and a file that is cut', async () => {
  const file = npzFile({ tensors, yaml: '' });
  for (const length of [0, 30, 200, file.length - 30])
    await expect(readNpz(file.slice(0, length), 'm.npz')).rejects.toThrow(errorAbout({ area: 'm.npz' }));
  await expect(readNpz(concatBytes(zipParts({})), 'm.npz')).rejects.toThrow(
    errorAbout({ area: 'm.npz', values: ['special:model.yml'] }),
  );
});
