// References of the ops of frames.

import { masked } from '../decoding/next-token.ts';
import { activate } from '../elementwise/activation-references.ts';
import { type OpReference, opReference, type ReferenceOf } from '../op.ts';
import { sum } from '../reference-tensor.ts';
import { readStep } from '../step-scalars.ts';
import { addPositionsOp } from './add-positions.ts';
import { arrangeTapsOp, tapSizes, transposedTaps } from './arrange-taps.ts';
import { convolutionOp } from './convolution.ts';
import { convolutionBackwardOp } from './convolution-backward.ts';
import { moveFramesOp } from './move-frames.ts';
import { restrictTokensOp, shiftRowsOp } from './restrict-tokens.ts';

/** The rules of stamps as in Whisper's own code: whether a token may follow the `generated` ones. */
function allowsStamp(token: number, generated: readonly number[], settings: ArrayLike<number>): boolean {
  const [, stamp = -1, end = 0, maxInitial = -1] = Array.from(settings);
  if (stamp < 0) return true;
  const isStamp = (id: number | undefined) => id !== undefined && id >= stamp;
  if (generated.length === 0) return isStamp(token) && (maxInitial < 0 || token <= stamp + maxInitial);
  const afterStamp = isStamp(generated.at(-1));
  const afterTwo = generated.length < 2 || isStamp(generated.at(-2));
  if (afterStamp && afterTwo && isStamp(token)) return false;
  if (afterStamp && !afterTwo && token < end) return false;
  const last = generated.filter(isStamp).at(-1);
  return last === undefined || !isStamp(token) || token >= last + (afterStamp && !afterTwo ? 0 : 1);
}

/** Reference of `restrictTokensOp`. */
const restrictTokens: ReferenceOf<typeof restrictTokensOp> = (
  { logits, history, masks, settings, step },
  { shift, watched },
  { vocab = logits.cols },
) => {
  const { position } = readStep(step.data);
  const [prompt = 0, stamp = -1, , , watch = 0] = settings.data;
  for (let r = 0; r < logits.rows; r++) {
    const z = logits.row(r).subarray(0, vocab);
    const top = Math.max(...z);
    const massOf = (keep: (id: number) => boolean) =>
      sum(vocab, (id) => (keep(id) ? Math.exp((z[id] as number) - top) : 0));
    const generated = Array.from(history.row(r).subarray(prompt, position + 1));
    const free = position + 1 < prompt;
    const mask = generated.length === 0 ? 0 : masks.size / 2;
    const isBanned = (id: number) => ((masks.at(mask + (id >>> 5)) >>> (id & 31)) & 1) !== 0;
    const allowed = Array.from(
      z,
      (_, id) => free || (!isBanned(id) && allowsStamp(id, generated, settings.data)),
    );
    const isStamp = (id: number) => stamp >= 0 && id >= stamp && allowed[id] === true;
    const best = Math.max(
      0,
      ...Array.from(z, (x, id) => (allowed[id] && !isStamp(id) ? Math.exp(x - top) : 0)),
    );
    const onlyStamps = stamp >= 0 && massOf(isStamp) > best;
    const keep = (id: number) => allowed[id] === true && (!onlyStamps || isStamp(id));
    shift.set(r, Math.log(massOf(keep) / massOf(() => true)));
    watched.set(r, Math.exp((z[watch] as number) - top) / massOf(() => true));
    for (const id of z.keys()) if (!keep(id)) z[id] = masked;
  }
};

/** References of the ops of this folder. */
export const framesReferences: readonly OpReference[] = [
  opReference(moveFramesOp, ({ x }, { y }, { first, length, width }) => {
    const frames = x.size / x.dim(0) / width;
    for (let b = 0; b < x.dim(0); b++)
      for (let n = 0; n < length; n++)
        for (let c = 0; c < width; c++) {
          const from = n - first;
          y.set(b, n, c, from >= 0 && from < frames ? x.at((b * frames + from) * width + c) : 0);
        }
  }),
  opReference(arrangeTapsOp, ({ x }, { y }, attrs) => {
    const { order, taps, stride } = attrs;
    const { outs, channels: C } = tapSizes(x, attrs);
    const last = transposedTaps(attrs) - 1;
    for (let d = 0; d < outs; d++)
      for (let c = 0; c < C; c++)
        for (let k = 0; k < taps; k++) {
          const [byTap, byChannel] = [(d * taps + k) * C + c, (d * C + c) * taps + k];
          if (order === 'tap') y.set(byTap, x.at(byChannel));
          else if (order === 'channel') y.set(byChannel, x.at(byTap));
          else y.set((k % stride) * C + c, (last - Math.floor(k / stride)) * outs + d, x.at(byTap));
        }
  }),
  opReference(convolutionOp, ({ x, w, b }, { y, z }, { stride, length, activation }) => {
    const [B, P, C] = [x.dim(0), x.dim(1), x.dim(2)];
    for (let row = 0; row < B; row++)
      for (let t = 0; t < length; t++)
        for (let d = 0; d < w.rows; d++) {
          let sum = b?.at(d) ?? 0;
          for (let i = 0; i < w.cols; i++) sum += x.at((row * P + t * stride) * C + i) * w.at(d, i);
          y.set(row, t, d, activate(sum, activation));
          z?.set(row, t, d, sum);
        }
  }),
  opReference(convolutionBackwardOp, ({ dy, x }, { dw, db }, { stride, length }) => {
    const [B, R, P, C] = [dy.dim(0), dy.dim(1), x.dim(1), x.dim(2)];
    for (let row = 0; row < B; row++)
      for (let t = 0; t < length; t++)
        for (let d = 0; d < dy.cols; d++) {
          const g = dy.at(row * R + t, d);
          db?.add(d, g);
          for (let i = 0; i < dw.cols; i++) dw.add(d, i, g * x.at((row * P + t * stride) * C + i));
        }
  }),
  opReference(restrictTokensOp, restrictTokens),
  opReference(shiftRowsOp, ({ x, shift }, { y }) => {
    const width = x.size / x.dim(0);
    for (let i = 0; i < y.size; i++) y.set(i, x.at(i) + shift.at(Math.floor(i / width)));
  }),
  opReference(addPositionsOp, ({ x, positions }, { y }) => {
    const row = x.size / x.dim(0);
    for (let i = 0; i < y.size; i++) y.set(i, x.at(i) + positions.at(i % row));
  }),
];
