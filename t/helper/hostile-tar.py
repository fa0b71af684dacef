#!/usr/bin/env python3
"""Writes tar archives that no tar writes into the current directory: NAME.tar for each way to be wrong."""
import gzip

END = b"\0" * 1024


def header(name, size, kind=b"0", link=b"", raw_size=None):
    block = bytearray(512)
    block[0:len(name)] = name
    block[100:108] = b"0000644\0"
    block[108:116] = block[116:124] = b"0000000\0"
    block[124:136] = raw_size or b"%011o\0" % size
    block[136:148] = b"00000000000\0"
    block[156:157] = kind
    block[157:157 + len(link)] = link
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content):
    return content + b"\0" * (-len(content) % 512)


def record(key, value):
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d" % length + rest


def file(name, content=b"good", **fields):
    return header(name, len(content), **fields) + padded(content)


def extended(*records):
    content = b"".join(record(key, value) for key, value in records)
    return header(b"extended", len(content), b"x") + padded(content)


def sparse_records(**values):
    return extended(*((b"GNU.sparse." + key.encode(), value) for key, value in values.items()))


def sparse(real_size, pieces):
    return sparse_records(major=b"0", minor=b"1", size=b"%d" % real_size, map=pieces)


def sparse_in_content(name, real_size, pieces, content):
    text = padded(b"%d\n" % len(pieces) + b"".join(b"%d\n%d\n" % piece for piece in pieces))
    return (sparse_records(major=b"1", minor=b"0", name=name, realsize=b"%d" % real_size) +
            header(b"file", len(text) + len(content)) + text + padded(content))


GOOD = file(b"good")
LARGE = 1 << 62
PIECES = 200000
ARCHIVES = {
    # Names.
    "absolute": GOOD + file(b"/etc/passwd") + END,
    "dotdot": GOOD + file(b"../up") + file(b"a/../../b") + END,
    "dig": GOOD + file(b".dig/config") + file(b"a/.DIG/x") + END,
    "symlinkpath": GOOD + header(b"l", 0, b"2", link=b"/tmp") + file(b"l/evil") + END,
    "fileabove": file(b"a") + file(b"a/b") + GOOD + END,
    # Sizes and checksums.
    "negsize": GOOD + header(b"n", 0, raw_size=b"\xff" * 12) + END,
    "hugesize": GOOD + header(b"n", 0, raw_size=b"\x80\0\0\0\x7f" + b"\xff" * 7) + END,
    "hugesize2": GOOD + extended((b"size", b"99999999999999999999")) + file(b"x") + END,
    "badsum": GOOD + b"x" + file(b"b")[1:] + END,
    # Cut.
    "truncdata": GOOD + header(b"t", 1000) + b"x" * 300,
    "truncbig": GOOD + header(b"t", 10**6) + b"x" * 300000,
    "trunchdr": GOOD + file(b"b")[:300],
    "noend": GOOD + file(b"b"),
    # Extended headers.
    "paxbomb": GOOD + header(b"h", 900000000, b"x") + b"x" * 2000,
    "paxbad": GOOD + header(b"h", 20, b"x") + padded(b"999999 path=abc\n    ") + file(b"b") + END,
    # Maps.
    "overlap": GOOD + sparse(100, b"0,10,5,10") + file(b"s", b"x" * 20) + END,
    "beyond": GOOD + sparse(100, b"0,10,95,10") + file(b"s", b"x" * 20) + END,
    "sparsesum": GOOD + sparse(100, b"0,10,50,10") + file(b"s", b"x" * 25) + END,
    "bomb": sparse_in_content(b"bomb", 2 * PIECES + 1, [(2 * i, 1) for i in range(PIECES)], b"x" * PIECES) + END,
    "hugehole": sparse(LARGE, b"%d,4" % (LARGE // 2)) + file(b"hugehole", b"data") + END,
    # Kinds.
    "devices": GOOD + header(b"c", 0, b"3") + header(b"b", 0, b"4") + header(b"p", 0, b"6") + END,
    "star": GOOD + extended((b"SCHILY.realsize", b"1000000")) + file(b"s", b"x" * 20) + END,
    "unknown": GOOD + file(b"u", kind=b"Q") + END,
    # Links, and what comes twice.
    "badlink": GOOD + header(b"h", 0, b"1", link=b"nowhere") + header(b"h2", 0, b"1", link=b"../x") + END,
    "linkorder": file(b"a", b"one") + header(b"l", 0, b"1", link=b"a") + file(b"a", b"two") + END,
    "linkover": file(b"a", b"one") + header(b"l", 0, b"1", link=b"a") + file(b"l", b"three") + END,
    "dirafter": (file(b"d/f") + header(b"d/", 0, b"5") + header(b"e/", 0, b"5") + header(b"e/g/", 0, b"5") +
                 header(b"e-x/", 0, b"5") + END),
    # Not an archive.
    "empty": b"",
    "gz": gzip.compress(GOOD + END),
    "text": b"this is no archive" * 100,
}

for name, archive in ARCHIVES.items():
    with open(name + ".tar", "wb") as out:
        out.write(archive)
