// The help texts of the flags of decoding. Generated from src/decode/decode-fields.ts by `npx vitest run -u
// tests/decode/decode-options.test.ts`: change the table, not this file.

/** The help texts of the flags of decoding. */
export const decodeHelp = {
  method: {
    help: 'how tokens are chosen: the most probable one, beam search, or sampling',
    defaultText: '`beam` if `beams` is above 1, else `greedy`',
  },
  beams: {
    help: 'number of beams, 1 to 64',
    defaultText: '1, greedy decoding; 4 if the method is `beam`',
  },
  numReturn: {
    help: 'number of translations to return per text: the best beams, or independent samples',
    defaultText: '1',
  },
  lengthPenalty: {
    help: 'divide beam scores by length^A (power:A, as length_penalty of transformers), ((5 + length) / 6)^A (a number A, as in GNMT), length (average) or 1 (none)',
    defaultText: 'average',
  },
  earlyStopping: {
    help: "when beam search stops: `true`: as soon as as many hypotheses as beams are finished; `false`: when no running hypothesis would score better if it ended now; `'never'` (library only): when none can become better; `'shrink'` (library only): when none runs; each finished hypothesis takes the place of a beam (Marian)",
    defaultText: 'false',
  },
  wordPenalty: {
    help: 'subtract this for each token, the end included, before the length penalty',
    defaultText: 'that of the model',
  },
  temperature: {
    help: 'divisor of the logits in sampling',
    defaultText: '1',
  },
  topK: {
    help: 'sample from the n most probable tokens, ties included (0: all tokens, 1: greedy)',
    defaultText: '0',
  },
  topP: {
    help: 'sample from the smallest set of most probable tokens with at least this total probability',
    defaultText: '1',
  },
  seed: {
    help: 'seed of sampling; the same seed gives the same tokens, for any batch',
    defaultText: '0',
  },
  firstText: {
    help: 'index of the first text in a list that is translated in parts: its samples are those of the whole list',
    defaultText: '0',
  },
  minNewTokens: {
    help: 'minimum number of generated tokens, without the end token',
    defaultText: 'that of the model',
  },
  maxNewTokens: {
    help: 'maximum number of generated tokens, with the end token; at most that of the model',
    defaultText: 'that of the model',
  },
  maxLengthFactor: {
    help: 'maximum number of generated tokens, with the end token, for each source token, with the end token (0: no such limit)',
    defaultText: 'that of the model',
  },
  forceEos: {
    help: "whether to force the end token at the maximum length, as BART's forced_eos_token_id does; otherwise the text is cut there",
    defaultText: 'that of the model',
  },
  noRepeatNgramSize: {
    help: 'do not repeat sequences of n tokens (0: off)',
    defaultText: 'that of the model',
  },
  decoderStartTokenId: {
    help: 'id of the token that the decoder reads first (-1: none)',
    defaultText: 'the start token of the model',
  },
  forcedBosTokenId: {
    help: 'id of the first generated token',
    defaultText: 'that of the model',
  },
  suppressTokens: {
    help: 'ids of tokens that are never generated, with those of the model',
    defaultText: 'none',
  },
  badWordsIds: {
    help: 'token sequences that are never generated, with those of the model, as bad_words_ids of transformers',
    defaultText: 'none',
  },
  cacheType: {
    help: 'storage of the KV cache and of the keys and values of the source: f16 takes half the memory and rounds them to 11 bits; a model whose head width 4 does not divide keeps f32',
    defaultText: 'f32',
  },
} as const;
