// Writes TensorBoard event files: losses, rates and metrics of a training log as scalars by step. A file is a sequence of
// TFRecords; each is an Event of TensorFlow (event.proto, summary.proto) as a protocol buffer.

import { HeddleError } from '../core/errors.ts';
import { appendFile, concatBytes, type Files } from '../files/files.ts';
import type { LogRecord } from './training-log.ts';

/** Writes an event file. */
export interface EventWriter {
  /** Adds the scalars of an update or an evaluation; other records have none. */
  add(record: LogRecord): void;
  /** Writes the pending events. Never throws. */
  close(): Promise<void>;
}

/** Milliseconds between two writes of updates; evaluations are written at once. */
const flushInterval = 2000;

/**
 * Starts a new event file in `folder` for a run that continues after `step` updates; TensorBoard ignores later steps of
 * earlier files. Throws a HeddleError if it cannot be written. A later failure is reported once to `onFailed`.
 */
export async function createEventWriter(
  files: Files,
  folder: string,
  step: number,
  onFailed: (error: HeddleError) => void,
): Promise<EventWriter> {
  const seconds = Math.floor(Date.now() / 1000);
  let path = '';
  // TensorBoard reads the files of a folder in the order of their names.
  for (let n = 0; path === '' || (await files.exists(path)); n++)
    path = `${folder}/events.out.tfevents.${seconds}.heddle.${n}`;
  await appendFile(
    files,
    path,
    concatBytes([
      event({ step: 0, version: 'brain.Event:2' }),
      ...(step > 0 ? [event({ step: step + 1, isStart: true })] : []),
    ]),
  );
  let pending: Uint8Array[] = [];
  let writing = Promise.resolve();
  let lastFlush = performance.now();
  let failed = false;
  const flush = (): Promise<void> => {
    lastFlush = performance.now();
    writing = writing.then(async () => {
      const bytes = concatBytes(pending.splice(0));
      if (bytes.length === 0 || failed) return;
      await appendFile(files, path, bytes).catch((error: unknown) => {
        failed = true;
        onFailed(error instanceof HeddleError ? error : new HeddleError(String(error)));
      });
    });
    return writing;
  };
  return {
    add(record) {
      const scalars = scalarsOf(record);
      if (!('step' in record) || scalars.length === 0) return;
      pending = failed ? [] : [...pending, event({ step: record.step, scalars })];
      if (record.type === 'eval' || performance.now() - lastFlush > flushInterval) void flush();
    },
    close: flush,
  };
}

/** Names and values of a record. */
function scalarsOf(record: LogRecord): [tag: string, value: number][] {
  const named = (part: string, values: Record<string, number | undefined>) =>
    Object.entries(values).flatMap(([name, value]): [string, number][] =>
      value === undefined ? [] : [[`${part}/${name}`, value]],
    );
  if (record.type === 'step') {
    const { loss, accuracy, learningRate, gradientNorm, tokensPerSecond, mfu, lossScale, updateRatio } = record;
    return named('train', {
      loss,
      accuracy,
      learning_rate: learningRate,
      gradient_norm: gradientNorm,
      tokens_per_second: tokensPerSecond,
      mfu,
      loss_scale: lossScale,
      update_ratio: updateRatio,
    });
  }
  if (record.type !== 'eval') return [];
  const { loss, perplexity, tokenAccuracy, knownTokenAccuracy, bleu, chrf, exactMatch } = record;
  return named(record.part, {
    loss,
    perplexity,
    token_accuracy: tokenAccuracy,
    known_token_accuracy: knownTokenAccuracy,
    bleu,
    chrf,
    exact_match: exactMatch,
  });
}

interface EventFields {
  readonly step: number;
  /** Format of the file, in its first event. */
  readonly version?: string;
  readonly scalars?: readonly (readonly [tag: string, value: number])[];
  /** Whether a session starts here; TensorBoard drops earlier events of this step and later ones. */
  readonly isStart?: boolean;
}

/** An event as a TFRecord. Field numbers are from event.proto and summary.proto. */
function event({ step, version, scalars, isStart }: EventFields): Uint8Array {
  const values = (scalars ?? []).map(([tag, value]) =>
    block(1, concatBytes([block(1, utf8(tag)), concatBytes([varint((2 << 3) | 5), float32(value)])])),
  );
  return tfRecord(
    concatBytes([
      varint((1 << 3) | 1),
      float64(Date.now() / 1000), // wall_time
      varint(2 << 3),
      varint(step),
      ...(version === undefined ? [] : [block(3, utf8(version))]),
      ...(values.length > 0 ? [block(5, concatBytes(values))] : []),
      ...(isStart ? [block(7, Uint8Array.of(1 << 3, 1))] : []), // session_log with status START
    ]),
  );
}

/** A TFRecord: length as uint64, its checksum, the bytes, their checksum. */
function tfRecord(bytes: Uint8Array): Uint8Array {
  const length = withView(8, (view) => view.setUint32(0, bytes.length, true));
  const checksum = (data: Uint8Array) => withView(4, (view) => view.setUint32(0, maskedCrc32c(data), true));
  return concatBytes([length, checksum(length), bytes, checksum(bytes)]);
}

/** A field of bytes. */
const block = (field: number, bytes: Uint8Array): Uint8Array =>
  concatBytes([varint((field << 3) | 2), varint(bytes.length), bytes]);

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A whole number of at least 0, seven bits a byte, low bits first. */
function varint(n: number): Uint8Array {
  const bytes: number[] = [];
  for (; n >= 128; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  return Uint8Array.from([...bytes, n]);
}

function withView(size: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  fill(new DataView(bytes.buffer));
  return bytes;
}

const float32 = (x: number): Uint8Array => withView(4, (view) => view.setFloat32(0, x, true));
const float64 = (x: number): Uint8Array => withView(8, (view) => view.setFloat64(0, x, true));

/** CRC-32C (Castagnoli, reflected polynomial 0x82f63b78) of each byte. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** The masked CRC-32C of TFRecords: rotated and with an offset, since the data may contain checksums itself. */
function maskedCrc32c(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = (table[(c ^ byte) & 0xff] as number) ^ (c >>> 8);
  const crc = ~c >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
