// The layers of the encoder-decoder, over the operations of a peer: TensorFlow.js or jax-js.

/**
 * Runs encoder and decoder. `ops` are functions of the library: `embed(side)`, `norm(x, at)`, `residual(x,
 * at, block)`, `selfAttention(x, at, side)`, `crossAttention(x, memory, at)` and `feedForward(x, at)`; `at`
 * is the name of the parameters, `side` is `source` or `target`. Returns the output of the encoder and of the
 * decoder, [B * S, D] and [B * T, D].
 */
export function encodeDecode(c, { embed, norm, residual, selfAttention, crossAttention, feedForward }) {
  let memory = embed('source');
  for (let i = 0; i < c.encoderLayers; i++) {
    const at = `encoder.${i}`;
    memory = residual(memory, `${at}.norm1`, (x) => selfAttention(x, `${at}.self`, 'source'));
    memory = residual(memory, `${at}.norm2`, (x) => feedForward(x, at));
  }
  if (c.finalNorm) memory = norm(memory, 'encoder.norm');
  let y = embed('target');
  for (let i = 0; i < c.decoderLayers; i++) {
    const at = `decoder.${i}`;
    y = residual(y, `${at}.norm1`, (x) => selfAttention(x, `${at}.self`, 'target'));
    y = residual(y, `${at}.norm2`, (x) => crossAttention(x, memory, `${at}.cross`));
    y = residual(y, `${at}.norm3`, (x) => feedForward(x, at));
  }
  return { memory, y: c.finalNorm ? norm(y, 'decoder.norm') : y };
}
