#!/usr/bin/python3
"""Computes the expected results of a golden case with PyTorch in float64.

usage: golden_case.py DIR     (needs Debian's python3-torch and python3-safetensors)

DIR has config.json, weights.safetensors and batch.safetensors. Writes expected.safetensors: logits, loss, the gradients, their norm
before clipping, and the loss before each of `steps` AdamW updates and after the last. Results are rounded to float32.
"""
import json
import sys

import torch
from safetensors.torch import load_file, save_file

from seq2seq import Seq2Seq


def main(folder):
    c = json.load(open(f"{folder}/config.json"))
    model = Seq2Seq(c).double()
    model.load({name: tensor.double() for name, tensor in load_file(f"{folder}/weights.safetensors").items()})
    batch = load_file(f"{folder}/batch.safetensors")
    ids = [batch[name].long() for name in ("src", "tgt_in", "tgt_out")]
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=c["lr"], betas=(c["beta1"], c["beta2"]), eps=c["eps"], weight_decay=c["weight_decay"])
    expected, losses = {}, []
    for step in range(c["steps"] + 1):
        optimizer.zero_grad()
        logits, loss = model.loss(*ids)
        losses.append(loss.detach().reshape(1))
        loss.backward()
        if step == 0:
            expected = {"logits": logits, "loss": losses[0]}
            expected |= {f"grad.{name}": p.grad.clone() for name, p in model.named_parameters()}
            norms = [p.grad.norm() ** 2 for p in model.parameters()]
            expected["grad_norm"] = torch.stack(norms).sum().sqrt().reshape(1)
        if c["clip_norm"] > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), c["clip_norm"])
        optimizer.step()
    expected["losses"] = torch.cat(losses)
    save_file({name: x.detach().float().contiguous() for name, x in expected.items()}, f"{folder}/expected.safetensors")


main(sys.argv[1])
