// The model families of Hugging Face that heddle reads and writes.

/** Hugging Face model families that heddle reads and writes, by the `model_type` of config.json. */
export const hfTypes = ['bart', 'marian', 'mbart', 'm2m_100', 'pegasus', 't5', 'mt5'] as const;
/** A supported `model_type`. */
export type HfType = (typeof hfTypes)[number];
