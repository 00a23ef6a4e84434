// Names of the model formats. This file imports nothing, so that a page can list the formats without loading
// their code.

/** Hugging Face model families that heddle reads and writes, by the `model_type` of config.json. */
export const hfTypes = ['bart', 'marian', 'mbart', 'm2m_100', 'pegasus', 't5', 'mt5', 'whisper'] as const;
/** A supported `model_type`. */
export type HfType = (typeof hfTypes)[number];

/** Marian's own files, as .npz or .bin, and those of Firefox, with int8 matrices. */
export const marianFormats = ['marian-npz', 'marian-bin', 'firefox'] as const;
/** Name of one of them. */
export type MarianFormat = (typeof marianFormats)[number];

/** Formats that heddle writes. It reads all of them but `onnx`, which is for transformers.js. */
export const modelFormats = ['heddle', ...hfTypes, 'pytorch', 'keras', 'onnx', ...marianFormats] as const;
/** Name of a model format. */
export type ModelFormat = (typeof modelFormats)[number];
