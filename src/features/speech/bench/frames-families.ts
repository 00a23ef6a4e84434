// Kernel families of frames: the convolution of a stem, what prepares its tensors, and the rules of decoding speech.

import { input, step } from '../../../bench/kernel-case.ts';
import { choice, family, size, vocab } from '../../../bench/kernel-family.ts';
import type { KernelList, KernelSizes } from '../../../bench/kernel-sizes.ts';
import { zeroRange } from '../../../engine/ops/elementwise/zero-range.ts';
import { addPositions } from '../ops/add-positions.ts';
import { arrangeTaps } from '../ops/arrange-taps.ts';
import { convolution } from '../ops/convolution.ts';
import { convolutionBackwardOp } from '../ops/convolution-backward.ts';
import { moveFrames } from '../ops/move-frames.ts';
import { restrictionSizes, restrictTokensOp, shiftRows, writeRestrictions } from '../ops/restrict-tokens.ts';

const batch = size('Batch', 4, 4096);
const length = size('Frames', 512, 8192);
const width = size('Width', 256, 8192);

/** Frames of a window. */
const taps = 3;

/** Families of frames. */
export const framesFamilies = {
  convolution: family({
    label: 'Convolution',
    group: 'products',
    fields: {
      batch,
      length,
      channels: size('Channels', 80, 8192),
      width,
      stride: size('Stride', 1, 4),
      pass: choice('Pass', 'forward', 'weights'),
    },
    make({ batch, length, channels, width, stride, pass }) {
      // As many frames as the windows need, in whole strides.
      const frames = stride * Math.ceil(((length - 1) * stride + taps) / stride);
      return {
        name: `convolution${pass === 'weights' ? ' backward' : ''} [${batch},${length},${channels}] to ${width}, stride ${stride}`,
        build(g) {
          const x = input(g, 'x', [batch, frames, channels]);
          if (pass === 'forward') {
            const w = input(g, 'w', [width, taps * channels]);
            convolution(g, x, w, input(g, 'b', [width]), { stride, length, activation: 'gelu' });
            return;
          }
          const dy = input(g, 'dy', [batch, frames / stride, width]);
          g.apply(convolutionBackwardOp, { dy, x }, { taps, stride, length, db: true });
        },
        // Zero after the last window of a row, as in a run.
        data: () => ({
          dy: (i: number) =>
            Math.floor(i / width) % (frames / stride) < length ? Math.sin(i * 12.9898) / 2 : 0,
        }),
      };
    },
  }),
  frames: family({
    label: 'Frames',
    group: 'elements',
    fields: {
      kind: choice('Kind', 'move frames', 'add positions', 'arrange taps', 'zero range', 'shift rows'),
      batch,
      length,
      width,
    },
    make: ({ kind, batch, length, width }) => ({
      name: `${kind} [${batch},${length},${width}]`,
      build(g) {
        const frames = () => input(g, 'x', [batch, length, width]);
        switch (kind) {
          case 'add positions':
            return void addPositions(g, frames(), input(g, 'positions', [length, width]), false);
          case 'arrange taps':
            return void arrangeTaps(g, input(g, 'x', [length, width, taps]), {
              order: 'tap',
              taps,
              stride: 1,
            });
          case 'zero range':
            return void zeroRange(g, frames(), { first: width, end: 2 * width });
          case 'shift rows':
            return void shiftRows(g, frames(), input(g, 'shift', [batch]));
          default:
            return void moveFrames(g, frames(), { first: 1, length: length + 2, width });
        }
      },
    }),
  }),
  'restrict tokens': family({
    label: 'Rules of tokens',
    group: 'decoding',
    fields: { rows: size('Rows', 64, 4096), vocab },
    make: ({ rows, vocab }) => ({
      name: `restrict tokens [${rows},${vocab}]`,
      build(g) {
        const logits = g.state('logits', 'f32', [rows, 1, vocab]);
        const history = g.input('history', 'i32', [rows, 16]);
        const masks = g.input('masks', 'u32', [restrictionSizes(vocab).masks]);
        const settings = g.input('settings', 'i32', [restrictionSizes(vocab).settings]);
        g.apply(restrictTokensOp, { logits, history, masks, settings, step: step(g) }, {});
      },
      data() {
        const masks = new Uint32Array(restrictionSizes(vocab).masks);
        const settings = new Int32Array(restrictionSizes(vocab).settings);
        writeRestrictions(masks, settings, { prompt: 1, banned: [3, 5, 8], bannedFirst: [9] });
        return {
          masks,
          settings,
          logits: (i: number) =>
            (((i % vocab) * 7919 + Math.floor(i / vocab) * 131) % vocab) * (20 / vocab) - 10,
          history: (i: number) => 10 + ((i * 31) % (vocab - 10)),
        };
      },
      step: { position: 7 },
    }),
  }),
};

/** The kernels of frames in a report. */
export const framesKernels = ({ channels, rows, vocab, ...frames }: KernelSizes): KernelList[] => [
  ['convolution', { ...frames, channels, stride: [1, 2], pass: ['forward', 'weights'] }],
  [
    'frames',
    { ...frames, kind: ['move frames', 'add positions', 'arrange taps', 'zero range', 'shift rows'] },
  ],
  ['restrict tokens', { rows, vocab }],
];
