"""The texts of the goldens: sentences in many scripts, awkward ones, and seeded mixtures of known lengths."""

SENTENCES = [
    "The miller opens the gate at dawn, and the wheel begins to turn.",
    "How do I change the password of my account?",
    "a",
    ".",
    "42",
    "Die Mühle am Fluss mahlt seit über hundert Jahren Getreide.",
    "Où se trouve la gare la plus proche, s'il vous plaît ?",
    "El niño añadió tres kilos de azúcar; ¡qué desastre!",
    "Ljubičasta kuća, žuti šešir i đak s čašom mlijeka.",
    "Żółta łódź płynie wzdłuż brzegu.",
    "Příliš mnoho sněhu leží před domem.",
    "İstanbul'da ılık bir akşam, ağaçların gölgesi.",
    "Một ngày đẹp trời, chúng tôi đi chợ mua cá.",
    "Старая мельница стоит у реки, и колесо медленно вращается.",
    "Їжак під ґанком з'їв яблуко.",
    "Ο μύλος αλέθει σιτάρι κάθε μέρα.",
    "המטחנה על שפת הנהר עובדת כל יום.",
    "المطحنة القديمة تعمل بجانب النهر كل صباح.",
    "کتابخانه روز جمعه بسته است.",
    "पुरानी चक्की नदी के किनारे है।",
    "গ্রামের পাশে একটি নদী আছে।",
    "பழைய ஆலை ஆற்றின் அருகே உள்ளது.",
    "โรงสีเก่าตั้งอยู่ริมแม่น้ำ",
    "老磨坊在河边，每天早上都转动。",
    "舊磨坊在河邊，每天早上都轉動。",
    "古い水車小屋は川のそばにあります。カタカナも少し。",
    "오래된 물레방아가 강가에서 돌아갑니다.",
    "წისქვილი მდინარის პირას დგას.",
    "Ջրաղացը գետի ափին է։",
    "ትንሹ ወፍጮ በወንዙ ዳር ነው።",
    "const rows = texts.map((text) => embed(text)); // one row each",
    "SELECT name, count(*) FROM mills WHERE river = 'Aare' GROUP BY name;",
    "https://example.org/mills?river=aare&page=2#wheel",
    "miller@example.org wrote: 3.14159 > 2.71828, -7e-10 and 0xFF",
    "UPPER lower MiXeD snake_case camelCase kebab-case",
    "naïve façade, coöperate; e\u0301 and \u00e9; \uff26\uff55\uff4c\uff4c width",
    "wheel 🛞 mill 🏭 flag 🇨🇭 family 👩‍👩‍👧 skin 👍🏽",
    "one\ttab, two  blanks, and a\nnew line",
    "“Quotes”, ‘single’, «guillemets», an em—dash, and an ellipsis…",
    "½ cup of 10 °C water ≈ 3 €, ±1 %, x² + y² = z²",
    "antidisestablishmentarianism Donaudampfschifffahrtsgesellschaft",
    "[CLS] and <s> are written out here, [MASK] too",
]

WORDS = (
    "the a of and to in is text number query many first second third quick brown fox jumps over lazy dog river mill "
    "wheel stone grain bread water house town map road night day light dark warm cold open close begin end turn stop "
    "small large old new red green blue word line page book letter paper ink pen table chair door window wall roof "
    "running walked tested faster slowest unhappy rebuild miller millers milling opened opening"
).split()

# Lengths in words. The longest exceed the limits of all checkpoints.
LENGTHS = (2, 3, 5, 8, 9, 12, 15, 16, 17, 21, 24, 28, 31, 33, 40, 47, 55, 63, 64, 65, 80, 100, 130, 200, 300)


def numbers(seed):
    """Deterministic integers of 32 bits: a linear congruence, its upper half."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 32


def texts():
    """67 texts; none begins or ends with white space, which sentence-transformers would strip."""
    source = numbers(10)
    mixed = [" ".join(WORDS[next(source) % len(WORDS)] for _ in range(length)) for length in LENGTHS]
    return SENTENCES + mixed


def pairs():
    """24 pairs of a query and a document, indexes of texts()."""
    source = numbers(11)
    count = len(texts())
    return [(next(source) % len(SENTENCES), next(source) % count) for _ in range(24)]
