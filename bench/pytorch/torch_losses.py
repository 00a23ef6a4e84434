#!/usr/bin/python3
"""Prints the losses of PyTorch's nn.Transformer on given batches from given weights, in float32, one a line.

usage: torch_losses.py DIR     (needs Debian's python3-torch and python3-safetensors)

DIR has config.json, model.safetensors and run.json: {clipNorm, beta1, beta2, eps, steps: [{learningRate, src, tgtIn, tgtOut}]},
rows of token ids without padding.
"""
import json
import sys

import torch
from safetensors.torch import load_file
from torch import nn

from seq2seq import Seq2Seq

FIELDS = dict(
    d_model="dModel", n_heads="heads", head_width="headWidth", d_ff="feedForward", n_encoder_layers="encoderLayers",
    n_decoder_layers="decoderLayers", src_vocab="srcVocab", tgt_vocab="tgtVocab", max_len="maxLength", norm="norm",
    activation="activation", positions="positions", tie="tie", scale_embedding="scaleEmbedding",
    layer_norm_eps="layerNormEps", final_norm="finalNorm", output_bias="outputBias", label_smoothing="labelSmoothing",
    pad_id="padId")


def padded(rows, pad):
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=pad)


def main(folder):
    config = json.load(open(f"{folder}/config.json"))["model"]
    c = {name: config[field] for name, field in FIELDS.items()}
    run = json.load(open(f"{folder}/run.json"))
    model = Seq2Seq(c)
    model.load(load_file(f"{folder}/model.safetensors"))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=0.0, betas=(run["beta1"], run["beta2"]), eps=run["eps"], weight_decay=0.0)
    for step in run["steps"]:
        _, loss = model.loss(*(padded(step[key], c["pad_id"]) for key in ("src", "tgtIn", "tgtOut")))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), run["clipNorm"])
        for group in optimizer.param_groups:
            group["lr"] = step["learningRate"]
        optimizer.step()
        print(f"{loss.item():.7g}", flush=True)


main(sys.argv[1])
