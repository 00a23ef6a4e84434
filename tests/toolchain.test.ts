import { expect, it } from 'vitest';

it('runs on Node 20 or newer', () => {
  expect(Number(process.versions.node.split('.')[0])).toBeGreaterThanOrEqual(20);
});
