#!/usr/bin/python3
"""Losses of PyTorch's nn.Transformer on given batches from given weights, in float32, one a line.

usage: torch_losses.py DIR     (needs Debian's python3-torch and python3-safetensors)

DIR has config.json, model.safetensors and run.json: {clipNorm, beta1, beta2, eps, steps: [{learningRate, src, tgtIn, tgtOut}]},
rows of token ids without padding.
"""
import json
import math
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn


def sinusoid(n, d):
    position = torch.arange(n, dtype=torch.float64)[:, None]
    rate = torch.exp(torch.arange(0, d, 2, dtype=torch.float64) * (-math.log(10000.0) / d))
    table = torch.zeros(n, d, dtype=torch.float64)
    table[:, 0::2] = torch.sin(position * rate)
    table[:, 1::2] = torch.cos(position * rate)
    return table.float()


class Seq2Seq(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, pre, eps = c["dModel"], c["norm"] == "pre", c["layerNormEps"]
        self.c = c
        self.src_embed = nn.Embedding(c["srcVocab"], d)
        self.tgt_embed = self.src_embed if c["tie"] == "all" else nn.Embedding(c["tgtVocab"], d)
        layer = (d, c["heads"], c["feedForward"], 0.0, c["activation"], eps, True, pre)
        norm = lambda: nn.LayerNorm(d, eps) if c["finalNorm"] else None
        encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(*layer), c["encoderLayers"], norm(), False)
        decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(*layer), c["decoderLayers"], norm())
        self.transformer = nn.Transformer(d, c["heads"], custom_encoder=encoder, custom_decoder=decoder, batch_first=True)
        self.generator = nn.Linear(d, c["tgtVocab"], bias=c["outputBias"])
        if c["tie"] != "none":
            self.generator.weight = self.tgt_embed.weight
        self.register_buffer("positions", sinusoid(c["maxLength"], d), persistent=False)

    def embed(self, ids, table):
        scale = math.sqrt(self.c["dModel"]) if self.c["scaleEmbedding"] else 1.0
        return table(ids) * scale + self.positions[: ids.shape[1]]

    def forward(self, src, tgt):
        pad = self.c["padId"]
        causal = torch.triu(torch.ones(tgt.shape[1], tgt.shape[1], dtype=torch.bool), 1)
        hidden = self.transformer(
            self.embed(src, self.src_embed), self.embed(tgt, self.tgt_embed), tgt_mask=causal,
            src_key_padding_mask=src == pad, memory_key_padding_mask=src == pad, tgt_key_padding_mask=tgt == pad)
        return self.generator(hidden)


def padded(rows, pad):
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=pad)


def main(folder):
    c = json.load(open(f"{folder}/config.json"))["model"]
    run = json.load(open(f"{folder}/run.json"))
    model = Seq2Seq(c)
    missing, unexpected = model.load_state_dict(load_file(f"{folder}/model.safetensors"), strict=False)
    tied = {"tgt_embed.weight", "generator.weight"} if c["tie"] != "none" else set()
    assert not unexpected and set(missing) <= tied, (missing, unexpected)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=0.0, betas=(run["beta1"], run["beta2"]), eps=run["eps"], weight_decay=0.0)
    for step in run["steps"]:
        src, tgt_in, tgt_out = (padded(step[key], c["padId"]) for key in ("src", "tgtIn", "tgtOut"))
        logits = model(src, tgt_in)
        loss = F.cross_entropy(
            logits.flatten(0, 1), tgt_out.flatten(), ignore_index=c["padId"], label_smoothing=c["labelSmoothing"])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), run["clipNorm"])
        for group in optimizer.param_groups:
            group["lr"] = step["learningRate"]
        optimizer.step()
        print(f"{loss.item():.7g}", flush=True)


main(sys.argv[1])
