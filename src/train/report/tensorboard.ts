// Writes TensorBoard event files: losses, rates and metrics of a training log as scalars by step. A file is a
// sequence of TFRecords; each is an Event of TensorFlow (event.proto, summary.proto) as a protocol buffer.

import { HeddleError } from '../../core/errors.ts';
import { appendFile, concatBytes, type Files } from '../../files/files.ts';
import { double, field, float, integer, text } from '../../files/protobuf-writer.ts';
import { crcTable } from '../../files/zip.ts';
import { type Metric, metricValue } from '../../text/metrics/metric.ts';
import type { LogRecord } from './training-log.ts';

/** Milliseconds between two writes of updates; evaluations are written at once. */
const flushInterval = 2000;

/** Writes an event file. */
export class EventWriter {
  readonly #files: Files;
  readonly #path: string;
  readonly #metrics: readonly Metric[];
  readonly #onFailed: (error: HeddleError) => void;
  #pending: Uint8Array[] = [];
  #writing = Promise.resolve();
  #lastFlush = performance.now();
  #failed = false;

  private constructor(
    files: Files,
    path: string,
    metrics: readonly Metric[],
    onFailed: (error: HeddleError) => void,
  ) {
    this.#files = files;
    this.#path = path;
    this.#metrics = metrics;
    this.#onFailed = onFailed;
  }

  /**
   * Starts a new event file in `folder` for a run that continues after `step` updates; TensorBoard ignores
   * later steps of earlier files. `metrics`: those of evaluations. Throws a HeddleError if it cannot be written. A later failure is reported
   * once to `onFailed`.
   */
  static async open(
    files: Files,
    folder: string,
    step: number,
    metrics: readonly Metric[],
    onFailed: (error: HeddleError) => void,
  ): Promise<EventWriter> {
    const seconds = Math.floor(Date.now() / 1000);
    let path = '';
    // TensorBoard reads the files of a folder in the order of their names.
    for (let n = 0; path === '' || (await files.exists(path)); n++)
      path = `${folder}/events.out.tfevents.${seconds}.heddle.${n}`;
    const head = [event({ step: 0, version: 'brain.Event:2' })];
    if (step > 0) head.push(event({ step: step + 1, isStart: true }));
    await appendFile(files, path, concatBytes(head));
    return new EventWriter(files, path, metrics, onFailed);
  }

  /** Adds the scalars of an update or an evaluation; other records have none. */
  add(record: LogRecord): void {
    const scalars = scalarsOf(record, this.#metrics);
    if (!('step' in record) || scalars.length === 0) return;
    this.#pending = this.#failed ? [] : [...this.#pending, event({ step: record.step, scalars })];
    if (record.type === 'eval' || performance.now() - this.#lastFlush > flushInterval) void this.#flush();
  }

  /** Writes the pending events. Never throws. */
  close(): Promise<void> {
    return this.#flush();
  }

  #flush(): Promise<void> {
    this.#lastFlush = performance.now();
    this.#writing = this.#writing.then(async () => {
      const bytes = concatBytes(this.#pending.splice(0));
      if (bytes.length === 0 || this.#failed) return;
      await appendFile(this.#files, this.#path, bytes).catch((error: unknown) => {
        this.#failed = true;
        this.#onFailed(error instanceof HeddleError ? error : new HeddleError(String(error)));
      });
    });
    return this.#writing;
  }
}

/** Names, such as `train/learning_rate`, and values of a record. */
function scalarsOf(record: LogRecord, rows: readonly Metric[]): [tag: string, value: number][] {
  const named = (part: string, values: Record<string, number | undefined>) =>
    Object.entries(values).flatMap(([name, value]): [string, number][] =>
      value === undefined
        ? []
        : [[`${part}/${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`, value]],
    );
  if (record.type === 'step') {
    const { loss, accuracy, learningRate, gradientNorm, tokensPerSecond, mfu, lossScale } = record;
    const { updateRatio, lossParts } = record;
    return named('train', {
      loss,
      accuracy,
      learningRate,
      gradientNorm,
      tokensPerSecond,
      mfu,
      lossScale,
      updateRatio,
      ...lossParts,
    });
  }
  if (record.type !== 'eval') return [];
  const metrics = Object.fromEntries(rows.map((row) => [row.name, metricValue(record, row)]));
  return named(record.part, { ...metrics, knownTokenAccuracy: record.knownTokenAccuracy });
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
    field(1, concatBytes([text(1, tag), float(2, value)])),
  );
  const fields = [double(1, Date.now() / 1000), integer(2, step)]; // wall_time, step
  if (version !== undefined) fields.push(text(3, version));
  if (values.length > 0) fields.push(field(5, concatBytes(values)));
  if (isStart) fields.push(field(7, integer(1, 1))); // session_log with status START
  return tfRecord(concatBytes(fields));
}

/** A TFRecord: length as uint64, its checksum, the bytes, their checksum. */
function tfRecord(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(Uint32Array.of(bytes.length, 0).buffer);
  const checksum = (data: Uint8Array) => new Uint8Array(Uint32Array.of(maskedCrc32c(data)).buffer);
  return concatBytes([length, checksum(length), bytes, checksum(bytes)]);
}

/** CRC-32C (Castagnoli). */
const table = crcTable(0x82f63b78);

/**
 * The masked CRC-32C of TFRecords: rotated and with an offset, since the data may contain checksums itself.
 */
function maskedCrc32c(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = (table[(c ^ byte) & 0xff] as number) ^ (c >>> 8);
  const crc = ~c >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
