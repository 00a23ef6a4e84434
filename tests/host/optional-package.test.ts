// Errors for packages that are not installed or do not load.
import { expect, it } from 'vitest';
import { optionalPackage } from '../../src/host/optional-package.ts';
import { errorAbout } from '../support/expect-error.ts';

const missing = 'heddle-no-such-package';

it('names the missing package, how to install it, and what works without it', async () => {
  const found = optionalPackage(missing, () => import(/* @vite-ignore */ missing), 'use the CPU');
  await expect(found).rejects.toThrow(
    errorAbout({ kind: 'unsupported', values: ['heddle-no-such-package', 'use the CPU'] }),
  );
});

it('reports that a package does not load, and why', async () => {
  const found = optionalPackage(
    'webgpu',
    () => Promise.reject(new Error('wrong ELF class\nmore')),
    'use Chrome',
  );
  await expect(found).rejects.toThrow(
    errorAbout({ kind: 'unsupported', values: ['webgpu', 'wrong ELF class'] }),
  );
});
