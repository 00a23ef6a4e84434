// Guided alignment in the graph of a training: the loss of word alignments on a head of the last cross-attention.

import { HeddleError } from '../../../core/errors.ts';
import { msg, option } from '../../../core/message.ts';
import { crossAttentionOp } from '../../../engine/ops/attention/attention.ts';
import { guidedAlignment, wordsOfLinks } from '../../../engine/ops/attention/guided-alignment.ts';
import { tokenStats } from '../../../engine/ops/loss/cross-entropy.ts';
import type { Value } from '../../../engine/ops/op.ts';
import type { LossPart } from '../../../model/loss-part.ts';

/** Name of the part in the log. */
const name = 'alignmentLoss';

/**
 * The loss of guided alignment, times `weight`: the input `links` u32 [B,T,ceil(S / 32)] guides the head `alignmentHead`
 * of the configuration.
 */
export const guidedLoss = (weight: number): LossPart => ({
  name,
  add({ graph, config }, labels, step) {
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
      graph.output(name, tokenStats(graph, loss, loss, labels));
      return loss;
    });
  },
});
