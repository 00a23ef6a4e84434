// onnxruntime-web as a contestant: kernels of one operator, on its WebGPU execution provider. It cannot
// train. It only runs in browsers: its threads use shared memory, which Dawn's binding for Node rejects; with
// copies it hangs.

import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import * as ort from 'onnxruntime-web/webgpu';
import { onnxModel } from './onnx-model.mjs';

/** Nodes of an ONNX model, by kind of kernel: `[op, inputs, outputs, attributes]`. */
const graphs = {
  matmul({ arrays: { a }, transA, transB }) {
    if (a.shape.length === 2) {
      const attributes = { transA: transA ? 1 : 0, transB: transB ? 1 : 0 };
      return [transA || transB ? ['Gemm', ['a', 'b'], ['y'], attributes] : ['MatMul', ['a', 'b'], ['y']]];
    }
    const turned = (name, is) => (is ? [['Transpose', [name], [`${name}t`], { perm: [0, 2, 1] }]] : []);
    const named = (name, is) => (is ? `${name}t` : name);
    return [
      ...turned('a', transA),
      ...turned('b', transB),
      ['MatMul', [named('a', transA), named('b', transB)], ['y']],
    ];
  },
  softmax: () => [['Softmax', ['x'], ['y'], { axis: -1 }]],
  layerNorm: () => [
    ['LayerNormalization', ['x', 'gamma', 'beta'], ['y'], { axis: -1, epsilon: { float: 1e-5 } }],
  ],
};

/** Opens onnxruntime-web on a separate device. */
export async function create() {
  if (globalThis.process?.versions?.node)
    throw new Error('onnxruntime-web does not run in Node on Dawn; use --host chrome');
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { wasm };
  ort.env.webgpu.powerPreference = 'high-performance';
  // The first session opens the device.
  const first = await open({ x: [1] }, [['Relu', ['x'], ['y']]]);
  await first.run({ x: new ort.Tensor('float32', Float32Array.of(1), [1]) });
  const device = await ort.env.webgpu.device;
  const kernels = Object.entries(graphs).map(([kind, nodes]) => [
    kind,
    { operator: kernelMaker(device, nodes) },
  ]);
  return { name: 'onnxruntime', device, memory: () => null, kernels: Object.fromEntries(kernels) };
}

const open = (inputs, nodes) =>
  ort.InferenceSession.create(onnxModel(inputs, nodes, 'y'), {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
  });

const kernelMaker = (device, nodes) => async (inputs) => {
  const shapes = Object.fromEntries(
    Object.entries(inputs.arrays).map(([name, { shape }]) => [name, [...shape]]),
  );
  const session = await open(shapes, nodes(inputs));
  const buffers = [];
  const feeds = {};
  for (const [name, { data, shape }] of Object.entries(inputs.arrays)) {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const buffer = device.createBuffer({ size: Math.ceil(data.byteLength / 16) * 16, usage });
    device.queue.writeBuffer(buffer, 0, data);
    buffers.push(buffer);
    feeds[name] = ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: [...shape] });
  }
  return {
    async run(times) {
      for (let i = 0; i < times; i++) (await session.run(feeds)).y.dispose();
      await device.queue.onSubmittedWorkDone();
    },
    async read() {
      return (await session.run(feeds)).y.getData(true);
    },
    async dispose() {
      await session.release();
      for (const buffer of buffers) buffer.destroy();
    },
  };
};
