#!/usr/bin/python3
"""Runs training steps and square products in float32 on the CPU, one for each line of the standard input.

usage: torch_times.py DIR THREADS     (needs Debian's python3-torch and python3-safetensors)

DIR has a golden case: config.json, weights.safetensors, batch.safetensors. First prints versions as JSON. `step` does a step of the
training (batch, forward, backward, clipping, AdamW) and prints its milliseconds, those of all its threads, and its loss; `product N`
multiplies two matrices of N x N and prints the milliseconds.
"""
import json
import re
import sys
import time

import torch
from safetensors.torch import load_file

from seq2seq import Seq2Seq


def blas():
    """The BLAS library that PyTorch has loaded."""
    maps = open("/proc/self/maps").read()
    found = [name for name in ("mkl", "openblas", "blis", "atlas") if re.search(name, maps)]
    return found[0] if found else "reference BLAS"


def timed(work):
    """Milliseconds, those of all threads, and the result."""
    begun, cpu = time.perf_counter(), time.process_time()
    result = work()
    return (time.perf_counter() - begun) * 1e3, (time.process_time() - cpu) * 1e3, result


def main(folder, threads):
    torch.set_num_threads(int(threads))
    c = json.load(open(f"{folder}/config.json"))
    model = Seq2Seq(c)
    model.load(load_file(f"{folder}/weights.safetensors"))
    batch = load_file(f"{folder}/batch.safetensors")
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=c["lr"], betas=(c["beta1"], c["beta2"]), eps=c["eps"], weight_decay=c["weight_decay"])
    matrices = {}

    def step():
        _, loss = model.loss(*(batch[name].long() for name in ("src", "tgt_in", "tgt_out")))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), c["clip_norm"])
        optimizer.step()
        return loss.item()

    print(json.dumps({"torch": torch.__version__, "blas": blas()}), flush=True)
    for line in sys.stdin:
        task, *size = line.split()
        if task == "step":
            ms, cpu, loss = timed(step)
            print(f"{ms:.4f} {cpu:.4f} {loss:.8g}", flush=True)
        else:
            n = int(size[0])
            if n not in matrices:
                matrices.clear()
                matrices[n] = (torch.rand(n, n), torch.rand(n, n))
            ms, cpu, _ = timed(lambda: matrices[n][0] @ matrices[n][1])
            print(f"{ms:.4f} {cpu:.4f}", flush=True)


main(*sys.argv[1:])
