"""Runs sentence-transformers' `encode` on requests read from standard input.

usage: encode.py FOLDER BACKEND BATCH_SIZE THREADS [ONNX_FILE]

Prints `ready`. For each line `{"texts": FILE.json, "vectors": FILE.f32}` it embeds the texts, writes the vectors, and
prints `{"seconds": S}`, the time of `encode` alone.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

folder, backend, batch_size, threads, *file_name = sys.argv[1:]
torch.set_num_threads(int(threads))
options = {}
if backend == "onnx":
    from onnxruntime import SessionOptions

    session_options = SessionOptions()
    session_options.intra_op_num_threads = int(threads)
    options = {"provider": "CPUExecutionProvider", "session_options": session_options, "file_name": file_name[0]}
model = SentenceTransformer(folder, backend=backend, device="cpu", model_kwargs=options)
print("ready", flush=True)

for line in sys.stdin:
    request = json.loads(line)
    texts = json.loads(Path(request["texts"]).read_text())
    began = time.perf_counter()
    vectors = model.encode(texts, batch_size=int(batch_size), show_progress_bar=False)
    seconds = time.perf_counter() - began
    np.ascontiguousarray(vectors, dtype="<f4").tofile(request["vectors"])
    print(json.dumps({"seconds": seconds}), flush=True)
