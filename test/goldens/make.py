"""
Makes the goldens: checkpoints of every family, head, pooling and layout, and what sentence-transformers computes with
them.

    python make.py                     writes data/ anew
    python make.py --only qwen3,bert   only checkpoints whose names contain one of these
    python make.py --folders OUT       also writes each checkpoint in plain files, with outputs.json
"""

import argparse
import base64
import gzip
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from checkpoints import CHECKPOINTS, LIMIT, NO, YES, write
from texts import pairs, texts
from vocabularies import make

HERE = Path(__file__).parent
DATA = HERE / "data"


def compact(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    with open(path, "wb") as file:
        # No name and no time: equal contents are equal files.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=9, mtime=0) as packed:
            packed.write(raw)


def based(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def rows(vectors):
    """int16 with a scale for each row: an error of 2**-16 of a row's largest number."""
    vectors = np.stack(vectors).astype(np.float64)
    if not np.isfinite(vectors).all():
        raise ValueError("not finite")
    scales = np.abs(vectors).max(axis=1).astype(np.float32) / np.float32(32767)
    return {"width": vectors.shape[1], "scales": based(scales), "values": based(np.rint(vectors / scales[:, None]).astype("<i2"))}


def id_hash(ids):
    return hashlib.sha256(np.asarray(ids, dtype="<i4").tobytes()).digest()[:8]


def ids_of(all_ids):
    return {
        "lengths": [len(ids) for ids in all_ids],
        "hashes": base64.b64encode(b"".join(id_hash(ids) for ids in all_ids)).decode(),
    }


def features(model, text):
    prepare = model.preprocess if hasattr(model, "preprocess") else model.tokenize
    made = prepare([text])
    return made["input_ids"][0][made["attention_mask"][0].bool()].tolist() if "attention_mask" in made else made["input_ids"].tolist()


def run_embed(model, chosen, prompt, side):
    """What one call with a prompt gives, a text at a time, so that nothing is padded."""
    if model.tokenizer is not None:
        model.tokenizer.truncation_side = "left" if side == "start" else "right"
    every = texts()
    # Where no prompt is named, the model's default prompt is used, if it has one.
    text_of = model.prompts.get(prompt or model.default_prompt_name, "")
    vectors, ids = [], []
    for index in chosen:
        given = {"prompt_name": prompt} if prompt is not None else {}
        vectors.append(model.encode([every[index]], batch_size=1, normalize_embeddings=False, **given)[0])
        ids.append(features(model, text_of + every[index]))
    return {"prompt": prompt, "side": side, "texts": list(chosen), **ids_of(ids), **rows(vectors)}, vectors


def embed(one, folder, tokenizer):
    from sentence_transformers import SentenceTransformer

    plainly = {"attn_implementation": "eager", "dtype": torch.float32}
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={} if one.family == "static" else plainly)
    model.eval()
    raw = Tokenizer.from_str(tokenizer)
    raw.no_truncation()
    special = one.family != "static"
    cut = [len(ids) > (one.max_seq_length or 10**9) for ids in (raw.encode(text, add_special_tokens=special).ids for text in texts())]
    others = [
        index
        for index, text in enumerate(texts())
        if not cut[index] and not one.do_lower_case and raw.encode(text, add_special_tokens=special).ids != features(model, text)
    ]
    print(f"   {sum(cut)} texts are cut" + (f"; OTHER IDS than tokenizer.json's own: {others}" if others else ""))
    together = model.encode(texts(), batch_size=16)
    runs, plain = [], {}
    first, vectors = run_embed(model, range(len(texts())), None, "end")
    spread = min(cosine(a, b) for a, b in zip(vectors, together))
    print(f"   alone and in batches: least cosine {spread:.9f}; first and second text: {cosine(vectors[0], vectors[1]):.3f}")
    runs.append(first)
    plain["vectors"] = [vector.tolist() for vector in vectors]
    some = list(range(0, len(texts()), 7))
    for prompt in one.prompts:
        run, _ = run_embed(model, some, prompt, "end")
        runs.append(run)
    if one.name in ("bert-short", "qwen3-last", "modernbert-mean", "xlm-roberta-mean"):
        runs.append(run_embed(model, range(len(texts()) - 6, len(texts())), None, "start")[0])
    return {"runs": runs}, plain


def pair_scores(folder, kind):
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

    auto = AutoModelForCausalLM if kind == "answer" else AutoModelForSequenceClassification
    model = auto.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    every, ids, types, scores = texts(), [], [], []
    for query, document in pairs():
        # Only the document is cut.
        made = tokenizer(every[query], every[document], truncation="only_second", max_length=LIMIT, return_tensors="pt")
        ids.append(made["input_ids"][0].tolist())
        types.append(made["token_type_ids"][0].tolist() if "token_type_ids" in made else [0] * len(ids[-1]))
        with torch.no_grad():
            logits = model(**made).logits[0]
            # A language model is asked for two words after the last token.
            scores.append([(logits[-1, YES] - logits[-1, NO]).item()] if kind == "answer" else logits.tolist())
    scored = {"pairs": [list(pair) for pair in pairs()], **ids_of(ids), "typeHashes": ids_of(types)["hashes"]}
    return {"scored": {**scored, "logits": [[round(x, 6) for x in row] for row in scores]}}, {
        "pairs": [[every[query], every[document]] for query, document in pairs()],
        "logits": scores,
    }


def sparse_rows(name, folder):
    from sentence_transformers import SparseEncoder

    model = SparseEncoder(str(folder), device="cpu")
    # Rows are long: few of them, but for one checkpoint.
    some = list(range(0, len(texts()), 5 if name == "bert-splade" else 13))
    dense = [model.encode([texts()[index]], batch_size=1).to_dense()[0].numpy() for index in some]
    ids = [features(model, texts()[index]) for index in some]
    return {"texts": some, **ids_of(ids), **rows(dense)}, {"texts": some, "vectors": [row.tolist() for row in dense]}


def m3_rows(folder):
    """The three results of bge-m3 as its description defines them; sentence-transformers knows only the first."""
    from safetensors.torch import load_file
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    linear = {name: load_file(folder / f"{name}_linear.safetensors") for name in ("sparse", "colbert")}
    some = list(range(0, len(texts()), 9))
    ids, dense, sparse, tokens = [], [], [], []
    for index in some:
        made = tokenizer(texts()[index], truncation=True, max_length=LIMIT, return_tensors="pt")
        ids.append(made["input_ids"][0].tolist())
        hidden = model(**made).last_hidden_state[0]
        # Before normalising, as the engine's rows.
        dense.append(hidden[0].numpy())
        weights = torch.relu(torch.nn.functional.linear(hidden, linear["sparse"]["weight"], linear["sparse"]["bias"]))
        sparse.append(weights[:, 0].numpy())
        projected = torch.nn.functional.linear(hidden[1:], linear["colbert"]["weight"], linear["colbert"]["bias"])
        tokens.append(torch.nn.functional.normalize(projected, dim=-1).numpy())
    result = {
        "texts": some,
        **ids_of(ids),
        "dense": rows(dense),
        # All tokens of all texts, one after the other.
        "sparse": rows([np.concatenate(sparse)]),
        "tokens": rows(np.concatenate(tokens)),
    }
    plain = {"texts": some, "dense": [row.tolist() for row in dense]}
    return {"onePass": result}, {**plain, "sparse": [row.tolist() for row in sparse], "tokens": [row.tolist() for row in tokens]}


def cosine(a, b):
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def committed_files(folder):
    """Every JSON file except tokenizer.json, by its path."""
    return {
        path.relative_to(folder).as_posix(): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.json"))
        if path.name not in ("tokenizer.json", "outputs.json")
    }


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--only", default="")
    asked.add_argument("--folders", type=Path)
    asked.add_argument("--dry", action="store_true", help="write no data/")
    options = asked.parse_args()
    torch.set_num_threads(1)
    out = (options.folders or HERE / "checkpoints").resolve()
    failed = []
    for one in CHECKPOINTS:
        if not any(part in one.name for part in options.only.split(",")):
            continue
        print(one.name, flush=True)
        folder = out / one.name
        try:
            weights = write(one, folder)
            if weights is None:
                print("   this transformers has no such family")
                continue
            (tokenizer_path,) = folder.rglob("vocab.txt" if one.vocabulary_file else "tokenizer.json")
            written = tokenizer_path.read_text(encoding="utf-8")
            tokenizer = json.dumps(make(one.tokenizer, LIMIT)[0]) if one.vocabulary_file else written
            files = committed_files(folder)
            with torch.no_grad():
                if one.kind in ("pairs", "answer"):
                    result, plain = pair_scores(folder, one.kind)
                elif one.kind == "sparse":
                    result, plain = sparse_rows(one.name, folder)
                elif one.kind == "m3":
                    result, plain = m3_rows(folder)
                else:
                    result, plain = embed(one, folder, tokenizer)
        except Exception as error:  # noqa: BLE001: one that fails must not stop the others; the exit status tells
            failed.append(one.name)
            print(f"   FAILED: {type(error).__name__}: {str(error)[:2000]}", flush=True)
            continue
        # Loading must not have changed the tokenizer: what is committed is what was run.
        assert tokenizer_path.read_text(encoding="utf-8") == written
        golden = {
            "name": one.name,
            "family": one.family,
            "kind": one.kind,
            "tokenizer": one.tokenizer,
            "tokenizerAt": tokenizer_path.relative_to(folder).as_posix(),
            "maxTokens": one.max_seq_length,
            "normalize": one.normalize,
            "files": files,
            "weights": weights,
            **result,
        }
        if options.folders:
            (folder / "outputs.json").write_text(json.dumps({"texts": texts(), **plain, "runs": result.get("runs", [])}))
        if not options.dry:
            compact(DATA / "checkpoints" / f"{one.name}.json.gz", golden)
            compact(DATA / "tokenizers" / f"{one.tokenizer}.json.gz", json.loads(tokenizer))
    if not options.dry:
        (DATA / "texts.json").write_text(json.dumps(texts(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


main()
