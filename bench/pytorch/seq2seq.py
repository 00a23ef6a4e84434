"""The encoder-decoder of heddle as a PyTorch module: nn.Transformer with embeddings, positions and an output projection.

Its parameters have the names of heddle's golden cases. `config` has the fields of their config.json.
"""
import math

import torch
import torch.nn.modules.transformer as transformer
from torch import nn


def sinusoid(length, d):
    """Sine in even columns, cosine in odd ones: [length, d] in float64."""
    position = torch.arange(length, dtype=torch.float64)[:, None]
    rate = torch.exp(torch.arange(0, d, 2, dtype=torch.float64) * (-math.log(10000.0) / d))
    table = torch.zeros(length, d, dtype=torch.float64)
    table[:, 0::2] = torch.sin(position * rate)
    table[:, 1::2] = torch.cos(position * rate)[:, : d // 2]
    return table


class WideAttention(nn.Module):
    """nn.MultiheadAttention whose heads have any width W: in_proj_weight [3*H*W, D], out_proj [D, H*W]. Keras's example has such heads."""
    head_width = 0
    _qkv_same_embed_dim = False     # keeps nn.TransformerEncoderLayer from its fused path
    batch_first = True

    def __init__(self, embed_dim, num_heads, **_):
        super().__init__()
        self.num_heads = num_heads
        inner = num_heads * self.head_width
        self.in_proj_weight = nn.Parameter(torch.empty(3 * inner, embed_dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * inner))
        self.out_proj = nn.Linear(inner, embed_dim)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, query, key, value, key_padding_mask=None, attn_mask=None, **_):
        H, W = self.num_heads, self.head_width
        heads = lambda x, i: nn.functional.linear(
            x, self.in_proj_weight.chunk(3)[i], self.in_proj_bias.chunk(3)[i]).unflatten(-1, (H, W)).transpose(1, 2)
        scores = heads(query, 0) @ heads(key, 1).transpose(-1, -2) / math.sqrt(W)     # [B, H, Tq, Tk]
        for mask in (attn_mask, None if key_padding_mask is None else key_padding_mask[:, None, None, :]):
            if mask is not None:     # True hides; nn.TransformerEncoder turns a mask into -inf
                scores = scores.masked_fill(mask, -math.inf) if mask.dtype == torch.bool else scores + mask
        out = scores.softmax(-1) @ heads(value, 2)
        return self.out_proj(out.transpose(1, 2).flatten(-2)), None


class Seq2Seq(nn.Module):
    def __init__(self, config):
        super().__init__()
        c = self.c = config
        d, pre, eps = c["d_model"], c["norm"] == "pre", c["layer_norm_eps"]
        if c.get("head_width", d // c["n_heads"]) * c["n_heads"] != d:
            WideAttention.head_width = c["head_width"]
            transformer.MultiheadAttention = WideAttention
        self.src_embed = nn.Embedding(c["src_vocab"], d)
        self.tgt_embed = self.src_embed if c["tie"] == "all" else nn.Embedding(c["tgt_vocab"], d)
        self.learned = c["positions"] == "learned"
        if self.learned:
            self.src_pos = nn.Embedding(c["max_len"], d)
            self.tgt_pos = nn.Embedding(c["max_len"], d)
        layer = (d, c["n_heads"], c["d_ff"], 0.0, c["activation"], eps, True, pre)
        norm = lambda: nn.LayerNorm(d, eps) if c["final_norm"] else None
        encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(*layer), c["n_encoder_layers"], norm(), False)
        decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(*layer), c["n_decoder_layers"], norm())
        self.transformer = nn.Transformer(d, c["n_heads"], custom_encoder=encoder, custom_decoder=decoder, batch_first=True)
        self.generator = nn.Linear(d, c["tgt_vocab"], bias=c["output_bias"])
        if c["tie"] != "none":
            self.generator.weight = self.tgt_embed.weight

    def load(self, weights):
        """Loads tensors by name; tied ones are stored once."""
        missing, unexpected = self.load_state_dict(weights, strict=False)
        tied = {"tgt_embed.weight", "generator.weight"} if self.c["tie"] != "none" else set()
        assert not unexpected and set(missing) <= tied, (missing, unexpected)

    def embed(self, ids, table, positions):
        c, length = self.c, ids.shape[1]
        x = table(ids) * (math.sqrt(c["d_model"]) if c["scale_embedding"] else 1.0)
        return x + (positions.weight[:length] if self.learned else sinusoid(length, c["d_model"]).to(x.dtype))

    def forward(self, src, tgt):
        pad = self.c["pad_id"]
        causal = torch.triu(torch.ones(tgt.shape[1], tgt.shape[1], dtype=torch.bool), 1)
        source, target = (self.src_pos, self.tgt_pos) if self.learned else (None, None)
        return self.generator(self.transformer(
            self.embed(src, self.src_embed, source), self.embed(tgt, self.tgt_embed, target), tgt_mask=causal,
            src_key_padding_mask=src == pad, memory_key_padding_mask=src == pad, tgt_key_padding_mask=tgt == pad))

    def loss(self, src, tgt_in, tgt_out):
        """Logits and the mean cross-entropy over target tokens that are not padding."""
        logits = self(src, tgt_in)
        return logits, nn.functional.cross_entropy(
            logits.flatten(0, 1), tgt_out.flatten(), ignore_index=self.c["pad_id"],
            label_smoothing=self.c["label_smoothing"])
