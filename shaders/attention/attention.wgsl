// Attention by tiles in workgroup memory, for GPUs (FlashAttention, Dao et al., 2022):
//   out = dropout(p)·v,  p = softmax(scale·q·kᵀ), and its gradients (attention-backward.wgsl)
// A workgroup computes ROWS queries and iterates over the keys in tiles of 32 with an online softmax: when a
// tile raises the maximum of a row, the sum and the output so far are rescaled. Probabilities pass from the
// threads that compute them to those that need them through workgroup memory (attention-tiles.wgsl).
@if(shuffle) enable subgroups;
// include attention/attention-base.wgsl
// include attention/attention-own-rows.wgsl
// include attention/attention-places.wgsl
// include attention/attention-tiles.wgsl
// include attention/attention-backward.wgsl
// include attention/attention-together.wgsl
// include attention/attention-bias-gradient.wgsl

@compute @workgroup_size(THREADS)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let b = group.z;
  let h = group.y;
  let first = group.x * ROWS;
  let length = length_of(b);
  let end = seen_by(first + ROWS - 1u, length);
  let key = dropout_key(step.seed, step.step, params.site);
  let down = min(thread, THREADS - 1u) / ACROSS;
  let across = thread % ACROSS;
  let rows = rows_from(first + down * OWN);
  let seen = select(Indices(length), min(Indices(length), rows + 1u), params.causal != 0u);
  let own = own_places_queries(b, h, 0u, first, params.queries, thread);
  var o: Output;
  var top = Numbers(MASKED);
  var total = Numbers(0.0);
  let tiles = (end + 31u) / 32u;
  for (var tile = 0u; tile < MAX_TILES; tile++) {
    if (tile == tiles) { break; }
    let j = tile * 32u;
    let other = other_place_kv(b, h, params.k_column, j, end, thread);
    var s = Scores();
    for (var slice = 0u; slice < MAX_TILES; slice++) {
      if (slice == params.slices) { break; }
      stage_own_queries(own, slice, thread);
      stage_other_kv(other, slice, thread);
      add_products(&s, thread);
    }
    var m = top;
    for (var n = 0u; n < SCORES; n++) {
      let column = j + across + n * ACROSS;
      s[n] = row_biased(s[n] * (params.scale * LOG2_E), h, rows, Indices(column));
      s[n] = select(Numbers(MASKED), s[n], Indices(column) < seen);
      m = max(m, s[n]);
    }
    m = across_max(m, thread);
    let rescale = exp2(top - m);
    top = m;
    total *= rescale;
    for (var n = 0u; n < SCORES; n++) {
      // The first key of a row is in its first tile, so m is a score, and exp2 of a masked one is 0.
      var p = exp2(s[n] - m);
      total += p;
      if (DROPOUT) { p *= row_factors(key, row_at(b, rows.x, h) * params.keys + j + across + n * ACROSS, params.keys); }
      weights[weight_at(n, thread)] = p;
    }
    for (var r = 0u; r < CHUNKS_PER_THREAD; r++) {
      o[r] = scaled(o[r], rescale);
    }
    for (var part = 0u; part < 32u / SHARE; part++) {
      stage_kv(b, h, params.v_column, j + part * SHARE, end, thread);
      add_rows(&o, part, thread);
    }
  }
  total = across_sum(total, thread);
  for (var r = 0u; r < OWN; r++) {
    if (rows[r] < params.queries) {
      let scale = select(0.0, 1.0 / total[r], end > 0u);
      for (var m = 0u; m < CHUNKS_PER_THREAD; m++) {
        let c = across + m * ACROSS;
        if (c < CHUNKS) { store_out(out_at(b, rows[r], h), c, o[m][r] * scale); }
      }
      if (across == 0u) {
        lse[row_at(b, rows[r], h)] = select(0.0, (top[r] + log2(total[r])) * LN_2, end > 0u);
      }
    }
  }
}
