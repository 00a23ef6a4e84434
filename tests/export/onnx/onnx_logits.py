"""Logits of exported models with onnxruntime, after onnx.checker has accepted their files.

python3 onnx_logits.py DIR ... reads {"source": [[..]], "mask": [[..]], "target": [[..]], "suffix": ""} from stdin and prints, for each
folder, the logits of one run over all target tokens and of runs that feed them one by one with the cache.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

case = json.load(sys.stdin)
source, mask, target = (np.array(case[name], dtype=np.int64) for name in ("source", "mask", "target"))
results = []
for folder in sys.argv[1:]:
    sessions = []
    for name in ("encoder_model", "decoder_model_merged"):
        path = Path(folder) / "onnx" / f"{name}{case['suffix']}.onnx"
        onnx.checker.check_model(str(path), full_check=True)
        sessions.append(onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]))
    encoder, decoder = sessions
    (memory,) = encoder.run(None, {"input_ids": source, "attention_mask": mask})
    empty = {}
    for tensor in decoder.get_inputs():
        if tensor.name.startswith("past_key_values"):
            _, heads, _, width = tensor.shape
            empty[tensor.name] = np.zeros((len(source), heads, 0, width), dtype=np.float32)
    names = [tensor.name for tensor in decoder.get_outputs()]
    fixed = {"encoder_hidden_states": memory, "encoder_attention_mask": mask}
    whole = decoder.run(["logits"], {"input_ids": target, **fixed, **empty})[0]
    steps, past = [], empty
    for t in range(target.shape[1]):
        out = dict(zip(names, decoder.run(None, {"input_ids": target[:, t : t + 1], **fixed, **past})))
        steps.append(out["logits"])
        past = {name: out[name.replace("past_key_values", "present")] for name in past}
    results.append({"whole": whole.tolist(), "steps": np.concatenate(steps, axis=1).tolist()})
print(json.dumps(results))
