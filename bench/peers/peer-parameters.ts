// The weights of a golden case in the layout of the peers: linear weights [in, out], and projections of
// attention that have the same input packed into one matrix.

import type { GoldenCase } from '../../src/commands/jobs/verify/golden-case.ts';
import { type Shape, type Tensor, transposed } from '../../src/core/tensor.ts';

/** A float32 tensor of a peer. */
export interface PeerTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

const tensorOf = ({ shape, data }: Tensor): PeerTensor => ({ shape, data: data as Float32Array });

/** Rows `from` to `to` of a tensor's first axis. */
function rows({ shape, data }: PeerTensor, from: number, to: number): PeerTensor {
  const width = data.length / (shape[0] as number);
  return { shape: [to - from, ...shape.slice(1)], data: data.slice(from * width, to * width) };
}

/**
 * PyTorch's state_dict as the parameters that both peers train, by name: `*.w` [in, out], `*.b`, norms' `*.g`
 * and `*.b`. Self-attention has one product `qkv` [D, 3HW]; cross-attention `q` [D, HW] and `kv` [D, 2HW],
 * because these multiply different inputs. AdamW and the global norm do not depend on the layout.
 */
export function peerParameters({ config: c, weights }: GoldenCase): Record<string, PeerTensor> {
  const p: Record<string, PeerTensor> = {};
  const inner = c.heads * c.headWidth;
  const stored = (name: string): PeerTensor => tensorOf(weights[name] as Tensor);
  const linear = (to: string, w: PeerTensor, b?: PeerTensor) => {
    const [rows = 0, cols = 0] = w.shape;
    p[`${to}.w`] = { shape: [cols, rows], data: transposed(w.data, rows, cols) };
    if (b) p[`${to}.b`] = b;
  };
  const norm = (to: string, from: string) => {
    p[`${to}.g`] = stored(`${from}.weight`);
    p[`${to}.b`] = stored(`${from}.bias`);
  };
  p.srcEmbed = stored('src_embed.weight');
  if (c.tie !== 'all') p.tgtEmbed = stored('tgt_embed.weight');
  if (c.positions === 'learned') {
    p.srcPos = stored('src_pos.weight');
    p.tgtPos = stored('tgt_pos.weight');
  }
  for (const [stack, layers] of [
    ['encoder', c.encoderLayers],
    ['decoder', c.decoderLayers],
  ] as const) {
    for (let i = 0; i < layers; i++) {
      const from = `transformer.${stack}.layers.${i}`;
      const to = `${stack}.${i}`;
      const layer = (name: string) => stored(`${from}.${name}`);
      linear(`${to}.self.qkv`, layer('self_attn.in_proj_weight'), layer('self_attn.in_proj_bias'));
      linear(`${to}.self.out`, layer('self_attn.out_proj.weight'), layer('self_attn.out_proj.bias'));
      if (stack === 'decoder') {
        const w = layer('multihead_attn.in_proj_weight');
        const b = layer('multihead_attn.in_proj_bias');
        linear(`${to}.cross.q`, rows(w, 0, inner), rows(b, 0, inner));
        linear(`${to}.cross.kv`, rows(w, inner, 3 * inner), rows(b, inner, 3 * inner));
        linear(
          `${to}.cross.out`,
          layer('multihead_attn.out_proj.weight'),
          layer('multihead_attn.out_proj.bias'),
        );
        norm(`${to}.norm3`, `${from}.norm3`);
      }
      linear(`${to}.ff1`, layer('linear1.weight'), layer('linear1.bias'));
      linear(`${to}.ff2`, layer('linear2.weight'), layer('linear2.bias'));
      norm(`${to}.norm1`, `${from}.norm1`);
      norm(`${to}.norm2`, `${from}.norm2`);
    }
    if (c.finalNorm) norm(`${stack}.norm`, `transformer.${stack}.norm`);
  }
  const bias = c.outputBias ? stored('generator.bias') : undefined;
  if (c.tie === 'none') linear('generator', stored('generator.weight'), bias);
  else if (bias) p['generator.b'] = bias; // the weight is the tied table
  return p;
}

/** Sizes of a case's batch: rows, source length, target length. */
export const sizesOf = ({ source, targetIn }: GoldenCase): { B: number; S: number; T: number } => ({
  B: source.shape[0] as number,
  S: source.shape[1] as number,
  T: targetIn.shape[1] as number,
});
