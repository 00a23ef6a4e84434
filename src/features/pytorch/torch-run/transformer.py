"""The encoder-decoder transformer of heddle in PyTorch, for every configuration that heddle trains.

Mirrors src/model/transformer.ts and scope.ts; tests/features/pytorch/twins.test.ts fails if it lacks a field of a model.
"""
import bisect
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint


def fixed_positions(c):
    """The table of sinusoidal positions [rows, D], computed in float64; None for other kinds of positions."""
    kind, D = c["positions"], c["dModel"]
    if "sinusoidal" not in kind:
        return None
    fairseq, marian = kind == "fairseq-sinusoidal", kind == "marian-sinusoidal"
    rows = max(c["maxLength"], c["maxSource"]) + (c["padId"] + 1 if fairseq else 0)
    half = D // 2 if fairseq else (D + 1) // 2
    rate = 1 / max(1, half - 1) if fairseq else 1 / (D / 2 - 1 or 1) if marian else 2 / D
    angles = torch.arange(rows, dtype=torch.float64)[:, None] * torch.exp(
        -math.log(10000) * rate * torch.arange(half, dtype=torch.float64))
    sines, cosines = angles.sin(), angles.cos()
    table = torch.zeros(rows, D, dtype=torch.float64)
    if kind == "sinusoidal":
        table[:, 0::2], table[:, 1::2] = sines, cosines[:, : D // 2]
    elif marian:  # the middle column of an odd width, which the last sine and the first cosine share, has the sine
        table[:, D // 2 :], table[:, :half] = cosines[:, : D - D // 2], sines
    else:
        table[:, :half], table[:, half : half + D // 2] = sines, cosines[:, : D // 2]
    if fairseq:
        table[c["padId"]] = 0
    return table.float()


def relative_buckets(length, keys, buckets, max_distance, bidirectional):
    """The bucket of each distance key - query [length, keys] (T5), with boundaries computed in whole numbers."""
    n = buckets // 2 if bidirectional else buckets
    e, p = n // 2, n - n // 2
    starts = list(range(e + 1)) + [
        next(d for d in range(e, max_distance + 1) if d**p * e**k >= max_distance**k * e**p) for k in range(1, p)]
    def bucket(distance):
        if distance > 0 and not bidirectional:
            return 0
        return (n if distance > 0 else 0) + bisect.bisect_right(starts, abs(distance)) - 1
    return torch.tensor([[bucket(j - i) for j in range(keys)] for i in range(length)])


def padding_label(c):
    """Label of positions after the end of a target, as src/text/batches/batches.ts: -100 if padding is the end token."""
    return -100 if c["padId"] == c["endId"] else c["padId"]


# The activations of src/engine/ops/elementwise/; tests/features/pytorch/twins.test.ts compares their names.
ACTIVATIONS = {
    "relu": F.relu,
    "gelu": F.gelu,
    "silu": F.silu,
    "gelu-tanh": lambda x: F.gelu(x, approximate="tanh"),
    "quick-gelu": lambda x: x * torch.sigmoid(1.702 * x),
}


class Layer(nn.Module):
    """A layer of a stack: it has weights and computes `work` with them, so that FSDP can share them by layer."""

    recompute = False  # activation checkpointing: only the inputs of the layer are kept for the backward pass

    def forward(self, work, *inputs):
        return checkpoint(work, *inputs, use_reentrant=False) if self.recompute else work(*inputs)


class Transformer(nn.Module):
    """The encoder-decoder transformer of heddle for every configuration `c`; the weights have heddle's names.

    `lora`: scale, dropout and layers of a LoRA adapter, whose matrices are in `weights` too.
    """

    def __init__(self, c, weights, trained, lora=None):
        super().__init__()
        self.c, self.lora = c, lora
        for name, weight in weights.items():
            *path, last = name.split(".")
            module, above = self, ""
            for part in path:
                if part not in module._modules:
                    module.add_module(part, Layer() if above == "layers" and path[0] == "transformer" else nn.Module())
                module, above = module._modules[part], part
            module.register_parameter(last, nn.Parameter(weight.clone(), name in trained))
        self.register_buffer("fixed", fixed_positions(c), persistent=False)
        self.buckets = {}

    def weight(self, name):
        return self.get_parameter(name)

    def bias(self, name):
        """The bias of a linear layer; without a bias of keys these stay zero, and have no gradient."""
        b = self.weight(f"{name}bias")
        parts = 3 if name.endswith(".in_proj_") else 2 if name.endswith(".kv_proj.") else 0
        if self.c["keyBias"] or not parts:
            return b
        width = b.shape[0] // parts  # keys are the last but one part
        return torch.cat([b[: -2 * width], torch.zeros_like(b[:width]), b[-width:]])

    def linear(self, name, x):
        y = F.linear(x, self.weight(f"{name}weight"), self.bias(name) if self.c["biases"] else None)
        for layer in self.lora["layers"] if self.lora else ():
            if layer["weight"] == f"{name}weight":
                low = F.linear(F.dropout(x, self.lora["dropout"], self.training), self.weight(layer["a"]))
                update = self.lora["scale"] * F.linear(low, self.weight(layer["b"]))
                y = y + F.pad(update, (layer["row"], y.shape[-1] - layer["row"] - layer["out"]))
        return y

    def norm(self, name, x):
        gamma, eps = self.weight(f"{name}.weight"), self.c["layerNormEps"]
        if self.c["normType"] == "layer":
            return F.layer_norm(x, gamma.shape, gamma, self.weight(f"{name}.bias"), eps)
        return x * torch.rsqrt(x.to(gamma.dtype).square().mean(-1, keepdim=True) + eps) * gamma

    def drop(self, place, x):
        return F.dropout(x, self.c["dropout"][place], self.training)

    def embed(self, side, ids):
        c, kind, offset = self.c, self.c["positions"], self.c["positionOffset"]
        shared = side == "src" or c["tie"] in ("all", "embeddings")
        table = self.weight("src_embed.weight" if shared else "tgt_embed.weight")
        x = F.embedding(ids, table, padding_idx=None if c["trainPadding"] else c["padId"])
        x = x * math.sqrt(c["dModel"]) if c["scaleEmbedding"] else x
        if kind == "fairseq-sinusoidal":
            real = ids != c["padId"]
            x = x + self.fixed[c["padId"] + real.cumsum(1) * real]
        elif kind not in ("relative", "none"):
            positions = self.weight(f"{side}_pos.weight") if kind == "learned" else self.fixed
            x = x + positions[offset : offset + ids.shape[1]]
        return self.drop("embedding", self.norm(f"{side}_embed_norm", x) if c["embeddingNorm"] else x)

    def embed_frames(self, frames):
        """Frames [B, T, C] -> [B, S, D]: the stem, and the positions."""
        c, weight = self.c, self.weight
        x = frames.to(next(self.parameters()).dtype)
        if c["stem"] == "linear":
            x = F.linear(x, weight("stem.linear.weight"), weight("stem.linear.bias"))
        elif c["stem"] == "conv":
            x = x.transpose(1, 2)
            for name, stride in (("conv1", 1), ("conv2", 2)):
                x = F.gelu(F.conv1d(x, weight(f"stem.{name}.weight"), weight(f"stem.{name}.bias"), stride, padding=1))
            x = x.transpose(1, 2)
        if c["positions"] != "none":
            x = x + (weight("src_pos.weight") if c["positions"] == "learned" else self.fixed)[: x.shape[1]]
        return self.drop("embedding", x)

    def position_bias(self, stack, length):
        """T5's bias of the self-attention scores [1, H, length, length], or 0."""
        if self.c["positions"] != "relative":
            return 0.0
        if (stack, length) not in self.buckets:
            sizes = self.c["relativeBuckets"], self.c["relativeMaxDistance"]
            self.buckets[stack, length] = relative_buckets(length, length, *sizes, stack == "encoder")
        table = self.weight(f"transformer.{stack}.relative_bias.weight")
        return table[self.buckets[stack, length].to(table.device)].permute(2, 0, 1)[None]

    def attention(self, stack, q, k, v, mask):
        heads, width = (self.c[x] for x in (("heads", "headWidth") if stack == "encoder" else ("decoderHeads", "decoderHeadWidth")))
        q, k, v = (x.unflatten(-1, (heads, width)).transpose(1, 2) for x in (q, k, v))
        rate = self.c["dropout"]["attention"] if self.training else 0.0
        scale = 1 / math.sqrt(width) if self.c["attentionScale"] else 1.0
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask.to(q.dtype), dropout_p=rate, scale=scale)
        return out.transpose(1, 2).flatten(-2)

    def self_attention(self, stack, layer, x, mask):
        qkv = self.linear(f"{layer}.self_attn.in_proj_", x).chunk(3, -1)
        return self.linear(f"{layer}.self_attn.out_proj.", self.attention(stack, *qkv, mask))

    def cross_attention(self, layer, x, memory, mask):
        q = self.linear(f"{layer}.multihead_attn.q_proj.", x)
        k, v = self.linear(f"{layer}.multihead_attn.kv_proj.", memory).chunk(2, -1)
        return self.linear(f"{layer}.multihead_attn.out_proj.", self.attention("decoder", q, k, v, mask))

    def feed_forward(self, layer, x):
        h, activate = self.linear(f"{layer}.linear1.", x), ACTIVATIONS[self.c["activation"]]
        if self.c["feedForwardType"] == "gated":
            a, b = h.chunk(2, -1)
            h = activate(a) * b
        else:
            h = activate(h)
        return self.linear(f"{layer}.linear2.", self.drop("feedForward", h))

    def residual(self, norm, x, sublayer):
        if self.c["norm"] == "pre":
            return x + self.drop("residual", sublayer(self.norm(norm, x)))
        return self.norm(norm, x + self.drop("residual", sublayer(x)))

    def encoder_layer(self, layer, x, mask):
        x = self.residual(f"{layer}.norm1", x, lambda y: self.self_attention("encoder", layer, y, mask))
        return self.residual(f"{layer}.norm2", x, lambda y: self.feed_forward(layer, y))

    def decoder_layer(self, layer, x, mask, memory, hidden):
        x = self.residual(f"{layer}.norm1", x, lambda y: self.self_attention("decoder", layer, y, mask))
        x = self.residual(f"{layer}.norm2", x, lambda y: self.cross_attention(layer, y, memory, hidden))
        return self.residual(f"{layer}.norm3", x, lambda y: self.feed_forward(layer, y))

    def forward(self, source, target, labels, lengths=None):
        """Token ids [B, S], [B, T], [B, T] -> sum of losses and number of correct predictions, without padding.

        Of a model of frames `source` are frames [B, T, C], and `lengths` [B] the true lengths in encoder positions.
        """
        c, frames = self.c, self.c["source"] == "frames"
        x = self.embed_frames(source) if frames else self.embed("src", source)
        S = x.shape[1]
        padding = torch.arange(S, device=x.device) >= lengths[:, None] if frames else source == c["padId"]
        hidden = torch.zeros(padding.shape, device=x.device).masked_fill(padding, -math.inf)[:, None, None]
        mask = hidden + self.position_bias("encoder", S)
        for n in range(c["encoderLayers"]):
            layer = f"transformer.encoder.layers.{n}"
            x = self.get_submodule(layer)(self.encoder_layer, layer, x, mask)
        memory = self.drop("memory", self.norm("transformer.encoder.norm", x) if c["finalNorm"] else x)
        T = target.shape[1]
        causal = torch.full((T, T), -math.inf, device=target.device).triu(1)
        x, mask = self.embed("tgt", target), causal + self.position_bias("decoder", T)
        for n in range(c["decoderLayers"]):
            layer = f"transformer.decoder.layers.{n}"
            x = self.get_submodule(layer)(self.decoder_layer, layer, x, mask, memory, hidden)
        x = self.drop("output", self.norm("transformer.decoder.norm", x) if c["finalNorm"] else x)
        x = x / math.sqrt(c["dModel"]) if c["scaleOutput"] else x
        table = {"target": "tgt_embed.weight", "all": "src_embed.weight"}.get(c["tie"], "generator.weight")
        table = self.weight(table)
        logits = F.linear(x, table, self.weight("generator.bias") if c["outputBias"] else None)
        logits, labels = logits.to(table.dtype).flatten(0, 1), labels.flatten()
        ignored = padding_label(c)
        loss = F.cross_entropy(
            logits, labels, ignore_index=ignored, label_smoothing=c["labelSmoothing"], reduction="sum")
        return loss, ((logits.argmax(-1) == labels) & (labels != ignored)).sum()
