#!/usr/bin/python3
"""golden.py for models whose heads are wider than d_model / n_heads, as those of Keras's example.

usage: wide_heads.py GOLDEN.PY OUT_DIR NAME head_width=W [key=value ...]

nn.Transformer knows no such heads, so its attention is replaced by one that does; all else is golden.py's.
"""
import importlib.util, math, sys
import torch
from torch import nn
import torch.nn.modules.transformer as transformer


class WideAttention(nn.Module):
    """Multi-head attention with in_proj_weight [3*H*W, D] and out_proj [D, H*W], called as nn.MultiheadAttention is."""
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
            if mask is not None:     # True hides; the encoder has made -inf of it
                scores = scores.masked_fill(mask, -math.inf) if mask.dtype == torch.bool else scores + mask
        out = scores.softmax(-1) @ heads(value, 2)
        return self.out_proj(out.transpose(1, 2).flatten(-2)), None


def main(script, out, name, *settings):
    spec = importlib.util.spec_from_file_location("golden", script)
    golden = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(golden)
    kinds = {**golden.DEFAULTS, "head_width": 0}
    values = {}
    for setting in settings:
        k, v = setting.split("=", 1)
        t = type(kinds[k])
        values[k] = v == "true" if t is bool else t(v)
    WideAttention.head_width = values["head_width"]
    transformer.MultiheadAttention = WideAttention
    golden.main(out, name, **values)


if __name__ == "__main__":
    main(*sys.argv[1:])
