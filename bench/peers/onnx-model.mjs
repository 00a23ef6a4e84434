// Writes a sequence of ONNX nodes as an ONNX model: the subset of the format (protobuf) that a kernel needs.

const text = new TextEncoder();

/** Encodes an integer as a varint. */
function varint(n) {
  const bytes = [];
  for (; n > 127; n = Math.floor(n / 128)) bytes.push((n % 128) + 128);
  return [...bytes, n];
}

/** Negative varints have 64 bits; only -1 is needed. */
const minusOne = [255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
const number = (field, n) => [...varint(field * 8), ...(n === -1 ? minusOne : varint(n))];
const bytes = (field, content) => [...varint(field * 8 + 2), ...varint(content.length), ...content];
const string = (field, s) => bytes(field, text.encode(s));
const float = (field, x) => [...varint(field * 8 + 5), ...new Uint8Array(Float32Array.of(x).buffer)];

/** AttributeProto: an integer, a list of integers, or `{ float }`. */
function attribute([name, value]) {
  if (Array.isArray(value))
    return [...string(1, name), ...value.flatMap((n) => number(8, n)), ...number(20, 7)];
  if (typeof value === 'object') return [...string(1, name), ...float(2, value.float), ...number(20, 1)];
  return [...string(1, name), ...number(3, value), ...number(20, 2)];
}

/** NodeProto of `[op, inputs, outputs, attributes]`. */
const node = ([op, inputs, outputs, attributes = {}]) => [
  ...inputs.flatMap((name) => string(1, name)),
  ...outputs.flatMap((name) => string(2, name)),
  ...string(4, op),
  ...Object.entries(attributes).flatMap((a) => bytes(5, attribute(a))),
];

/** ValueInfoProto of a float32 tensor; its shape may be omitted. */
const value = (name, shape) => {
  const dims = shape
    ? bytes(
        2,
        shape.flatMap((n) => bytes(1, number(1, n))),
      )
    : [];
  return [...string(1, name), ...bytes(2, bytes(1, [...number(1, 1), ...dims]))];
};

/**
 * A model: float32 inputs by name with their shapes, nodes `[op, inputs, outputs, attributes]` in order, and
 * one output.
 */
export function onnxModel(inputs, nodes, output) {
  const graph = [
    ...nodes.flatMap((n) => bytes(1, node(n))),
    ...string(2, 'kernel'),
    ...Object.entries(inputs).flatMap(([name, shape]) => bytes(11, value(name, shape))),
    ...bytes(12, value(output)),
  ];
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, number(2, 17))]);
}
