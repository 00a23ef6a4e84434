// Zip archives (PKWARE APPNOTE 6.3.10). Writes stored entries, since weights do not compress; reads stored
// and deflated ones. Limits: 4 GiB, no encryption, no ZIP64. The reader checks names, sizes and checksums.

import { HeddleError } from '../core/errors.ts';
import { type Message, msg } from '../core/message.ts';

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
      throw new HeddleError(msg`with ${name} the archive is larger than 4 GiB`, {
        area: 'zip',
        kind: 'input',
      });
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

/** Bytes of an archive, or a file whose parts are read when they are needed. */
export type Archive = Uint8Array | Blob;

/** Bytes of an archive. */
export const bytesIn = (archive: Archive): number =>
  archive instanceof Blob ? archive.size : archive.length;

/** Part of an archive. */
export const partOf = async (archive: Archive, from: number, to: number): Promise<Uint8Array> =>
  archive instanceof Blob
    ? new Uint8Array(await archive.slice(from, to).arrayBuffer())
    : archive.subarray(from, to);

/** Maximum bytes of a directory, and of a file that is compressed more than `maxRatio` times, as no weights are. */
const maxPacked = 64 * 2 ** 20;
const maxRatio = 100;

/** An entry of the directory of an archive. */
interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Offset of its local header. */
  readonly start: number;
}

/**
 * The entries of an archive without folders, read from its last bytes and its directory. Throws a HeddleError that
 * starts with `archive` if it is truncated or damaged, uses an unsupported feature, has a path that leaves its folder,
 * or a file that would fill the memory.
 */
async function directoryOf(archive: Archive, fail: (problem: Message) => never): Promise<ZipEntry[]> {
  const length = bytesIn(archive);
  const tail = await partOf(archive, Math.max(0, length - 22 - 0xffff), length);
  const view = viewOf(tail);
  let at = tail.length - 22;
  while (at >= 0 && view.getUint32(at, true) !== endHeader) at--;
  if (at < 0) fail(msg`not a zip archive, or truncated`);
  const count = view.getUint16(at + 10, true);
  const bytes = view.getUint32(at + 12, true);
  const from = view.getUint32(at + 16, true);
  const end = length - tail.length + at;
  if (from + bytes > end || bytes > maxPacked) fail(msg`its central directory is damaged`);
  const directory = await partOf(archive, from, from + bytes);
  const fields = viewOf(directory);
  const entries: ZipEntry[] = [];
  for (let i = 0, next = 0; i < count; i++) {
    const e = next;
    if (e + 46 > directory.length || fields.getUint32(e, true) !== centralHeader)
      fail(msg`its central directory is damaged`);
    const [flags, method, nameLength] = [8, 10, 28].map((offset) => fields.getUint16(e + offset, true));
    const [crc, packed, size, start] = [16, 20, 24, 42].map((offset) => fields.getUint32(e + offset, true));
    const name = new TextDecoder().decode(directory.subarray(e + 46, e + 46 + Number(nameLength)));
    next = e + 46 + Number(nameLength) + fields.getUint16(e + 30, true) + fields.getUint16(e + 32, true);
    if (name.endsWith('/')) continue;
    if (/^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)/.test(name))
      fail(msg`the path "${name}" leaves its folder`);
    if (Number(flags) & 1) fail(msg`${name} is encrypted`);
    if (size === maxSize || start === maxSize) fail(msg`${name} uses ZIP64, which is not supported`);
    if (method !== 0 && method !== 8)
      fail(msg`${name} uses compression method ${method}; supported are 0 (stored) and 8 (deflate)`);
    const entry = { name, method, crc, packed, size, start } as ZipEntry;
    if (entry.size > maxPacked && entry.size > maxRatio * entry.packed)
      fail(msg`${name} is compressed more than ${maxRatio} times, as no file of a model is`);
    if (entry.start + 30 + entry.packed > from) fail(msg`${name} is truncated`);
    entries.push(entry);
  }
  return entries;
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/**
 * The files of an archive by name, without folder entries. Throws as `directoryOf`, and if a file is damaged.
 * `onDamaged`: receives the names of damaged files instead; those that cannot be inflated are absent. `maxBytes`:
 * largest size of a file, checked before it is read.
 */
export async function unzip(
  archive: Archive,
  path: string,
  onDamaged?: (name: string) => void,
  maxBytes: (name: string) => number = () => Number.POSITIVE_INFINITY,
): Promise<Record<string, Uint8Array>> {
  const fail = (problem: Message): never => {
    throw new HeddleError(problem, { area: path, kind: 'input' });
  };
  const files: Record<string, Uint8Array> = {};
  const entries = await directoryOf(archive, fail);
  for (const { name, size } of entries)
    if (size > maxBytes(name))
      fail(msg`${name} has ${size} bytes; such a file has at most ${maxBytes(name)}`);
  for (const { name, method, crc, packed, size, start } of entries) {
    const header = viewOf(await partOf(archive, start, start + 30));
    if (header.byteLength < 30 || header.getUint32(0, true) !== localHeader) fail(msg`${name} is damaged`);
    const from = start + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    const data = await partOf(archive, from, from + packed);
    if (data.length < packed) fail(msg`${name} is truncated`);
    const damaged = (reason = ''): undefined => {
      if (!onDamaged) fail(msg`${name} is damaged${reason}`);
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
