// The cross-attention of a window of speech over time, and how probable its tokens are: a forward pass over its frames
// with the decoded tokens.

import { Memo } from '../../../core/memo.ts';
import { Inspector } from '../../../decode/inspector.ts';
import type { TextModel } from '../../../decode/translator.ts';
import type { Engine } from '../../../engine/engine.ts';
import type { ParameterList } from '../../../model/parameter-layout.ts';
import { tokenLabel } from '../../../text/tokenizers/tokenizer.ts';
import { frames as frameSource } from '../frame-source.ts';
import { speechOf } from './frame-facts.ts';
import { firstStampOf, stampSeconds } from './speech-facts.ts';
import type { SpeechAttention } from './transcribe-options.ts';

/** A window: its tokens and the time of its speech, in seconds. */
interface AlignedWindow {
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
  readonly offset: number;
  readonly duration: number;
}

/** Computes cross-attention with a plan for each length of a text. */
export class SpeechAligner {
  readonly #engine: Engine;
  readonly #model: TextModel;
  readonly #parameters: ParameterList;
  readonly #upload: (peak: number) => Promise<void>;
  readonly #inspectors = new Memo<number, Inspector>();

  constructor(
    engine: Engine,
    model: TextModel,
    parameters: ParameterList,
    upload: (peak: number) => Promise<void>,
  ) {
    this.#engine = engine;
    this.#model = model;
    this.#parameters = parameters;
    this.#upload = upload;
  }

  /** The attention of a window with its frames. */
  async align(frames: Float32Array, window: AlignedWindow): Promise<SpeechAttention> {
    const { config: c, target } = this.#model;
    const speech = speechOf(this.#model);
    const read = [...window.prompt, ...window.ids].slice(0, c.maxLength);
    const size = Math.min(c.maxLength, 32 * Math.ceil(read.length / 32));
    const inspector = await this.#inspectors.get(size, () =>
      Inspector.open(this.#engine, c, this.#parameters, {
        source: frameSource.maxLength(c),
        target: size,
        crossOnly: true,
        withLogits: true,
      }),
    );
    await this.#upload(inspector.peak);
    const { attention, logits } = await inspector.inspect(frames, read.slice(1), read[0]);
    // The row before a token predicts it; the last row predicts the end.
    const skipped = window.prompt.length - 1;
    const rows = read.length - skipped;
    const keys = attention[0]?.keys ?? 0;
    const positions = Math.min(keys, Math.max(1, Math.ceil(window.duration / stampSeconds)));
    const [layers, heads] = [attention.length, c.decoderHeads];
    const weights = new Float32Array(layers * heads * rows * positions);
    let at = 0;
    for (const map of attention)
      for (let h = 0; h < heads; h++)
        for (let t = skipped; t < read.length; t++, at += positions) {
          const from = (h * map.queries + t) * keys;
          weights.set(map.weights.subarray(from, from + positions), at);
        }
    const first = (speech && firstStampOf(speech)) ?? Number.POSITIVE_INFINITY;
    const label = (id: number) =>
      id >= first ? `${((id - first) * stampSeconds).toFixed(2)} s` : tokenLabel(target, id);
    const ids = [...read.slice(skipped + 1), c.endId];
    const logProbs = Float32Array.from(ids, (id, t) => {
      const row = logits.subarray((skipped + t) * c.tgtVocab, (skipped + t + 1) * c.tgtVocab);
      const max = row.reduce((a, b) => Math.max(a, b));
      return (row[id] as number) - max - Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0));
    });
    const tokens = ids.map(label);
    return { start: window.offset, step: stampSeconds, tokens, logProbs, layers, heads, positions, weights };
  }
}
