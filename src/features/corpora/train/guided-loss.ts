// Guided alignment in the graph of a training: the loss of word alignments on a head of the last cross-attention. Only
// trainings with alignments load this file.

import { HeddleError } from '../../../core/errors.ts';
import { msg, option } from '../../../core/message.ts';
import { crossAttentionOp } from '../../../engine/ops/attention/attention.ts';
import { guidedAlignment, wordsOfLinks } from '../../../engine/ops/attention/guided-alignment.ts';
import { tokenStats } from '../../../engine/ops/loss/cross-entropy.ts';
import type { Value } from '../../../engine/ops/op.ts';
import type { GraphOptions } from '../../../train/update/training-graphs.ts';

/**
 * The option `addLoss` of graphs: the input `links` u32 [B,T,ceil(S / 32)] guides the head `alignmentHead` of the
 * configuration. The output `alignment` is [4]: the sum of the losses, then as `stats`.
 */
export const guidedLoss =
  (weight: number): NonNullable<GraphOptions['addLoss']> =>
  ({ graph, config }, labels, step) => {
    const { decoderHeads: heads, decoderHeadWidth: headWidth, attentionScale, alignmentHead: head } = config;
    const last = graph.nodes.findLast(({ op }) => op === crossAttentionOp);
    if (!last)
      throw new HeddleError(msg`${option('guidedAlignment')} needs a decoder with cross-attention`, {
        area: 'train',
      });
    const [q, kv, lens] = last.inputs as [Value, Value, Value];
    const [[B = 0, T = 0], [, S = 0]] = [q.shape, kv.shape];
    return graph.scope('loss', () => {
      const links = graph.input('links', 'u32', [B, T, wordsOfLinks(S)]);
      const attrs = { heads, headWidth, scale: attentionScale ? undefined : 1, head, weight };
      const loss = guidedAlignment(graph, { q, kv, lens, links, step }, attrs);
      graph.output('alignment', tokenStats(graph, loss, loss, labels));
      return loss;
    });
  };
