// Imports from the main house into a guest that are still to be turned round by a seam. The list only shrinks.
export const guestEdges: readonly string[] = [
  'src/api/model-programs.ts imports src/features/pytorch/take-away/take-away-files.ts',
  'src/api/model.ts imports src/features/speech/decode/transcribe-options.ts',
  'src/api/model.ts imports src/features/speech/read-image.ts',
  'src/api/model.ts imports src/features/speech/transcribe-speech.ts',
  'src/decode/translator.ts imports src/features/speech/decode/speech-facts.ts',
  'src/formats/hf/hf-config.ts imports src/features/speech/whisper-config.ts',
  'src/formats/hf/load-hf.ts imports src/features/speech/whisper-config.ts',
  'src/formats/hf/to-hf-config.ts imports src/features/speech/whisper-config.ts',
  'src/text/corpus/pair-blocks.ts imports src/features/documents/pairs/pair-readers.ts',
  'src/text/corpus/pair-files.ts imports src/features/documents/pairs/pair-readers.ts',
  'src/text/corpus/tsv.ts imports src/features/documents/pairs/pair-readers.ts',
  'src/text/corpus/write-tmx.ts imports src/features/documents/inline/placeholders.ts',
  'src/text/text-tasks.ts imports src/features/corpora/align/lexicon.ts',
  'src/text/text-tasks.ts imports src/features/corpora/batches/drawn-rows.ts',
  'src/text/text-tasks.ts imports src/features/corpora/clean/clean-block.ts',
];
