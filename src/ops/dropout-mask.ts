// The attributes of dropout, and the fields that kernels take of them.

/** `rate`: probability of a zero. `site`: number of this dropout in the model, so that each has its own mask. */
export type DropoutAttrs = { readonly rate: number; readonly site: number };

/** The fields of Params of every kernel with dropout: elements whose random bits are below the threshold are zero. */
export const dropoutFields = ({ rate, site }: DropoutAttrs): Record<'site' | 'threshold' | 'keep_scale', number> => ({
  site,
  threshold: Math.min(0xffffffff, Math.floor(rate * 2 ** 32)),
  keep_scale: rate < 1 ? 1 / (1 - rate) : 0,
});
