// Names of the files of a Hugging Face folder, which loading, saving and downloads share.

/** Names of the weight files of a Hugging Face folder. */
export const weightNames = { whole: 'model.safetensors', index: 'model.safetensors.index.json' } as const;

/** Names of the tokenizer files of a Hugging Face folder, in the order in which they are read. */
export const tokenizerFileNames = {
  json: 'tokenizer.json',
  config: 'tokenizer_config.json',
  roles: 'special_tokens_map.json',
  added: 'added_tokens.json',
  source: 'source.spm',
  target: 'target.spm',
  vocab: 'vocab.json',
  targetVocab: 'target_vocab.json',
  merges: 'merges.txt',
  t5: 'spiece.model',
  fairseq: 'sentencepiece.bpe.model',
  ownSource: 'source-tokenizer.json',
  ownTarget: 'target-tokenizer.json',
} as const;
