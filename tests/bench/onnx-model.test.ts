// ONNX models of the benchmark, parsed field by field (protobuf's wire format).

import { expect, it } from 'vitest';
import { onnxModel } from '../../bench/peers/onnx-model.mjs';

type Field = [number: number, value: number | Uint8Array];

/** The fields of a message; varints as 32-bit signed numbers. */
function fields(bytes: Uint8Array): Field[] {
  let at = 0;
  const varint = (): number => {
    let n = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] as number;
      n |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, n));
    }
  };
  const list: Field[] = [];
  while (at < bytes.length) {
    const tag = varint();
    if (tag % 8 === 0) list.push([tag >> 3, varint()]);
    else {
      const length = tag % 8 === 5 ? 4 : varint();
      list.push([tag >> 3, bytes.slice(at, at + length)]);
      at += length;
    }
  }
  return list;
}

const all = (message: Uint8Array, n: number) => fields(message).flatMap(([k, v]) => (k === n ? [v] : []));
const message = (m: Uint8Array, n: number, i = 0) => all(m, n)[i] as Uint8Array;
const text = (v: number | Uint8Array | undefined) => new TextDecoder().decode(v as Uint8Array);

it('writes nodes, attributes, inputs and an output', () => {
  const attributes = { axis: -1, epsilon: { float: 0.5 }, perm: [0, 300] };
  const model = onnxModel({ x: [2, 300], g: [300] }, [['Norm', ['x', 'g'], ['y'], attributes]], 'y');
  expect(all(model, 1)).toEqual([8]);
  expect(all(message(model, 8), 2)).toEqual([17]);
  const graph = message(model, 7);
  const node = message(graph, 1);
  expect([...all(node, 1), ...all(node, 2), ...all(node, 4)].map(text)).toEqual(['x', 'g', 'y', 'Norm']);
  const [axis, epsilon, perm] = [0, 1, 2].map((i) => message(node, 5, i)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  expect([text(all(axis, 1)[0]), all(axis, 3), all(axis, 20)]).toEqual(['axis', [-1], [2]]);
  expect(new Float32Array(message(epsilon, 2).buffer)[0]).toBe(0.5);
  expect([all(perm, 8), all(perm, 20)]).toEqual([[0, 300], [7]]);
  const shapes = [0, 1].map((i) => message(message(message(message(graph, 11, i), 2), 1), 2));
  expect(shapes.map((s) => all(s, 1).map((d) => all(d as Uint8Array, 1)[0]))).toEqual([[2, 300], [300]]);
  expect(text(all(message(graph, 12), 1)[0])).toBe('y');
});
