/** URL of the default hub. */
export const defaultHub = 'https://huggingface.co';
