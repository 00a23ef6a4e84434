// A graph of ONNX operators and its file: the part of the format (protobuf) that a transformer needs.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

import { present } from '../../../core/present.ts';
import { concatBytes } from '../../../files/files.ts';
import { field, float, integer, text } from '../../../files/protobuf-writer.ts';

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

/** A constant tensor of a graph. */
interface Constant {
  readonly name: Name;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A model file, and the files of its tensors if it is too large for one. */
export interface OnnxFiles {
  readonly model: Uint8Array;
  readonly data: readonly Uint8Array[];
}

/** A graph under construction. Operators are added in the order in which they run. */
export class OnnxGraph implements OnnxOps {
  readonly #title: string;
  readonly #nodes: Uint8Array[] = [];
  readonly #inputs: Uint8Array[] = [];
  readonly #outputs: Uint8Array[] = [];
  readonly #constants: Constant[] = [];
  /** Names of the constants that are stored once. */
  readonly #shared = new Set<Name>();
  /** Number of results so far; each is named by its number. */
  #results = 0;
  #usesOrt = false;

  constructor(title: string) {
    this.#title = title;
  }

  /** Adds an input. */
  input(name: Name, type: OnnxType, shape: readonly Axis[]): Name {
    this.#inputs.push(valueInfo(name, type, shape));
    return name;
  }

  /** Makes a tensor an output with this name. */
  output(name: Name, type: OnnxType, shape: readonly Axis[], value: Name): void {
    this.#nodes.push(concatBytes([text(1, value), text(2, name), text(4, 'Identity')]));
    this.#outputs.push(valueInfo(name, type, shape));
  }

  /** Adds a constant tensor; `name` is used once. */
  constant(name: Name, type: OnnxType, shape: readonly number[], bytes: Uint8Array): Name {
    this.#constants.push({ name, type, shape, bytes });
    return name;
  }

  integers(...values: number[]): Name {
    return this.#once(
      `int_${values.join('_')}`,
      'int64',
      [values.length],
      BigInt64Array.from(values, BigInt),
    );
  }

  scalar(value: number): Name {
    return this.#once(`float_${value}`, 'float', [], Float32Array.of(value));
  }

  #once(name: Name, type: OnnxType, shape: readonly number[], data: Float32Array | BigInt64Array): Name {
    if (this.#shared.has(name)) return name;
    this.#shared.add(name);
    return this.constant(name, type, shape, new Uint8Array(data.buffer));
  }

  op(type: string, from: readonly Name[], attributes?: Readonly<Record<string, OnnxAttribute>>): Name {
    return this.ops(type, from, 1, attributes)[0] as Name;
  }

  ops(
    type: string,
    from: readonly Name[],
    count: number,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): Name[] {
    const isOrt = ortOps.includes(type);
    this.#usesOrt ||= isOrt;
    const to = Array.from({ length: count }, () => `${this.#results++}`);
    this.#nodes.push(
      concatBytes(
        present([
          ...from.map((input) => text(1, input)),
          ...to.map((output) => text(2, output)),
          text(4, type),
          isOrt ? text(7, ortDomain) : undefined,
          ...Object.entries(attributes).map(([key, value]) => field(5, attribute(key, value))),
        ]),
      ),
    );
    return to;
  }

  /**
   * The files. If the model is larger than `limit` bytes (default 2 GB), its tensors go to the files
   * `dataName`, `dataName_1` and so on, each up to the limit.
   */
  files(dataName: string, limit = maxFile): OnnxFiles {
    const { initializers, data } = this.#initializers(dataName, limit);
    const graph = [
      ...this.#nodes.map((node) => field(1, node)),
      text(2, this.#title),
      ...initializers.map((tensor) => field(5, tensor)),
      ...this.#inputs.map((info) => field(11, info)),
      ...this.#outputs.map((info) => field(12, info)),
    ];
    const model = concatBytes(
      present([
        integer(1, irVersion),
        text(2, 'heddle'),
        field(7, concatBytes(graph)),
        field(8, integer(2, opset)),
        this.#usesOrt ? field(8, concatBytes([text(1, ortDomain), integer(2, 1)])) : undefined,
      ]),
    );
    return { model, data };
  }

  /** TensorProto of each constant, and the files of those that are not in the model file. */
  #initializers(
    dataName: string,
    limit: number,
  ): { readonly initializers: readonly Uint8Array[]; readonly data: readonly Uint8Array[] } {
    const isExternal = this.#constants.reduce((sum, { bytes }) => sum + bytes.length, 0) > limit;
    const parts: Uint8Array[][] = [];
    let offset = limit;
    const content = (bytes: Uint8Array): Uint8Array[] => {
      if (!isExternal || bytes.length < minExternal) return [field(9, bytes)];
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
    const initializers = this.#constants.map(({ name, type, shape, bytes }) =>
      concatBytes([
        ...shape.map((n) => integer(1, n)),
        integer(2, types[type]),
        text(8, name),
        ...content(bytes),
      ]),
    );
    return { initializers, data: parts.map(concatBytes) };
  }
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
