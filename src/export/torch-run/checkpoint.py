"""The folder of a training run of heddle: its weights and optimizer states as safetensors, state.json and the log."""
import json
import math
import os
import shutil
import sys

import torch

DTYPES = {"F32": torch.float32, "F16": torch.float16, "I32": torch.int32, "I8": torch.int8}


def fail(text):
    sys.exit(f"continue.py: {text}")


def read_json(path):
    with open(path) as file:
        try:
            return json.load(file)
        except ValueError:
            fail(f"{path} is not JSON; is it incomplete? copy or convert it again")


def read_safetensors(path):
    """Returns the tensors by name, and the metadata."""
    with open(path, "rb") as file:
        header, data = file.read(int.from_bytes(file.read(8), "little")), bytearray(file.read())
    def tensor(dtype, shape, data_offsets):
        first, end = data_offsets
        if first == end:
            return torch.empty(shape, dtype=DTYPES[dtype])
        part = torch.frombuffer(data, dtype=torch.uint8, count=end - first, offset=first)
        return part.clone().view(DTYPES[dtype]).view(shape)  # the copy is aligned
    try:
        header = json.loads(header)
        metadata = header.pop("__metadata__", {})
        return {name: tensor(**entry) for name, entry in header.items()}, metadata
    except ValueError:
        fail(f"{path} is incomplete; copy or convert it again")


def read_base(folder):
    """The frozen weights under a LoRA adapter, by name in float32: int8 rows have their scales in NAME.scale."""
    tensors, _ = read_safetensors(os.path.join(folder, "base.safetensors"))
    scales = {name: tensors.pop(f"{name}.scale") for name in list(tensors) if f"{name}.scale" in tensors}
    return {name: t.float() * scales[name][:, None] if name in scales else t.float() for name, t in tensors.items()}


def write_safetensors(path, tensors, metadata):
    """Writes float32 tensors, sorted by name."""
    header, at = {"__metadata__": metadata}, 0
    for name in sorted(tensors):
        size = 4 * tensors[name].numel()
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in sorted(tensors):
            file.write(tensors[name].detach().float().cpu().contiguous().numpy().tobytes())


class Checkpoint:
    """The folder of a run: trained weights, moments, counters, best weights so far, state.json and the log."""

    def __init__(self, folder, plan):
        self.folder, self.plan = folder, plan
        path = lambda name: os.path.join(folder, name)
        self.state = read_json(path("state.json"))
        model, self.metadata = read_safetensors(path(plan["weights"]))
        self.tensors, self.optimizer_metadata = read_safetensors(path("optimizer.safetensors"))
        if self.state.get("best") and not self.stored("best"):
            self.tensors.update({f"best.{name}": tensor for name, tensor in model.items()})
        self.weights = self.split(self.stored("running") or model)
        self.m, self.v, self.average = (self.split(self.stored(x)) for x in ("moment1", "moment2", "average"))
        self.counters = self.tensors["counters"]

    def stored(self, buffer):
        return {name[len(buffer) + 1 :]: t for name, t in self.tensors.items() if name.startswith(f"{buffer}.")}

    def split(self, stored):
        """Parameters by name from stored tensors, which may hold several, row after row."""
        return {p["name"]: stored[p["tensor"]][p["row"] :][: p["shape"][0]].clone()
                for p in self.plan["parameters"] if p["tensor"] in stored}

    def joined(self, parts):
        tensors = {}
        for p in self.plan["parameters"]:
            if p["name"] in parts:
                rows = tensors.setdefault(p["tensor"], torch.zeros([p["rows"], *p["shape"][1:]]))
                rows[p["row"] : p["row"] + p["shape"][0]] = parts[p["name"]]
        return tensors

    def save(self, step, skipped):
        """Replaces the folder atomically. A process that is killed between the two renames leaves FOLDER.previous, which
        heddle reads."""
        turn, per_epoch = step * self.plan["gradientAccumulationSteps"], self.plan["batchesPerEpoch"]
        self.state.update(step=step, epoch=turn // per_epoch, batch=turn % per_epoch, skipped=skipped)
        if self.counters[4] > 0:
            self.state["lossScale"] = self.counters[4].item()
        buffers = {"moment1": self.m, "moment2": self.v, "average": self.average}
        tensors = {f"{x}.{name}": t for x, parts in buffers.items() for name, t in self.joined(parts).items()}
        if self.average:  # the model is the moving average, training continues from the weights themselves
            tensors.update({f"running.{name}": t for name, t in self.joined(self.weights).items()})
        tensors.update({f"best.{name}": t for name, t in self.stored("best").items()}, counters=self.counters)
        partial, previous = f"{self.folder}.partial", f"{self.folder}.previous"
        for old in (partial, previous):
            shutil.rmtree(old, ignore_errors=True)
        changed = {self.plan["weights"], "optimizer.safetensors", "state.json"}
        shutil.copytree(self.folder, partial, copy_function=link, ignore=lambda _, names: changed & set(names))
        write_safetensors(f"{partial}/{self.plan['weights']}", self.joined(self.average or self.weights), self.metadata)
        write_safetensors(f"{partial}/optimizer.safetensors", tensors, self.optimizer_metadata)
        with open(f"{partial}/state.json", "w") as file:
            json.dump(self.state, file, indent=1)
        os.rename(self.folder, previous)
        os.rename(partial, self.folder)
        shutil.rmtree(previous)

    def log(self, record):
        values = {k: None if isinstance(x, float) and not math.isfinite(x) else x for k, x in record.items()}
        with open(f"{self.folder}/log.jsonl", "a") as file:
            file.write(json.dumps(values) + "\n")


def link(source, target):
    """A hard link, or a copy where the file system has none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
