"""A float64 twin of a training: the same updates from the same start on the same batches, written without heddle's code.

    python3 twin.py CASE.json...

PyTorch is only a library of tensors and gradients: the model, its losses, dropout masks, optimizers and schedules are written
here from their definitions. A case is what record-training.ts writes. Prints a JSON line for each case:
{"compared": [{"quantity", "error", "limit"}]}.
"""
import json
import math
import os
import re
import sys

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

U32 = np.uint64(0xFFFFFFFF)


# Dropout masks: Philox 2x32-10 for the key of a site, PCG for an element.

def philox(c0, c1, key):
    for _ in range(10):
        product = 0xD256D193 * c0
        c0, c1 = (product >> 32) ^ key ^ c1, product & 0xFFFFFFFF
        key = (key + 0x9E3779B9) & 0xFFFFFFFF
    return c0


def pcg(x):
    state = (x * np.uint64(747796405) + np.uint64(2891336453)) & U32
    word = (((state >> ((state >> np.uint64(28)) + np.uint64(4))) ^ state) * np.uint64(277803737)) & U32
    return (word >> np.uint64(22)) ^ word


def dropout_mask(shape, rate, site, step, seed):
    key = np.uint64(philox(step, site, seed))
    i = np.arange(int(np.prod(shape)), dtype=np.uint64)
    kept = pcg((pcg(i) + key) & U32) >= np.uint64(min(0xFFFFFFFF, math.floor(rate * 2**32)))
    return torch.from_numpy((kept / (1 - rate)).reshape(shape))


# The model.

ACTIVATIONS = {
    "relu": torch.relu,  # the gradient at 0 is 0
    "gelu": lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))),
    "gelu-tanh": lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "silu": lambda x: x * torch.sigmoid(x),
    "quick-gelu": lambda x: x * torch.sigmoid(1.702 * x),
}


def position_table(c):
    """Fixed positions [rows, D], or None."""
    D, kind = c["dModel"], c["positions"]
    rows = max(c["maxLength"], c["maxSource"])
    table = np.zeros((rows + max(0, c["padId"]) + 1, D))
    p = np.arange(table.shape[0])[:, None]
    if kind in ("sinusoidal", "sinusoidal-halves"):
        pairs = np.arange((D + 1) // 2)
        angle = p / 10000 ** (2 * pairs / D)
        sines, cosines = np.sin(angle), np.cos(angle)[:, : D // 2]
        if kind == "sinusoidal":
            table[:, 0::2], table[:, 1::2] = sines, cosines
        else:
            table = np.concatenate([sines, cosines], 1)
    elif kind == "marian-sinusoidal":
        steps = D / 2 - 1 or 1
        angle = lambda n: p / 10000 ** (np.arange(n) / steps)
        table[:, D // 2 :] = np.cos(angle(D - D // 2))
        table[:, : math.ceil(D / 2)] = np.sin(angle(math.ceil(D / 2)))
    elif kind == "fairseq-sinusoidal":
        h = D // 2
        angle = p / 10000 ** (np.arange(h) / max(1, h - 1))
        table[:, :h], table[:, h : 2 * h] = np.sin(angle), np.cos(angle)
        table[c["padId"]] = 0
    else:
        return None
    return torch.from_numpy(table.astype(np.float32).astype(np.float64))


def bucket(distance, buckets, most, both):
    """T5's bucket of a key `distance` positions after the query."""
    n, first = buckets, 0
    if both:
        n = buckets // 2
        first = n if distance > 0 else 0
        distance = abs(distance)
    else:
        distance = max(0, -distance)
    exact = n // 2
    if distance < exact:
        return first + distance
    share = math.log(distance / exact) / math.log(most / exact) * (n - exact)
    return first + min(n - 1, exact + math.floor(share + 1e-9))


class Model:
    """A forward pass on a padded batch. `weights`: tensors by name. `rates`: dropout, None without."""

    def __init__(self, case, weights, lora=None, rates=None, step=0, quantized=()):
        self.c, self.w, self.lora, self.rates, self.step = case["config"], weights, lora, rates, step
        self.case, self.quantized, self.site = case, quantized, 0
        self.seed = case["seed"]

    def drop(self, x, place):
        rate = self.rates[place] if self.rates else 0
        return self.masked(x, rate) if rate > 0 else x

    def masked(self, x, rate):
        self.site += 1
        return x * dropout_mask(tuple(x.shape), rate, self.site - 1, self.step, self.seed)

    def linear(self, x, name, bias):
        y = x @ self.w[name].T
        if bias in self.w:
            y = y + self.w[bias]
        for target in self.lora["layers"].get(name, []) if self.lora else []:
            rate = self.lora["dropout"] if self.rates is not None else 0
            inner = self.masked(x, rate) if rate > 0 else x
            update = self.lora["scale"] * (inner @ target["A"].T) @ target["B"].T
            first = target["row"]
            y = torch.cat([y[..., :first], y[..., first : first + update.shape[-1]] + update, y[..., first + update.shape[-1] :]], -1)
        return y

    def norm(self, x, name):
        eps, gamma = self.c["layerNormEps"], self.w[f"{name}.weight"]
        if self.c["normType"] == "rms":
            return x / torch.sqrt((x**2).mean(-1, keepdim=True) + eps) * gamma
        d = x - x.mean(-1, keepdim=True)
        return d / torch.sqrt((d**2).mean(-1, keepdim=True) + eps) * gamma + self.w[f"{name}.bias"]

    def embed(self, side, ids):
        c, D = self.c, self.c["dModel"]
        shared = c["tie"] in ("all", "embeddings")
        name = "src_embed.weight" if side == "src" or shared else "tgt_embed.weight"
        table = self.w[name]
        rows = table[ids.clamp(min=0)] * (ids >= 0)[..., None]
        if not c["trainPadding"] and c["padId"] >= 0:
            padding = (ids == c["padId"])[..., None]
            rows = torch.where(padding, rows.detach(), rows)
        x = rows * (math.sqrt(D) if c["scaleEmbedding"] else 1)
        length = ids.shape[1]
        table = position_table(c)
        if c["positions"] == "learned":
            x = x + self.w[f"{side}_pos.weight"][c["positionOffset"] : c["positionOffset"] + length]
        elif c["positions"] == "fairseq-sinusoidal":
            real = (ids != c["padId"]).long()
            x = x + table[torch.cumsum(real, 1) * real + c["padId"]]
        elif table is not None:
            x = x + table[:length]
        if name not in self.quantized and not c["embeddingNorm"]:
            if not (self.rates and self.rates["embedding"] > 0):
                self.site += 1  # the site is taken without a mask, too
                return x
            return self.drop(x, "embedding")
        if c["embeddingNorm"]:
            x = self.norm(x, f"{side}_embed_norm")
        return self.drop(x, "embedding")

    def frames(self, batch):
        """What the encoder reads of frames [B, T, C]."""
        c, x = self.c, torch.tensor(batch["frames"]).reshape(batch["framesShape"])
        if c["stem"] == "linear":
            x = x @ self.w["stem.linear.weight"].T + self.w["stem.linear.bias"]
        elif c["stem"] == "conv":
            for name, stride in (("conv1", 1), ("conv2", 2)):
                y = torch.nn.functional.conv1d(x.transpose(1, 2), self.w[f"stem.{name}.weight"], self.w[f"stem.{name}.bias"], stride, 1)
                x = ACTIVATIONS["gelu"](y).transpose(1, 2)
        if c["positions"] == "learned":
            x = x + self.w["src_pos.weight"][: x.shape[1]]
        elif c["positions"] != "none":
            x = x + position_table(c)[: x.shape[1]]
        return self.drop(x, "embedding")

    def attend(self, q, k, v, stack, lengths, causal, bias=None):
        c = self.c
        heads, width = (c["heads"], c["headWidth"]) if stack == "encoder" else (c["decoderHeads"], c["decoderHeadWidth"])
        B, T, S = q.shape[0], q.shape[1], k.shape[1]
        q, k, v = (t.reshape(B, -1, heads, width).transpose(1, 2) for t in (q, k, v))
        scores = q @ k.transpose(2, 3) * (1 / math.sqrt(width) if c["attentionScale"] else 1)
        if bias is not None:
            scores = scores + bias[:, :T, :S]
        seen = (torch.arange(S) < lengths[:, None])[:, None, None]
        if causal:
            seen = seen & (torch.arange(S) <= torch.arange(T)[:, None])
        seen = seen.expand(scores.shape)
        scores = scores.masked_fill(~seen, -1e300)
        p = torch.softmax(scores, -1) * seen
        self.last = p
        rate = self.rates["attention"] if self.rates else 0
        if rate > 0:
            p = p * dropout_mask(tuple(p.shape), rate, self.next_site, self.step, self.seed)
        return (p @ v).transpose(1, 2).reshape(B, T, heads * width)

    def attention_site(self):
        """The site of a dropout of attention is taken when the attention is called."""
        if self.rates and self.rates["attention"] > 0:
            self.next_site = self.site
            self.site += 1

    def residual(self, name, x, f):
        c = self.c
        before, after = (c["sublayerSteps"] or ("n:da" if c["norm"] == "pre" else ":dan")).split(":")
        y = x
        for letters, own in ((before, f"{name}_pre" if "n" in before and "n" in after else name), (after, name)):
            if letters is after:
                y = f(y, x)
            for letter in letters:
                y = self.drop(y, "residual") if letter == "d" else x + y if letter == "a" else self.norm(y, own)
        return y

    def feed_forward(self, x, layer, stack):
        c = self.c
        depth = c["feedForwardDepth"] if stack == "encoder" else c["decoderFeedForwardDepth"]
        h, act = x, ACTIVATIONS[c["activation"]]
        for n in range(1, depth + 1):
            h = self.linear(h if n == 1 else self.drop(h, "feedForward"), f"{layer}.linear{n}.weight", f"{layer}.linear{n}.bias")
            if n < depth:
                if c["feedForwardType"] == "gated":
                    half = h.shape[-1] // 2
                    h = act(h[..., :half]) * h[..., half:]
                else:
                    h = act(h)
        return h

    def self_attention(self, layer, stack, lengths, bias):
        def f(y, x):
            name = f"{layer}.self_attn"
            if self.c["normQueriesOnly"]:
                q = self.linear(y, f"{name}.q_proj.weight", f"{name}.q_proj.bias")
                k, v = self.linear(x, f"{name}.kv_proj.weight", f"{name}.kv_proj.bias").chunk(2, -1)
            else:
                q, k, v = self.linear(y, f"{name}.in_proj_weight", f"{name}.in_proj_bias").chunk(3, -1)
            self.attention_site()
            h = self.attend(q, k, v, stack, lengths, stack == "decoder", bias)
            return self.linear(h, f"{name}.out_proj.weight", f"{name}.out_proj.bias")
        return f

    def ssru(self, layer):
        def f(y, _):
            z, g = self.linear(y, f"{layer}.ssru.in_proj_weight", "").chunk(2, -1)
            g = torch.sigmoid(g + self.w[f"{layer}.ssru.gate_bias"])
            state, out = torch.zeros_like(z[:, 0]), []
            for t in range(z.shape[1]):
                state = g[:, t] * state + (1 - g[:, t]) * z[:, t]
                out.append(torch.relu(state))
            return torch.stack(out, 1)
        return f

    def bias(self, stack, length):
        if self.c["positions"] != "relative":
            return None
        table = self.w[f"transformer.{stack}.relative_bias.weight"]
        both = stack == "encoder"
        at = [[bucket(k - q, self.c["relativeBuckets"], self.c["relativeMaxDistance"], both) for k in range(length)] for q in range(length)]
        return table[torch.tensor(at)].permute(2, 0, 1)

    def finish(self, x, stack, place):
        if self.c["finalNorm"]:
            x = self.norm(x, f"transformer.{stack}.norm")
        return self.drop(x, place)

    def logits(self, batch):
        c = self.c
        ids = lambda name: torch.tensor(batch[name]).reshape(len(batch["srcLens"]), -1)
        source_lengths, target_lengths = (torch.tensor(batch[n]) for n in ("srcLens", "tgtLens"))
        x = self.frames(batch) if c["source"] == "frames" else self.embed("src", ids("src"))
        bias = self.bias("encoder", x.shape[1])
        for n in range(c["encoderLayers"]):
            layer = f"transformer.encoder.layers.{n}"
            x = self.residual(f"{layer}.norm1", x, self.self_attention(layer, "encoder", source_lengths, bias))
            x = self.residual(f"{layer}.norm2", x, lambda y, _: self.feed_forward(y, layer, "encoder"))
        memory = self.finish(x, "encoder", "memory")
        x = self.embed("tgt", ids("tgtIn"))
        bias = self.bias("decoder", x.shape[1])
        for n in range(c["decoderLayers"]):
            layer = f"transformer.decoder.layers.{c['decoderTiedLayers'][n] - 1 if c['decoderTiedLayers'] else n}"
            own = self.ssru(layer) if c["decoderSelfAttention"] == "ssru" else self.self_attention(layer, "decoder", target_lengths, bias)
            x = self.residual(f"{layer}.norm1", x, own)

            def cross(y, _):
                name = f"{layer}.multihead_attn"
                k, v = self.linear(memory, f"{name}.kv_proj.weight", f"{name}.kv_proj.bias").chunk(2, -1)
                q = self.linear(y, f"{name}.q_proj.weight", f"{name}.q_proj.bias")
                self.attention_site()
                h = self.attend(q, k, v, "decoder", source_lengths, False)
                self.cross = self.last
                return self.linear(h, f"{name}.out_proj.weight", f"{name}.out_proj.bias")

            x = self.residual(f"{layer}.norm2", x, cross)
            x = self.residual(f"{layer}.norm3", x, lambda y, _: self.feed_forward(y, layer, "decoder"))
        x = self.finish(x, "decoder", "output")
        if c["scaleOutput"]:
            x = x / math.sqrt(c["dModel"])
        table = {"target": "tgt_embed.weight", "all": "src_embed.weight"}.get(c["tie"], "generator.weight")
        y = x @ self.w[table].T
        return y + self.w["generator.bias"] if c["outputBias"] else y


def ignored_label(c):
    return -100 if c["padId"] == c["endId"] else c["padId"]


def token_losses(c, logits, labels, smoothing):
    """Loss of each position, 0 where the label does not count; the number of those that count, and of hits."""
    counts = labels != ignored_label(c)
    logp = torch.log_softmax(logits, -1)
    own = logp.gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    loss = -(1 - smoothing) * own - smoothing * logp.mean(-1)
    hits = (logits.argmax(-1) == labels) & counts
    return torch.where(counts, loss, torch.zeros_like(loss)), int(counts.sum()), int(hits.sum())


def alignment_loss(model, batch, labels):
    """Guided alignment: the cross-entropy of one head of the last cross-attention with given links."""
    p = model.cross[:, model.c["alignmentHead"]]
    B, T, S = p.shape
    words = np.array(batch["links"], dtype=np.uint32).reshape(B, T, -1)
    links = torch.from_numpy(((words[:, :, np.arange(S) // 32] >> (np.arange(S) % 32).astype(np.uint32)) & 1).astype(np.float64))
    links = links * (torch.arange(S) < torch.tensor(batch["srcLens"])[:, None])[:, None]
    n = links.sum(-1, keepdim=True).clamp(min=1)
    return -(links / n * torch.log(p.clamp(min=1e-300))).sum()


# Storage of frozen weights, and rounding in quantization-aware training.

def half_away(x):
    """JavaScript's Math.round: halves towards plus infinity."""
    return np.floor(x + 0.5)


def int8_rows(w):
    w = w.astype(np.float64)
    scale = np.abs(w).max(1, keepdims=True)
    return np.where(scale > 0, half_away(w / np.where(scale > 0, scale, 1) * 127) / 127 * scale, 0)


def int4_rows(w, kind):
    """Blocks of 32 along a row, each with a scale (f16 or f32) and, for uint4, a zero point."""
    stored = (lambda x: np.float64(np.float32(x))) if kind.endswith("f32") else (lambda x: np.float64(np.float16(np.float32(x))))
    rows, cols = w.shape
    padded = np.zeros((rows, -(-cols // 32) * 32))
    padded[:, :cols] = w
    out = np.zeros_like(padded)
    for r in range(rows):
        for b in range(0, padded.shape[1], 32):
            x = padded[r, b : b + 32]
            low, high = min(0, x.min()), max(0, x.max())
            best = None
            if kind.startswith("uint4"):
                scale = stored((high - low) / 15)
                if scale:
                    zero = min(15, max(0, half_away(-low / scale)))
                    best = (np.clip(half_away(x / scale) + zero, 0, 15) - zero) * scale
            else:
                largest, least = (high if high > -low else low), math.inf
                for steps in (-8, -7.5, -7, -8.5, 7, 7.5, 8):
                    scale = stored(largest / steps)
                    if scale == 0:
                        break
                    y = np.clip(half_away(x / scale), -8, 7) * scale
                    error = ((y - x) ** 2).sum()
                    if error < least:
                        best, least = y, error
            if best is not None:
                out[r, b : b + 32] = best
    return out[:, :cols]


def stored_weights(case, weights):
    """Frozen weights as they are stored under an adapter; and the names of the quantized ones."""
    formats = case.get("formats") or {}
    out = dict(weights)
    for name, kind in formats.items():
        w = weights[name]
        out[name] = w.astype(np.float16).astype(np.float64) if kind == "f16" else int8_rows(w) if kind == "int8" else int4_rows(w, kind)
    return out, set(formats)


def rounded(w, parts):
    """Rounded to 8 bits with a scale for each part; gradients pass through."""
    pieces = []
    for piece in w.chunk(parts, 0):
        most = piece.detach().abs().max()
        m = 127 / most if most > 0 else torch.tensor(0.0)
        y = torch.round(piece.detach() * m) / m if most > 0 else piece.detach()
        pieces.append(piece + (y - piece.detach()))
    return torch.cat(pieces, 0)


def parts_of(name):
    return 3 if name.endswith("in_proj_weight") and "ssru" not in name else 2 if re.search(r"kv_proj|ssru", name) else 1


def is_matrix(name):
    """Matrices and embeddings of tokens: what is rounded, and decays with positions."""
    return re.search(r"weight$", name) and not re.search(r"norm|relative_bias", name)


# The schedule, and the optimizers.

def learning_rate(s, step, settings, case):
    """Learning rate of update `step`, from 0, by the documented formulas."""
    kind, peak, t = s["schedule"], s["learningRate"], step + 1
    last = settings.get("scheduleSteps") or case["steps"]
    usual = 0 if kind == "constant" else min(100, last // 10) if kind in ("linear", "cosine") else 400
    w = settings.get("warmupSteps", usual)
    low = settings.get("minLearningRate", 0)
    if kind == "constant":
        return peak * (min(1, t / w) if w else 1)
    if kind in ("linear", "cosine"):
        if t < w:
            return peak * t / w
        done = min(1, max(0, (t - w) / max(1, last - w)))
        return low + (peak - low) * ((1 - done) if kind == "linear" else 0.5 * (1 + math.cos(math.pi * done)))
    if kind == "inverse-sqrt":
        return peak * min(t / w, math.sqrt(w / t))
    return peak * case["config"]["dModel"] ** -0.5 * min(t**-0.5, t * w**-1.5)


class Optimizer:
    """PyTorch's AdamW, Adam and SGD, and Keras's RMSprop, from their formulas."""

    def __init__(self, kind, settings):
        self.kind, self.t, self.m, self.v = kind, 0, {}, {}
        self.beta1, self.beta2 = settings.get("betas", (0.9, 0.98))
        self.eps = settings.get("eps", 1e-7 if kind == "rmsprop" else 1e-9)
        self.decay, self.momentum, self.rho = settings.get("weightDecay", 0), settings.get("momentum", 0.9), settings.get("rho", 0.9)

    def update(self, name, p, g, lr, decays):
        decay = self.decay if decays else 0
        m, v = self.m.get(name, torch.zeros_like(p)), self.v.get(name, torch.zeros_like(p))
        if self.kind in ("adam", "adamw"):
            if self.kind == "adamw":
                p = p - lr * decay * p
            else:
                g = g + decay * p
            m = self.m[name] = self.beta1 * m + (1 - self.beta1) * g
            v = self.v[name] = self.beta2 * v + (1 - self.beta2) * g * g
            return p - lr * (m / (1 - self.beta1**self.t)) / (torch.sqrt(v / (1 - self.beta2**self.t)) + self.eps)
        if self.kind == "sgd":
            g = g + decay * p
            m = self.m[name] = self.momentum * m + g
            return p - lr * m
        v = self.v[name] = self.rho * v + (1 - self.rho) * g * g
        return p - lr * g / torch.sqrt(v + self.eps)


def frozen_names(case):
    return set(case.get("frozen") or [])


def train(case, noise=0.0, draw=0):
    """Does all updates. `noise`: relative to the typical gradient of a tensor, to find out what rounding can do."""
    c, s, given = case["config"], case["settings"], case["given"]
    rng = np.random.default_rng([draw, 7])
    start, quantized = stored_weights(case, case["start"])
    lora = case.get("lora")
    fixed = {n: torch.from_numpy(np.asarray(w, dtype=np.float64).copy()) for n, w in start.items()}
    trained = {n: torch.from_numpy(w.astype(np.float64)) for n, w in (case["adapter"] if lora else case["start"]).items()}
    frozen = frozen_names(case)
    moving = [n for n in trained if lora or n not in frozen]
    average = {n: p.clone() for n, p in trained.items()}
    optimizer = Optimizer(s["optimizer"], given)
    accumulation = given.get("gradientAccumulationSteps", s.get("gradientAccumulationSteps", 1))
    rates, rate_of = dict(c["dropout"]), None
    steps, scale, good = [], 2.0**16, 0
    scaled = s.get("precision") == "f16"
    scale_noise = 2**-11 if scaled and noise else 0
    evaluations, kept = [], None
    for step in range(case["steps"]):
        for change in case.get("changes") or []:
            if change["step"] == step:
                if "learningRate" in change:
                    s = {**s, "learningRate": change["learningRate"]}
                if "dropout" in change:
                    rates.update({k: change["dropout"] for k in ("embedding", "attention", "feedForward", "residual")})
        batches = case["batches"][step * accumulation : (step + 1) * accumulation]
        tokens = sum(b["tokens"] for b in batches)
        leaves = {n: trained[n].clone().requires_grad_(n in moving) for n in trained}
        total, counted, hits, aligned, loss = 0.0, 0, 0, 0.0, 0
        for k, batch in enumerate(batches):
            # Mixed precision rounds weights and activations to 11 bits.
            shaken = {n: w * (1 + scale_noise * torch.from_numpy(rng.standard_normal(tuple(w.shape)))) for n, w in leaves.items()} if scale_noise else leaves
            if lora:
                weights, adapter = fixed, open_lora(lora, shaken)
            else:
                weights, adapter = {**shaken}, None
                if given.get("quantizeBits"):
                    weights = {n: rounded(w, parts_of(n)) if is_matrix(n) and "_pos" not in n and w.dim() == 2 else w for n, w in shaken.items()}
            model = Model(case, weights, adapter, rates, step * accumulation + k, quantized)
            labels = torch.tensor(batch["tgtOut"]).reshape(len(batch["srcLens"]), -1)
            losses, n, found = token_losses(c, model.logits(batch), labels, c["labelSmoothing"])
            loss = loss + losses.sum()
            total, counted, hits = total + float(losses.detach().sum()), counted + n, hits + found
            if "links" in batch:
                part = given.get("guidedAlignmentWeight", 0.1) * alignment_loss(model, batch, labels)
                loss, aligned = loss + part, aligned + float(part.detach())
        gradients = torch.autograd.grad(loss / tokens, [leaves[n] for n in moving], allow_unused=True)
        gradients = {n: torch.zeros_like(trained[n]) if g is None else g for n, g in zip(moving, gradients)}
        for n in moving:
            if n.endswith("in_proj_bias") and not c["keyBias"] and "ssru" not in n:
                rows = gradients[n].shape[0] // 3
                gradients[n][rows : 2 * rows] = 0
            if n.endswith("kv_proj.bias") and not c["keyBias"]:
                gradients[n][: gradients[n].shape[0] // 2] = 0
        if noise:
            for n, g in gradients.items():
                typical = math.sqrt(float((g**2).mean()))
                gradients[n] = g + torch.from_numpy(noise * typical * rng.standard_normal(tuple(g.shape))) * (g != 0)
        norm = math.sqrt(sum(float((g**2).sum()) for g in gradients.values()))
        most = s["clipNorm"]
        factor = min(1.0, most / (norm + 1e-6)) if most > 0 else 1.0
        lr = learning_rate(s, step, given, case)
        skipped = scaled and case["skipped"][step]
        used = scale
        if skipped:
            scale, good = max(1.0, scale / 2), 0
        else:
            good += 1
            growth = given.get("lossScaleGrowth", 2000)
            if scaled and growth and good >= growth:
                scale, good = min(2.0**24, scale * 2), 0
            optimizer.t += 1
            before = {n: trained[n] for n in moving}
            for n in moving:
                decays = bool(lora or is_matrix(n))
                trained[n] = optimizer.update(n, trained[n], gradients[n] * factor, lr, decays)
        size = lambda ps: math.sqrt(sum(float((p**2).sum()) for p in ps))
        ratio = 0 if skipped else size([trained[n] - before[n] for n in moving]) / size([trained[n] for n in moving])
        decay = given.get("emaDecay", 0)
        if decay:
            for n in moving:
                average[n] = decay * average[n] + (1 - decay) * trained[n]
        steps.append(dict(loss=total / counted, accuracy=hits / counted, learningRate=lr, gradientNorm=norm, lossScale=used if scaled else 0,
                          alignmentLoss=aligned / counted, updateRatio=ratio))
        every = given.get("evalSteps", 0)
        if every and case["dev"] and ((step + 1) % every == 0 or step + 1 == case["steps"]):
            now = average if decay else trained
            value = evaluate(case, fixed, now, lora, quantized)
            evaluations.append(value)
            if kept is None or value < kept[0]:
                kept = (value, {n: p.clone() for n, p in now.items()})
    best = kept[1] if kept else average if given.get("emaDecay", 0) else trained
    return dict(steps=steps, trained=trained, average=average, best=best, evaluations=evaluations)


def open_lora(lora, leaves):
    layers = {}
    for t in lora["targets"]:
        layers.setdefault(t["weight"], []).append(dict(row=t["row"], A=leaves[t["A"]], B=leaves[t["B"]]))
    return dict(layers=layers, scale=lora["alpha"] / lora["rank"], dropout=lora["dropout"])


def evaluate(case, fixed, trained, lora, quantized):
    """Mean loss of a dev token, without dropout and label smoothing."""
    total, counted = 0.0, 0
    with torch.no_grad():
        weights = fixed if lora else trained
        if case["given"].get("quantizeBits"):
            weights = {n: rounded(w, parts_of(n)) if is_matrix(n) and "_pos" not in n and w.dim() == 2 else w for n, w in weights.items()}
        for batch in case["dev"]:
            model = Model(case, weights, open_lora(lora, trained) if lora else None, None, 0, quantized)
            labels = torch.tensor(batch["tgtOut"]).reshape(len(batch["srcLens"]), -1)
            losses, n, _ = token_losses(case["config"], model.logits(batch), labels, 0)
            total, counted = total + float(losses.sum()), counted + n
    return total / counted


def load(path):
    with open(path) as f:
        case = json.load(f)
    folder = os.path.dirname(path)

    def arrays(name, layout):
        data = np.fromfile(os.path.join(folder, name), dtype=np.float32)
        return {p["name"]: data[p["offset"] : p["offset"] + int(np.prod(p["shape"]))].reshape(p["shape"]) for p in layout}

    case["start"] = arrays("start.bin", case["parameters"])
    if case.get("lora"):
        case["adapter"] = arrays("adapter.bin", case["adapterParameters"])
    layout = case["adapterParameters"] if case.get("lora") else case["parameters"]
    for name in ("trained", "average", "best"):
        if os.path.exists(os.path.join(folder, f"{name}.bin")):
            case[name] = arrays(f"{name}.bin", layout)
    return case


def compare(case):
    """Differences of the recorded training from the twin's, and their limits."""
    exact = case["engine"] == "float64"
    rough = case["settings"].get("precision") == "f16"
    coarse = bool(case["given"].get("quantizeBits")) and (rough or not exact)  # a weight may be rounded to the other side
    exact = exact and not rough
    # What rounding can do is found out only if the twin differs: scalars of a step are float32 in each engine.
    noise = 3e-3 if rough else 2e-7 if exact else 3e-6
    twin = train(case)
    out = differences(case, twin, [], rough, coarse, exact)
    if all(c["error"] is not None and c["error"] <= c["limit"] for c in out):
        return out
    return differences(case, twin, [train(case, noise, i) for i in (1, 2, 3)], rough, coarse, exact)


def differences(case, twin, shaken, rough, coarse, exact):
    out = []

    def add(quantity, error, limit):
        out.append(dict(quantity=quantity, error=error if math.isfinite(error) else None, limit=limit))

    for name in ("loss", "accuracy", "learningRate", "gradientNorm", "lossScale", "alignmentLoss", "updateRatio"):
        worst, limit = 0.0, 0.0
        for i, (a, b) in enumerate(zip(case["log"], twin["steps"])):
            if a.get(name) is None or (name == "gradientNorm" and case["skipped"][i]):
                continue
            size = max(abs(b[name]), 1e-3)
            spread = max([abs(x["steps"][i][name] - b[name]) / size for x in shaken], default=0)
            # The log has four digits of the last two.
            own = {"learningRate": 1e-6, "accuracy": 0 if exact else 0.5, "lossScale": 0, "alignmentLoss": 2e-2 if rough else 6e-4, "updateRatio": 5e-2 if rough else 6e-4}.get(name, 5e-2 if rough else 3e-6 if exact else 5e-5)
            own = max(own, 0.2 if rough else 2e-2) if coarse and name not in ("learningRate", "lossScale") else own
            own += 10 * spread
            error = abs(a[name] - b[name]) / size
            if not error / max(own, 1e-30) <= worst / max(limit, 1e-30) or limit == 0:
                worst, limit = error, own
        add(name, worst, limit)
    for i, (a, b) in enumerate(zip(case["evaluations"], twin["evaluations"])):
        add(f"evaluation {i + 1}", abs(a - b) / b, 2e-2 if rough or coarse else 2e-6 if exact else 1e-3)
    if len(case["evaluations"]) != len(twin["evaluations"]):
        add("number of evaluations", abs(len(case["evaluations"]) - len(twin["evaluations"])), 0)
    start = case["adapter"] if case.get("lora") else case["start"]
    for state in ("trained", "average", "best"):
        # The best evaluation is no matter of rounding.
        values = sorted(twin["evaluations"])
        if state not in case or (state == "best" and len(values) > 1 and values[1] - values[0] < 1e-5 * values[0]):
            continue
        # A tensor's difference over the change of all tensors of its size, so that one that hardly moves is not held to its noise.
        moved = math.sqrt(sum(float(((w.numpy() - start[n]) ** 2).sum()) for n, w in twin[state].items()))
        count = sum(w.numel() for w in twin[state].values())
        worst = (0.0, 1.0, "")
        for n, w in twin[state].items():
            w = w.numpy()
            typical = max(moved / math.sqrt(count), 1e-7)
            error = math.sqrt(float(((case[state][n] - w) ** 2).mean())) / typical
            spread = max([math.sqrt(float(((x[state][n].numpy() - w) ** 2).mean())) / typical for x in shaken], default=0)
            rounding = 2 * np.abs(w).max() * 2**-24 / typical
            limit = (0.5 if coarse else 0.05 if rough else 1e-5 if exact else 2e-3) + 10 * spread + rounding
            if not error / limit <= worst[0] / worst[1]:
                worst = (error, limit, n)
        add(f"{state}: {worst[2]}", worst[0], worst[1])
    return out


if __name__ == "__main__":
    for path in sys.argv[1:]:
        print(json.dumps(dict(case=path, compared=compare(load(path)))), flush=True)
