// A matrix product in WebAssembly, written as its bytes (WebAssembly Core Specification 2.0, chapter 5): a compiler
// would be a dependency for twenty instructions.

/** A number as LEB128. */
function leb(value: number): number[] {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [low | 0x80, ...leb(value >> 7)];
}

const section = (id: number, bytes: readonly number[]): number[] => [id, ...leb(bytes.length), ...bytes];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const tee = (local: number): number[] => [0x22, local];
const constant = (value: number): number[] => [0x41, ...leb(value)];
/** Adds a value to a local. */
const advance = (local: number, value: readonly number[]): number[] => [
  ...get(local),
  ...value,
  0x6a,
  ...set(local),
];
/** Repeats `body` until the value of `condition` is 0. */
const loop = (body: readonly number[], condition: readonly number[]): number[] => [
  ...[0x03, 0x40],
  ...body,
  ...condition,
  ...[0x0d, 0x00, 0x0b],
];
/** Subtracts 1 from a local, and is its value. */
const countDown = (local: number): number[] => [...get(local), ...constant(1), 0x6b, ...tee(local)];
const loadVector = [0xfd, 0x00, 0x04, 0x00];
const addVectors = [0xfd, 0xe4, 0x01];
const multiplyVectors = [0xfd, 0xe6, 0x01];
const zeros = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];
const lane = (i: number): number[] => [0xfd, 0x1f, i];
const addNumbers = 0x92;
const storeNumber = [0x38, 0x02, 0x00];
const [i32, v128] = [0x7f, 0x7b];

/** Parameters and locals of the function. */
const [x, w, y, rows, rowBytes, outs] = [0, 1, 2, 3, 4, 5] as const;
const [column, left, right, end, sum] = [6, 7, 8, 9, 10] as const;

/**
 * The bytes of a module that imports a memory `e.m` and exports `p(x, w, y, rows, rowBytes, outs)`: y = x·wᵀ in
 * float32. x, w and y are addresses of matrices without gaps, x [rows, ins] and w [outs, ins]; `rowBytes` is 4·ins, a
 * multiple of 16. No size may be 0.
 */
export function productModule(): Uint8Array<ArrayBuffer> {
  const dot = loop(
    [
      ...[...get(sum), ...get(left), ...loadVector, ...get(right), ...loadVector],
      ...[...multiplyVectors, ...addVectors, ...set(sum)],
      ...[...advance(left, constant(16)), ...advance(right, constant(16))],
    ],
    [...get(right), ...get(end), 0x49],
  );
  const sumOfLanes = [0, 1, 2, 3].flatMap((i) => [...get(sum), ...lane(i), ...(i > 0 ? [addNumbers] : [])]);
  const row = loop(
    [
      ...[...zeros, ...set(sum), ...get(x), ...set(left)],
      ...[...get(right), ...get(rowBytes), 0x6a, ...set(end)],
      ...dot,
      ...[...get(y), ...sumOfLanes, ...storeNumber, ...advance(y, constant(4))],
    ],
    countDown(column),
  );
  const all = loop(
    [...get(w), ...set(right), ...get(outs), ...set(column), ...row, ...advance(x, get(rowBytes))],
    countDown(rows),
  );
  const code = [...[2, 4, i32, 1, v128], ...all, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 6, i32, i32, i32, i32, i32, i32, 0]),
    ...section(2, [1, 1, 0x65, 1, 0x6d, 2, 0, 1]), // e.m, a memory of at least one page
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x70, 0, 0]), // p
    ...section(10, [1, ...leb(code.length), ...code]),
  ]);
}
