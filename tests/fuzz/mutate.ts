// Random damage to bytes and to JSON values. The same seed gives the same damage.

/** Returns a random integer from 0 to n - 1. */
export type Dice = (n: number) => number;

/** A random number generator with a seed (mulberry32). */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

const pick = <T>(roll: Dice, list: readonly T[]): T => list[roll(list.length)] as T;

/** Numbers at the limits of integer types, as little-endian bytes of several widths. */
const integers = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];

/** Returns bytes with one to four changes. */
export function mutateBytes(roll: Dice, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  let out: Uint8Array = bytes.slice();
  for (let n = 1 + roll(4); n > 0; n--) out = changeBytes(roll, out, other);
  return out;
}

function changeBytes(roll: Dice, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  // Half of the changes are in the first 200 bytes, where lengths and headers are.
  const place = (length: number) => (roll(2) ? roll(Math.min(200, length + 1)) : roll(length + 1));
  const at = place(bytes.length);
  const span = Math.min(bytes.length - at, 1 + roll(roll(2) ? 8 : 4000));
  const joined = (...parts: Uint8Array[]) => {
    const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
    let end = 0;
    for (const part of parts) {
      out.set(part, end);
      end += part.length;
    }
    return out;
  };
  switch (roll(8)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return joined(bytes.subarray(0, at), bytes.subarray(at + span));
    case 2:
      return joined(bytes.subarray(0, at), bytes.subarray(at, at + span), bytes.subarray(at));
    case 3: {
      const from = roll(other.length + 1);
      return joined(
        bytes.subarray(0, at),
        other.subarray(from, from + span),
        bytes.subarray(at + roll(2) * span),
      );
    }
    case 4: {
      let value = pick(roll, integers);
      for (let i = at; i < Math.min(bytes.length, at + pick(roll, [1, 2, 4, 8])); i++, value >>= 8n)
        bytes[i] = Number(value & 0xffn);
      return bytes;
    }
    case 5: // a long varint
      return joined(
        bytes.subarray(0, at),
        Uint8Array.of(...Array(roll(11)).fill(0xff), roll(128)),
        bytes.subarray(at + roll(4)),
      );
    default:
      if (at < bytes.length) bytes[at] = roll(2) ? roll(256) : (bytes[at] as number) ^ (1 << roll(8));
      return bytes;
  }
}

const nasties: readonly (() => unknown)[] = [
  ...[0, -1, 1, 0.5, 1e9, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 + 2, 1e300, -0].map((x) => () => x),
  ...[
    '',
    '0',
    '../../x',
    '/etc/passwd',
    'a/../b',
    '__proto__',
    'constructor',
    '\u0000',
    '\ud800',
    'x'.repeat(5000),
  ].map((x) => () => x),
  ...[null, true, false].map((x) => () => x),
  () => [],
  () => ({}),
  () => Array(3000).fill(0),
  () => [2 ** 30, 2 ** 30, 2 ** 30],
  () => Array.from({ length: 500 }).reduce((inner: unknown) => [inner], 0),
  () =>
    Array.from({ length: 500 }).reduce((inner: unknown) => ({ type: 'Sequence', normalizers: [inner] }), 0),
];

/** Returns a JSON value with one to three changes. */
export function mutateJson(roll: Dice, value: unknown): unknown {
  const root = { root: structuredClone(value) };
  for (let n = 1 + roll(3); n > 0; n--) {
    // Selects a value at a random depth and changes it.
    let holder = root as Record<string, unknown>;
    let key = 'root';
    for (let depth = roll(7); depth > 0; depth--) {
      const inner = holder[key];
      if (typeof inner !== 'object' || inner === null) break;
      const keys = Object.keys(inner);
      if (keys.length === 0) break;
      holder = inner as Record<string, unknown>;
      key = pick(roll, keys);
    }
    const put = (name: string, what: unknown) =>
      Object.defineProperty(holder, name, {
        value: what,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    switch (roll(5)) {
      case 0:
        delete holder[key];
        break;
      case 1:
        put(
          pick(roll, ['__proto__', 'constructor', 'toString', '', '../x', 'a.b', `${key}${key}_`]),
          holder[key],
        );
        break;
      case 2: {
        const other = pick(roll, Object.keys(holder).length > 0 ? Object.keys(holder) : [key]);
        put(key, holder[other]);
        break;
      }
      default:
        put(key, pick(roll, nasties)());
    }
  }
  return root.root;
}

/** Returns a file that is deeply nested, huge or empty. */
export function bomb(roll: Dice): Uint8Array {
  const text = pick(roll, [
    () => '['.repeat(1_000_000),
    () => '{"a":'.repeat(300_000),
    () => `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
    () => '',
    () => '\ufeff{}',
    () => 'null',
    () => '1e999',
    () => `"${'x'.repeat(3_000_000)}"`,
    () => `{${Array.from({ length: 100_000 }, (_, i) => `"${i}":${i}`).join(',')}}`,
    () => '\u0000'.repeat(1000),
    () => '{"__proto__":{"a":1},"constructor":{"prototype":{}}}',
  ])();
  return new TextEncoder().encode(text);
}
