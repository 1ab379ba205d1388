"""
Weights by a rule instead of by chance: a tensor's values depend on its name alone, so that a checkpoint is committed as
a list of names and shapes. `rule.ts` is the same rule for the tests.

    seed    = FNV-1a, 32 bits, of the tensor's name in UTF-8
    x       = seed + 0x9e3779b9 * index          (index: place in the row-major tensor; all mod 2**32)
    x       = murmur3's finaliser of x
    unit    = (x >> 8) / 2**23 - 1               in [-1, 1), exact
    value   = centre + 2**spread * unit          computed in double, rounded to float32 once
"""

import hashlib
import json
import math
import struct
from pathlib import Path

import numpy as np


def seed_of(name):
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 % 2**32
    return seed


def values(name, shape, centre, spread):
    """float32, in the given shape"""
    count = int(np.prod(shape, dtype=np.int64))
    x = (np.uint64(seed_of(name)) + np.uint64(0x9E3779B9) * np.arange(count, dtype=np.uint64)) & np.uint64(0xFFFFFFFF)
    x = x.astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    unit = (x >> np.uint32(8)).astype(np.float64) / 2**23 - 1
    return (centre + 2.0**spread * unit).astype(np.float32).reshape(shape)


def rule_for(name, shape, norm_centre):
    """(centre, spread) that keep activations near 1, and attention and positions far from uniform."""
    low = name.lower()
    bias = low.endswith("bias") or low.endswith(".beta")
    if "norm" in low or low.endswith((".gamma", ".beta")):
        return (0, -3) if bias else (norm_centre, -2)
    if bias and len(shape) == 1:
        return (0, -3)
    if "position_embeddings" in low or "token_type_embeddings" in low:
        return (0, -1)
    if "embed" in low and not low.endswith(("embeddings_project.weight", "embedding_hidden_mapping_in.weight")):
        return (0, 0)
    if "relative_attention_bias" in low:
        return (0, 0)
    if len(shape) < 2:
        return (0, -3)
    return (0, math.ceil(math.log2(math.sqrt(3 / shape[-1]))))


def names_and_shapes(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return [(name, entry["shape"]) for name, entry in header.items() if name != "__metadata__"]


def write_safetensors(path, tensors):
    """`tensors`: list of (name, float32 array). The format is the plain one: header length, header, data."""
    header = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, array in tensors:
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, array in tensors:
            file.write(array.tobytes())


def apply_rule(folder, norm_centre=1):
    """Gives every safetensors file below a folder the rule's values. Returns their descriptions, for the golden."""
    described = []
    for path in sorted(Path(folder).rglob("*.safetensors")):
        digest = hashlib.sha256()
        rows, tensors = [], []
        for name, shape in sorted(names_and_shapes(path)):
            centre, spread = rule_for(name, shape, norm_centre)
            array = values(name, shape, centre, spread)
            digest.update(array.tobytes())
            rows.append([name, shape, centre, spread])
            tensors.append((name, array))
        write_safetensors(path, tensors)
        described.append(
            {"file": path.relative_to(folder).as_posix(), "tensors": rows, "digest": digest.hexdigest()[:16]}
        )
    return described
