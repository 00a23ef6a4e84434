// Operations that the jax-js model and its kernels share.
import { numpy as np } from '@jax-js/jax';

/** Layer norm over the last axis, scaled by `gain`, shifted by `bias`. Consumes its arrays. */
export function layerNorm(x, gain, bias, eps) {
  const centred = x.ref.sub(x.mean(-1, { keepdims: true }));
  const variance = np.square(centred.ref).mean(-1, { keepdims: true });
  return centred
    .div(np.sqrt(variance.add(eps)))
    .mul(gain)
    .add(bias);
}
