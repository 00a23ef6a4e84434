// Each guest deleted in a copy: types, build and layout of the rest pass, and the tests of the other guests.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const guests = readdirSync(join(root, 'src/features'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

it.each(guests)('%s can be deleted', async (guest) => {
  const script = join(root, 'scripts/without-guest.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, guest]);
  expect(stdout).toMatch(/^ok {4} types$/m);
});
