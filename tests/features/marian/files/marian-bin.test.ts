// Marian's binary model files: what is written is read, and damaged files are refused by name.

import { describe, expect, it } from 'vitest';
import { HeddleError } from '../../../../src/core/errors.ts';
import { random } from '../../../../src/core/random.ts';
import { readMarianBin } from '../../../../src/features/marian/files/marian-bin.ts';
import { float32Bin, int8Bin } from '../../../../src/features/marian/files/write-marian.ts';
import { type ExpectedError, errorAbout } from '../../../support/expect-error.ts';

const numbers = (n: number, seed: number) => {
  const r = random(seed);
  return Float32Array.from({ length: n }, () => r.normal());
};
const contents = {
  tensors: new Map([
    ['encoder_l1_ffn_W1', { shape: [64, 8], data: numbers(512, 1) }],
    ['Wemb', { shape: [8, 64], data: numbers(512, 2) }],
    ['encoder_l1_ffn_b1', { shape: [1, 8], data: numbers(8, 3) }],
  ]),
  yaml: 'type: transformer\n',
  multipliers: { Wemb_QuantMultA: 12.5 },
};

it('reads what it writes, bit by bit', () => {
  const read = readMarianBin(float32Bin(contents), 'model.bin');
  expect(read.yaml).toBe(contents.yaml);
  expect(read.isInt8).toBe(false);
  for (const [name, { shape, data }] of contents.tensors)
    expect(read.tensors.get(name)).toEqual({ shape, data });
});

it('reads model.yml up to its 0; what is behind it is padding', () => {
  const file = float32Bin({ ...contents, yaml: 'type: transformer\n\0\0junk' });
  expect(readMarianBin(file, 'model.bin').yaml).toBe(contents.yaml);
});

it('stores matrices as int8 with one multiplier, and reads q / m', () => {
  const read = readMarianBin(int8Bin(contents), 'model.bin');
  expect(read.isInt8).toBe(true);
  expect(read.multipliers.get('Wemb_QuantMultA')).toBe(12.5);
  for (const [name, { data }] of contents.tensors) {
    const own = read.tensors.get(name)?.data as Float32Array;
    const max = data.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
    const worst = data.reduce((m, x, i) => Math.max(m, Math.abs(x - (own[i] as number))), 0);
    if (name.endsWith('b1')) expect(worst).toBe(0);
    else expect(worst).toBeLessThan((max / 127) * 0.51);
  }
  // What was int8 stays the same.
  const again = int8Bin({ ...contents, tensors: read.tensors });
  expect(readMarianBin(again, 'again').tensors).toEqual(read.tensors);
});

it('refuses what Marian cannot multiply', () => {
  const bin = (name: string, shape: number[]) => () =>
    int8Bin({ tensors: new Map([[name, { shape, data: numbers(shape[0]! * shape[1]!, 4) }]]), yaml: '' });
  expect(bin('encoder_l1_self_Wq', [24, 24])).toThrow(
    errorAbout({ area: 'firefox', values: ['encoder_l1_self_Wq'] }),
  );
  expect(bin('decoder_ff_logit_out_Wt', [8, 64])).toThrow(
    errorAbout({ area: 'firefox', values: ['decoder_ff_logit_out_Wt'] }),
  );
});

describe('a damaged file', () => {
  const whole = float32Bin(contents);
  it('is refused wherever it is cut', () => {
    for (let length = 0; length < whole.length; length += length < 700 ? 13 : 401)
      expect(() => readMarianBin(whole.slice(0, length), 'cut.bin'), `${length} bytes`).toThrow(
        errorAbout({ area: 'cut.bin' }),
      );
  });

  it('is refused with any byte of its headers changed, or read', () => {
    for (let at = 0; at < 400; at += 3)
      for (const byte of [0, 1, 0x7f, 0xff]) {
        const bytes = whole.slice();
        bytes[at] = byte;
        try {
          readMarianBin(bytes, 'odd.bin');
        } catch (error) {
          expect(error).toBeInstanceOf(HeddleError);
        }
      }
  });

  it.each<[string, (view: DataView) => void, ExpectedError]>([
    ['a version', (v) => v.setBigUint64(0, 2n, true), { area: 'odd.bin' }],
    ['a number of items', (v) => v.setBigUint64(8, 2n ** 63n, true), { area: 'odd.bin' }],
    ['a type', (v) => v.setBigUint64(24, 0x402n, true), { area: 'odd.bin', values: ['402'] }],
    ['a rank', (v) => v.setBigUint64(32, 2n ** 40n, true), { area: 'odd.bin' }],
    ['a size', (v) => v.setBigUint64(40, 8n, true), { area: 'odd.bin' }],
  ])('names %s', (_, damage, expected) => {
    const bytes = whole.slice();
    damage(new DataView(bytes.buffer));
    expect(() => readMarianBin(bytes, 'odd.bin')).toThrow(errorAbout(expected));
  });

  it('names a tensor with a number that is not finite', () => {
    const tensors = new Map([['Wemb', { shape: [1, 2], data: Float32Array.of(1, Number.NaN) }]]);
    const file = float32Bin({ tensors, yaml: '' });
    expect(() => readMarianBin(file, 'nan.bin')).toThrow(
      errorAbout({ area: 'nan.bin', values: ['Wemb', 1] }),
    );
  });
});
