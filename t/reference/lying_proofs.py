#!/usr/bin/env python3
"""Proofs from trees that a liar has made: their ids are right, and what they say is not.

usage: lying_proofs.py DIRECTORY SEED COUNT

Writes N.proof for each N and "N honest|lie ROOT what" as a line of standard output.  Only the honest ones may be
believed.  A lie is one that a proof shows: of an offset, a size, a count, or the order of paths.
"""
import base64
import os
import random
import struct
import sys

from dig_reference import (CHUNK_LIST, DEFAULTS, FILE_ROOT, H, MANIFEST, ONE_CHUNK, Entry, encode_entry, leaf_hash, mth,
	mth_of_hashes, split, u16, u64, u8)

FILE, RANGE, ABSENCE = 2, 3, 5
FILE_KIND = 1


def varint(number):
	out = b""
	while number >= 128:
		out += bytes([number & 127 | 128])
		number >>= 7
	return out + bytes([number])


def path_of(hashes, low, first, last):
	"""Hashes of the largest subtrees outside of [first, last), the deeper ones first."""
	high = low + len(hashes)
	if last <= low or high <= first:
		return [mth_of_hashes(hashes)]
	if first <= low and high <= last:
		return []
	middle = low + split(len(hashes))
	left = lambda: path_of(hashes[:middle - low], low, first, last)
	right = lambda: path_of(hashes[middle - low:], middle, first, last)
	return right() + left() if middle <= first else left() + right()


class Node:
	"""Whatever it is told: items are (encoded, leaves, size, path or None, child or None)."""

	def __init__(self, kind, level, items, leaves=None, size=None):
		self.kind, self.level, self.items = kind, level, items
		self.leaves = sum(item[1] for item in items) if leaves is None else leaves
		self.size = sum(item[2] for item in items) if size is None else size
		self.encoded = [item[0] for item in items]
		self.id = H(b"\2", struct.pack("<BBIQQ", kind, level, len(items), self.leaves, self.size), mth(self.encoded))

	def hashes(self, first, last):
		return b"".join(path_of([leaf_hash(item) for item in self.encoded], 0, first, last))


def item_of(node, size=None, leaves=None, path=None):
	"""The item of a parent, true unless told otherwise."""
	size, leaves = node.size if size is None else size, node.leaves if leaves is None else leaves
	encoded = u64(size) + u64(leaves) + node.id
	if node.kind == MANIFEST:
		path = node.items[-1][3] if path is None else path
		encoded += u16(len(path)) + path
	return encoded, leaves, size, path, node


def search(root, wanted, second=False):
	out, node = u8(root.level), root
	while True:
		target = next((i for i, item in enumerate(node.items) if item[3] >= wanted), len(node.items))
		if second and not node.level:
			target += 1
		first, last = max(target - 1, 0), min(target + 1, len(node.items))
		out += varint(len(node.items)) + varint(target) + b"".join(node.encoded[first:last]) + node.hashes(first, last)
		if target == len(node.items) or not node.level:
			return out
		node = node.items[target][4]


def chunk_nodes(node, at, begin, end, more):
	out, shown, children = b"", 0, []
	for encoded, leaves, size, _, child in node.items:
		if at >= end and not more:
			break
		shown += 1
		out += varint(size) + (varint(leaves) if node.level else b"") + encoded[-32:]
		if at + size > begin and at < end and child:
			children.append((child, at))
		at += size
	out = varint(len(node.items)) + varint(shown) + out + node.hashes(0, shown)
	return out + b"".join(chunk_nodes(child, start, begin, end, more) for child, start in children)


class Liar:
	def __init__(self, random):
		self.random = random
		self.lie = random.choice(["none", "size of a child", "leaves of a child", "size of a node", "leaves of a node",
			"size of the file", "bytes of the state", "entries of the state", "paths out of order", "a path twice",
			"last path of a child", "more than is needed", "a level that is missing", "other parameters", "absence"])

	def build(self):
		choose = self.random
		sizes = [choose.randrange(1, 70000) for _ in range(choose.randrange(40, 200))]
		chunks = [(u64(size) + choose.randbytes(32), 1, size, None, None) for size in sizes]
		cut = choose.randrange(1, len(chunks) - 1)
		halves = [Node(CHUNK_LIST, 0, chunks[:cut]), Node(CHUNK_LIST, 0, chunks[cut:])]
		wrong = choose.randrange(2)
		other = choose.choice([-1, 1, 1000, choose.randrange(1, 1 << 40)])
		if self.lie == "size of a node":
			half = halves[wrong]
			halves[wrong] = Node(CHUNK_LIST, 0, half.items, None, max(half.size + other, 1))
		if self.lie == "leaves of a node":
			half = halves[wrong]
			halves[wrong] = Node(CHUNK_LIST, 0, half.items, max(half.leaves + other, 1))
		items = [item_of(half) for half in halves]
		if self.lie == "size of a child":
			items[wrong] = item_of(halves[wrong], size=max(halves[wrong].size + other, 1))
		if self.lie == "leaves of a child":
			items[wrong] = item_of(halves[wrong], leaves=max(halves[wrong].leaves + other, 1))
		content = Node(CHUNK_LIST, 2 if self.lie == "a level that is missing" else 1, items)
		size = content.size
		if self.lie == "size of the file":
			size += abs(other)
		# The range touches the part that is wrong, and shows it.
		total = sum(sizes)
		end = total if self.lie in ("size of a node", "size of a child", "size of the file", "leaves of a child",
			"leaves of a node") else choose.randrange(1, total + 1)
		self.begin = choose.randrange(end)
		if self.lie in ("size of a node", "size of a child", "leaves of a child", "leaves of a node"):
			self.begin = 0
		self.size = end - self.begin
		paths = sorted({b"d%d/f%d" % (choose.randrange(9), choose.randrange(10 ** 6)) for _ in range(150)})
		at = choose.randrange(1, len(paths) - 1)
		path = paths[at]
		if self.lie == "paths out of order":
			paths[at - 1], paths[at + 1] = paths[at + 1], paths[at - 1]
		if self.lie == "a path twice":
			paths[at - 1] = path

		def entry(name):
			if name == path:
				return Entry(name, FILE_KIND, 0o644, size, FILE_ROOT, content.id, None, ())
			return Entry(name, FILE_KIND, 0o644, 5, ONE_CHUNK, H(name), None, ())

		leaves = [(encode_entry(entry(name)), 1, entry(name).size, name, None) for name in paths]
		cut = choose.choice([i for i in range(1, len(paths)) if i not in (at - 1, at, at + 1, at + 2)])
		below = [Node(MANIFEST, 0, leaves[:cut]), Node(MANIFEST, 0, leaves[cut:])]
		tops = [item_of(node) for node in below]
		side = 0 if at < cut else 1
		if self.lie == "last path of a child":
			# The leaf is asked for its last entry.
			path = below[side].items[-1][3]
			tops[side] = item_of(below[side], path=path + b"x")
		root = Node(MANIFEST, 1, tops)
		entries, size_of_all = len(paths), root.size
		if self.lie == "bytes of the state":
			size_of_all = max(size_of_all + other, 1)
		if self.lie == "entries of the state":
			entries = max(entries + other, 1)
		parameters = DEFAULTS.encoded()
		header = (u16(1) + u8(1) + H(b"store") + u64(1) + bytes(32) + root.id + struct.pack("<q", 0) + H(parameters) +
			H(b"\0") + u64(entries) + u64(size_of_all))
		if self.lie == "other parameters":
			parameters = parameters[:-8] + u64(65536)
		kind = (FILE if self.lie in ("other parameters", "last path of a child") else
			ABSENCE if self.lie == "absence" else RANGE)
		inner = u8(1) + u8(kind) + varint(len(header)) + header + varint(len(path)) + path + search(root, path, self.lie == "a path twice")
		if kind == RANGE:
			inner += varint(self.begin) + varint(self.size) + u8(1) + varint(content.leaves)
			inner += chunk_nodes(content, 0, self.begin, end, self.lie == "more than is needed")
		if kind == FILE:
			inner += parameters
		if kind == ABSENCE:
			inner += search(root, path + b"/")
		layer = H(b"\5", header)
		head = leaf_hash(layer)
		text = (f"c2sp.org/tlog-proof@v1\nextra {base64.b64encode(inner).decode()}\nindex 0\n\n"
			f"urn:dig:chia:{H(b'store').hex()}\n1\n{base64.b64encode(head).decode()}\n\n")
		is_lie = self.lie != "none" and not (self.lie == "more than is needed" and end > total - sizes[-1])
		return text, H(b"\3", u64(1), head).hex(), "lie" if is_lie else "honest"


def main():
	directory, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
	choose = random.Random(seed)
	for number in range(count):
		liar = Liar(choose)
		text, root, verdict = liar.build()
		with open(os.path.join(directory, f"{number}.proof"), "w") as file:
			file.write(text)
		print(number, verdict, root, liar.lie)


if __name__ == "__main__":
	main()
