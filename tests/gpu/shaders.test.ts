// All shaders as they are compiled for the launches of all ops: WGSL that every browser can compile, and no entry point that no op uses.

import { expect, it } from 'vitest';
import { compiledSource } from '../../src/gpu/pipelines.ts';
import { builtInShaders, shaderOf } from '../../src/gpu/shaders.ts';
import { launchedKernels } from '../support/launched-kernels.ts';
import { lintWgsl } from '../support/wgsl-lint.ts';

const kernels = launchedKernels();

it('compiled for each launch hold nothing that takes a browser down', () => {
  const faults = kernels.flatMap((kernel) =>
    lintWgsl(compiledSource(kernel), { subgroups: kernel.traits.subgroups }).map(
      (fault) => `${kernel.shader}: ${fault}`,
    ),
  );
  expect([...new Set(faults)]).toEqual([]);
});

it('as files hold nothing that takes a browser down, and enable subgroups only in variants', () => {
  const faults = builtInShaders.names.flatMap((name) =>
    lintWgsl(shaderOf(name).source, { subgroups: name.includes('-subgroups') }).map((fault) => `${name}: ${fault}`),
  );
  expect(faults).toEqual([]);
});

it('have an op for each entry point', () => {
  const launched = new Set(kernels.map(({ shader, entry }) => `${shader}.${entry}`));
  const entries = builtInShaders.names.flatMap((name) =>
    [...shaderOf(name).entries.keys()].map((entry) => `${name}.${entry}`),
  );
  expect(entries.filter((entry) => !launched.has(entry))).toEqual([]);
});
