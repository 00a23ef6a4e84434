"""The ONNX files of an exported model in onnxruntime: encoder, and decoder with a cache."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime


def open_sessions(folder, suffix=""):
    """The sessions of encoder and decoder in `folder`, after onnx.checker has accepted their files."""
    sessions = []
    for name in ("encoder_model", "decoder_model_merged"):
        path = str(Path(folder) / "onnx" / f"{name}{suffix}.onnx")
        onnx.checker.check_model(path, full_check=True)
        sessions.append(onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]))
    return sessions


def decoder_logits(decoder, target, fixed):
    """Logits of one run over all tokens of `target` [B, T], and of runs that feed them one by one with the cache."""
    past = {}
    for tensor in decoder.get_inputs():
        if tensor.name.startswith("past_key_values"):
            _, heads, _, width = tensor.shape
            past[tensor.name] = np.zeros((len(target), heads, 0, width), dtype=np.float32)
    names = [tensor.name for tensor in decoder.get_outputs()]
    whole = decoder.run(["logits"], {"input_ids": target, **fixed, **past})[0]
    steps = []
    for t in range(target.shape[1]):
        out = dict(zip(names, decoder.run(None, {"input_ids": target[:, t : t + 1], **fixed, **past})))
        steps.append(out["logits"])
        past = {name: out[name.replace("past_key_values", "present")] for name in past}
    return whole, np.concatenate(steps, axis=1)
