import { expect, it } from 'vitest';
import { withTimeout } from '../../src/host/with-timeout.ts';

it('gives what the promise gives', async () => {
  await expect(withTimeout(1000, 'work', Promise.resolve(3))).resolves.toBe(3);
  await expect(withTimeout(1000, 'work', Promise.reject(new Error('no')))).rejects.toThrow('no');
});

it('names what took too long', async () => {
  await expect(withTimeout(5, 'opening the page', new Promise(() => {}))).rejects.toMatchObject({
    message: 'opening the page took longer than 0.005 s',
    kind: 'timeout',
  });
});
