// A graph of ONNX operators and its file: the part of the format (protobuf) that a transformer needs.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

import { present } from '../../core/present.ts';
import { concatBytes } from '../../files/files.ts';
import { field, float, integer, text } from '../../files/protobuf-writer.ts';

/** Element types with their numbers in the format. */
const types = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7, float16: 10 } as const;
/** An element type. */
export type OnnxType = keyof typeof types;

/** Size of an axis: a number, or a name if it is known only when the model runs. */
type Axis = number | string;

/** An attribute: an integer, a list of integers, or a float. */
export type OnnxAttribute = number | readonly number[] | { readonly float: number };

/** Version of the operators: 17 has LayerNormalization, and all runtimes of transformers.js support it. */
const opset = 17;
/** Operators of onnxruntime, in its domain and with its version. */
const ortOps: readonly string[] = ['MatMulNBits'];
const ortDomain = 'com.microsoft';

/** Version of the file format. */
const irVersion = 9;

/** Protobuf limits a file to 2 GB; tensors of larger models are in a second file. */
const maxFile = 2e9;

/** Tensors of fewer bytes, such as shapes, stay in the model file. */
const minExternal = 1024;

/** The name of a tensor in a graph. */
export type Name = string;

/** Adds operators and small constants to a graph. */
export interface OnnxOps {
  /** A constant list of integers [n]; the same list is stored once. */
  integers(...values: number[]): Name;
  /** A constant number; the same number is stored once. */
  scalar(value: number): Name;
  /** Adds an operator and returns its result. */
  op(type: string, inputs: readonly Name[], attributes?: Readonly<Record<string, OnnxAttribute>>): Name;
  /** Adds an operator with several results. */
  ops(
    type: string,
    inputs: readonly Name[],
    count: number,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): Name[];
}

/** A graph under construction. Operators are added in the order in which they run. */
export interface OnnxGraph extends OnnxOps {
  /** Adds an input. */
  input(name: Name, type: OnnxType, shape: readonly Axis[]): Name;
  /** Makes a tensor an output with this name. */
  output(name: Name, type: OnnxType, shape: readonly Axis[], value: Name): void;
  /** Adds a constant tensor; `name` is used once. */
  constant(name: string, type: OnnxType, shape: readonly number[], bytes: Uint8Array): Name;
  /**
   * The files. If the model is larger than `limit` bytes (default 2 GB), its tensors go to the files
   * `dataName`, `dataName_1` and so on, each up to the limit.
   */
  files(
    dataName: string,
    limit?: number,
  ): { readonly model: Uint8Array; readonly data: readonly Uint8Array[] };
}

/** Creates an empty graph. */
export function createOnnxGraph(title: string): OnnxGraph {
  const nodes: Uint8Array[] = [];
  const [inputs, outputs]: [Uint8Array[], Uint8Array[]] = [[], []];
  const tensors: { name: Name; type: OnnxType; shape: readonly number[]; bytes: Uint8Array }[] = [];
  const shared = new Map<string, Name>();
  let count = 0;
  let usesOrt = false;
  const constant: OnnxGraph['constant'] = (name, type, shape, bytes) => {
    tensors.push({ name, type, shape, bytes });
    return name;
  };
  const once = (
    name: string,
    type: OnnxType,
    shape: readonly number[],
    data: Float32Array | BigInt64Array,
  ): Name => {
    const known = shared.get(name) ?? constant(name, type, shape, new Uint8Array(data.buffer));
    shared.set(name, known);
    return known;
  };
  const ops: OnnxGraph['ops'] = (type, from, results, attributes = {}) => {
    usesOrt ||= ortOps.includes(type);
    const to = Array.from({ length: results }, () => `${count++}`);
    nodes.push(
      concatBytes(
        present([
          ...from.map((input) => text(1, input)),
          ...to.map((output) => text(2, output)),
          text(4, type),
          ortOps.includes(type) ? text(7, ortDomain) : undefined,
          ...Object.entries(attributes).map(([key, value]) => field(5, attribute(key, value))),
        ]),
      ),
    );
    return to;
  };
  const op: OnnxGraph['op'] = (type, from, attributes) => ops(type, from, 1, attributes)[0] as Name;
  return {
    constant,
    ops,
    op,
    input(name, type, shape) {
      inputs.push(valueInfo(name, type, shape));
      return name;
    },
    output(name, type, shape, value) {
      nodes.push(concatBytes([text(1, value), text(2, name), text(4, 'Identity')]));
      outputs.push(valueInfo(name, type, shape));
    },
    integers: (...values) =>
      once(`int_${values.join('_')}`, 'int64', [values.length], BigInt64Array.from(values, BigInt)),
    scalar: (value) => once(`float_${value}`, 'float', [], Float32Array.of(value)),
    files(dataName, limit = maxFile) {
      const external = tensors.reduce((sum, { bytes }) => sum + bytes.length, 0) > limit;
      const parts: Uint8Array[][] = [];
      let offset = limit;
      const content = ({ bytes }: (typeof tensors)[number]): Uint8Array[] => {
        if (!external || bytes.length < minExternal) return [field(9, bytes)];
        if (offset + bytes.length > limit) {
          parts.push([]);
          offset = 0;
        }
        const entry = (key: string, value: string) => field(13, concatBytes([text(1, key), text(2, value)]));
        const location = parts.length > 1 ? `${dataName}_${parts.length - 1}` : dataName;
        const place = { location, offset: String(offset), length: String(bytes.length) };
        parts.at(-1)?.push(bytes);
        offset += bytes.length;
        return [...Object.entries(place).map(([key, value]) => entry(key, value)), integer(14, 1)];
      };
      const initializers = tensors.map((tensor) => {
        const dims = tensor.shape.map((n) => integer(1, n));
        return concatBytes([
          ...dims,
          integer(2, types[tensor.type]),
          text(8, tensor.name),
          ...content(tensor),
        ]);
      });
      const graph = [
        ...nodes.map((node) => field(1, node)),
        text(2, title),
        ...initializers.map((tensor) => field(5, tensor)),
        ...inputs.map((info) => field(11, info)),
        ...outputs.map((info) => field(12, info)),
      ];
      const model = concatBytes(
        present([
          integer(1, irVersion),
          text(2, 'heddle'),
          field(7, concatBytes(graph)),
          field(8, integer(2, opset)),
          usesOrt ? field(8, concatBytes([text(1, ortDomain), integer(2, 1)])) : undefined,
        ]),
      );
      return { model, data: parts.map(concatBytes) };
    },
  };
}

/** ValueInfoProto: name, element type and shape of an input or output. */
function valueInfo(name: Name, type: OnnxType, shape: readonly Axis[]): Uint8Array {
  const dims = shape.map((n) => field(1, typeof n === 'number' ? integer(1, n) : text(2, n)));
  const tensor = concatBytes([integer(1, types[type]), field(2, concatBytes(dims))]);
  return concatBytes([text(1, name), field(2, field(1, tensor))]);
}

/** AttributeProto. */
function attribute(name: string, value: OnnxAttribute): Uint8Array {
  if (typeof value === 'number') return concatBytes([text(1, name), integer(3, value), integer(20, 2)]);
  if ('float' in value) return concatBytes([text(1, name), float(2, value.float), integer(20, 1)]);
  return concatBytes([text(1, name), ...value.map((n) => integer(8, n)), integer(20, 7)]);
}
