// Reading ahead: order, the end of the work without a reader, errors and aborts.

import { describe, expect, it } from 'vitest';
import { readAhead } from '../../src/core/read-ahead.ts';

/** Work that gives 0 to 4, a turn of the event loop for each. */
const five = async (push: (n: number) => void, signal: AbortSignal) => {
  for (let n = 0; n < 5; n++) {
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
    push(n);
  }
};

const all = async (items: AsyncIterable<number>) => {
  const out: number[] = [];
  for await (const item of items) out.push(item);
  return out;
};

describe('reading ahead', () => {
  it('yields all items in order, read late or at once', async () => {
    expect(await all(readAhead(five))).toEqual([0, 1, 2, 3, 4]);
    const late = readAhead(five);
    expect((await late.next()).value).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await all(late)).toEqual([1, 2, 3, 4]);
  });

  it('starts no work before the first read, and ends it without a reader', async () => {
    let [begun, ended] = [false, false];
    const work = async (push: (n: number) => void, signal: AbortSignal) => {
      begun = true;
      await five(push, signal);
      ended = true;
    };
    const items = readAhead(work);
    expect(begun).toBe(false);
    await items.next();
    expect(ended).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ended).toBe(true);
  });

  it('stops the work if the reader leaves', async () => {
    let reason: unknown;
    const work = (push: (n: number) => void, signal: AbortSignal) =>
      five(push, signal).catch((error) => {
        reason = error;
        throw error;
      });
    for await (const n of readAhead(work)) if (n === 1) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(reason).toBeInstanceOf(DOMException);
  });

  it('throws what the work throws, after its items, and the reason of the signal', async () => {
    const fails = readAhead<number>(async (push) => {
      push(1);
      throw new Error('mine');
    });
    expect((await fails.next()).value).toBe(1);
    await expect(fails.next()).rejects.toThrow(new Error('mine'));
    const controller = new AbortController();
    const aborted = readAhead(five, controller.signal);
    await aborted.next();
    controller.abort(new Error('enough'));
    await expect(aborted.next()).rejects.toThrow(new Error('enough'));
  });
});
