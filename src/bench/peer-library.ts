// transformers.js, beside which the report of a device decodes: what is used of its module.

import type { MeasuredDecoding } from './device-decoding.ts';

/** A tensor of transformers.js. */
interface TransformersTensor {
  tolist(): (number | bigint)[][];
}

/** A model of transformers.js. */
interface TransformersModel {
  generate(options: Readonly<Record<string, unknown>>): Promise<TransformersTensor>;
  dispose(): Promise<unknown>;
}

/** What is used of the module of transformers.js. */
export interface TransformersLibrary {
  readonly env: {
    readonly version: string;
    readonly backends: {
      readonly onnx: { readonly wasm: { wasmPaths?: unknown; numThreads?: number } };
    };
    allowRemoteModels: boolean;
    allowLocalModels: boolean;
    useBrowserCache: boolean;
    useWasmCache: boolean;
    useCustomCache: boolean;
    customCache: unknown;
  };
  readonly AutoModelForSeq2SeqLM: {
    from_pretrained(name: string, options: Readonly<Record<string, unknown>>): Promise<TransformersModel>;
  };
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => TransformersTensor;
}

/** Number of rows with the same ids. */
export const equalRows = (a: MeasuredDecoding['ids'], b: MeasuredDecoding['ids']): number =>
  a.filter((row, i) => String(row) === String(b[i])).length;
