"""The model NAME in PyTorch: the loss of the pairs in pairs.json, then UPDATES updates on them as one batch, each with
its loss before the update. program.js does the same with heddle.

    python3 program.py

transformer.py is the model, optimizer.py the schedule and the optimizer; torch.json has the pairs as token ids.
"""
import os

import torch
from torch.nn.utils.rnn import pad_sequence

from checkpoint import read_json, read_safetensors
from optimizer import Optimizer, learning_rate, rounded
from transformer import Transformer, padding_label

here = os.path.dirname(os.path.abspath(__file__))
plan = read_json(f"{here}/torch.json")
config, parameters = plan["model"], plan["parameters"]
stored, _ = read_safetensors(f"{here}/model/model.safetensors")
# A tensor of the file may hold several parameters, row after row.
weights = {p["name"]: stored[p["tensor"]][p["row"] :][: p["shape"][0]] for p in parameters}
model = Transformer(config, weights, set(weights))

start, end, pad = plan["startId"], plan["endId"], config["padId"]
inputs, labels = [[start, *ids] for ids in plan["target"]], [[*ids, end] for ids in plan["target"]]
sides = (plan["source"], pad), (inputs, pad), (labels, padding_label(config))
batch = [pad_sequence([torch.tensor(ids) for ids in rows], True, value) for rows, value in sides]
tokens = sum(map(len, labels))


def loss_of(smoothing):
    """The mean loss of a target token, with a share of label smoothing."""
    model.c = {**config, "labelSmoothing": smoothing}
    return model(*batch)[0] / tokens


with torch.no_grad():
    print(f"loss {loss_of(0).item():.6f} of {tokens} tokens")

moments = [{p["name"]: torch.zeros(p["shape"]) for p in parameters} for _ in range(2)]
decayed = {p["name"] for p in parameters if p["decay"]}
# Applied and skipped updates, bias corrections of the moments, loss scale (0: none), updates since it changed.
counters = torch.zeros(6)
trained = {name: model.get_parameter(name) for name in weights}
optimizer = Optimizer(plan["optimizer"], trained, *moments, counters, decayed)
for step in range(plan["updates"]):
    loss = loss_of(config["labelSmoothing"])
    loss.backward()
    optimizer.update(rounded(learning_rate(plan["schedule"], step)))
    model.zero_grad()
    print(f"update {step + 1}: loss {loss.item():.6f}")
