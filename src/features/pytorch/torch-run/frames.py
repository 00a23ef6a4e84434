"""Sources of frames, such as the features of clips: the rows of the data, their batches, and SpecAugment."""
import random

import torch
import torch.nn.functional as F


class Frames:
    """The frames of all pairs. `joined` returns a tensor of the data files by name."""

    def __init__(self, plan, joined):
        self.plan, self.seed = plan["frames"], plan["seed"]
        self.data, self.counts, self.fill = (joined(name) for name in ("frames", "frames_counts", "frames_fill"))
        self.starts = F.pad(joined("frames_lengths").long().cumsum(0), (1, 0)).tolist()

    def batch(self, rows, targets, epoch):
        """Frames [B, T, C] of rows whose targets have up to `targets` positions, zeros after them, and their lengths [B]
        in positions of the encoder. T is that of the first shape of the run that the rows fit."""
        counts, width = self.counts[rows], self.plan["width"]
        slots = next(s for s, t in self.plan["shapes"] if counts.max() <= s and targets <= t)
        batch = torch.zeros(len(rows), slots, width)
        for out, i, count in zip(batch, rows, counts.tolist()):
            own = self.data[self.starts[i] : self.starts[i + 1]].view(-1, width)
            out[: len(own)] = self.masked(own, i, epoch)
            out[len(own) : count] = self.fill[i]
        return batch, -(-counts // self.plan["perPosition"])

    def masked(self, frames, row, epoch):
        """SpecAugment, as src/features/speech/batches/frame-masks.ts: a function of seed, epoch and row, with numbers of its own."""
        masks, draw = self.plan.get("masks"), random.Random(f"{self.seed} {epoch} {row}")
        if not masks:
            return frames
        frames = frames.clone()
        def spans(size, share, length):
            if share <= 0:
                return []
            wanted, places = int(share * size / length + draw.random()), max(1, size - length + 1)
            return draw.sample(range(places), min(wanted, places))
        for start in spans(len(frames), masks["maskTimeProb"], masks["maskTimeLength"]):
            frames[start : start + masks["maskTimeLength"]] = 0
        for start in spans(frames.shape[1], masks["maskFeatureProb"], masks["maskFeatureLength"]):
            frames[:, start : start + masks["maskFeatureLength"]] = 0
        return frames
