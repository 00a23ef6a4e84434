// safetensors: round trips are bit-exact, with the reference implementation too; invalid files are errors.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeddleError } from '../../src/core/errors.ts';
import { allocate, type DType, sizeOf, type Tensor } from '../../src/core/tensor.ts';
import { readSafetensors, readSafetensorsHeader } from '../../src/files/safetensors.ts';
import { writeSafetensors } from '../../src/files/write-safetensors.ts';
import { type ExpectedError, errorAbout, errorNaming } from '../support/expect-error.ts';

/** Any tensor, of any bits: NaNs with payloads, denormals, negative zeros. */
const tensor: fc.Arbitrary<Tensor> = fc
  .record({
    dtype: fc.constantFrom<DType>('f32', 'f16', 'i32', 'u32'),
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
  })
  .chain(({ dtype, shape }) => {
    const data = allocate(dtype, sizeOf(shape));
    return fc.uint8Array({ minLength: data.byteLength, maxLength: data.byteLength }).map((bytes) => {
      new Uint8Array(data.buffer).set(bytes);
      return { dtype, shape, data };
    });
  });
const name = fc.oneof(
  fc.string({ minLength: 1, unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'a.b.0.weight', ''),
);
const tensors = fc.array(fc.tuple(name, tensor), { maxLength: 6 }).map((pairs) => {
  const map: Record<string, Tensor> = Object.create(null);
  for (const [key, t] of pairs) if (key !== '__metadata__') map[key] = t;
  return map;
});

const bits = (t: Tensor | undefined) =>
  t && [t.dtype, t.shape, Array.from(new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength))];

/** A file with a header (an object or JSON text) and `length` bytes of data. */
function file(header: unknown, data: number | Uint8Array = 0, length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const body = typeof data === 'number' ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + text.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}
const f32 = (shape: number[], from: number, to: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [from, to],
});

describe('a written file', () => {
  it('is read back bit by bit, for any names and shapes', () => {
    fc.assert(
      fc.property(tensors, (map) => {
        const read = readSafetensors(writeSafetensors(map));
        expect(Object.keys(read).sort()).toEqual(Object.keys(map).sort());
        for (const key of Object.keys(map)) expect(bits(read[key])).toEqual(bits(map[key]));
      }),
    );
  });

  it('has its data at a multiple of 8 bytes, its metadata, and the same bytes for the same tensors in any order', () => {
    const a: Tensor = { dtype: 'f32', shape: [2], data: Float32Array.of(1, 2) };
    const b: Tensor = { dtype: 'i32', shape: [1], data: Int32Array.of(-3) };
    const bytes = writeSafetensors({ a, b }, { format: 'pt' });
    expect(bytes).toEqual(writeSafetensors({ b, a }, { format: 'pt' }));
    const header = readSafetensorsHeader(bytes, bytes.length);
    expect(header.base % 8).toBe(0);
    expect(header.metadata).toEqual({ format: 'pt' });
  });

  it('takes views into larger arrays', () => {
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    expect(readSafetensors(writeSafetensors({ x: { dtype: 'f32', shape: [2], data } })).x?.data).toEqual(
      Float32Array.of(1, 2),
    );
  });

  it('rejects data that does not fit its shape, and a tensor named __metadata__', () => {
    const x: Tensor = { dtype: 'f32', shape: [3], data: new Float32Array(2) };
    expect(() => writeSafetensors({ x })).toThrow(errorNaming('x', '[3]', 2));
    expect(() => writeSafetensors({ __metadata__: { ...x, shape: [2] } })).toThrow(
      errorNaming('__metadata__'),
    );
  });
});

describe('other dtypes', () => {
  const read = (dtype: string, data: ArrayBufferView<ArrayBuffer>, shape: number[]) =>
    readSafetensors(
      file({ x: { dtype, shape, data_offsets: [0, data.byteLength] } }, new Uint8Array(data.buffer)),
    ).x;

  it('become float32 or int32 if nothing is lost', () => {
    expect(read('F64', Float64Array.of(0.5, -2), [2])?.data).toEqual(Float32Array.of(0.5, -2));
    expect(read('BF16', Uint16Array.of(0x3f80, 0xc040, 0x7f80), [3])?.data).toEqual(
      Float32Array.of(1, -3, Number.POSITIVE_INFINITY),
    );
    expect(read('I64', BigInt64Array.of(-5n, 2147483647n), [2])?.data).toEqual(Int32Array.of(-5, 2147483647));
  });

  it('are errors if a value does not fit or the dtype is not supported', () => {
    expect(() => read('I64', BigInt64Array.of(2147483648n), [1])).toThrow(
      errorAbout({ area: 'safetensors' }),
    );
    expect(() => read('U8', Uint8Array.of(1), [1])).toThrow(
      errorAbout({ area: 'safetensors', values: ['x', 'U8'] }),
    );
    for (const dtype of ['F12', 'f32', 'constructor', '__proto__'])
      expect(() => read(dtype, Uint8Array.of(1), [1])).toThrow(errorAbout({ area: 'safetensors' }));
  });
});

describe('an invalid file is an error that names it', () => {
  const cases: [string, Uint8Array, ExpectedError][] = [
    ['an empty file', new Uint8Array(0), { area: 'model.safetensors' }],
    ['7 bytes', new Uint8Array(7), { area: 'model.safetensors' }],
    ['a header past the end', file('{}', 0, 3n), { area: 'model.safetensors' }],
    ['a header of 2^63 bytes', file('{}', 0, 1n << 63n), { area: 'model.safetensors' }],
    ['a header just over the cap', file('{}', 0, 104857601n), { area: 'model.safetensors' }],
    ['a header that is no JSON', file('{"a":'), { area: 'model.safetensors' }],
    [
      'a header that is no UTF-8',
      new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0xff]),
      { area: 'model.safetensors' },
    ],
    ['an array', file('[]'), { area: 'model.safetensors' }],
    ['null', file('null'), { area: 'model.safetensors' }],
    ['metadata of numbers', file({ __metadata__: { a: 1 } }), { area: 'model.safetensors' }],
    ['metadata of null', file({ __metadata__: null }), { area: 'model.safetensors' }],
    ['metadata that is a list', file({ __metadata__: ['a'] }), { area: 'model.safetensors' }],
    ['data that nothing covers', file({}, 4), { area: 'model.safetensors' }],
    ['data past the last tensor', file({ a: f32([1], 0, 4) }, 8), { area: 'model.safetensors' }],
    ['a cut-off file', file({ a: f32([2], 0, 8) }, 7), { area: 'model.safetensors' }],
    ['a gap', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), { area: 'model.safetensors' }],
    ['a gap at the start', file({ a: f32([1], 4, 8) }, 8), { area: 'model.safetensors' }],
    ['an overlap', file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8), { area: 'model.safetensors' }],
    [
      'two tensors in one place',
      file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4),
      { area: 'model.safetensors' },
    ],
    ['offsets that go back', file({ a: f32([1], 4, 0) }, 4), { area: 'model.safetensors' }],
    ['negative offsets', file({ a: f32([1], -4, 0) }, 4), { area: 'model.safetensors' }],
    ['fractional offsets', file({ a: f32([1], 0.5, 4.5) }, 8), { area: 'model.safetensors' }],
    [
      'three offsets',
      file({ a: { ...f32([1], 0, 4), data_offsets: [0, 4, 8] } }, 8),
      { area: 'model.safetensors' },
    ],
    ['no offsets', file({ a: { dtype: 'F32', shape: [1] } }, 4), { area: 'model.safetensors' }],
    ['a shape of another size', file({ a: f32([3], 0, 8) }, 8), { area: 'model.safetensors' }],
    [
      'a shape past all numbers',
      file({ a: f32([2 ** 31, 2 ** 31, 4], 0, 4) }, 4),
      { area: 'model.safetensors' },
    ],
    [
      'a shape whose product wraps',
      file({ a: f32([2 ** 32, 2 ** 32, 1], 0, 0) }),
      { area: 'model.safetensors' },
    ],
    ['negative sizes', file({ a: f32([-1, -1], 0, 4) }, 4), { area: 'model.safetensors' }],
    ['sizes as text', file({ a: { ...f32([], 0, 4), shape: ['1'] } }, 4), { area: 'model.safetensors' }],
    ['no dtype', file({ a: { shape: [1], data_offsets: [0, 4] } }, 4), { area: 'model.safetensors' }],
    ['an entry that is null', file({ a: null }, 4), { area: 'model.safetensors' }],
    ['an entry that is a number', file({ a: 4 }, 4), { area: 'model.safetensors' }],
    [
      'a bad entry named __proto__',
      file('{"__proto__":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4),
      { area: 'model.safetensors' },
    ],
  ];
  for (const [title, bytes, expected] of cases)
    it(title, () => {
      const read = () => readSafetensors(bytes, 'model.safetensors');
      expect(read).toThrow(errorAbout({ area: 'model.safetensors' }));
      expect(read).toThrow(errorAbout(expected));
    });

  it('reads a header from only the start of a file', () => {
    const bytes = file({ a: f32([1000], 0, 4000) }, 4000);
    expect(
      readSafetensorsHeader(bytes.subarray(0, bytes.length - 4000), bytes.length).entries.a?.shape,
    ).toEqual([1000]);
  });
});

describe('any damage', () => {
  const sound = writeSafetensors(
    {
      a: { dtype: 'f32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      b: { dtype: 'i32', shape: [4], data: Int32Array.of(1, 2, 3, 4) },
    },
    { format: 'pt' },
  );
  /** Either the file is read, or a HeddleError says why not: nothing else. */
  const readOrRefuse = (bytes: Uint8Array): boolean => {
    try {
      readSafetensors(bytes);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(HeddleError);
      return false;
    }
  };

  it('of single bytes gives tensors or a HeddleError', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = sound.slice();
          for (const [at, value] of changes) bytes[at] = value;
          readOrRefuse(bytes);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('at the end is always detected', () => {
    for (let n = 0; n < sound.length; n++) expect(readOrRefuse(sound.slice(0, n))).toBe(false);
    for (let n = 1; n < 9; n++)
      expect(readOrRefuse(Uint8Array.of(...sound, ...new Uint8Array(n)))).toBe(false);
  });

  it('of the header gives tensors or a HeddleError', () => {
    const entry = fc.oneof(
      fc.jsonValue(),
      fc.record({
        dtype: fc.oneof(fc.constantFrom('F32', 'I64', 'BF16', 'BOOL'), fc.string()),
        shape: fc.oneof(fc.array(fc.maxSafeNat()), fc.array(fc.nat(5)), fc.jsonValue()),
        data_offsets: fc.oneof(fc.tuple(fc.nat(40), fc.nat(40)), fc.jsonValue()),
      }),
    );
    fc.assert(
      fc.property(
        fc.dictionary(name, entry),
        fc.nat(40),
        (header, bytes) => void readOrRefuse(file(header, bytes)),
      ),
      { numRuns: 400 },
    );
  });
});

const python = '/usr/bin/python3';
const hasReference = spawnSync(python, ['-c', 'import safetensors.numpy']).status === 0;

describe.skipIf(!hasReference)('the reference implementation (needs python3-safetensors)', () => {
  const within = (use: (folder: string) => void) => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-'));
    try {
      use(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const run = (code: string, folder: string): string => {
    const { status, stdout, stderr } = spawnSync(python, ['-c', code], { cwd: folder, encoding: 'utf8' });
    expect(`${status} ${stderr}`).toBe('0 ');
    return stdout;
  };
  const map: Record<string, Tensor> = {
    'a.weight': { dtype: 'f32', shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-40, 6) },
    'b.bias': { dtype: 'i32', shape: [2], data: Int32Array.of(-7, 8) },
    half: { dtype: 'f16', shape: [3], data: Uint16Array.of(0x3c00, 0xc000, 0x7bff) },
    none: { dtype: 'f32', shape: [0, 4], data: new Float32Array(0) },
  };

  it('reads what heddle writes', () =>
    within((folder) => {
      writeFileSync(join(folder, 'x.safetensors'), writeSafetensors(map, { format: 'pt' }));
      const out = run(
        `from safetensors.numpy import load_file
for k, v in sorted(load_file('x.safetensors').items()): print(k, v.dtype, v.shape, v.tobytes().hex())`,
        folder,
      );
      const types = { f32: 'float32', f16: 'float16', i32: 'int32', u32: 'uint32' };
      const lines = Object.entries(map).map(([key, { dtype, shape, data }]) => {
        const size = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
        return `${key} ${types[dtype]} ${size} ${Buffer.from(data.buffer).toString('hex')}`;
      });
      expect(out.trimEnd().split('\n')).toEqual(lines.map((l) => l.trimEnd()).sort());
    }));

  it('writes what heddle reads', () =>
    within((folder) => {
      run(
        `import numpy as np
from safetensors.numpy import save_file
save_file({'w': np.array([[1.5, -2], [3, 4]], dtype=np.float32), 'ids': np.array([5, -6], dtype=np.int64), 'd': np.array([0.25])}, 'y.safetensors', {'k': 'v'})`,
        folder,
      );
      const bytes = new Uint8Array(readFileSync(join(folder, 'y.safetensors')));
      const read = readSafetensors(bytes);
      expect(read.w).toEqual({ dtype: 'f32', shape: [2, 2], data: Float32Array.of(1.5, -2, 3, 4) });
      expect(read.ids).toEqual({ dtype: 'i32', shape: [2], data: Int32Array.of(5, -6) });
      expect(read.d).toEqual({ dtype: 'f32', shape: [1], data: Float32Array.of(0.25) });
      expect(readSafetensorsHeader(bytes, bytes.length).metadata).toEqual({ k: 'v' });
    }));
});

it("reads from a Buffer, which is a view of Node's pool", () => {
  const file = writeSafetensors({ x: { dtype: 'f32', shape: [2], data: Float32Array.of(1.5, -2) } });
  const pooled = Buffer.from(file);
  expect(pooled.byteOffset + pooled.buffer.byteLength).toBeGreaterThan(file.length);
  expect(readSafetensors(pooled).x?.data).toEqual(Float32Array.of(1.5, -2));
});
