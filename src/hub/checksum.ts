// Checksums as the hub states them: SHA-256 of large files, and of small ones Git's name of a blob, a SHA-1 over a short header and
// the bytes.

/** A checksum, in hexadecimal. */
export interface Checksum {
  readonly kind: 'sha256' | 'git';
  readonly hex: string;
}

/** The checksum that a value of an API or an ETag is: of 64 digits SHA-256, of 40 Git's; undefined for any other. */
export function checksumOf(value: unknown): Checksum | undefined {
  if (typeof value !== 'string') return undefined;
  const hex = value.replace(/^W\//, '').replaceAll('"', '').toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return { kind: 'sha256', hex };
  return /^[0-9a-f]{40}$/.test(hex) ? { kind: 'git', hex } : undefined;
}

/** The checksum of that kind of some bytes. */
export async function checksum(kind: Checksum['kind'], bytes: Uint8Array): Promise<string> {
  let data = bytes;
  if (kind === 'git') {
    const head = new TextEncoder().encode(`blob ${bytes.length}\0`);
    data = new Uint8Array(head.length + bytes.length);
    data.set(head);
    data.set(bytes, head.length);
  }
  const digest = await crypto.subtle.digest(kind === 'git' ? 'SHA-1' : 'SHA-256', data as BufferSource);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
