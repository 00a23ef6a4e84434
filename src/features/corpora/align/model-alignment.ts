// Word alignments of given pairs by the cross-attention of a model (forced decoding), and the error of alignments.

import { openFolder } from '../../../api/load-model.ts';
import { HeddleError } from '../../../core/errors.ts';
import { wordAlignment } from '../../../decode/word-alignment.ts';
import type { WordLinks } from '../../../decode/word-links.ts';
import type { Session } from '../../../session/session.ts';
import type { Pair } from '../../../text/corpus/pairs.ts';

/** Aligns pairs; a pair that is empty or too long has no links. */
interface ModelAligner {
  align(pair: Pair): Promise<WordLinks>;
  dispose(): void;
}

/**
 * Opens the model of a folder as an aligner: by the head that guided alignment trained, or else by the attention that
 * `wordAlignment` states.
 */
export async function openModelAligner(folder: string, session: Session): Promise<ModelAligner> {
  const model = await openFolder(folder, session);
  if (model.config.source === 'frames')
    throw new HeddleError('the model reads frames; only texts have words to align', { area: folder });
  const { source: from, target: to } = model.tokenizers;
  const { decoderLayers: layers, decoderHeads: heads, alignmentHead, maxLength, endId } = model.config;
  return {
    async align({ source, target }) {
      const [own, ids] = [[...from.encode(source), endId], to.encode(target)];
      if (own.length < 2 || ids.length === 0 || Math.max(own.length, ids.length + 1) > maxLength) return [];
      const { attention } = await model.inspect(source, { target: ids });
      const cross = attention.filter(({ kind }) => kind === 'cross').map(({ weights }) => weights);
      const weights = new Float32Array(cross.reduce((n, { length }) => n + length, 0));
      let at = 0;
      for (const map of cross) {
        weights.set(map, at);
        at += map.length;
      }
      const found = { source: own, target: [...ids, endId], layers, heads, weights };
      return wordAlignment(from, to, source, { ids, text: target }, found, alignmentHead);
    },
    dispose: () => model.dispose(),
  };
}

/** Counts of links, for the alignment error rate. */
export class AlignmentError {
  #found = 0;
  #wanted = 0;
  #both = 0;

  /** Adds a pair: its links, and those that are right. */
  add(found: WordLinks, wanted: WordLinks): void {
    const keys = new Set(wanted.map((link) => link.join('-')));
    this.#found += found.length;
    this.#wanted += keys.size;
    this.#both += found.filter((link) => keys.has(link.join('-'))).length;
  }

  /** 1 - 2 |A ∩ G| / (|A| + |G|) (Och and Ney, 2003, with all links of G sure); 0 without links. */
  get rate(): number {
    const all = this.#found + this.#wanted;
    return all === 0 ? 0 : 1 - (2 * this.#both) / all;
  }
}
