"""Writes the default model in the form that Python users have it.

usage: export_model.py WEIGHTS.safetensors CONFIG.json TOKENIZER.json MAX_TOKENS FOLDER

FOLDER/sentence-transformers: fp32 weights and an ONNX export of them, as `SentenceTransformer(FOLDER)` loads them;
beside it `onnx/model_quantized.onnx`, int8 as sentence-transformers makes it.
FOLDER/onnx: the same graphs, for tools that need only a graph and a tokenizer.
"""

import json
import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer, export_dynamic_quantized_onnx_model


QUANTIZED = "model_quantized.onnx"


def write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2))


def write_checkpoint(weights: Path, config: Path, tokenizer: Path, max_tokens: int, folder: Path) -> None:
    (folder / "1_Pooling").mkdir(parents=True)
    tensors = {name: tensor.float() for name, tensor in load_file(weights).items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    shutil.copy(config, folder / "config.json")
    shutil.copy(tokenizer, folder / "tokenizer.json")
    special = {"cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "unk": "[UNK]", "mask": "[MASK]"}
    write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": True,
            "model_max_length": max_tokens,
            **{f"{name}_token": token for name, token in special.items()},
        },
    )
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    write(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ],
    )
    hidden = json.loads(config.read_text())["hidden_size"]
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": hidden, "pooling_mode_mean_tokens": True})
    write(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": False})


def copy_graph(checkpoint: Path, max_tokens: int, folder: Path) -> None:
    folder.mkdir()
    for name in ["model.onnx", QUANTIZED]:
        shutil.copy(checkpoint / "onnx" / name, folder / name)
    for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]:
        shutil.copy(checkpoint / name, folder / name)
    # Some tools read the maximum length of a text from here.
    config = json.loads((checkpoint / "config.json").read_text())
    write(folder / "config.json", {**config, "max_position_embeddings": max_tokens})


def quantize(model: SentenceTransformer, checkpoint: Path) -> None:
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    kind = "avx512_vnni" if "avx512_vnni" in flags else "avx2"
    export_dynamic_quantized_onnx_model(model, kind, str(checkpoint))
    (written,) = (checkpoint / "onnx").glob("model_q*.onnx")
    written.rename(checkpoint / "onnx" / QUANTIZED)


def main() -> None:
    weights, config, tokenizer, max_tokens, folder = sys.argv[1:]
    checkpoint = Path(folder) / "sentence-transformers"
    write_checkpoint(Path(weights), Path(config), Path(tokenizer), int(max_tokens), checkpoint)
    model = SentenceTransformer(str(checkpoint), backend="onnx", device="cpu", model_kwargs={"export": True})
    model.save_pretrained(str(checkpoint))
    quantize(model, checkpoint)
    copy_graph(checkpoint, int(max_tokens), Path(folder) / "onnx")
    print("exported", flush=True)


main()
