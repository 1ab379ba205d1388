"""
Makes the tokenizers of every kind, and hashes of the ids that Hugging Face's library gives to the texts by the rule.

    python make.py                  writes data/ anew
    python make.py --only NAME      only kinds whose names contain NAME
    python make.py --offsets        only the offsets, with the tokenizers that are there
"""

import argparse
import gzip
import hashlib
import json
import struct
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from charsmap import precompiled, replacements
from text_rule import text

DATA = Path(__file__).parent / "data"
# More than 20,000 of them differ.
COUNT = 20_400
# Ids after truncation.
LIMIT = 256
# Texts of which the offsets are compared, too.
LOCATED = 400
# Texts for training: none of those that are compared, so that these have characters without a token.
TRAINING = [text(n) for n in range(COUNT, COUNT + 6000) if n % 200 != 199]

QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN.replace(r"\p{N}|", r"\p{N}{1,3}|", 1)
BLANKS = normalizers.Replace(Regex(" {2,}"), " ")


def framed(tokenizer, specials, first, last, lstrip=()):
    """The same for all: special tokens, found in texts too, and the first and last one of a sequence."""
    tokenizer.add_special_tokens([AddedToken(one, normalized=False, lstrip=one in lstrip) for one in specials])
    used = [(one, tokenizer.token_to_id(one)) for one in (first, last) if one is not None]
    around = " ".join(part for part in (first, "$A", last) if part is not None)
    tokenizer.post_processor = processors.TemplateProcessing(single=around, pair=f"{around} $B:1", special_tokens=used)
    return tokenizer


BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def wordpiece(lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=3000, special_tokens=BERT, limit_alphabet=1200, show_progress=False, continuing_subword_prefix="##"
    )
    tokenizer.train_from_iterator(TRAINING, trainer)
    return framed(tokenizer, BERT, "[CLS]", "[SEP]")


def words():
    """Static models': whole words, as `Whitespace` finds them."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(vocab_size=3000, special_tokens=BERT, show_progress=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    return framed(tokenizer, BERT, "[CLS]", "[SEP]")


def unigram(normalizer, pre_tokenizer, specials=ROBERTA, first="<s>", last="</s>", mask="<mask>"):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    trainer = trainers.UnigramTrainer(
        vocab_size=20_000, special_tokens=specials, unk_token="<unk>", show_progress=False, max_piece_length=8
    )
    tokenizer.train_from_iterator(TRAINING, trainer)
    definition = json.loads(tokenizer.to_str())
    # The trainer takes every character; a real vocabulary does not. Six digits are the same in every library.
    vocab = [[piece, round(score, 6)] for piece, score in definition["model"]["vocab"]]
    rest = vocab[len(specials) :]
    single, longer = ([one for one in rest if (len(one[0]) > 1) == long] for long in (False, True))
    definition["model"]["vocab"] = vocab[: len(specials)] + single[:1500] + longer[:1500]
    definition["added_tokens"] = []
    return framed(Tokenizer.from_str(json.dumps(definition)), specials, first, last, lstrip=(mask,))


def byte_level(specials, first, last, split=None, normalizer=None, lstrip=()):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizer
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)
    steps = [pre_tokenizers.Split(Regex(split), behavior="isolated"), bytes_] if split else None
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps) if steps else bytes_
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=3000, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TRAINING, trainer)
    return framed(tokenizer, specials, first, last, lstrip)


def byte_fallback(specials, first, last, prepend):
    """SentencePiece's BPE: of Llama 2, Mistral and Gemma. Its normalizer makes white space part of the words."""
    reserved = specials + [f"<0x{byte:02X}>" for byte in range(256)]
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trainer = trainers.BpeTrainer(
        vocab_size=3000, special_tokens=reserved, limit_alphabet=900, max_token_length=12, show_progress=False
    )
    learner.train_from_iterator(TRAINING, trainer)
    learnt = json.loads(learner.to_str())["model"]
    merges = [tuple(pair) for pair in learnt["merges"]]
    tokenizer = Tokenizer(models.BPE(learnt["vocab"], merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    spaces = normalizers.Replace(" ", "▁")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), spaces]) if prepend else spaces
    if not prepend:
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    return framed(tokenizer, specials, first, last)


def metaspace():
    return pre_tokenizers.Metaspace(prepend_scheme="always")


def after_white_space():
    return pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace()])


def table():
    return normalizers.Precompiled(precompiled(replacements()))


def albert():
    quotes = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
    steps = [*quotes, normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), table(), BLANKS]
    specials = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
    return unigram(normalizers.Sequence(steps), after_white_space(), specials, "[CLS]", "[SEP]", "[MASK]")


def deberta():
    steps = [normalizers.Strip(), table(), BLANKS]
    specials = ["[PAD]", "[CLS]", "[SEP]", "<unk>", "[MASK]"]
    return unigram(normalizers.Sequence(steps), metaspace(), specials, "[CLS]", "[SEP]", "[MASK]")


KINDS = {
    "bert": lambda: wordpiece(True),
    "bert-cased": lambda: wordpiece(False),
    "words": words,
    "xlm-roberta": lambda: unigram(table(), after_white_space()),
    "albert": albert,
    "deberta": deberta,
    "roberta": lambda: byte_level(ROBERTA, "<s>", "</s>", lstrip=("<mask>",)),
    "modernbert": lambda: byte_level(BERT, "[CLS]", "[SEP]", normalizer=normalizers.NFC(), lstrip=("[MASK]",)),
    "llama-3": lambda: byte_level(["<|begin_of_text|>", "<|end_of_text|>"], "<|begin_of_text|>", "<|end_of_text|>", LLAMA3),
    "qwen": lambda: byte_level(
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], None, "<|endoftext|>", QWEN, normalizers.NFC()
    ),
    "gemma": lambda: byte_fallback(["<pad>", "<eos>", "<bos>", "<unk>"], "<bos>", "<eos>", prepend=False),
    "llama-2": lambda: byte_fallback(["<unk>", "<s>", "</s>"], "<s>", "</s>", prepend=True),
}


def ids_hash(ids):
    return hashlib.sha256(struct.pack(f"<{len(ids)}i", *ids)).digest()[:8]


def units(offsets, text):
    """Of offsets in code points, those in UTF-16 code units, one after the other."""
    starts = [0]
    for one in text:
        starts.append(starts[-1] + (2 if ord(one) > 0xFFFF else 1))
    return [starts[at] for pair in offsets for at in pair]


def write_offsets(name, tokenizer):
    texts = [text(n) for n in range(LOCATED)]
    encoded = tokenizer.encode_batch(texts)
    hashes = [ids_hash(units(one.offsets, text)) for one, text in zip(encoded, texts)]
    (DATA / f"{name}.offsets").write_bytes(b"".join(hashes))


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--only", default="")
    asked.add_argument("--offsets", action="store_true")
    options = asked.parse_args()
    DATA.mkdir(exist_ok=True)
    texts = [text(n) for n in range(COUNT)]
    print(f"tokenizers {tokenizers.__version__}; {len(set(texts))} different texts, {sum(map(len, texts))} characters")
    for name, make in KINDS.items():
        if options.only not in name:
            continue
        if options.offsets:
            tokenizer = Tokenizer.from_str(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()).decode())
            tokenizer.enable_truncation(LIMIT)
            write_offsets(name, tokenizer)
            continue
        definition = make().to_str()
        tokenizer = Tokenizer.from_str(definition)
        # No name and no time: equal contents are equal files.
        with open(DATA / f"{name}.json.gz", "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
            packed.write(definition.encode())
        tokenizer.enable_truncation(LIMIT)
        encoded = [one.ids for one in tokenizer.encode_batch(texts)]
        (DATA / f"{name}.ids").write_bytes(b"".join(map(ids_hash, encoded)))
        write_offsets(name, tokenizer)
        kinds = len({id for ids in encoded for id in ids})
        print(f"{name}: {tokenizer.get_vocab_size()} tokens, {kinds} of them used, {sum(map(len, encoded))} ids", flush=True)


main()
