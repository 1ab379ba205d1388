"""Small tokenizers of every kind that the families use, made from the texts: (tokenizer.json, tokenizer_config.json)."""

import json
import math
import unicodedata
from collections import Counter

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from texts import texts

# Characters that no vocabulary gets, so that unknown tokens and byte fallback occur.
LEFT_OUT = set("🛞🏭ጮğ水")


def corpus():
    return ["".join(character for character in text if character not in LEFT_OUT) for text in texts()]


def wordpiece(lowercase, first="[CLS]", last="[SEP]", pad="[PAD]", unknown="[UNK]", mask="[MASK]", specials=None, pair=None):
    """BERT's: words split into pieces, the longest that fits first."""
    specials = specials or [pad, unknown, first, last, mask]
    normal = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, lowercase=lowercase)
    words, characters = Counter(), set()
    for text in corpus():
        for word, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(normal.normalize_str(text)):
            words[word] += 1
            characters.update(word)
    ends = Counter(word[-size:] for word in words for size in (2, 3) if len(word) > size)
    pieces = sorted(characters) + ["##" + one for one in sorted(characters)]
    pieces += [word for word, count in sorted(words.items()) if count > 3 and len(word) > 1]
    pieces += ["##" + end for end, count in sorted(ends.items()) if count > 4]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(specials + pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=unknown, max_input_chars_per_word=100))
    tokenizer.normalizer = normal
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return finish(tokenizer, specials, single=f"{first} $A {last}", pair=pair or f"{first} $A {last} $B:1 {last}:1")


def unigram(normalizer, first, last, unknown, pad, mask, specials, pair):
    """SentencePiece's Unigram: the most probable split. Scores are logarithms of counts."""
    counts = Counter()
    for text in corpus():
        for word in normalizer.normalize_str(text).split():
            marked = "▁" + word
            counts.update(marked)
            for size in (2, 3, 4):
                counts.update(marked[at : at + size] for at in range(len(marked) - size + 1))
            counts[marked] += 1
    kept = {piece: count for piece, count in counts.items() if len(piece) == 1 or count > 7}
    total = sum(kept.values())
    scored = sorted(((piece, math.log(count / total)) for piece, count in kept.items()), key=lambda one: (-one[1], one[0]))
    # Six digits: the same in every library. Single characters cost more, as after SentencePiece's training.
    pieces = [[piece, round(score - (2 if len(piece) == 1 else 0), 6)] for piece, score in scored]
    vocabulary = [[special, 0.0] for special in specials] + [one for one in pieces if one[0] not in specials]
    names = [piece for piece, _ in vocabulary]
    tokenizer = Tokenizer(models.Unigram([tuple(one) for one in vocabulary], unk_id=names.index(unknown)))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    return finish(tokenizer, specials + [mask], single=f"{first} $A {last}", pair=pair)


def byte_bpe(specials, single, pair, split=None, prefix_space=False, normalizer=None):
    """Byte-level BPE, of RoBERTa, ModernBERT, Qwen and Llama 3; `split` is a pattern instead of GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizer
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space, use_regex=split is None)
    tokenizer.pre_tokenizer = (
        bytes_
        if split is None
        else pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), behavior="isolated"), bytes_])
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=len(specials) + 256 + 150,
        special_tokens=list(specials),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return finish(tokenizer, specials, single, pair)


def fallback_bpe(specials, single, pair, unknown="<unk>", prepend=False):
    """SentencePiece's BPE with bytes for what has no token, of Llama 2, Mistral and Gemma."""
    tokenizer = Tokenizer(models.BPE(unk_token=unknown, byte_fallback=True, fuse_unk=True))
    steps = [normalizers.Replace(" ", "▁")]
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), *steps]) if prepend else steps[0]
    if not prepend:
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        + ([decoders.Strip(" ", 1, 0)] if prepend else [])
    )
    reserved = list(specials) + [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=len(reserved) + 700, special_tokens=reserved, max_token_length=12, show_progress=False
    )
    # Words apart in training only, or whole sentences would become tokens.
    words = ["▁" + word for text in corpus() for word in text.split()]
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="never")
    trained.train_from_iterator(words, trainer)
    learnt = json.loads(trained.to_str())["model"]
    tokenizer.model = models.BPE(
        learnt["vocab"],
        [tuple(merge) for merge in learnt["merges"]],
        unk_token=unknown,
        byte_fallback=True,
        fuse_unk=True,
    )
    return finish(tokenizer, specials, single, pair)


def finish(tokenizer, specials, single, pair):
    tokenizer.add_special_tokens(
        [AddedToken(one, special=True, normalized=False, lstrip=one == "<mask>") for one in specials]
    )
    ids = [(one, tokenizer.token_to_id(one)) for one in specials]
    used = [one for one in ids if one[0] in single.split() or one[0] in pair.replace(":1", "").split()]
    if single != "$A":
        tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=used)
    return tokenizer


QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN.replace(r"\p{N}|", r"\p{N}{1,3}|", 1)


def with_config(tokenizer, cls, limit, **tokens):
    return json.loads(tokenizer.to_str()), {"tokenizer_class": cls, "model_max_length": limit, **tokens}


BERT_TOKENS = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
ROBERTA_TOKENS = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}
ROBERTA_PAIR = "<s> $A </s> </s> $B </s>"
NFKC = normalizers.NFKC()


def make(kind, limit=128):
    """A tokenizer by the name of its kind. `limit`: model_max_length"""
    if kind in ("wordpiece", "wordpiece-cased"):
        lower = kind == "wordpiece"
        return with_config(wordpiece(lower), "BertTokenizer", limit, do_lower_case=lower, **BERT_TOKENS)
    if kind == "wordpiece-distil":
        return with_config(
            wordpiece(True),
            "DistilBertTokenizer",
            limit,
            do_lower_case=True,
            model_input_names=["input_ids", "attention_mask"],
            **BERT_TOKENS,
        )
    if kind == "wordpiece-mpnet":
        made = wordpiece(
            True, "<s>", "</s>", "<pad>", "[UNK]", "<mask>", ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"], ROBERTA_PAIR
        )
        return with_config(made, "MPNetTokenizer", limit, do_lower_case=True, **{**ROBERTA_TOKENS, "unk_token": "[UNK]"})
    if kind in ("unigram", "unigram-camembert"):
        specials = ["<s>", "<pad>", "</s>", "<unk>"]
        made = unigram(NFKC, "<s>", "</s>", "<unk>", "<pad>", "<mask>", specials, ROBERTA_PAIR)
        # Not XLMRobertaTokenizer or CamembertTokenizer: transformers 5 gives these a normalizer of its own.
        return with_config(made, "PreTrainedTokenizerFast", limit, **ROBERTA_TOKENS)
    if kind == "unigram-albert":
        steps = normalizers.Sequence(
            [
                normalizers.Replace("``", '"'),
                normalizers.Replace("''", '"'),
                normalizers.NFKD(),
                normalizers.StripAccents(),
                normalizers.Lowercase(),
            ]
        )
        specials = ["<pad>", "<unk>", "[CLS]", "[SEP]"]
        made = unigram(steps, "[CLS]", "[SEP]", "<unk>", "<pad>", "[MASK]", specials, "[CLS] $A [SEP] $B:1 [SEP]:1")
        tokens = {**BERT_TOKENS, "pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "[CLS]", "eos_token": "[SEP]"}
        return with_config(made, "PreTrainedTokenizerFast", limit, do_lower_case=True, **tokens)
    if kind == "byte-roberta":
        made = byte_bpe(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], "<s> $A </s>", ROBERTA_PAIR)
        return with_config(made, "RobertaTokenizer", limit, add_prefix_space=False, **ROBERTA_TOKENS)
    if kind == "byte-modernbert":
        made = byte_bpe(
            ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"],
            "[CLS] $A [SEP]",
            "[CLS] $A [SEP] $B [SEP]",
            normalizer=normalizers.NFC(),
        )
        names = ["input_ids", "attention_mask"]
        return with_config(made, "PreTrainedTokenizerFast", limit, model_input_names=names, **BERT_TOKENS)
    if kind == "byte-qwen":
        end = "<|endoftext|>"
        made = byte_bpe(
            [end, "<|im_start|>", "<|im_end|>"], f"$A {end}", f"$A $B {end}", split=QWEN, normalizer=normalizers.NFC()
        )
        return with_config(made, "Qwen2Tokenizer", limit, pad_token=end, eos_token=end, add_prefix_space=False)
    if kind == "byte-llama":
        begin, end = "<|begin_of_text|>", "<|end_of_text|>"
        specials = [begin, end, "<|pad|>"]
        made = byte_bpe(specials, f"{begin} $A {end}", f"{begin} $A {begin} $B {end}", split=LLAMA3)
        names = ["input_ids", "attention_mask"]
        return with_config(
            made, "PreTrainedTokenizerFast", limit, bos_token=begin, eos_token=end, pad_token="<|pad|>", model_input_names=names
        )
    if kind == "fallback-mistral":
        made = fallback_bpe(["<unk>", "<s>", "</s>"], "<s> $A </s>", "<s> $A <s> $B </s>", prepend=True)
        names = ["input_ids", "attention_mask"]
        return with_config(
            made,
            "PreTrainedTokenizerFast",
            limit,
            bos_token="<s>",
            eos_token="</s>",
            unk_token="<unk>",
            pad_token="</s>",
            model_input_names=names,
        )
    if kind == "fallback-gemma":
        made = fallback_bpe(["<pad>", "<eos>", "<bos>", "<unk>"], "<bos> $A <eos>", "<bos> $A <bos> $B <eos>")
        return with_config(
            made, "GemmaTokenizer", limit, bos_token="<bos>", eos_token="<eos>", unk_token="<unk>", pad_token="<pad>"
        )
    raise ValueError(kind)
