"""Logits of exported models with onnxruntime, after onnx.checker has accepted their files.

python3 onnx_logits.py DIR ... reads {"source": [[..]], "mask": [[..]], "target": [[..]], "suffix": ""} from stdin and prints, for each
folder, the logits of one run over all target tokens and of runs that feed them one by one with the cache.
"""

import json
import sys

import numpy as np
from onnx_sessions import decoder_logits, open_sessions

case = json.load(sys.stdin)
source, mask, target = (np.array(case[name], dtype=np.int64) for name in ("source", "mask", "target"))
results = []
for folder in sys.argv[1:]:
    encoder, decoder = open_sessions(folder, case["suffix"])
    (memory,) = encoder.run(None, {"input_ids": source, "attention_mask": mask})
    fixed = {"encoder_hidden_states": memory, "encoder_attention_mask": mask}
    whole, steps = decoder_logits(decoder, target, fixed)
    results.append({"whole": whole.tolist(), "steps": steps.tolist()})
print(json.dumps(results))
