# Writes the node tests of ONNX's Attention and RotaryEmbedding as JSON, for
# tests/engine/ops/attention/onnx-attention.test.ts:
#
#   python3 tests/support/onnx-vectors.py ONNX vectors.json
#   HEDDLE_ONNX_VECTORS=vectors.json npx vitest run --project cpu tests/engine/ops/attention/onnx-attention.test.ts
#
# ONNX is a clone of github.com/onnx/onnx (1.18 or later); any installed onnx makes the nodes.
import json
import subprocess
import sys
import types

import numpy as np
import onnx

clone, out = sys.argv[1:3]
cases = []


def load(name, path):
    text = subprocess.run(["git", "-C", clone, "show", f"HEAD:{path}"], check=True, capture_output=True, text=True).stdout
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(text, path, "exec"), module.__dict__)
    return module


def tensor(array):
    array = np.asarray(array)
    numbers = [x if np.isfinite(x) else str(x).replace("inf", "Infinity") for x in array.astype(float).ravel().tolist()]
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": numbers}


def expect(node, inputs, outputs, name, **_):
    given = iter(inputs)
    cases.append(
        {
            "name": name,
            "op": node.op_type,
            "attributes": {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
            "inputs": [tensor(next(given)) if named else None for named in node.input],
            "outputs": [[name, tensor(value)] for name, value in zip([n for n in node.output if n], outputs)],
        }
    )


class Base:
    pass


base = types.ModuleType("onnx.backend.test.case.base")
base.Base = Base
node = types.ModuleType("onnx.backend.test.case.node")
node.expect = expect
node.__path__ = []
sys.modules.update({base.__name__: base, node.__name__: node})
for op in ["attention", "rotary_embedding"]:
    load(f"onnx.reference.ops.op_{op}", f"onnx/reference/ops/op_{op}.py")
for op in ["attention", "rotaryembedding"]:
    np.random.seed(0)
    module = load(f"cases_{op}", f"onnx/backend/test/case/node/{op}.py")
    for kind in vars(module).values():
        if isinstance(kind, type) and issubclass(kind, Base) and kind is not Base:
            for export in [name for name in vars(kind) if name.startswith("export")]:
                getattr(kind, export)()
with open(out, "w") as file:
    json.dump(cases, file)
print(len(cases), "cases")
