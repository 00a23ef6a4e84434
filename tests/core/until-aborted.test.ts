// Cancellation of work that does not stop by itself.
import { describe, expect, it, vi } from 'vitest';
import { untilAborted } from '../../src/core/until-aborted.ts';
import { waitLimit } from '../support/time-limits.ts';

const forever = () => new Promise<never>(() => undefined);

describe('work with a signal', () => {
  it('resolves or rejects as it does, if the signal is not aborted', async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(signal, async () => 3)).toBe(3);
    expect(await untilAborted(undefined, async () => 4)).toBe(4);
    await expect(untilAborted(signal, () => Promise.reject(new Error('broken')))).rejects.toThrow(
      new Error('broken'),
    );
  });

  it('does not start after the abort', async () => {
    const work = vi.fn(forever);
    await expect(untilAborted(AbortSignal.abort(), work)).rejects.toHaveProperty('name', 'AbortError');
    expect(work).not.toHaveBeenCalled();
  });

  it('rejects at once, with the reason of the signal', async () => {
    for (const reason of [undefined, new Error('mine')]) {
      const stop = new AbortController();
      const call = untilAborted(stop.signal, forever);
      const begin = performance.now();
      stop.abort(reason);
      await expect(call).rejects.toBe(stop.signal.reason);
      expect(performance.now() - begin).toBeLessThan(3000);
    }
  });

  it('drops a result that comes late, and hides an error that the abort has caused', async () => {
    const stop = new AbortController();
    const dropped = vi.fn();
    let finish = (_: string) => {};
    const late = untilAborted(
      stop.signal,
      () => new Promise<string>((resolve) => (finish = resolve)),
      dropped,
    );
    const broken = untilAborted(stop.signal, async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      throw new Error('the connection was cut');
    });
    stop.abort();
    for (const { reason } of (await Promise.allSettled([late, broken])) as PromiseRejectedResult[])
      expect(reason).toHaveProperty('name', 'AbortError');
    finish('late');
    await vi.waitFor(() => expect(dropped).toHaveBeenCalledWith('late'), { timeout: waitLimit });
  });

  it('leaves no listener on the signal', async () => {
    const { signal } = new AbortController();
    const [add, remove] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
    await untilAborted(signal, async () => 1);
    expect(remove.mock.calls.length).toBe(add.mock.calls.length);
  });
});
