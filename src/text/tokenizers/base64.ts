// Base64 of bytes, in any host.
import { HeddleError } from '../../core/errors.ts';

/** The base64 of bytes. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

/** The bytes of base64. Throws a HeddleError that begins with `name` where it is none. */
export function fromBase64(text: string, name: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new HeddleError(`${name}: not base64`);
  }
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
