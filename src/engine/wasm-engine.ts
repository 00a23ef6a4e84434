// An engine for pages without a GPU: the references of the CPU, but linear layers, which are nearly all of the work, run
// in WebAssembly with vectors of four numbers (SIMD) and in float32, as on a GPU.

import { productModule } from './cpu/product-module.ts';
import { cpuEngine } from './cpu-engine.ts';
import type { Engine } from './engine.ts';
import { activate } from './ops/elementwise/activation-references.ts';
import { dropoutFactor } from './ops/elementwise/dropout-reference.ts';
import { linearOp } from './ops/matmul/linear.ts';
import { opReference, type ReferenceOf } from './ops/op.ts';

/** Bytes of a page of WebAssembly's memory. */
const pageBytes = 65_536;

/** The exported function of `productModule`. */
type Product = (x: number, w: number, y: number, rows: number, rowBytes: number, outs: number) => void;

/** An engine for translations: the weights must not change after the first of them. */
export function wasmEngine(): Engine {
  const products = new Products();
  const linear: ReferenceOf<typeof linearOp> = ({ x, w, b, step }, { y, z }, attrs) => {
    const sums = products.multiply(x.data, w.data, x.rows, x.cols, w.rows);
    const factor = dropoutFactor(step, attrs);
    for (let i = 0; i < x.rows; i++)
      for (let j = 0; j < w.rows; j++) {
        const sum = (sums[i * w.rows + j] as number) + (b?.data[j] ?? 0);
        y.set(i, j, activate(sum, attrs.activation) * factor(i * w.rows + j));
        z?.set(i, j, sum);
      }
  };
  return cpuEngine({ others: [opReference(linearOp, linear)] });
}

/** Products x·wᵀ of rows with weights, which are copied once. */
class Products {
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #product: Product;
  /** Addresses of the copied weights by their buffer and place in it. */
  readonly #weights = new WeakMap<ArrayBufferLike, Map<number, number>>();
  /** End of the copied weights; x and y of a product are behind it. */
  #end = 0;

  constructor() {
    const module = new WebAssembly.Module(productModule());
    const { exports } = new WebAssembly.Instance(module, { e: { m: this.#memory } });
    this.#product = exports.p as Product;
  }

  /** x [rows, ins] · w [outs, ins]ᵀ; the result [rows, outs] is valid until the next product. */
  multiply(x: Float64Array, w: Float64Array, rows: number, ins: number, outs: number): Float32Array {
    const padded = Math.ceil(ins / 4) * 4;
    const at = this.#addressOf(w, outs, ins, padded);
    const [xBytes, yBytes] = [rows * padded * 4, rows * outs * 4];
    this.#reserve(this.#end + xBytes + yBytes);
    this.#copy(x, this.#end, rows, ins, padded);
    this.#product(this.#end, at, this.#end + xBytes, rows, padded * 4, outs);
    return new Float32Array(this.#memory.buffer, this.#end + xBytes, rows * outs);
  }

  #addressOf(w: Float64Array, outs: number, ins: number, padded: number): number {
    const places = this.#weights.get(w.buffer) ?? new Map<number, number>();
    this.#weights.set(w.buffer, places);
    const known = places.get(w.byteOffset);
    if (known !== undefined) return known;
    const at = this.#end;
    places.set(w.byteOffset, at);
    this.#reserve(at + outs * padded * 4);
    this.#copy(w, at, outs, ins, padded);
    this.#end += Math.ceil((outs * padded) / 4) * 16;
    return at;
  }

  /** Copies rows, with zeros up to `padded` numbers. */
  #copy(from: Float64Array, at: number, rows: number, ins: number, padded: number): void {
    const to = new Float32Array(this.#memory.buffer, at, rows * padded);
    if (ins === padded) {
      to.set(from);
      return;
    }
    to.fill(0);
    for (let row = 0; row < rows; row++) to.set(from.subarray(row * ins, (row + 1) * ins), row * padded);
  }

  #reserve(bytes: number): void {
    const missing = bytes - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / pageBytes));
  }
}
