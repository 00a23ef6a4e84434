"""The schedule and the optimizer of a run, for one process or for shards of FSDP."""
import math

import torch
import torch.distributed as dist

try:
    from torch.distributed.tensor import DTensor
except ImportError:  # PyTorch before 2.5
    DTensor = ()

def rounded(x):
    """`x` in float32, in which heddle passes learning rate and loss weight to its kernels."""
    return torch.tensor(x, dtype=torch.float32).item()


def learning_rate(s, step):
    """Learning rate of update `step`, from 0, in the schedule `s`; as learningRate in src/train/update/schedule.ts."""
    t, w, lr, low = step + 1, s["warmupSteps"], s["learningRate"], s["minLearningRate"]
    warm = min(1, t / w) if w > 0 else 1
    left = min(1, max(0, (s["steps"] - t) / max(1, s["steps"] - w)))
    if s["kind"] == "noam":
        return lr * s["dModel"] ** -0.5 * min(t**-0.5, t * w**-1.5)
    if s["kind"] == "inverse-sqrt":
        return lr * min(t / w, math.sqrt(w / t))
    if s["kind"] == "constant" or t < w:
        return lr * warm
    return low + (lr - low) * (left if s["kind"] == "linear" else 0.5 * (1 + math.cos(math.pi * (1 - left))))


def local(tensor):
    """The numbers of a tensor that this process has: all, or its shard."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


class Optimizer:
    """Clips and applies the gradients, by torch.optim where it has the optimizer.

    Mirrors `optimizers` in src/train/update/optimizer-config.ts; tests/features/pytorch/twins.test.ts compares their names.

    `o`: the optimizer. `weights`: the trained ones by name. `decayed`: names of those with weight decay. `m`, `v`: first
    and second moments by name, which stay those of the checkpoint. `counters`: applied and skipped updates, bias
    corrections of the moments, loss scale (0: none), and updates since the scale changed.
    """

    def __init__(self, o, weights, m, v, counters, decayed):
        self.o, self.weights, self.m, self.v, self.counters = o, weights, m, v, counters
        groups = [{"params": [w for name, w in weights.items() if (name in decayed) == decay],
                   "weight_decay": o["weightDecay"] if decay else 0.0} for decay in (True, False)]
        groups = [group for group in groups if group["params"]]
        if o["kind"] in ("adamw", "adam"):
            kind = torch.optim.AdamW if o["kind"] == "adamw" else torch.optim.Adam
            self.optimizer = kind(groups, betas=(o["beta1"], o["beta2"]), eps=o["eps"])
            applied = float(counters[0])
            state = lambda name: {"step": torch.tensor(applied), "exp_avg": m[name], "exp_avg_sq": v[name]}
        elif o["kind"] == "sgd":
            self.optimizer = torch.optim.SGD(groups, lr=0.0, momentum=o["momentum"])
            state = lambda name: {"momentum_buffer": m[name]}
        else:  # rmsprop: epsilon is inside of the root, as in Keras; that of torch.optim is outside
            self.optimizer = None
        if self.optimizer:
            self.optimizer.state.update({w: state(name) for name, w in weights.items()})

    def norm(self):
        """The norm of the gradients, of all shards."""
        own = torch.linalg.vector_norm(torch.stack([local(w.grad).norm() for w in self.weights.values()]))
        if any(isinstance(w, DTensor) for w in self.weights.values()):
            squared = own.square()
            dist.all_reduce(squared)
            own = squared.sqrt()
        return own.item()

    @torch.no_grad()
    def update(self, rate):
        """Applies the gradients; returns their norm before clipping, NaN if the update is skipped (not finite)."""
        o, counters = self.o, self.counters
        scale = counters[4].item() or 1.0
        norm = self.norm() / scale
        if not math.isfinite(norm):
            counters[1], counters[4], counters[5] = counters[1] + 1, max(1, scale / 2) if counters[4] > 0 else 0, 0
            return math.nan
        counters[0] += 1
        adam = o["kind"] in ("adamw", "adam")
        for i in (1, 2):
            counters[1 + i] = 1 - (o[f"beta{i}"] if adam else 0) ** counters[0].item()
        clip = (min(1, o["clipNorm"] / (norm + 1e-6)) if o["clipNorm"] > 0 else 1) / scale
        for w in self.weights.values():
            w.grad.mul_(clip)
        if o["kind"] == "rmsprop":
            for name, w in self.weights.items():
                self.v[name].lerp_(w.grad * w.grad, 1 - o["rho"])
                w -= rate * w.grad / (self.v[name] + o["eps"]).sqrt()
        else:
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.step()
        if counters[4] > 0:
            counters[5] += 1
            if 0 < o["lossScaleGrowth"] <= counters[5]:
                counters[4], counters[5] = min(2**24, 2 * counters[4]), 0
        return norm
