"""The checkpoints: which families, heads, poolings and layouts of files there are, and how each is written."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer

from vocabularies import make
from weights import apply_rule

HIDDEN, HEADS, LAYERS, WIDE, LIMIT = 32, 4, 2, 64, 96
# Floats in a token's vector of bge-m3.
COLBERT = 8
# Token ids of the answers of a language model.
YES, NO = 300, 301


@dataclass
class Checkpoint:
    name: str
    """Of transformers: its configuration and model classes, and members of config.json beside the sizes."""
    family: str
    tokenizer: str
    config: dict = field(default_factory=dict)
    """embed, pairs (a cross-encoder), answer (a language model as one), sparse (SPLADE), or m3 (bge-m3)"""
    kind: str = "embed"
    """old: as before sentence-transformers 5.4; new: as the installed version saves"""
    layout: str = "old"
    pooling: tuple = ("mean",)
    include_prompt: bool = True
    max_seq_length: int | None = LIMIT
    """Name of the file with max_seq_length."""
    sentence_file: str = "sentence_bert_config.json"
    do_lower_case: bool = False
    normalize: bool = False
    prompts: dict = field(default_factory=dict)
    default_prompt: str | None = None
    truncate_dim: int | None = None
    """(out_features, activation, bias) of each Dense module, after the pooling."""
    dense: tuple = ()
    """Whether the Dense modules add their input to their output."""
    residual: bool = False
    """Folder of the transformer, where it is not the root."""
    at: str = ""
    """Whether the tokenizer is a vocab.txt, as before tokenizer.json."""
    vocabulary_file: bool = False
    """Suffix of the class in transformers, for checkpoints saved with a head whose weights are not used."""
    saved_as: str = "Model"
    norm_centre: float = 1
    """Of pairs: what the tokenizer gives the model, where that is not what its class says."""
    input_names: tuple = ()
    """Of sparse: members of the pooling's configuration."""
    splade: dict = field(default_factory=dict)


# Not the default, so that a reader who ignores it is found out.
MILLION = {"rope_type": "default", "rope_theta": 1000000.0}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}

FAMILIES = {
    # family: (prefix of the classes, limit beside max_position_embeddings, members of the configuration)
    "bert": ("Bert", 0, {}),
    "roberta": ("Roberta", 2, {"pad_token_id": 1, "type_vocab_size": 1}),
    "xlm-roberta": ("XLMRoberta", 2, {"pad_token_id": 1, "type_vocab_size": 1}),
    "camembert": ("Camembert", 2, {"pad_token_id": 1, "type_vocab_size": 1}),
    "electra": ("Electra", 0, {"embedding_size": 24}),
    "distilbert": ("DistilBert", 0, {}),
    "mpnet": ("MPNet", 2, {"pad_token_id": 1}),
    "albert": ("Albert", 0, {"embedding_size": 24, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}),
    "modernbert": (
        "ModernBert",
        0,
        {
            "num_hidden_layers": 4,
            "global_attn_every_n_layers": 3,
            "local_attention": 16,
            "pad_token_id": 3,
            **{"bos_token_id": 1, "cls_token_id": 1, "eos_token_id": 2, "sep_token_id": 2},
        },
    ),
    "nomic_bert": ("NomicBert", 0, {}),
    "gte": ("Gte", 0, {"pad_token_id": 0}),
    "qwen2": ("Qwen2", 0, {"num_key_value_heads": 2, "pad_token_id": 0, "rope_parameters": MILLION}),
    "qwen3": (
        "Qwen3",
        0,
        {"num_key_value_heads": 2, "head_dim": 16, "pad_token_id": 0, "rope_parameters": MILLION},
    ),
    "mistral": ("Mistral", 0, {"num_key_value_heads": 2, "sliding_window": None, "pad_token_id": 2}),
    "llama": ("Llama", 0, {"num_key_value_heads": 2, "pad_token_id": 2}),
    "eurobert": (
        "EuroBert",
        0,
        {"num_key_value_heads": 2, "pad_token_id": 2, "bos_token_id": 0, "eos_token_id": 1, "mask_token_id": 2},
    ),
    "gemma3_text": (
        "Gemma3",
        0,
        {
            "num_key_value_heads": 1,
            "head_dim": 16,
            "query_pre_attn_scalar": 16,
            "num_hidden_layers": 3,
            "sliding_window": 16,
            "layer_types": ["sliding_attention", "sliding_attention", "full_attention"],
            "pad_token_id": 0,
            "use_bidirectional_attention": True,
        },
    ),
}

UNTYPED = ("input_ids", "attention_mask")
TYPED = ("input_ids", "token_type_ids", "attention_mask")
PROMPTS = {"query": "query: ", "document": "passage: "}
INSTRUCT = {"query": "Instruct: Find the passage that answers the question\nQuery: ", "document": ""}

CHECKPOINTS = [
    # Layouts and options, on BERT.
    Checkpoint("bert-cls", "bert", "wordpiece", pooling=("cls",), prompts=PROMPTS),
    Checkpoint("bert-mean-new", "bert", "wordpiece", layout="new", normalize=True, prompts=PROMPTS),
    Checkpoint("bert-max", "bert", "wordpiece", pooling=("max",)),
    Checkpoint("bert-cased-tanh", "bert", "wordpiece-cased", {"hidden_act": "gelu_new"}, saved_as="ForMaskedLM"),
    Checkpoint("bert-short", "bert", "wordpiece", max_seq_length=16, layout="new", prompts=PROMPTS),
    Checkpoint("bert-sqrt-len", "bert", "wordpiece", pooling=("mean_sqrt_len_tokens",)),
    Checkpoint("bert-weighted", "bert", "wordpiece", pooling=("weightedmean",), layout="new"),
    Checkpoint("bert-last", "bert", "wordpiece", pooling=("lasttoken",), layout="new"),
    Checkpoint("bert-cls-mean", "bert", "wordpiece", pooling=("cls", "mean"), layout="new"),
    Checkpoint("bert-mean-max-old", "bert", "wordpiece", pooling=("mean", "max")),
    Checkpoint("bert-without-prompt", "bert", "wordpiece", include_prompt=False, prompts=PROMPTS),
    Checkpoint("bert-default-prompt", "bert", "wordpiece", prompts=PROMPTS, default_prompt="query"),
    Checkpoint("bert-lower", "bert", "wordpiece-cased", do_lower_case=True),
    Checkpoint("bert-truncate-dim", "bert", "wordpiece", layout="new", truncate_dim=24),
    Checkpoint("bert-dense-tanh", "bert", "wordpiece", pooling=("cls",), dense=((48, "Tanh", True),), normalize=True),
    Checkpoint("bert-dense-new", "bert", "wordpiece", layout="new", dense=((48, "Identity", False), (32, "Tanh", True))),
    Checkpoint("bert-dense-residual", "bert", "wordpiece", layout="new", dense=((32, "Tanh", True),), residual=True),
    Checkpoint("bert-in-folder", "bert", "wordpiece", at="0_Transformer", pooling=("cls",)),
    Checkpoint("bert-vocab", "bert", "wordpiece", vocabulary_file=True, prompts=PROMPTS),
    Checkpoint("bert-vocab-cased", "bert", "wordpiece-cased", vocabulary_file=True),
    Checkpoint("bert-relu", "bert", "wordpiece", {"hidden_act": "relu"}),
    Checkpoint("bert-silu", "bert", "wordpiece", {"hidden_act": "silu"}),
    # Families with BERT's layers.
    Checkpoint("roberta-mean", "roberta", "byte-roberta", saved_as="ForMaskedLM"),
    Checkpoint(
        "roberta-own-limit", "roberta", "byte-roberta", max_seq_length=24, sentence_file="sentence_roberta_config.json"
    ),
    Checkpoint("xlm-roberta-cls", "xlm-roberta", "unigram", pooling=("cls",), normalize=True, layout="new"),
    Checkpoint("xlm-roberta-mean", "xlm-roberta", "unigram", prompts=PROMPTS, normalize=True),
    Checkpoint("camembert-mean", "camembert", "unigram-camembert", layout="new"),
    Checkpoint("electra-mean", "electra", "wordpiece", saved_as="ForMaskedLM"),
    Checkpoint("electra-same-size", "electra", "wordpiece", {"embedding_size": HIDDEN}, pooling=("cls",), layout="new"),
    Checkpoint("distilbert-mean", "distilbert", "wordpiece-distil", saved_as="ForMaskedLM"),
    Checkpoint("distilbert-cls-new", "distilbert", "wordpiece-distil", pooling=("cls",), layout="new"),
    Checkpoint("mpnet-mean", "mpnet", "wordpiece-mpnet", normalize=True, saved_as="ForMaskedLM"),
    Checkpoint("mpnet-cls-new", "mpnet", "wordpiece-mpnet", pooling=("cls",), layout="new"),
    Checkpoint("albert-mean", "albert", "unigram-albert", layout="new"),
    # Families with rotary positions.
    Checkpoint("modernbert-mean", "modernbert", "byte-modernbert", prompts=PROMPTS, layout="new"),
    Checkpoint("modernbert-cls", "modernbert", "byte-modernbert", pooling=("cls",), saved_as="ForMaskedLM"),
    Checkpoint("nomic-bert-mean", "nomic_bert", "wordpiece", layout="new"),
    Checkpoint("gte-cls", "gte", "wordpiece", pooling=("cls",), normalize=True, layout="new"),
    Checkpoint(
        "qwen2-last",
        "qwen2",
        "byte-qwen",
        pooling=("lasttoken",),
        normalize=True,
        prompts=INSTRUCT,
        saved_as="ForCausalLM",
    ),
    Checkpoint("qwen3-last", "qwen3", "byte-qwen", pooling=("lasttoken",), normalize=True, prompts=INSTRUCT),
    Checkpoint("qwen3-last-new", "qwen3", "byte-qwen", pooling=("lasttoken",), layout="new", prompts=INSTRUCT),
    Checkpoint("qwen3-mean", "qwen3", "byte-qwen", layout="new"),
    Checkpoint("mistral-last", "mistral", "fallback-mistral", pooling=("lasttoken",), normalize=True),
    Checkpoint("llama-last", "llama", "byte-llama", pooling=("lasttoken",), layout="new"),
    Checkpoint("mistral-window-mean", "mistral", "fallback-mistral", {"sliding_window": 16}, layout="new"),
    Checkpoint(
        "llama-scaled-mean", "llama", "byte-llama", {"rope_parameters": LLAMA3}, layout="new", saved_as="ForCausalLM"
    ),
    Checkpoint("qwen3-both-ways-mean", "qwen3", "byte-qwen", {"is_causal": False}, layout="new"),
    Checkpoint("eurobert-mean", "eurobert", "byte-llama", layout="new"),
    Checkpoint(
        "gemma3-dense",
        "gemma3_text",
        "fallback-gemma",
        layout="new",
        dense=((64, "Identity", False), (32, "Identity", False)),
        normalize=True,
        prompts={"query": "task: search result | query: ", "document": "title: none | text: "},
        norm_centre=0,
    ),
    Checkpoint(
        "gemma3-causal-last",
        "gemma3_text",
        "fallback-gemma",
        {"use_bidirectional_attention": False},
        pooling=("lasttoken",),
        norm_centre=0,
    ),
    # A table of vectors, whose mean is the result.
    Checkpoint("static-mean", "static", "wordpiece", layout="static", max_seq_length=None),
    Checkpoint(
        "static-model2vec",
        "static",
        "wordpiece",
        layout="model2vec",
        max_seq_length=None,
        normalize=True,
        prompts=PROMPTS,
    ),
    # Cross-encoders, and SPLADE.
    Checkpoint("bert-pairs", "bert", "wordpiece", {"num_labels": 1}, kind="pairs"),
    Checkpoint("xlm-roberta-pairs", "xlm-roberta", "unigram", {"num_labels": 1}, kind="pairs"),
    Checkpoint("modernbert-pairs", "modernbert", "byte-modernbert", {"num_labels": 1}, kind="pairs"),
    Checkpoint("roberta-pairs", "roberta", "byte-roberta", {"num_labels": 3}, kind="pairs"),
    Checkpoint("distilbert-pairs", "distilbert", "wordpiece-distil", {"num_labels": 1}, kind="pairs"),
    Checkpoint("electra-pairs", "electra", "wordpiece", kind="pairs"),
    Checkpoint("albert-pairs", "albert", "unigram-albert", {"num_labels": 1}, kind="pairs", input_names=TYPED),
    Checkpoint("bert-untyped-pairs", "bert", "wordpiece", {"num_labels": 1}, kind="pairs", input_names=UNTYPED),
    Checkpoint("mpnet-pairs", "mpnet", "wordpiece-mpnet", {"num_labels": 1}, kind="pairs"),
    Checkpoint(
        "modernbert-mean-pairs",
        "modernbert",
        "byte-modernbert",
        {"num_labels": 2, "classifier_pooling": "mean", "classifier_bias": True, "norm_bias": True},
        kind="pairs",
        layout="new",
    ),
    Checkpoint("qwen3-pairs", "qwen3", "byte-qwen", {"num_labels": 1}, kind="pairs"),
    Checkpoint("qwen2-pairs", "qwen2", "byte-qwen", {"num_labels": 1}, kind="pairs", layout="new"),
    Checkpoint("qwen3-answer", "qwen3", "byte-qwen", {"tie_word_embeddings": True}, kind="answer", layout="new"),
    Checkpoint("qwen2-answer", "qwen2", "byte-qwen", kind="answer", layout="new"),
    Checkpoint("bert-splade", "bert", "wordpiece", kind="sparse", layout="new"),
    Checkpoint("distilbert-splade", "distilbert", "wordpiece-distil", kind="sparse", layout="new"),
    Checkpoint(
        "roberta-splade-sum",
        "roberta",
        "byte-roberta",
        kind="sparse",
        layout="new",
        splade={"pooling_strategy": "sum", "activation_function": "log1p_relu"},
    ),
    Checkpoint("modernbert-splade", "modernbert", "byte-modernbert", kind="sparse", layout="new"),
    # Dense, sparse and token vectors from one encoder.
    Checkpoint("xlm-roberta-m3", "xlm-roberta", "unigram", kind="m3", pooling=("cls",), normalize=True),
]


def json_to(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def config_of(one, vocabulary):
    """`None` when the installed transformers has no such family."""
    prefix, beside, members = FAMILIES[one.family]
    name = f"{prefix}TextConfig" if one.family == "gemma3_text" else f"{prefix}Config"
    if not hasattr(transformers, name):
        return None
    sizes = {
        "vocab_size": vocabulary,
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": WIDE,
        "max_position_embeddings": LIMIT + beside,
    }
    if one.family == "distilbert":
        sizes = {"vocab_size": vocabulary, "dim": HIDDEN, "n_layers": LAYERS, "n_heads": HEADS, "hidden_dim": WIDE}
        sizes["max_position_embeddings"] = LIMIT
    return getattr(transformers, name)(**{**sizes, **members, **one.config})


def model_of(one, config):
    prefix = FAMILIES[one.family][0]
    by_kind = {"pairs": "ForSequenceClassification", "answer": "ForCausalLM", "sparse": "ForMaskedLM"}
    suffix = by_kind.get(one.kind, one.saved_as)
    if one.family == "gemma3_text":
        prefix, suffix = "Gemma3Text", "Model"
    return getattr(transformers, prefix + suffix)(config).eval()


def write(one, folder):
    """
    Writes a checkpoint and returns the descriptions of its weights; `None` when transformers has no such family.
    """
    shutil.rmtree(folder, ignore_errors=True)
    body = folder / one.at
    body.mkdir(parents=True)
    tokenizer, tokenizer_config = make(one.tokenizer, LIMIT)
    if one.input_names:
        tokenizer_config["model_input_names"] = list(one.input_names)
    vocabulary = len(tokenizer["model"]["vocab"]) + sum(
        added["content"] not in known(tokenizer) for added in tokenizer["added_tokens"]
    )
    if one.family == "static":
        static_layout(tokenizer, folder) if one.layout == "static" else model2vec_layout(one, tokenizer, vocabulary, folder)
        return apply_rule(folder)
    config = config_of(one, vocabulary)
    if config is None:
        return None
    torch.manual_seed(0)
    model_of(one, config).save_pretrained(body)
    (body / "generation_config.json").unlink(missing_ok=True)
    if one.layout == "old":
        old_config(body / "config.json")
    files = lambda: (json_to(body / "tokenizer.json", tokenizer), json_to(body / "tokenizer_config.json", tokenizer_config))
    files()
    if one.kind == "embed":
        old_layout(one, folder, body) if one.layout == "old" else new_layout(one, folder)
    elif one.kind == "m3":
        old_layout(one, folder, body)
        for name, width in (("sparse_linear", 1), ("colbert_linear", COLBERT)):
            save_file({"weight": torch.zeros(width, HIDDEN), "bias": torch.zeros(width)}, folder / f"{name}.safetensors")
    elif one.kind == "sparse":
        sparse_layout(folder, one.splade)
    elif one.kind == "answer":
        answer_layout(folder)
    if one.layout == "new" and (folder / "tokenizer_config.json").exists():
        # Newer versions keep max_seq_length there.
        saved = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        tokenizer_config["model_max_length"] = saved.get("model_max_length", LIMIT)
    # Saving may have written other tokenizer files.
    files()
    for left in ("special_tokens_map.json", "vocab.txt", "README.md", "added_tokens.json"):
        (body / left).unlink(missing_ok=True)
    if one.vocabulary_file:
        pieces = sorted(tokenizer["model"]["vocab"].items(), key=lambda one: one[1])
        (body / "vocab.txt").write_text("".join(piece + "\n" for piece, _ in pieces), encoding="utf-8")
        (body / "tokenizer.json").unlink()
    return apply_rule(folder, one.norm_centre)


def known(tokenizer):
    vocabulary = tokenizer["model"]["vocab"]
    return set(vocabulary) if isinstance(vocabulary, dict) else {piece for piece, _ in vocabulary}


def old_config(path):
    """Rewrites config.json as transformers 4 wrote it, which is how most files on hubs are."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.51.3"
    rope = config.pop("rope_parameters", None)
    if config["model_type"] == "modernbert":
        config.pop("layer_types")
        config["global_rope_theta"] = rope["full_attention"]["rope_theta"]
        config["local_rope_theta"] = rope["sliding_attention"]["rope_theta"]
    elif config["model_type"] == "gemma3_text":
        config["rope_scaling"] = None
        config["rope_theta"] = rope["full_attention"]["rope_theta"]
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
    elif rope is not None:
        config.pop("layer_types", None)
        config["rope_scaling"] = None
        config["rope_theta"] = rope["rope_theta"]
    json_to(path, config)


MODES = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")


def old_layout(one, folder, body):
    """As sentence-transformers wrote it up to version 5.3."""
    modules = [("Transformer", one.at), ("Pooling", "1_Pooling")]
    long_names = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens", "weightedmean": "weightedmean_tokens"}
    chosen = [long_names.get(mode, mode) for mode in one.pooling]
    json_to(
        folder / "1_Pooling/config.json",
        {
            "word_embedding_dimension": HIDDEN,
            **{f"pooling_mode_{mode}": mode in chosen for mode in MODES},
            "include_prompt": one.include_prompt,
        },
    )
    width = HIDDEN * len(one.pooling)
    for out, activation, bias in one.dense:
        path = f"{len(modules)}_Dense"
        activation_function = f"torch.nn.modules.{'linear' if activation == 'Identity' else 'activation'}.{activation}"
        dense = {"in_features": width, "out_features": out, "bias": bias, "activation_function": activation_function}
        json_to(folder / path / "config.json", dense)
        tensors = {"linear.weight": torch.zeros(out, width), **({"linear.bias": torch.zeros(out)} if bias else {})}
        save_file(tensors, folder / path / "model.safetensors")
        modules.append(("Dense", path))
        width = out
    if one.normalize:
        modules.append(("Normalize", f"{len(modules)}_Normalize"))
    json_to(
        folder / "modules.json",
        [
            {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for index, (kind, path) in enumerate(modules)
        ],
    )
    limits = {"max_seq_length": one.max_seq_length, "do_lower_case": one.do_lower_case}
    json_to(body / one.sentence_file, limits)
    json_to(
        folder / "config_sentence_transformers.json",
        {
            "__version__": {"sentence_transformers": "3.0.1", "transformers": "4.41.2", "pytorch": "2.3.0"},
            "prompts": one.prompts,
            "default_prompt_name": one.default_prompt,
            **({} if one.truncate_dim is None else {"truncate_dim": one.truncate_dim}),
        },
    )


def new_layout(one, folder):
    """As the installed sentence-transformers saves it."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense, Normalize, Pooling, Transformer

    body = Transformer(str(folder), max_seq_length=one.max_seq_length)
    modules = [body, Pooling(HIDDEN, pooling_mode=one.pooling if len(one.pooling) > 1 else one.pooling[0])]
    width = HIDDEN * len(one.pooling)
    for out, activation, bias in one.dense:
        function = getattr(torch.nn, activation)()
        modules.append(Dense(width, out, bias=bias, activation_function=function, use_residual=one.residual))
        width = out
    if one.normalize:
        modules.append(Normalize())
    whole = SentenceTransformer(
        modules=modules,
        prompts=one.prompts or None,
        default_prompt_name=one.default_prompt,
        truncate_dim=one.truncate_dim,
        device="cpu",
    )
    saved = Path(str(folder) + ".saved")
    whole.save_pretrained(str(saved), create_model_card=False)
    shutil.rmtree(folder)
    saved.rename(folder)


def static_layout(tokenizer, folder):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding

    table = StaticEmbedding(Tokenizer.from_str(json.dumps(tokenizer)), embedding_dim=HIDDEN)
    SentenceTransformer(modules=[table], device="cpu").save_pretrained(str(folder), create_model_card=False)


def model2vec_layout(one, tokenizer, vocabulary, folder):
    """As model2vec saves a table with a factor for each token."""
    json_to(folder / "tokenizer.json", tokenizer)
    config = {"model_type": "model2vec", "architectures": ["StaticModel"], "tokenizer_name": "small", "apply_pca": HIDDEN}
    json_to(folder / "config.json", {**config, "apply_zipf": None, "hidden_dim": HIDDEN, "seq_length": 1000000, "normalize": True})
    kinds = [("StaticEmbedding", "."), ("Normalize", "1_Normalize")]
    json_to(
        folder / "modules.json",
        [
            {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for index, (kind, path) in enumerate(kinds)
        ],
    )
    json_to(folder / "config_sentence_transformers.json", {"prompts": one.prompts})
    tables = {"embeddings": torch.zeros(vocabulary, HIDDEN), "weights": torch.zeros(vocabulary)}
    save_file(tables, folder / "model.safetensors")


def sparse_layout(folder, settings):
    from sentence_transformers import SparseEncoder
    from sentence_transformers.models import Transformer
    from sentence_transformers.sparse_encoder.models import SpladePooling

    body = Transformer(str(folder), transformer_task="fill-mask", max_seq_length=LIMIT)
    whole = SparseEncoder(modules=[body, SpladePooling(**settings)], device="cpu")
    saved = Path(str(folder) + ".saved")
    whole.save_pretrained(str(saved), create_model_card=False)
    shutil.rmtree(folder)
    saved.rename(folder)


def answer_layout(folder):
    """As sentence-transformers saves a reranker that is a language model."""
    json_to(
        folder / "modules.json",
        [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"},
            {
                "idx": 1,
                "name": "1",
                "path": "1_LogitScore",
                "type": "sentence_transformers.cross_encoder.modules.logit_score.LogitScore",
            },
        ],
    )
    settings = {"true_token_id": YES, "false_token_id": NO, "module_input_name": "causal_logits"}
    json_to(folder / "1_LogitScore/config.json", settings)
