// What heddle uses of onnxruntime-web, which is an optional package: the module is an OnnxRuntime.

/** A tensor of onnxruntime in host memory. */
export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** A model that onnxruntime has loaded. */
export interface OnnxSession {
  /** Runs the model: inputs by name to outputs by name. */
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  /** Frees the model. */
  release(): Promise<void>;
}

/** The module `onnxruntime-web`. */
export interface OnnxRuntime {
  /** Loads models. */
  readonly InferenceSession: {
    /** Loads a model from the bytes of its file. */
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
  /** Makes tensors. */
  readonly Tensor: new (
    type: 'float32' | 'int32',
    data: Float32Array | Int32Array,
    dims: readonly number[],
  ) => OnnxTensor;
  /** Settings. */
  readonly env: { readonly wasm: { numThreads?: number } };
}
