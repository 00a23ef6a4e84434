"""The folder of a training run of heddle: its weights and optimizer states as safetensors, state.json and the log."""
import contextlib
import hashlib
import json
import math
import os
import re
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
    """The frozen weights under a LoRA adapter, by name in float32: NAME.scale has the scales of integers,
    one for a row or for each of its blocks of 32."""
    tensors, _ = read_safetensors(os.path.join(folder, "base.safetensors"))
    scales = {name: tensors.pop(f"{name}.scale") for name in list(tensors) if f"{name}.scale" in tensors}
    def scaled(t, scale):
        if scale is None:
            return t.float()
        wide = scale[:, None] if scale.dim() == 1 else scale.repeat_interleave(32, 1)[:, :t.shape[1]]
        return t.float() * wide
    return {name: scaled(t, scales.get(name)) for name, t in tensors.items()}


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
        settle(folder)
        if os.environ.get("LOCAL_RANK", "0") == "0":  # one process of each machine; the others end with it
            base = ["base.safetensors"] if "lora" in plan else []
            verify(folder, [plan["weights"], "optimizer.safetensors", "state.json", *plan["data"], *base])
        path = lambda name: os.path.join(folder, name)
        self.state = read_json(path("state.json"))
        model, self.metadata = read_safetensors(path(plan["weights"]))
        self.tensors, self.optimizer_metadata = read_safetensors(path("optimizer.safetensors"))
        if self.state.get("best") and not self.stored("best"):
            self.tensors.update({f"best.{name}": tensor for name, tensor in model.items()})
        self.weights = self.split(self.stored("running") or model)
        self.m, self.v, self.average = (self.split(self.stored(x)) for x in ("moment1", "moment2", "average"))
        self.counters = self.tensors["counters"]
        self.log_text = ""
        if os.path.exists(path("log.jsonl")):
            with open(path("log.jsonl")) as file:
                self.log_text = file.read()

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
        """Replaces the changed files, all or nothing."""
        turn, per_epoch = step * self.plan["gradientAccumulationSteps"], self.plan["batchesPerEpoch"]
        self.state.update(step=step, epoch=turn // per_epoch, batch=turn % per_epoch, skipped=skipped)
        if self.counters[4] > 0:
            self.state["lossScale"] = self.counters[4].item()
        buffers = {"moment1": self.m, "moment2": self.v, "average": self.average}
        tensors = {f"{x}.{name}": t for x, parts in buffers.items() for name, t in self.joined(parts).items()}
        if self.average:  # the model is the moving average, training continues from the weights themselves
            tensors.update({f"running.{name}": t for name, t in self.joined(self.weights).items()})
        tensors.update({f"best.{name}": t for name, t in self.stored("best").items()}, counters=self.counters)
        with Replacement(self.folder) as new:
            write_safetensors(new.path(self.plan["weights"]), self.joined(self.average or self.weights), self.metadata)
            write_safetensors(new.path("optimizer.safetensors"), tensors, self.optimizer_metadata)
            with open(new.path("state.json"), "w") as file:
                json.dump(self.state, file, indent=1)
            with open(new.path("log.jsonl"), "w") as file:
                file.write(self.log_text)

    def log(self, record):
        """Adds a record to the log, which the next save writes: after a kill no step is in it twice."""
        values = {k: None if isinstance(x, float) and not math.isfinite(x) else x for k, x in record.items()}
        self.log_text += json.dumps(values) + "\n"


MANIFEST = "heddle-manifest.json"
# Name of the hidden folder of a replacement.
STAGING = re.compile(r"\.heddle-[0-9a-f]{12}")


class Replacement:
    """New files of a folder, all or nothing, as src/files/owned-folder.ts writes them: into a hidden folder, then a
    commit record, then each file is moved to its place."""

    def __init__(self, folder):
        self.folder, self.staging, self.names = folder, f"{folder}/.heddle-{os.urandom(6).hex()}", []

    def path(self, name):
        self.names.append(name)
        return f"{self.staging}/files/{name}"

    def __enter__(self):
        for name in os.listdir(self.folder):
            if STAGING.fullmatch(name):
                shutil.rmtree(f"{self.folder}/{name}")
        os.makedirs(f"{self.staging}/files")
        return self

    def __exit__(self, kind, *_):
        if kind:
            return shutil.rmtree(self.staging)
        if os.path.exists(f"{self.folder}/{MANIFEST}"):
            manifest = read_json(f"{self.folder}/{MANIFEST}")
            manifest.pop("fingerprint", None)  # that of the files before
            manifest["files"].update({name: checksum(f"{self.staging}/files/{name}") for name in self.names})
            with open(self.path(MANIFEST), "w") as file:
                json.dump(manifest, file, indent=1)
        with open(f"{self.staging}/commit.tmp", "w") as file:
            json.dump({"version": 1, "moves": self.names, "removes": {}}, file)
        os.replace(f"{self.staging}/commit.tmp", f"{self.staging}/commit.json")
        finish_replacement(self.folder, self.staging)


def finish_replacement(folder, staging):
    for name in read_json(f"{staging}/commit.json")["moves"]:
        with contextlib.suppress(FileNotFoundError):  # moved before, or by another process
            os.replace(f"{staging}/files/{name}", f"{folder}/{name}")
    shutil.rmtree(staging, ignore_errors=True)


def settle(folder):
    """Finishes a replacement that was interrupted after its commit record."""
    for name in os.listdir(folder):
        if STAGING.fullmatch(name) and os.path.exists(f"{folder}/{name}/commit.json"):
            finish_replacement(folder, f"{folder}/{name}")


def verify(folder, names):
    """Compares files with the manifest, if there is one; ends the script with a message if one has changed."""
    manifest = f"{folder}/{MANIFEST}"
    known = read_json(manifest)["files"] if os.path.exists(manifest) else {}
    for name in (name for name in names if name in known):
        path, whole = f"{folder}/{name}", hashlib.sha256()
        with open(path, "rb") as file:
            while data := file.read(1 << 20):
                whole.update(data)
        if whole.hexdigest() != known[name]["sha256"]:
            fail(f"{path}: SHA-256 differs; the file changed after it was written. Restore it from a copy, or delete "
                 f"{MANIFEST} to use it as it is")


def checksum(path, chunk=64 << 20):
    """Size and SHA-256 of a file, and of its chunks if it has several."""
    whole, chunks, size = hashlib.sha256(), [], os.path.getsize(path)
    with open(path, "rb") as file:
        while data := file.read(chunk):
            whole.update(data)
            chunks.append(hashlib.sha256(data).hexdigest())
    sums = {"size": size, "sha256": whole.hexdigest()}
    return {**sums, "chunks": chunks} if size > chunk else sums
