// Promises with a timeout.
import { expect, it } from 'vitest';
import { withTimeout } from '../../src/host/with-timeout.ts';

it('resolves to the result of the promise', async () => {
  await expect(withTimeout(1000, 'work', Promise.resolve(3))).resolves.toBe(3);
  await expect(withTimeout(1000, 'work', Promise.reject(new Error('no')))).rejects.toThrow(new Error('no'));
});

it('names the operation that took too long', async () => {
  await expect(withTimeout(5, 'opening the page', new Promise(() => {}))).rejects.toMatchObject({
    message: 'opening the page took longer than 0.005 s',
    kind: 'timeout',
  });
});
