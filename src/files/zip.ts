// Zip archives (PKWARE APPNOTE 6.3.10). Writes stored entries, since weights do not compress; reads stored
// and deflated ones. Limits: 4 GiB, no encryption, no ZIP64. The reader checks names, sizes and checksums.

import { HeddleError } from '../core/errors.ts';

const localHeader = 0x04034b50;
const centralHeader = 0x02014b50;
const endHeader = 0x06054b50;
const utf8Flag = 0x800;
/** The zip epoch, 1980-01-01: a fixed date makes archives reproducible. */
const epoch = 0x21;
const maxSize = 0xffffffff;

/** The CRC-32 of each byte with a reflected polynomial. */
export const crcTable = (polynomial: number): Uint32Array =>
  Uint32Array.from({ length: 256 }, (_, byte) => {
    let c = byte;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? polynomial ^ (c >>> 1) : c >>> 1;
    return c;
  });

const table = crcTable(0xedb88320);

/** CRC-32 of bytes (polynomial 0xEDB88320). */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = (table[(c ^ (bytes[i] as number)) & 0xff] as number) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/**
 * Zips files given by name; returns consecutive chunks, so that large files are not copied. Throws a
 * HeddleError above 4 GiB.
 */
export function zipParts(files: Readonly<Record<string, Uint8Array>>): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const [name, bytes] of Object.entries(files)) {
    const encoded = new TextEncoder().encode(name);
    const crc = crc32(bytes);
    if (offset + bytes.length > maxSize)
      throw new HeddleError(`zip: with ${name} the archive is larger than 4 GiB`, { kind: 'input' });
    const header = record(30, encoded, (v) => {
      v.setUint32(0, localHeader, true);
      describe(v, 4, bytes.length, encoded.length, crc);
    });
    central.push(
      record(46, encoded, (v) => {
        v.setUint32(0, centralHeader, true);
        v.setUint16(4, 20, true); // made by
        describe(v, 6, bytes.length, encoded.length, crc);
        v.setUint32(42, offset, true);
      }),
    );
    parts.push(header, bytes);
    offset += header.length + bytes.length;
  }
  const size = central.reduce((n, c) => n + c.length, 0);
  const end = record(22, new Uint8Array(), (v) => {
    v.setUint32(0, endHeader, true);
    v.setUint16(8, central.length, true);
    v.setUint16(10, central.length, true);
    v.setUint32(12, size, true);
    v.setUint32(16, offset, true);
  });
  return [...parts, ...central, end];
}

/** A header of fixed length, followed by `rest`. */
function record(length: number, rest: Uint8Array, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length + rest.length);
  fill(new DataView(bytes.buffer));
  bytes.set(rest, length);
  return bytes;
}

/** Writes the fields that local and central headers share, from byte `at` on. */
function describe(v: DataView, at: number, size: number, nameLength: number, crc: number): void {
  v.setUint16(at, 20, true); // version needed
  v.setUint16(at + 2, utf8Flag, true);
  v.setUint16(at + 4, 0, true); // stored
  v.setUint16(at + 8, epoch, true);
  v.setUint32(at + 10, crc, true);
  v.setUint32(at + 14, size, true);
  v.setUint32(at + 18, size, true);
  v.setUint16(at + 22, nameLength, true);
}

/**
 * The files of an archive by name, without folder entries. Throws a HeddleError that starts with `archive` if
 * it is truncated or damaged, uses an unsupported feature, or has a path that leaves its folder. `onDamaged`: receives
 * the names of damaged files instead; those that cannot be inflated are absent.
 */
export async function unzip(
  bytes: Uint8Array,
  archive: string,
  onDamaged?: (name: string) => void,
): Promise<Record<string, Uint8Array>> {
  const fail = (problem: string): never => {
    throw new HeddleError(problem, { area: archive, kind: 'input' });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (offset: number) => view.getUint16(offset, true);
  const u32 = (offset: number) => view.getUint32(offset, true);
  let end = bytes.length - 22;
  while (end >= 0 && u32(end) !== endHeader && end > bytes.length - 22 - 0xffff) end--;
  if (end < 0 || u32(end) !== endHeader) fail('not a zip archive, or truncated');
  const count = u16(end + 10);
  let at = u32(end + 16);
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || u32(at) !== centralHeader) fail('its central directory is damaged');
    const [flags, method, nameLength] = [u16(at + 8), u16(at + 10), u16(at + 28)];
    const [crc, packed, size, start] = [u32(at + 16), u32(at + 20), u32(at + 24), u32(at + 42)];
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    at += 46 + nameLength + u16(at + 30) + u16(at + 32);
    if (name.endsWith('/')) continue;
    if (/^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)/.test(name)) fail(`the path "${name}" leaves its folder`);
    if (flags & 1) fail(`${name} is encrypted`);
    if (size === maxSize || start === maxSize) fail(`${name} uses ZIP64, which is not supported`);
    if (start + 30 > end || u32(start) !== localHeader) fail(`${name} is damaged`);
    const from = start + 30 + u16(start + 26) + u16(start + 28);
    if (from + packed > end) fail(`${name} is truncated`);
    const data = bytes.subarray(from, from + packed);
    if (method !== 0 && method !== 8)
      fail(`${name} uses compression method ${method}; supported are 0 (stored) and 8 (deflate)`);
    const damaged = (reason = ''): undefined => {
      if (!onDamaged) fail(`${name} is damaged${reason}`);
      onDamaged?.(name);
    };
    const whole = method === 0 ? data : await inflate(data, size).catch(() => damaged());
    if (!whole) continue;
    if (whole.length !== size || crc32(whole) !== crc) damaged(': its checksum differs');
    files[name] = whole;
  }
  return files;
}

/** Inflates to exactly `size` bytes; throws as soon as there are more, so a zip bomb cannot fill memory. */
async function inflate(data: Uint8Array, size: number): Promise<Uint8Array> {
  const stream = new Blob([data as BlobPart]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const out = new Uint8Array(size);
  let at = 0;
  for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) {
    if (at + chunk.length > size) throw new Error('more bytes than declared');
    out.set(chunk, at);
    at += chunk.length;
  }
  if (at !== size) throw new Error('fewer bytes than declared');
  return out;
}
