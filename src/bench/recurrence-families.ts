// Kernel families of recurrent layers: the scan of an SSRU over a sequence, and its step in decoding.

import { ssru } from '../engine/ops/recurrence/ssru.ts';
import { ssruStep } from '../engine/ops/recurrence/ssru-step.ts';
import { backward, input, step } from './kernel-case.ts';
import { family, named, pass, size, storage } from './kernel-family.ts';

const width = size('Width', 256, 8192);

/** Families of recurrent layers. */
export const recurrenceFamilies = {
  SSRU: family({
    label: 'SSRU',
    group: 'rows',
    fields: {
      batch: size('Batch', 32, 4096),
      length: size('Positions', 64, 8192),
      width,
      pass,
      dtype: storage,
    },
    make: ({ batch, length, width, pass }) => ({
      name: `${named('SSRU', pass)} [${batch},${length},${width}]`,
      build(g) {
        const [x, bias] = [input(g, 'x', [batch, length, 2 * width]), input(g, 'bias', [width])];
        const y = ssru(g, x, bias);
        if (pass === 'backward') backward(g, y, [x, bias]);
      },
      op: pass === 'backward' ? 'ssru_backward' : undefined,
    }),
  }),
  'SSRU step': family({
    label: 'SSRU, one step',
    group: 'decoding',
    fields: { rows: size('Rows', 64, 4096), beams: size('Beams', 4, 16), width },
    make({ rows, beams, width }) {
      return {
        name: `SSRU step [${rows},${width}] of ${beams} beams`,
        build(g) {
          const [x, bias] = [input(g, 'x', [rows, 1, 2 * width]), input(g, 'bias', [width])];
          const parents = g.input('parents', 'i32', [rows]);
          ssruStep(g, x, bias, parents, g.state('state', 'f32', [rows, 2, width]), step(g), { beams });
        },
        data: () => ({ parents: (i: number) => (i * 3) % beams, state: (i: number) => Math.sin(i) }),
        step: { position: 5 },
        bytes: 4 * (rows * (1 + 5 * width) + width),
      };
    },
  }),
};
