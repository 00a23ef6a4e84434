// The sources of a training that are texts.

import { decodeSettings, modeOf, withModelRules } from '../../decode/decode-options.ts';
import { decoderGraphs } from '../../decode/decoder.ts';
import { Translator } from '../../decode/translator.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import type {
  DecodedRows,
  ModelToEncodeFor,
  PlannedDecoder,
  RowDecoder,
  TrainingSource,
} from '../../session/training-source.ts';
import {
  type EncodedCorpus,
  type EncodeOptions,
  encodePairs,
  joinEncoded,
} from '../../text/batches/encoded-corpus.ts';
import { chunksOf } from '../../text/corpus/packed-pairs.ts';
import { type Fingerprint, type PairList, sampleEvenly } from '../../text/corpus/pairs.ts';
import type { TextPool } from '../../text/text-pool.ts';
import { areCopied, encodeTask, hashTask, tokenizerData } from '../../text/text-tasks.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';

/** Texts: the corpus reads them, tokenizers encode them, and a translator decodes them. */
class TextSource implements TrainingSource {
  readonly isText = true;

  /** The corpus reads the texts. */
  async read(): Promise<undefined> {
    return undefined;
  }

  async fingerprint(pairs: PairList, pool: TextPool): Promise<Fingerprint> {
    const [hashed] = await pool.run({ task: hashTask, args: undefined, chunks: chunksOf(pairs), threads: 1 });
    return hashed as Fingerprint;
  }

  async encode(
    pairs: PairList,
    { source, target }: ModelToEncodeFor,
    limits: EncodeOptions,
    pool?: TextPool,
  ): Promise<EncodedCorpus> {
    return pool
      ? encodeInPool(pairs, source, target, limits, pool)
      : encodePairs([...pairs], source, target, limits);
  }

  openDecoder({ engine, model, parameters, corpus, rows, shape }: DecodedRows): RowDecoder {
    const { starts, ids } = corpus.source;
    const translator = new Translator(engine, model, { parameters, shape });
    const sources = rows.map((row) => ids.subarray(starts[row], starts[row + 1]));
    return async (signal) => {
      const found = await translator.decode(sources, { signal });
      return found.map(([best]) => best?.text ?? '');
    };
  }

  decoderGraphs({ model, parameters, shape }: PlannedDecoder): readonly Graph[] {
    const { batch, maxSource: source, maxTarget: target } = shape;
    const options = withModelRules(model.decode ?? {}, {}, target);
    const settings = decodeSettings(options, model.config, target);
    const sizes = { batch, beams: settings.rows, source, target, cacheType: settings.cacheType };
    return decoderGraphs(model.config, parameters, sizes, modeOf(settings)).graphs;
  }
}

/** The sources of a training that are texts. */
export const textSource: TrainingSource = new TextSource();

/**
 * Encodes pairs in the threads of a pool, or in this thread if copies of the tokenizers would give other ids.
 */
async function encodeInPool(
  pairs: PairList,
  source: Tokenizer,
  target: Tokenizer,
  options: EncodeOptions,
  pool: TextPool,
): Promise<EncodedCorpus> {
  const parallel = pool.parallel && (await areCopied(source, target, sampleEvenly(pairs, 50)));
  const data = parallel ? tokenizerData(source) : source;
  const parts: EncodedCorpus[] = [];
  let done = 0;
  await pool.run({
    task: encodeTask,
    args: {
      source: data,
      target: target === source ? data : parallel ? tokenizerData(target) : target,
      options,
    },
    chunks: chunksOf(pairs),
    progress: () => ({ task: 'encode', done, total: pairs.length }),
    onPart(part, index, { length }) {
      parts[index] = part;
      done += length;
    },
    threads: parallel ? undefined : 0,
  });
  return joinEncoded(parts);
}
