// A case of the fuzzer: a kind of input and a seed determine the damage. Reading it must succeed or throw a
// HeddleError.
import { HeddleError } from '../../src/core/errors.ts';
import type { Target } from './fuzz-targets.ts';
import { bomb, type Dice, dice, mutateBytes, mutateJson } from './mutate.ts';

/** The files of a kind, damaged with a seed. */
export function damaged(target: Target, seed: number): Record<string, Uint8Array> {
  const roll = dice(seed);
  const out: Record<string, Uint8Array> = { ...target.files };
  const names = Object.keys(out);
  for (let n = roll(6) === 0 ? 2 : 1; n > 0; n--) {
    const name = names[roll(names.length)] as string;
    const bytes = damage(
      roll,
      name,
      out[name] ?? new Uint8Array(0),
      Object.values(target.files)[roll(names.length)] as Uint8Array,
    );
    if (bytes) out[name] = bytes;
    else if (names.length > 1) delete out[name];
  }
  return out;
}

function damage(roll: Dice, name: string, bytes: Uint8Array, other: Uint8Array): Uint8Array | undefined {
  const kind = roll(20);
  if (kind === 0) return bomb(roll);
  if (kind === 1) return undefined;
  if (/\.json$/.test(name) && kind < 15) return encode(mutateJson(roll, parse(bytes)));
  if (/\.safetensors$/.test(name) && kind < 11 && bytes.length > 8) return mutateHeader(roll, bytes);
  return mutateBytes(roll, bytes, other);
}

/** Damages the JSON header of a safetensors file, and corrects its length field. */
function mutateHeader(roll: Dice, bytes: Uint8Array): Uint8Array {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = encode(mutateJson(roll, parse(bytes.subarray(8, 8 + Math.min(length, bytes.length)))));
  const out = new Uint8Array(8 + header.length + Math.max(0, bytes.length - 8 - length));
  new DataView(out.buffer).setBigUint64(0, BigInt(header.length), true);
  out.set(header, 8);
  if (bytes.length > 8 + length) out.set(bytes.subarray(8 + length), 8 + header.length);
  return out;
}

const parse = (bytes: Uint8Array): unknown => {
  try {
    // A deeply nested value that is damaged again is too deep to copy.
    return structuredClone(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return {};
  }
};
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value) ?? 'null');

/** Runs a case; returns whether reading threw a HeddleError. Throws all other errors. */
export async function tryCase(target: Target, seed: number): Promise<boolean> {
  try {
    await target.read(damaged(target, seed));
    return false;
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    if (error.message.length > 2000)
      throw new Error(`a message of ${error.message.length} characters: ${error.message.slice(0, 200)}`);
    return true;
  }
}
