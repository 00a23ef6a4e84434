// TensorBoard event files, read by a reader of their own: framing, checksums, and fields as event.proto
// numbers them.

import { expect, it } from 'vitest';
import { HeddleError } from '../../../src/core/errors.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { mainMetrics } from '../../../src/text/metrics/main-metrics.ts';
import { EventWriter } from '../../../src/train/report/tensorboard.ts';
import { historyOf, parseLog } from '../../../src/train/report/training-log.ts';
import { runTraining } from '../../../src/train/run/recovery.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { testSession } from '../../support/session.ts';
import { tinyCorpus, tinyTraining } from '../../support/training.ts';

interface Event {
  wallTime: number;
  step: number;
  version?: string;
  isStart?: boolean;
  scalars: Record<string, number>;
}

/** CRC-32C bit by bit, the slow way of its definition (RFC 3720). */
function crc32c(bytes: Uint8Array): bigint {
  let c = 0xffffffffn;
  for (const byte of bytes) {
    c ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) c = c & 1n ? (c >> 1n) ^ 0x82f63b78n : c >> 1n;
  }
  return c ^ 0xffffffffn;
}

/** The mask of TFRecords: a rotation by 15 bits and a sum. */
const masked = (crc: bigint): number => Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);

/** Fields of a message: number, then bytes, or the number of a varint or of a fixed field. */
function* fieldsOf(bytes: Uint8Array): Generator<[field: number, value: Uint8Array | number]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const skip = (size: number) => {
    at += size;
    return at - size;
  };
  const varint = () => {
    for (let n = 0, factor = 1; ; factor *= 128) {
      const byte = bytes[at++] as number;
      n += (byte & 127) * factor;
      if (byte < 128) return n;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const kind = key & 7;
    if (kind === 0) yield [key >> 3, varint()];
    else if (kind === 1) yield [key >> 3, view.getFloat64(skip(8), true)];
    else if (kind === 5) yield [key >> 3, view.getFloat32(skip(4), true)];
    else if (kind === 2) {
      const length = varint();
      const start = skip(length);
      yield [key >> 3, bytes.subarray(start, at)];
    } else throw new Error(`wire type ${kind}`);
  }
}

/** The events of a file. */
function eventsIn(bytes: Uint8Array): Event[] {
  const text = (part: Uint8Array | number) => new TextDecoder().decode(part as Uint8Array);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const events: Event[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(masked(crc32c(bytes.subarray(at, at + 8))));
    const record = bytes.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(masked(crc32c(record)));
    at += length + 16;
    const event: Event = { wallTime: 0, step: 0, scalars: {} };
    for (const [field, value] of fieldsOf(record)) {
      if (field === 1) event.wallTime = value as number;
      else if (field === 2) event.step = value as number;
      else if (field === 3) event.version = text(value);
      else if (field === 7)
        event.isStart = [...fieldsOf(value as Uint8Array)].some(([f, v]) => f === 1 && v === 1);
      else if (field === 5)
        for (const [, one] of fieldsOf(value as Uint8Array)) {
          const parts = new Map(fieldsOf(one as Uint8Array));
          event.scalars[text(parts.get(1) as Uint8Array)] = parts.get(2) as number;
        }
    }
    events.push(event);
  }
  return events;
}

it('computes the checksums in the specification', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283n);
});

const files = memoryFiles();

/** Trains on the CPU and returns the events of each file of the folder `events`. */
async function train(fields: Partial<TrainArguments>): Promise<Event[][]> {
  await files.write('pairs.tsv', new TextEncoder().encode(tinyCorpus));
  const session = testSession({ device: 'cpu', files });
  await runTraining(tinyTraining({ out: 'model', evalSteps: 2, devSentences: 4, ...fields }), session);
  await session.close();
  return Promise.all(
    (await files.list('events')).map(async (name) => eventsIn(await files.read(`events/${name}`))),
  );
}

it('writes the values of the log by step, and a new file for a resumed run', async () => {
  const before = Date.now() / 1000;
  const [first = []] = await train({ steps: 3, testSentences: 3, tensorboard: 'events' });
  const both = await train({ steps: 5, resume: true });
  expect(both).toHaveLength(2);
  expect(both[0]).toEqual(first);
  const [head, start, ...second] = both[1] as Event[];
  for (const e of [first[0], head])
    expect(e).toMatchObject({ step: 0, version: 'brain.Event:2', scalars: {} });
  expect(start).toMatchObject({ step: 4, isStart: true, scalars: {} });
  const log = historyOf(parseLog(new TextDecoder().decode(await files.read('model/log.jsonl'))));
  const scalars = [...first, ...second].filter((e) => Object.keys(e.scalars).length > 0);
  const inLog = [
    ...log.steps.map((r) => ['train', r] as const),
    ...log.evals.map((r) => [r.part, r] as const),
  ].sort(([a, x], [b, y]) => x.step - y.step || Number(a !== 'train') - Number(b !== 'train'));
  expect(scalars.map((e) => [Object.keys(e.scalars)[0]?.split('/')[0], e.step])).toEqual(
    inLog.map(([part, r]) => [part, r.step]),
  );
  const fieldOf = (tag: string) => tag.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const tagOf = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  for (const [i, event] of scalars.entries()) {
    expect(event.wallTime).toBeGreaterThan(before - 1);
    expect(event.wallTime).toBeLessThan(Date.now() / 1000 + 1);
    const logged = { ...inLog[i]?.[1] } as unknown as Record<string, number>;
    for (const [tag, value] of Object.entries(event.scalars)) {
      const name = tag.replace(/^\w+\//, '');
      expect(value, `${tag} of step ${event.step}`).toBe(Math.fround(logged[fieldOf(name)] as number));
    }
  }
  const tags = [...new Set(scalars.flatMap((e) => Object.keys(e.scalars)))];
  expect(tags).toEqual([
    ...['loss', 'accuracy', 'learning_rate', 'gradient_norm', 'tokens_per_second'].map((t) => `train/${t}`),
    ...[...mainMetrics.map(({ name }) => tagOf(name)), 'known_token_accuracy'].map((t) => `dev/${t}`),
    ...mainMetrics.flatMap(({ name, needs }) => (needs === 'translations' ? [`test/${tagOf(name)}`] : [])),
  ]);
});

it('writes the model FLOPs utilization once it is known', async () => {
  const memory = memoryFiles();
  const writer = await EventWriter.open(memory, 'mfu', 0, mainMetrics, () => undefined);
  const update = {
    type: 'step',
    step: 7,
    loss: 1,
    accuracy: 0,
    learningRate: 1,
    gradientNorm: 1,
    tokens: 1,
  } as const;
  writer.add({ ...update, tokensPerSecond: 300, mfu: 0.25, seconds: 1, lossScale: 8 });
  await writer.close();
  const [name = ''] = await memory.list('mfu');
  expect(eventsIn(await memory.read(`mfu/${name}`))[1]).toMatchObject({
    step: 7,
    scalars: { 'train/mfu': 0.25, 'train/loss_scale': 8, 'train/tokens_per_second': 300 },
  });
});

it('rejects a folder in the model folder, and one that cannot be written; a full disk later does not end the run', async () => {
  await expect(train({ steps: 1, tensorboard: 'model/events' })).rejects.toThrow(
    errorAbout({ area: 'train', options: ['tensorboard'], values: ['model/events', 'model'] }),
  );
  const full = memoryFiles();
  const append = async () => {
    throw new HeddleError('events: cannot write: no space is left on the disk');
  };
  await expect(
    EventWriter.open({ ...full, append }, 'events', 0, mainMetrics, () => undefined),
  ).rejects.toThrow(errorAbout({ template: 'events: cannot write: no space is left on the disk' }));
  const failures: string[] = [];
  let writes = 0;
  const later = { ...full, append: async () => void (writes++ > 0 && (await append())) };
  const writer = await EventWriter.open(later, 'events', 0, mainMetrics, ({ message }) =>
    failures.push(message),
  );
  for (const step of [1, 2]) writer.add({ type: 'eval', step, part: 'dev', loss: 1, seconds: 0 });
  await writer.close();
  expect(failures).toEqual(['events: cannot write: no space is left on the disk']);
});
