"""A `Precompiled` normalizer as SentencePiece writes it: NFKC and its own rules, as a double array of a trie."""

import struct
import unicodedata


def replacements():
    """Text -> what it becomes: compatible characters, characters written in parts, white space, invisible characters."""
    table = {}
    for code in [*range(0x80, 0xD800), *range(0xF900, 0x10000), *range(0x1D400, 0x1D800), *range(0x1F100, 0x1F200)]:
        character = chr(code)
        whole = unicodedata.normalize("NFKC", character)
        if whole != character and len(whole) < 6 and not 0xF900 <= code < 0xFB00:
            table[character] = whole
        parts = unicodedata.normalize("NFD", character)
        if len(parts) == 2 and unicodedata.normalize("NFC", parts) == character:
            table[parts] = character
    for code in (*range(1, 9), 0xB, *range(0xE, 0x20), 0x7F, 0x8F, 0x9F, 0x200C, 0x200E, 0x200F, 0xAD):
        table[chr(code)] = ""
    for code in (9, 0xA, 0xC, 0xD, 0xA0, 0x1680, *range(0x2000, 0x200C), 0x200D, 0x2028, 0x2029, 0x205F, 0x3000, 0xFEFF, 0xFFFD):
        table[chr(code)] = " "
    return dict(sorted(table.items()))


def precompiled(table):
    """
    Units of 32 bits, one for a byte after a node: the byte, bit 8 for "a text ends here", and from bit 10 on the distance
    (by exclusive or) to the place from which the next byte's unit is found. A text's unit 0 is where its replacement is.
    """
    texts, places = bytearray(), {}
    for replacement in dict.fromkeys(table.values()):
        places[replacement] = len(texts)
        texts += replacement.encode() + b"\0"
    trie = {}
    for source, replacement in table.items():
        node = trie
        for byte in source.encode():
            node = node.setdefault(byte, {})
        node[None] = places[replacement]
    units, used, blocks = {}, {0}, set()
    search = 1

    def place(at, node):
        nonlocal search
        labels = [byte or 0 for byte in node]
        base = search
        while base in blocks or any(base ^ label in used for label in labels):
            base += 1
        if len(labels) == 1:
            while search in used:
                search += 1
        blocks.add(base)
        used.update(base ^ label for label in labels)
        units[at] = units.get(at, 0) | (base ^ at) << 10 | (0x100 if None in node else 0)
        for byte, child in node.items():
            if byte is None:
                units[base] = child | 0x80000000
            else:
                units[base ^ byte] = byte
                place(base ^ byte, child)

    place(0, trie)
    size = (max(used) | 0xFF) + 1
    if size >= 2**21:
        raise ValueError("too many units")
    packed = struct.pack(f"<{size}I", *(units.get(at, 0) for at in range(size)))
    return struct.pack("<I", len(packed)) + packed + texts
