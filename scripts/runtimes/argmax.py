"""Greedy ids of models in other runtimes, from the logits of given targets: argmax.py onnx|pytorch FOLDER [SUFFIX].

Reads {"pairs": [[source ids, target ids with start], ...], "banned": [ids]} from stdin; prints for each pair the most probable next id at
each target position. They are the ids of greedy decoding if and only if each is the next one of the target. `onnx` feeds the target token
by token with the cache.
"""

import json
import os
import sys

import numpy as np

kind, folder, suffix = (sys.argv[1:] + [""])[:3]
case = json.load(sys.stdin)
here = os.path.dirname(os.path.abspath(__file__))


def onnx(pairs):
    sys.path.insert(0, os.path.join(here, "../../tests/features/onnx/export"))
    from onnx_sessions import decoder_logits, open_sessions

    encoder, decoder = open_sessions(folder, suffix)
    for source, target in pairs:
        ids, mask = np.array([source], dtype=np.int64), np.ones((1, len(source)), dtype=np.int64)
        (memory,) = encoder.run(None, {"input_ids": ids, "attention_mask": mask})
        fixed = {"encoder_hidden_states": memory, "encoder_attention_mask": mask}
        yield decoder_logits(decoder, np.array([target], dtype=np.int64), fixed)[1][0]


def pytorch(pairs):
    sys.path.insert(0, os.path.join(here, "../../tests/features/pytorch"))
    import torch
    from nn_transformer import load

    model = load(folder)
    with torch.no_grad():
        for source, target in pairs:
            yield model(torch.tensor([source]), torch.tensor([target]))[0].numpy()


out = []
for logits in {"onnx": onnx, "pytorch": pytorch}[kind](case["pairs"]):
    logits[:, case["banned"]] = -np.inf
    out.append(logits.argmax(-1).tolist())
print(json.dumps(out))
