"""The texts of this test: text `n` follows from `n` by integer arithmetic, as in text-rule.ts."""

import json
from pathlib import Path

PIECES = json.loads((Path(__file__).parent / "pieces.json").read_text(encoding="utf-8"))
# Of each script, its ranges: (first code point, how many).
SCRIPTS = [
    [(int(first, 16), int(last, 16) - int(first, 16) + 1) for first, last in (one.split("-") for one in ranges)]
    for ranges in PIECES["scripts"].values()
]
MARKS = SCRIPTS[list(PIECES["scripts"]).index("marks")]
WORDS = [line.split(" ") for line in PIECES["words"]]
GAPS = PIECES["gaps"]
# Words in a text; every 200th text has 1,000 more.
LENGTHS = (1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 11, 15)


class Numbers:
    """Integers of 32 bits that follow from a seed."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state + 0x9E3779B9) % 2**32
        x = self.state
        x = (x ^ (x >> 16)) * 0x85EBCA6B % 2**32
        x = (x ^ (x >> 13)) * 0xC2B2AE35 % 2**32
        return (x ^ (x >> 16)) % limit


def character(numbers, script):
    at = numbers.below(sum(size for _, size in script))
    for first, size in script:
        if at < size:
            return chr(first + at)
        at -= size


def text(n):
    numbers = Numbers(n * 0x632BE5AB % 2**32)
    scripts = [SCRIPTS[numbers.below(len(SCRIPTS))] for _ in range(1 + numbers.below(3))]
    words = LENGTHS[numbers.below(len(LENGTHS))] + (1000 if n % 200 == 199 else 0)
    parts = [GAPS[numbers.below(len(GAPS))]] if numbers.below(4) == 0 else []
    for word in range(words):
        if numbers.below(2) == 0:
            line = WORDS[numbers.below(len(WORDS))]
            parts.append(line[numbers.below(len(line))])
        else:
            script = scripts[numbers.below(len(scripts))]
            for _ in range(1 + numbers.below(8)):
                parts.append(character(numbers, script))
                if numbers.below(16) == 0:
                    parts.append(character(numbers, MARKS))
        if word < words - 1 or n % 2 == 0:
            parts.append(GAPS[numbers.below(len(GAPS))] if numbers.below(3) == 0 else " ")
    return "".join(parts)
