"""Makes the files in data/torch: tensors of all kinds, as PyTorch saves them now and as it did before version 1.6."""

from collections import OrderedDict
from pathlib import Path

import torch

HERE = Path(__file__).parent / "data" / "torch"
base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
tensors = OrderedDict(
    plain=base,
    transposed=base.t(),
    row=base[2, 1:5],
    half=(torch.arange(4) / 4).to(torch.float16),
    brain=(torch.arange(4) / 4).to(torch.bfloat16),
    long=torch.tensor([0, 511]),
    parameter=torch.nn.Parameter(torch.tensor([[1.5, -2.5]])),
    scalar=torch.tensor(3.25),
    empty=torch.zeros(0, 3),
)
HERE.mkdir(parents=True, exist_ok=True)
torch.save(tensors, HERE / "tensors.bin")
torch.save(tensors, HERE / "legacy.bin", _use_new_zipfile_serialization=False)
