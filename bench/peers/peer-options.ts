// Implementation variants of the peers. All were timed; the default is the fastest, or within noise of it.
// `--set` selects another one.

/** Values of each option by peer, the default first. A number means any integer above 0. */
export const peerOptions: Readonly<
  Record<'tfjs' | 'jax', Readonly<Record<string, readonly string[] | number>>>
> = {
  tfjs: {
    linear: ['custom', 'fused'], // linearOp; tf.fused.matMul and its own gradient
    dx: ['transpose', 'flag'], // dY · Wᵀ: W first, then A · B; matMul's transposeB
    columnSum: ['matmul', 'sum'], // gradients of biases and norms: ones · x; tf.sum(x, 0), which transposes first
    embedding: ['custom', 'gather'], // gradient by tf.scatterND; tf.gather's own: a segment sum between two transposes
    norm: ['custom', 'auto'],
    loss: ['custom', 'auto'], // sparse; tf.logSoftmax and tf.oneHot
    optimizer: ['auto', 'each', 'flat', 'train.adam'], // auto: `flat` below 3 million parameters; see tfjs-optimizers.mjs
    submitBatch: 15, // WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE, the library's default
  },
  // On `small` these differ by less than the noise, so the defaults are the simplest variants.
  jax: {
    attention: ['library', 'matmul'], // nn.dotProductAttention; heads moved forward, np.matmul, nn.softmax
    qkv: ['one', 'apart'], // one product, then split; a product for each slice of the weight
    norm: ['two', 'one'], // the sum of squares in two stages (rows, then those); in one
    step: ['whole', 'apart'], // one jit; gradients and update as two
  },
};

/** Default options of a peer. */
export const defaultsOf = (peer: keyof typeof peerOptions): Record<string, string | number> =>
  Object.fromEntries(
    Object.entries(peerOptions[peer]).map(([key, values]) => [
      key,
      typeof values === 'number' ? values : `${values[0]}`,
    ]),
  );
