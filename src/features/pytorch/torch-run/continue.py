#!/usr/bin/env python3
"""Continues a training run of heddle with PyTorch on any number of processes: DistributedDataParallel (DDP) or FSDP2.

    torchrun --nproc-per-node N continue.py DIR [--steps M] [options]

DIR is a folder that `heddle convert CHECKPOINT DIR --to torch-run` wrote. Every checkpoint replaces it as a whole, so the
same command resumes after an interruption, and `heddle train --resume --out DIR` continues where this script stopped.
"""
import argparse
import collections
import contextlib
import gc
import math
import os
import signal
import sys
import time
from datetime import datetime, timezone

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.distributed.device_mesh import init_device_mesh
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils.rnn import pad_sequence

sys.dont_write_bytecode = True  # the folder of the run has no __pycache__
from checkpoint import Checkpoint, fail, read_base, read_json, read_safetensors
from frames import Frames
from optimizer import DTensor, Optimizer, learning_rate, local, rounded
from transformer import Layer, Transformer, padding_label

try:
    from torch.distributed.fsdp import FSDPModule, fully_shard
    from torch.distributed.tensor import distribute_tensor
except ImportError:  # PyTorch before 2.6 has only DDP
    FSDPModule, fully_shard, distribute_tensor = (), None, None

MAX_STUCK = 50  # the run fails after so many consecutive updates are skipped at the minimum loss scale, or without one


class Data:
    """The tokenized pairs, and the rows of each batch of the remaining updates in order."""

    def __init__(self, folder, plan):
        shards = [read_safetensors(f"{folder}/{name}")[0] for name in plan["data"]]
        joined = lambda name: torch.cat([shard[name] for shard in shards if name in shard])
        rows_of = lambda name: (joined(name), F.pad(joined(f"{name}_lengths").long().cumsum(0), (1, 0)).tolist())
        self.plan, self.target, self.order = plan, rows_of("target"), rows_of("rows")
        self.frames = Frames(plan, joined) if "frames" in plan else None
        self.source = None if self.frames else rows_of("source")

    @staticmethod
    def row(rows, i):
        ids, starts = rows
        return ids[starts[i] : starts[i + 1]].tolist()

    def update(self, step, rank, world, micro_batch):
        """Number of target tokens of an update, and this process's share of its rows as batches of `batch`.

        All processes have as many batches, since they exchange weights or gradients in each: None has no rows.
        """
        plan, count = self.plan, self.plan["gradientAccumulationSteps"]
        turns = [(step - plan["firstStep"]) * count + k for k in range(count)]
        rows = [self.row(self.order, turn) for turn in turns]
        starts = self.target[1]
        tokens = sum(starts[i + 1] - starts[i] + 1 for batch in rows for i in batch)
        size = micro_batch or max(map(len, rows))
        batches = []
        for batch, turn in zip(rows, range(step * count, (step + 1) * count)):
            own, most = batch[rank::world], -(-len(batch) // world)
            batches += [(own[i : i + size], turn // plan["batchesPerEpoch"]) for i in range(0, most, size)]
        return tokens, [self.batch(*batch) if batch[0] else None for batch in batches]

    def batch(self, rows, epoch=0):
        """[source, target, labels] of rows; of a model of frames [frames, target, labels, lengths]."""
        start, end, pad = (self.plan[x] for x in ("startId", "endId", "padId"))
        targets = [self.row(self.target, i) for i in rows]
        padded = lambda side, value: pad_sequence([torch.tensor(ids) for ids in side], True, value)
        inputs = padded([[start, *t] for t in targets], pad)
        labels = padded([[*t, end] for t in targets], padding_label(self.plan["model"]))
        if self.frames:
            source, lengths = self.frames.batch(rows, inputs.shape[1], epoch)
            return [source, inputs, labels, lengths]
        return [padded([self.row(self.source, i) for i in rows], pad), inputs, labels]


def open_run(given):
    """Returns folder, plan and checkpoint; ends the script with a message if a file is missing or does not fit."""
    folder = os.path.realpath(given)
    def require(*names):
        for name in names:
            if not os.path.exists(f"{folder}/{name}"):
                fail(f"{given} has no {name}; make it with: heddle convert CHECKPOINT {given} --to torch-run")
    require("torch-run.json", "state.json", "optimizer.safetensors")
    plan = read_json(f"{folder}/torch-run.json")
    require(plan["weights"], *plan["data"], *(["base.safetensors"] if "lora" in plan else []))
    checkpoint = Checkpoint(folder, plan)
    step = checkpoint.state["step"]
    if not plan["firstStep"] <= step <= plan["lastStep"]:
        fail(f"{given}: state.json is at step {step}, but the data is that of steps {plan['firstStep']} to "
             f"{plan['lastStep']}; convert the checkpoint again")
    return folder, plan, checkpoint


def place(backend, gpus, local):
    """Returns backend and device of process `local` of a machine: nccl and a GPU for each process, or gloo and the CPU."""
    backend = backend or ("nccl" if gpus > 0 else "gloo")
    if backend == "gloo":
        return backend, torch.device("cpu")
    if local >= gpus:
        fail(f"nccl needs a GPU for each process, this machine has {gpus}; use --nproc-per-node {gpus}" if gpus > 0 else
             "nccl needs GPUs, and PyTorch finds none; use --backend gloo")
    return backend, torch.device("cuda", local)


def arguments():
    parser = argparse.ArgumentParser(description="Continue a training run of heddle with DistributedDataParallel or FSDP2.")
    parser.add_argument("folder", help="folder that heddle convert --to torch-run wrote; checkpoints replace it")
    parser.add_argument("--steps", type=int, help="total number of updates of the run, as in heddle train (default: all that DIR has data for)")
    parser.add_argument("--micro-batch", type=int, default=0, help="rows of a process in one forward and backward pass; fewer rows need less memory and give the same update (0: all)")
    parser.add_argument("--dtype", choices=("f32", "bf16", "f16", "f64"), default="f32", help="type of matrix products; f64: of all numbers, to compare runs (default: f32)")
    parser.add_argument("--fsdp", action="store_true", help="share weights, gradients and moments among the processes (FSDP2), for a model larger than one GPU")
    parser.add_argument("--activation-checkpointing", action="store_true", help="recompute each layer in the backward pass: less memory, more compute, the same update")
    parser.add_argument("--save-steps", type=int, default=500, help="updates between checkpoints; the last update is always saved (default: 500)")
    parser.add_argument("--backend", choices=("nccl", "gloo"), help="nccl: on GPUs; gloo: on CPUs (default: nccl if there are GPUs)")
    args = parser.parse_args()
    for name in ("micro_batch", "save_steps"):
        if getattr(args, name) < 0:
            fail(f"--{name.replace('_', '-')} is {getattr(args, name)}; it must be 0 or more")
    return args


def connect(args, first):
    """Joins the processes; returns the device of this one. Ends the script if they are not all at step `first`."""
    backend, device = place(args.backend, torch.cuda.device_count(), int(os.environ.get("LOCAL_RANK", 0)))
    if device.type == "cuda":
        torch.cuda.set_device(device)
    alone = {} if "RANK" in os.environ else dict(store=dist.HashStore(), rank=0, world_size=1)  # without torchrun
    dist.init_process_group(backend, **alone)
    low_high = torch.tensor([-first, first], device=device)
    dist.all_reduce(low_high, dist.ReduceOp.MAX)
    if low_high.tolist() != [-first, first]:
        fail(f"the processes read different checkpoints, of steps {-low_high[0].item()} to {low_high[1].item()}; copy {args.folder} to all machines")
    return device


def backward(model, data, batches, weight, autocast, device):
    """Adds the gradients of `weight` times the loss of all batches; returns [sum of losses, number of correct tokens]."""
    sums = torch.zeros(2, device=device, dtype=next(model.parameters()).dtype)
    for i, batch in enumerate(batches):
        last = i + 1 == len(batches)  # DDP sends the gradients once; FSDP after each batch, so that only shards remain
        with contextlib.nullcontext() if last or isinstance(model, FSDPModule) else model.no_sync():
            with autocast():
                loss, hits = model(*(ids.to(device) for ids in batch or data.batch([0])))
            (loss * (weight if batch else 0)).backward()  # outside of autocast, as PyTorch's documentation says
        if batch:
            sums = sums + torch.stack([loss.detach(), hits])
    return sums


def spread(model, args, device):
    """The model for several processes: a copy in each (DDP), or shards of its weights (FSDP2); and the number by which
    the sum of the gradients of all processes is divided."""
    layers = [layer for layer in model.modules() if isinstance(layer, Layer)]
    for layer in layers:
        layer.recompute = args.activation_checkpointing
    world, on_cpu = dist.get_world_size(), device.type == "cpu"
    if not args.fsdp:
        return DistributedDataParallel(model.to(device), device_ids=None if on_cpu else [device.index],
                                       broadcast_buffers=False), world
    if not fully_shard:
        fail(f"--fsdp needs PyTorch 2.6 or later, this is {torch.__version__}")
    if on_cpu and not hasattr(torch.cpu.Stream, "record_event"):  # PyTorch 2.6; later versions have them: they do nothing
        torch.cpu.Stream.record_event = lambda self, event=None: event or torch.cpu.Event()
        torch.cpu.Stream.wait_event = lambda self, event: None
    # A layer's weights are whole only while it computes; on CPUs, where PyTorch fails with that, until its backward pass.
    options = dict(mesh=init_device_mesh(device.type, (world,)), reshard_after_forward=not on_cpu)
    for part in [*layers, model]:
        fully_shard(part, **options)
    return model.to(device), world / gradient_of_ones(world, device, next(model.parameters()).dtype, options)


def gradient_of_ones(world, device, dtype, options):
    """What FSDP makes of a gradient of 1 of a dtype in each process: 1, the mean; with gloo, which has no mean, it may be
    the sum, in float32 unlike in float64."""
    probe = torch.nn.Linear(1, world, bias=False).to(device, dtype)
    fully_shard(probe, **options)
    probe(torch.ones(1, 1, device=device, dtype=dtype)).sum().backward()
    return local(probe.weight.grad).sum().item()


def like(tensor, parameter):
    """A tensor of the checkpoint on the device of a parameter, and as its shards."""
    if not isinstance(parameter, DTensor):
        return tensor.to(parameter.device, parameter.dtype)
    mesh, placements = parameter.device_mesh, parameter.placements
    return distribute_tensor(tensor.to(parameter.dtype).to(mesh.device_type), mesh, placements)


def whole(tensors, keep):
    """The tensors on the host, whole. All processes must call it; those without `keep` get none."""
    parts = {}
    for name, tensor in tensors.items():
        full = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
        if keep:
            parts[name] = full.detach().cpu()
    return parts


def train(args, folder, plan, run, steps):
    first, wide = run.state["step"], torch.float64 if args.dtype == "f64" else torch.float32
    device = connect(args, first)
    rank, world = dist.get_rank(), dist.get_world_size()
    trained = {p["name"] for p in plan["parameters"] if p["trained"]}
    decayed = {p["name"] for p in plan["parameters"] if p["decay"]}
    base = read_base(folder) if "lora" in plan else {}
    model = Transformer(plan["model"], {**base, **run.weights}, trained, plan.get("lora")).to(wide)
    parallel, divisor = spread(model, args, device)
    parameters = {name: model.get_parameter(name) for name in run.weights}
    m, v, averages = ({name: like(t, parameters[name]) for name, t in x.items()} for x in (run.m, run.v, run.average))
    run.counters = run.counters.to(wide)
    updated = {name: p for name, p in parameters.items() if p.requires_grad}
    o = plan["optimizer"]
    optimizer = Optimizer(o, updated, m, v, run.counters, decayed)
    low = {"bf16": torch.bfloat16, "f16": torch.float16}.get(args.dtype)
    autocast = lambda: torch.autocast(device.type, low) if low else contextlib.nullcontext()
    data, skipped, stuck, stop = Data(folder, plan), run.state["skipped"], 0, []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.append(True))
    now = lambda: datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if rank == 0:
        run.log({**plan["log"], "time": now(), "step": first, "steps": steps, "backend": f"torch {torch.__version__} {dist.get_backend()} x{world}"})
    begin, shown, recent = time.monotonic(), 0.0, collections.deque([(0, 0.0)], maxlen=21)
    for step in range(first, steps):
        torch.manual_seed(hash((plan["seed"], step, rank)) % 2**63)  # dropout: a function of seed, step and process
        for settings in plan["settings"]:  # the schedule and dropout of this update
            if settings["step"] <= step:
                schedule, model.c["dropout"] = settings["schedule"], settings["dropout"]
            if settings["step"] == step > first and rank == 0:
                run.log({"type": "change", "step": step, **settings["change"]})
        tokens, batches = data.update(step, rank, world, args.micro_batch)
        loss_scale, rate = run.counters[4].item(), learning_rate(schedule, step)
        # The loss is the mean over all tokens of the update, of all processes.
        weight = divisor * (loss_scale or 1) * rounded(1 / tokens)
        sums = backward(parallel, data, batches, weight, autocast, device)
        sums = torch.cat([sums, sums.new_tensor([float(len(stop))])])
        dist.all_reduce(sums)
        norm = optimizer.update(rounded(rate))
        with torch.no_grad():
            for name, average in averages.items():
                average.lerp_(parameters[name], 1 - o["emaDecay"])
        model.zero_grad()
        skipped += math.isnan(norm)
        stuck = stuck + 1 if math.isnan(norm) and loss_scale <= 1 else 0
        if stuck == MAX_STUCK:
            fail(f"step {step + 1}: the gradients of the last {stuck} updates were not finite, so all of them were skipped; "
                 "resume from an earlier checkpoint with a lower learning rate")
        done, seconds = step + 1, time.monotonic() - begin
        recent.append((tokens, seconds))
        ended = done == steps or sums[2] > 0
        if rank == 0:
            speed = round(sum(n for n, _ in list(recent)[1:]) / (seconds - recent[0][1]))
            loss, accuracy = (sums[:2] / tokens).tolist()
            run.log({"type": "step", "step": done, "loss": loss, "accuracy": accuracy, "learningRate": rate, "gradientNorm": norm,
                     "tokens": tokens, "tokensPerSecond": speed, "seconds": round(seconds, 4),
                     **({"lossScale": loss_scale} if loss_scale > 0 else {}), **({"skipped": True} if math.isnan(norm) else {})})
            if seconds - shown > 1 or ended:
                shown = seconds
                print(f"step {done}/{steps}  loss {loss:.4f}  accuracy {100 * accuracy:.1f} %  lr {rate:.2e}  {speed} tokens/s", file=sys.stderr)
            if ended:
                run.log({"type": "end", "time": now(), "step": done, "reason": "done" if done == steps else "stopped", "skipped": skipped})
        if ended or (args.save_steps > 0 and done % args.save_steps == 0):
            run.weights, run.m, run.v, run.average = (whole(x, rank == 0) for x in (parameters, m, v, averages))
            if rank == 0:
                run.save(done, skipped)
        if ended:
            break
    dist.barrier()
    # The group must not die with DDP, whose destructor holds the GIL while it joins threads of gloo that wait for it.
    del parallel
    gc.collect()
    dist.destroy_process_group()


def main():
    args = arguments()
    folder, plan, run = open_run(args.folder)
    step, last = run.state["step"], plan["lastStep"]
    steps = last if args.steps is None else args.steps
    if steps <= step:
        fail(f"{args.folder} is at step {step} already; --steps is the total number of updates, give more than {step}")
    if steps > last:
        fail(f"{args.folder} has data up to step {last}; convert with --steps {steps}")
    train(args, folder, plan, run, steps)


if __name__ == "__main__":
    main()
