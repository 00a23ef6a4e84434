"""Logits of an exported Whisper with onnxruntime, after onnx.checker has accepted its files, against those of a golden case.

python3 whisper_logits.py DIR CASE prints {"whole": error, "steps": error}: the largest difference to `logits` of expected.safetensors over
its largest value, of one run over all target tokens and of runs that feed them one by one with the cache.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


def tensors(path):
    data = Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    types = {"F32": np.float32, "I64": np.int64}
    found = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        start, end = (8 + size + at for at in entry["data_offsets"])
        found[name] = np.frombuffer(data[start:end], types[entry["dtype"]]).reshape(entry["shape"])
    return found


folder, case = (Path(name) for name in sys.argv[1:])
batch, expected = tensors(case / "batch.safetensors"), tensors(case / "expected.safetensors")
sessions = []
for name in ("encoder_model", "decoder_model_merged"):
    path = str(folder / "onnx" / f"{name}.onnx")
    onnx.checker.check_model(path, full_check=True)
    sessions.append(onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]))
encoder, decoder = sessions
(memory,) = encoder.run(None, {"input_features": batch["input_features"]})
target = batch["decoder_input_ids"]
empty = {}
for tensor in decoder.get_inputs():
    if tensor.name.startswith("past_key_values"):
        _, heads, _, width = tensor.shape
        empty[tensor.name] = np.zeros((len(target), heads, 0, width), dtype=np.float32)
names = [tensor.name for tensor in decoder.get_outputs()]
fixed = {"encoder_hidden_states": memory}
whole = decoder.run(["logits"], {"input_ids": target, **fixed, **empty})[0]
steps, past = [], empty
for t in range(target.shape[1]):
    out = dict(zip(names, decoder.run(None, {"input_ids": target[:, t : t + 1], **fixed, **past})))
    steps.append(out["logits"])
    past = {name: out[name.replace("past_key_values", "present")] for name in past}
want = expected["logits"]
error = lambda got: float(np.abs(got - want).max() / np.abs(want).max())
print(json.dumps({"whole": error(whole), "steps": error(np.concatenate(steps, axis=1))}))
