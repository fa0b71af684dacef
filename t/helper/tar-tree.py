#!/usr/bin/env python3
"""A tree of all kinds of files that a tar archive and a store can hold: tar-tree.py DIRECTORY FILES."""
import os
import random
import sys

USUAL = 1700000000123456789


def put(path, content, mode=0o644, time=USUAL):
    os.makedirs(os.path.dirname(path) or b".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    os.utime(path, ns=(time, time))


def sparse(path, pieces, size):
    with open(path, "wb") as file:
        for offset, content in pieces:
            file.seek(offset)
            file.write(content)
        file.truncate(size)
    os.utime(path, ns=(USUAL, USUAL))


def main():
    numbers = random.Random(7)
    os.makedirs(sys.argv[1])
    os.chdir(sys.argv[1])
    put(b"plain", b"hello\n")
    put(b"empty", b"")
    put(b"exec", b"#!/bin/sh\n", 0o755)
    put(b"setuid", b"x", 0o4755)
    put(b"name\xff\xfe bytes", b"raw")
    put("caf\u00e9".encode(), b"utf8")
    put(b"new\nline", b"nl")
    put(b"/".join([b"d" * 60] * 4) + b"/" + b"f" * 90, b"long")
    put(b"p" * 80 + b"/" + b"q" * 80, b"split")
    put(b"z" * 200, b"200")
    put(b"y" * 150 + b"\xff\xfe", b"raw and long")
    put(b"before 1970", b"old", time=-86400 * 10**9)
    put(b"future", b"f", time=9000000000123456789)
    put(b"whole second", b"s", time=1600000000 * 10**9)
    os.symlink(b"plain", b"link")
    os.symlink(b"nowhere/" + b"l" * 200, b"long link")
    os.symlink(b"\xff\xfe", b"raw link")
    os.link(b"plain", b"hard")
    os.makedirs(b"nothing in it", 0o700)
    os.makedirs(b"a/b/c")
    put(b"a/file", b"in a")
    put(b"a-b/file", b"in a-b")
    put(b"a.c", b"a.c")
    put(b"big", numbers.randbytes(3 * 1024 * 1024 + 17))
    put(b"limit", numbers.randbytes(131072))
    put(b"beyond the limit", numbers.randbytes(131073))
    os.makedirs(b"sub")
    os.link(b"big", b"sub/hard link to big")
    sparse(b"sparse", [(0, b"head"), (10 << 20, numbers.randbytes(100000)), (50 << 20, b"mid")], 80 << 20)
    sparse(b"hole", [], 5 << 20)
    sparse(b"small sparse", [(40000, b"x")], 100000)
    sparse(b"many holes", [(i * 16384, b"d" * 4096) for i in range(300)], 300 * 16384 + 5000)
    for number in range(int(sys.argv[2])):
        put(b"many/%02d/f%05d" % (number % 40, number), numbers.randbytes(numbers.randrange(0, 3000)))


main()
