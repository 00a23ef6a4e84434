"""Logits of an exported Whisper with onnxruntime, after onnx.checker has accepted its files, against those of a golden case.

python3 onnx-speech-logits.py DIR CASE prints {"whole": error, "steps": error}: the largest difference to `logits` of expected.safetensors over
its largest value, of one run over all target tokens and of runs that feed them one by one with the cache.
"""

import json
import sys
from pathlib import Path

import numpy as np
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "onnx/export"))
from onnx_sessions import decoder_logits, open_sessions


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
encoder, decoder = open_sessions(folder)
(memory,) = encoder.run(None, {"input_features": batch["input_features"]})
whole, steps = decoder_logits(decoder, batch["decoder_input_ids"], {"encoder_hidden_states": memory})
want = expected["logits"]
error = lambda got: float(np.abs(got - want).max() / np.abs(want).max())
print(json.dumps({"whole": error(whole), "steps": error(steps)}))
