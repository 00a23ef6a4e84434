// lseek, which Node lacks: a WebAssembly module that calls fd_seek of WASI.

/** Sets the offset of a file descriptor, from its start; returns whether that succeeded. */
export type Seek = (fd: number, offset: number) => boolean;

const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
const section = (id: number, ...body: number[]): number[] => [id, body.length, ...body];
const [i32, i64] = [0x7f, 0x7e];

/**
 * (module
 *   (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
 *   (memory (export "memory") 1)
 *   (func (export "seek") (param i32 i64) (result i32)
 *     (call $seek (local.get 0) (local.get 1) (i32.const 0) (i32.const 0)))
 *   (func (export "_start")))
 */
const wasm = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, 3, ...[0x60, 4, i32, i64, i32, i32, 1, i32], ...[0x60, 2, i32, i64, 1, i32], ...[0x60, 0, 0]),
  ...section(2, 1, ...name('wasi_snapshot_preview1'), ...name('fd_seek'), 0, 0),
  ...section(3, 2, 1, 2),
  ...section(5, 1, 0, 1),
  ...section(7, 3, ...name('memory'), 2, 0, ...name('seek'), 0, 1, ...name('_start'), 0, 2),
  ...section(10, 2, ...[12, 0, 0x20, 0, 0x20, 1, 0x41, 0, 0x41, 0, 0x10, 0, 0x0b], ...[2, 0, 0x0b]),
]);

/**
 * Returns a function that sets the offset of a descriptor of stdin, stdout or stderr; undefined if this Node has no
 * WASI.
 */
export async function openSeek(): Promise<Seek | undefined> {
  const { emitWarning } = process;
  process.emitWarning = () => undefined; // WASI is called experimental
  try {
    const { WASI } = await import('node:wasi');
    const wasi = new WASI({ version: 'preview1', returnOnExit: true });
    const { instance } = await WebAssembly.instantiate(wasm, { wasi_snapshot_preview1: wasi.wasiImport as never });
    wasi.start(instance);
    const seek = instance.exports.seek as (fd: number, offset: bigint) => number;
    return (fd, offset) => seek(fd, BigInt(offset)) === 0;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}
