// The engine without a GPU: runs graphs through onnxruntime-web, in WebAssembly. Ops that have no ONNX operators
// run on the host by their references. It decodes and scores; training needs a GPU.

import { allocate, sizeOf, type TensorData } from '../../core/tensor.ts';
import type { Engine, Program } from '../../engine/engine.ts';
import { checkSameType } from '../../engine/gpu/gpu-engine.ts';
import { HostStates } from './engine/host-values.ts';
import type { OnnxRuntime } from './engine/onnx-runtime.ts';
import { OnnxSessions, SegmentedGraph } from './engine/onnx-segments.ts';

/**
 * Creates an engine on onnxruntime-web.
 *
 * @example
 * const [program] = await onnxEngine(runtime).prepare([graph]); // runtime: the module onnxruntime-web
 */
export const onnxEngine = (runtime: OnnxRuntime): Engine => new OnnxEngine(runtime);

class OnnxEngine implements Engine {
  readonly name = 'wasm';
  readonly kernelChoices = {};
  readonly runsAtOnce = true;
  readonly #states = new HostStates();
  readonly #sessions: OnnxSessions;
  /** Settles when all work so far is done. */
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;
  /** Why work failed whose result nobody awaits; the next run throws it. */
  #failed: unknown;

  constructor(runtime: OnnxRuntime) {
    this.#sessions = new OnnxSessions(runtime);
  }

  async prepare(...[graphs]: Parameters<Engine['prepare']>): Promise<Program[]> {
    return graphs.map((graph): Program => {
      for (const [name, type] of graph.states) this.#states.add(name, type);
      const segments = new SegmentedGraph(graph, this.#sessions);
      const inputs: Record<string, TensorData> = {};
      for (const [name, { dtype, shape }] of graph.inputs) inputs[name] = allocate(dtype, sizeOf(shape));
      const run = () => {
        const copies = Object.fromEntries(Object.entries(inputs).map(([name, data]) => [name, data.slice()]));
        return this.#after(() => segments.run(this.#states, copies));
      };
      const submit = () => {
        run().catch((error) => {
          this.#failed = error;
        });
      };
      return { inputs, run, submit };
    });
  }

  release(): void {}

  write(name: string, data: TensorData, offset = 0): void {
    this.#states.get(name); // throws for an unknown state
    if (this.#pending === 0) this.#states.write(name, data, offset);
    else this.#change(data.slice(), (copy) => this.#states.write(name, copy, offset));
  }

  async read(name: string) {
    return this.#after(async () => {
      const { type, data } = this.#states.get(name);
      return { ...type, data: data.slice() };
    });
  }

  copy(from: string, to: string): void {
    this.#pair(from, to);
    this.#change(undefined, () => this.#states.write(to, this.#states.get(from).data));
  }

  swap(a: string, b: string): void {
    const [x, y] = this.#pair(a, b);
    this.#change(undefined, () => {
      const data = x.data.slice();
      this.#states.write(a, y.data);
      this.#states.write(b, data);
    });
  }

  destroy(): void {
    const end = async () => {
      this.#states.clear();
      await this.#sessions.release();
    };
    this.#last.then(end, end);
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  #pair(a: string, b: string) {
    const [x, y] = [this.#states.get(a), this.#states.get(b)];
    checkSameType([a, x.type], [b, y.type]);
    return [x, y] as const;
  }

  /** Changes states after all work so far. */
  #change<T>(data: T, work: (data: T) => void): void {
    this.#after(async () => work(data)).catch((error) => {
      this.#failed = error;
    });
  }

  /** Runs work after all work so far. */
  #after<T>(work: () => Promise<T>): Promise<T> {
    this.#pending++;
    const next = this.#last.then(async () => {
      const failed = this.#failed;
      this.#failed = undefined;
      if (failed !== undefined) throw failed;
      return work();
    });
    this.#last = next
      .catch(() => undefined)
      .finally(() => {
        this.#pending--;
      });
    return next;
  }
}
