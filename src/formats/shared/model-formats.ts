// Names of the formats of whole models. They are apart from the code of the formats, which a page loads when it uses one.

/** The families of Hugging Face's models that heddle reads and writes: the values of `model_type`. */
export const hfTypes = ['bart', 'marian', 'mbart', 'm2m_100', 'pegasus', 't5', 'mt5'] as const;
/** A supported `model_type`. */
export type HfType = (typeof hfTypes)[number];

/**
 * Formats of a whole model: heddle's, those of Hugging Face's families, PyTorch's nn.Transformer, the Keras example's,
 * and ONNX for transformers.js, which heddle does not read.
 */
export const modelFormats = ['heddle', ...hfTypes, 'pytorch', 'keras', 'onnx'] as const;
/** Name of a format. */
export type ModelFormat = (typeof modelFormats)[number];
