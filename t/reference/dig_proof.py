#!/usr/bin/env python3
"""An independent reading of dig's proofs (dig-proof-format(5)): hashlib only.

usage: dig_proof.py [--root=HEX] [--key=VKEY] [--data=FILE] PROOF...
       dig_proof.py --framed [--root=HEX] [--key=VKEY] <REPLIES

Prints what is proved, as dig-verify-proof does.  --framed reads the replies of "dig prove --stdin" and counts.
Ends with 5 if a proof does not hold.
"""
import argparse
import base64
import hashlib
import os
import struct
import sys

from dig_reference import (CHUNK_LIST, FILE_ROOT, H, MANIFEST, ONE_CHUNK, PARAMETER_FIELDS, Corrupt, Cursor, Parameters,
	State, check_path, chunks_of, consistency_holds, decode_item, demand, file_root, file_root_of, inclusion_holds,
	inner_hash, leaf_hash, u64, u8, split)

STATE, FILE, RANGE, BLOCKS, ABSENCE = 1, 2, 3, 4, 5
BLOCK = 16384


# Ed25519, RFC 8032, section 6

FIELD = 2 ** 255 - 19
ORDER = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, FIELD - 2, FIELD) % FIELD
ROOT_OF_MINUS_1 = pow(2, (FIELD - 1) // 4, FIELD)


def add_points(p, q):
	a, b = (p[1] - p[0]) * (q[1] - q[0]) % FIELD, (p[1] + p[0]) * (q[1] + q[0]) % FIELD
	c, d = 2 * p[3] * q[3] * D % FIELD, 2 * p[2] * q[2] % FIELD
	e, f, g, h = b - a, d - c, d + c, b + a
	return e * f % FIELD, g * h % FIELD, f * g % FIELD, e * h % FIELD


def times(number, point):
	result = (0, 1, 1, 0)
	while number:
		if number & 1:
			result = add_points(result, point)
		point, number = add_points(point, point), number >> 1
	return result


def point_of(data):
	y = int.from_bytes(data, "little")
	sign, y = y >> 255, y & (1 << 255) - 1
	if y >= FIELD:
		return None
	square = (y * y - 1) * pow(D * y * y + 1, FIELD - 2, FIELD) % FIELD
	x = pow(square, (FIELD + 3) // 8, FIELD)
	if (x * x - square) % FIELD:
		x = x * ROOT_OF_MINUS_1 % FIELD
	if (x * x - square) % FIELD or (x == 0 and sign):
		return None
	if x & 1 != sign:
		x = FIELD - x
	return x, y, 1, x * y % FIELD


BASE = point_of((4 * pow(5, FIELD - 2, FIELD) % FIELD).to_bytes(32, "little"))


def signature_holds(key, message, signature):
	a, r = point_of(key), point_of(signature[:32])
	s = int.from_bytes(signature[32:], "little")
	if len(signature) != 64 or not a or not r or s >= ORDER:
		return False
	h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
	left, right = times(s, BASE), add_points(r, times(h, a))
	return (left[0] * right[2] - right[0] * left[2]) % FIELD == 0 and (left[1] * right[2] - right[1] * left[2]) % FIELD == 0


# Texts

def decode_base64(text):
	data = base64.b64decode(text, validate=True)
	demand(base64.b64encode(data).decode() == text, "base64 of another form")
	return data


def plain_number(text):
	demand(text.isascii() and text.isdigit() and str(int(text)) == text, f"no number: {text}")
	return int(text)


class Checkpoint:
	def __init__(self, note):
		demand(note.endswith("\n") and "\n\n" in note, "no note")
		text, self.signatures = note.rsplit("\n\n", 1)
		self.text = text + "\n"
		origin, size, head = text.split("\n")
		self.origin, self.size, self.head = origin, plain_number(size), decode_base64(head)
		demand(len(self.head) == 32 and self.size > 0, "no checkpoint")
		self.root = H(b"\3", u64(self.size), self.head)

	def is_signed_by(self, vkey):
		name, key_id, key = vkey.split("+", 2)
		key = base64.b64decode(key)
		demand(hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() == key_id, "no key")
		for line in self.signatures.splitlines():
			dash, signer, signature = line.split(" ")
			demand(dash == "\u2014", "no signature")
			signature = decode_base64(signature)
			if signer == name and signature[:4].hex() == key_id and key[0] == 1:
				demand(signature_holds(key[1:], self.text.encode(), signature[4:]), "a wrong signature")
				return True
		return False


def parse_text(text):
	"""index, hashes, extra and checkpoint."""
	head, _, note = text.partition("\n\n")
	lines = head.split("\n")
	demand(lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra ") and lines[2].startswith("index "),
		"no proof")
	path = [decode_base64(line) for line in lines[3:]]
	demand(all(len(hash) == 32 for hash in path) and len(path) < 64, "no hashes")
	return plain_number(lines[2][6:]), path, decode_base64(lines[1][6:]), Checkpoint(note)


# The inner proof

def varint(cursor):
	value = shift = 0
	while True:
		byte = cursor.u8()
		value |= (byte & 127) << shift
		shift += 7
		if byte < 128:
			demand((byte or shift == 7) and value < 1 << 64, "no number")
			return value


def root_by_path(low, high, first, last, leaves, path):
	"""The tree hash of [low, high): leaves are those of [first, last), path gives the other hashes."""
	if last <= low or high <= first:
		return next(path)
	if high - low == 1:
		return next(leaves)
	middle = low + split(high - low)
	if middle <= first:
		right = root_by_path(middle, high, first, last, leaves, path)
		return inner_hash(next(path), right)
	left = root_by_path(low, middle, first, last, leaves, path)
	return inner_hash(left, root_by_path(middle, high, first, last, leaves, path))


def count_path(low, high, first, last):
	if last <= low or high <= first:
		return 1
	if first <= low and high <= last:
		return 0
	middle = low + split(high - low)
	return count_path(low, middle, first, last) + count_path(middle, high, first, last)


def tree_hash(cursor, count, first, shown):
	hashes = [cursor.take(32) for _ in range(count_path(0, count, first, first + len(shown)))]
	return root_by_path(0, count, first, first + len(shown), iter([leaf_hash(item) for item in shown]), iter(hashes))


def node_id(kind, level, count, leaves, size, hash):
	return H(b"\2", struct.pack("<BBIQQ", kind, level, count, leaves, size), hash)


class Inner:
	def __init__(self, data):
		cursor = Cursor(data, "proof")
		demand(cursor.u8() == 1, "another version")
		self.kind = cursor.u8()
		demand(STATE <= self.kind <= ABSENCE, "another kind")
		self.state = State(None, cursor.take(varint(cursor)))
		self.entry, self.chunks, self.data = None, [], None
		if self.kind != STATE:
			self.read(cursor)
		cursor.end()

	def read(self, cursor):
		self.path = cursor.take(varint(cursor))
		check_path(self.path)
		entry = self.search(cursor, self.path)
		if self.kind == ABSENCE:
			below = self.search(cursor, self.path + b"/")
			demand(not (entry and entry.path == self.path) and not (below and below.path.startswith(self.path + b"/")),
				"the path is there")
			return
		demand(entry and entry.path == self.path, "the path is not there")
		self.entry = entry
		if self.kind == FILE:
			parameters = cursor.take(66)
			demand(H(parameters) == self.state.parameters_digest and parameters[:2] == b"\1\0", "other parameters")
			self.parameters = Parameters(*struct.unpack("<8Q", parameters[2:]))
			self.data = 0, entry.size
			return
		self.begin, self.size = varint(cursor), varint(cursor)
		demand(self.size > 0 and self.begin + self.size <= entry.size, "the range is not in the file")
		if self.kind == RANGE:
			if entry.content == ONE_CHUNK:
				self.chunks = [(0, entry.size, entry.digest)]
			else:
				demand(entry.content == FILE_ROOT, "no content")
				level = cursor.u8()
				self.read_node(cursor, level, varint(cursor), entry.size, entry.digest, 0)
			self.data = self.chunks[0][0], sum(size for _, size, _ in self.chunks)
		else:
			trees = [value for kind, value in entry.attributes if kind == 5]
			demand(trees and len(trees[0]) == 32, "no block tree")
			self.block_count = -(-entry.size // BLOCK)
			self.first, self.last = self.begin // BLOCK, (self.begin + self.size - 1) // BLOCK + 1
			self.hashes = [cursor.take(32) for _ in range(count_path(0, self.block_count, self.first, self.last))]
			self.block_root = trees[0]
			self.data = self.first * BLOCK, min(self.last * BLOCK, entry.size) - self.first * BLOCK

	def search(self, cursor, wanted):
		state = self.state
		if state.entry_count == 0:
			demand(state.manifest_root == node_id(MANIFEST, 0, 0, 0, 0, H(b"")), "not empty")
			return None
		level, leaves, size, expected = cursor.u8(), state.entry_count, state.content_size, state.manifest_root
		demand(level <= 62, "too high")
		before, last = b"", None
		while True:
			count, target = varint(cursor), varint(cursor)
			demand(1 <= count <= 512 and target <= count and (target < count or last is None), "no node")
			demand(level > 0 or count == leaves, "another number of items")
			first = max(target - 1, 0)
			items = [decode_item(cursor, MANIFEST, level) for _ in range(first, min(target + 1, count))]
			for number, item in enumerate(items, first):
				demand(item.path > before, "out of order")
				demand(item.path < wanted if number < target else item.path >= wanted, "another place")
				demand(last is None or (item.path == last if number == count - 1 else item.path <= last), "another last path")
				if number < target:
					before = item.path
			sums = sum(item.leaves for item in items), sum(item.size for item in items)
			demand(sums == (leaves, size) if len(items) == count else sums[0] <= leaves and sums[1] <= size, "sums")
			hash = tree_hash(cursor, count, first, [item.encoded for item in items])
			demand(node_id(MANIFEST, level, count, leaves, size, hash) == expected, "another id")
			if target == count:
				return None
			if level == 0:
				return items[-1].entry
			level, leaves, size, expected, last = level - 1, items[-1].leaves, items[-1].size, items[-1].digest, items[-1].path

	def read_node(self, cursor, level, leaves, size, expected, at):
		end, node_end = self.begin + self.size, at + size
		count, shown = varint(cursor), varint(cursor)
		demand(level <= 62 and 1 <= shown <= count <= 512 and (level > 0 or count == leaves), "no node")
		items, children, left = [], [], leaves
		for _ in range(shown):
			demand(at < end, "more than is needed")
			bytes_below, leaves_below = varint(cursor), varint(cursor) if level else 1
			digest = cursor.take(32)
			demand(0 < bytes_below <= node_end - at and 0 < leaves_below <= left, "sums")
			demand(level > 0 or bytes_below <= 16 << 20, "no chunk")
			items.append(u64(bytes_below) + (u64(leaves_below) if level else b"") + digest)
			at, left = at + bytes_below, left - leaves_below
			if at > self.begin:
				children.append((leaves_below, bytes_below, digest, at - bytes_below))
		hidden = count - shown
		demand(node_end - at >= hidden and left >= hidden and at >= end if hidden else at == node_end and left == 0, "sums")
		hash = tree_hash(cursor, count, 0, items)
		demand(node_id(CHUNK_LIST, level, count, leaves, size, hash) == expected, "another id")
		for leaves_below, bytes_below, digest, start in children:
			if level:
				self.read_node(cursor, level - 1, leaves_below, bytes_below, digest, start)
			else:
				self.chunks.append((start, bytes_below, digest))

	def check_content(self, data):
		demand(self.data and len(data) == self.data[1], "content of another size")
		if self.kind == FILE:
			trees = [value for kind, value in self.entry.attributes if kind == 5]
			if trees and data:
				count = -(-len(data) // BLOCK)
				blocks = iter([leaf_hash(data[i:i + BLOCK]) for i in range(0, len(data), BLOCK)])
				demand(root_by_path(0, count, 0, count, blocks, iter(())) == trees[0], "other content")
			chunks = chunks_of(data, self.parameters) if data else []
			root = file_root_of(chunks) if chunks else node_id(CHUNK_LIST, 0, 0, 0, 0, H(b""))
			demand(root == file_root(self.entry), "other content")
		elif self.kind == RANGE:
			for start, size, digest in self.chunks:
				start -= self.data[0]
				demand(H(data[start:start + size]) == digest, "other content")
		else:
			blocks = iter([leaf_hash(data[i:i + BLOCK]) for i in range(0, len(data), BLOCK)])
			root = root_by_path(0, self.block_count, self.first, self.last, blocks, iter(self.hashes))
			demand(root == self.block_root, "other content")


def believe(checkpoint, root, key):
	demand(root or key, "nobody is believed")
	demand(not root or checkpoint.root.hex() == root, "another root")
	demand(not key or checkpoint.is_signed_by(key), "not signed by the key")


def verify(text, root=None, key=None, data=None):
	"""What is proved, as an Inner; Corrupt if it does not hold."""
	index, path, extra, checkpoint = parse_text(text)
	believe(checkpoint, root, key)
	inner = Inner(extra)
	demand(checkpoint.origin == "urn:dig:chia:" + inner.state.store_id.hex(), "another store")
	demand(inner.state.generation == index + 1, "another state")
	demand(inclusion_holds(leaf_hash(inner.state.id), index, checkpoint.size, path, checkpoint.head), "not in the history")
	if data is not None:
		inner.check_content(data)
	return inner


def verify_consistency(text, root=None, key=None):
	head, _, note = text.partition("\n\n")
	lines = head.split("\n")
	demand(lines[0] == "dig-consistency@v1" and lines[1].startswith("head ") and lines[2].startswith("old "), "no proof")
	older_head, older, checkpoint = decode_base64(lines[1][5:]), plain_number(lines[2][4:]), Checkpoint(note)
	believe(checkpoint, root, key)
	path = [decode_base64(line) for line in lines[3:]]
	demand(consistency_holds(older, checkpoint.size, path, older_head, checkpoint.head), "it does not go on")
	return older, H(b"\3", u64(older), older_head)


def replies(stream):
	while line := stream.readline():
		yield stream.read(int(line)).decode()
		demand(stream.readline() == b"\n", "no reply")


def main():
	parser = argparse.ArgumentParser(description="An independent reading of dig's proofs.")
	parser.add_argument("--root")
	parser.add_argument("--key")
	parser.add_argument("--data", metavar="FILE")
	parser.add_argument("--framed", action="store_true", help="proofs from standard input, each behind its size")
	parser.add_argument("file", nargs="*")
	args = parser.parse_args()
	names = {STATE: "state", FILE: "file", RANGE: "range", BLOCKS: "range", ABSENCE: "absence"}
	try:
		if args.framed:
			print(sum(1 for text in replies(sys.stdin.buffer) if verify(text, args.root, args.key)))
		for name in args.file:
			with open(name, encoding="utf-8", newline="") as file:
				text = file.read()
			if text.startswith("dig-consistency"):
				older, root = verify_consistency(text, args.root, args.key)
				print(f"proved consistency\nolder-generation {older}\nolder-root {root.hex()}")
				continue
			data = None
			if args.data:
				with open(args.data, "rb") as file:
					data = file.read()
			inner = verify(text, args.root, args.key, data)
			print("proved", names[inner.kind])
			if inner.kind != STATE:
				print("path", os.fsdecode(inner.path))
			if inner.entry:
				print("size", inner.entry.size)
				print("file-root", file_root(inner.entry).hex())
			if inner.kind in (RANGE, BLOCKS):
				print(f"bytes {inner.begin}-{inner.begin + inner.size - 1}")
				print(f"data {inner.data[0]}-{sum(inner.data) - 1}")
			print("generation", inner.state.generation)
	except (Corrupt, ValueError, StopIteration, struct.error, RecursionError) as error:
		sys.stdout.flush()
		print(f"dig_proof: {error}", file=sys.stderr)
		return 5
	return 0


if __name__ == "__main__":
	sys.exit(main())
