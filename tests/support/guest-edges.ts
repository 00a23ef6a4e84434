// Imports from the main house into a guest that are still to be turned round by a seam. The list only shrinks.
export const guestEdges: readonly string[] = [
  'src/decode/translator.ts imports src/features/speech/decode/speech-facts.ts',
  'src/formats/hf/hf-config.ts imports src/features/speech/whisper-config.ts',
  'src/formats/hf/load-hf.ts imports src/features/speech/whisper-config.ts',
  'src/formats/hf/to-hf-config.ts imports src/features/speech/whisper-config.ts',
];
