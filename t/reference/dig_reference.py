#!/usr/bin/env python3
"""dig, read and recomputed by a second program.

This program knows dig only by its pages: dig-chunking(7), dig-layer-format(5)
and dig-store-layout(5).  It shares no line with the tools, so where both arrive
at the same root the pages say enough and both follow them; where they differ,
the page decides who is wrong.

It prefers the plain way to the quick one: a whole layer is decoded and hashed,
a state is held in memory, and every tree is built again from its items.  Only
Python's own library is used, and the zstd program for zstd blocks.

    chunk FILE             offset, size and chunk id of each chunk
    tree DIR               entries and manifest root of a directory
    layer FILE|DIR...      checks layers; with all of a store, also every state
    store DIR/.dig         checks format, store-id, roots, tags, table, runs and layers
    damaged DIR/.dig       the paths of each state whose content is damaged or gone
    extract LAYERS PATH    the bytes of a file

A digest is bytes here and hexadecimal only where it is printed.
"""

import argparse
import hashlib
import mmap
import os
import re
import stat
import struct
import subprocess
import sys
import tempfile
import zlib
from collections import namedtuple
from operator import length_hint

CHUNK_LIST, MANIFEST = 1, 2             # kinds of trees
CHUNK, NODE = 1, 2                      # kinds of stored items
FILE, SYMLINK, EMPTY_DIRECTORY = 1, 2, 3
NO_CONTENT, ONE_CHUNK, FILE_ROOT = 0, 1, 2
LARGEST_ITEM = 16 << 20
LARGEST_SHARED_BLOCK = 4 << 20
ZEROS = bytes(32)


class Corrupt(Exception):
	"""What was read does not say what the pages demand."""


def demand(condition, message):
	if not condition:
		raise Corrupt(message)


def H(*pieces):
	return hashlib.sha256(b"".join(pieces)).digest()


def u8(number):
	return struct.pack("<B", number)


def u16(number):
	return struct.pack("<H", number)


def u32(number):
	return struct.pack("<I", number)


def u64(number):
	return struct.pack("<Q", number)


def i64(number):
	return struct.pack("<q", number)


class Cursor:
	"""Takes fields from bytes; running off the end is Corrupt."""

	def __init__(self, data, what):
		self.data, self.what, self.offset = data, what, 0

	def take(self, size):
		piece = self.data[self.offset:self.offset + size]
		demand(len(piece) == size, f"{self.what} ends early, at byte {len(self.data)}")
		self.offset += size
		return piece

	def number(self, form):
		return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

	def u8(self):
		return self.number("B")

	def u16(self):
		return self.number("H")

	def u32(self):
		return self.number("I")

	def u64(self):
		return self.number("Q")

	def i64(self):
		return self.number("q")

	def rest(self):
		return self.take(len(self.data) - self.offset)

	def end(self):
		demand(self.offset == len(self.data), f"{self.what} has bytes behind its end")


# RFC 9162: the Merkle tree hash and its proofs

def leaf_hash(leaf):
	return H(b"\0", leaf)


def inner_hash(left, right):
	return H(b"\1", left, right)


def mth_of_hashes(hashes):
	"""MTH of leaves that are hashed already.

	Pairing neighbours and carrying the odd one up splits the leaves as the RFC
	does, at the largest power of two.
	"""
	if not hashes:
		return H()
	while len(hashes) > 1:
		odd = hashes[len(hashes) & ~1:]
		hashes = [inner_hash(*pair) for pair in zip(hashes[::2], hashes[1::2])] + odd
	return hashes[0]


def mth(leaves):
	return mth_of_hashes([leaf_hash(leaf) for leaf in leaves])


BLOCK = 16384  # of the tree over the content of a file, attribute 5
BLOCK_TREE = 5
BLOCK_TREE_LEAST = 1 << 20  # files of more bytes have one


def block_tree_root(pieces):
	"""MTH of the blocks of content that comes in pieces."""
	hashes, rest = [], b""
	for piece in pieces:
		rest += piece
		whole = len(rest) // BLOCK * BLOCK
		hashes += [leaf_hash(rest[at:at + BLOCK]) for at in range(0, whole, BLOCK)]
		rest = rest[whole:]
	return mth_of_hashes(hashes + ([leaf_hash(rest)] if rest else []))


def split(count):
	"""The largest power of two that is smaller than count, which is 2 or more."""
	return 1 << (count - 1).bit_length() - 1


def inclusion_proof(hashes, number):
	"""PATH of section 2.1.3.1: what leaf `number` needs to give the tree's root."""
	if len(hashes) == 1:
		return []
	k = split(len(hashes))
	if number < k:
		return inclusion_proof(hashes[:k], number) + [mth_of_hashes(hashes[k:])]
	return inclusion_proof(hashes[k:], number - k) + [mth_of_hashes(hashes[:k])]


def inclusion_holds(hash_of_leaf, number, count, proof, root):
	"""Section 2.1.3.2."""
	if number >= count:
		return False
	place, last, result = number, count - 1, hash_of_leaf
	for sibling in proof:
		if last == 0:
			return False
		if place & 1 or place == last:
			result = inner_hash(sibling, result)
			while not place & 1 and place:
				place, last = place >> 1, last >> 1
		else:
			result = inner_hash(result, sibling)
		place, last = place >> 1, last >> 1
	return last == 0 and result == root


def consistency_proof(hashes, older):
	"""PROOF of section 2.1.4.1: the first `older` leaves are a prefix of all."""
	def subproof(hashes, older, complete):
		if older == len(hashes):
			return [] if complete else [mth_of_hashes(hashes)]
		k = split(len(hashes))
		if older <= k:
			return subproof(hashes[:k], older, complete) + [mth_of_hashes(hashes[k:])]
		return subproof(hashes[k:], older - k, False) + [mth_of_hashes(hashes[:k])]
	return subproof(hashes, older, True)


def consistency_holds(older, newer, proof, older_root, newer_root):
	"""Section 2.1.4.2, for 0 < older <= newer."""
	if older == newer:
		return not proof and older_root == newer_root
	if not 0 < older < newer or not proof:
		return False
	if older & older - 1 == 0:
		proof = [older_root] + proof
	place, last = older - 1, newer - 1
	while place & 1:
		place, last = place >> 1, last >> 1
	old = new = proof[0]
	for sibling in proof[1:]:
		if last == 0:
			return False
		if place & 1 or place == last:
			old, new = inner_hash(sibling, old), inner_hash(sibling, new)
			while not place & 1 and place:
				place, last = place >> 1, last >> 1
		else:
			new = inner_hash(new, sibling)
		place, last = place >> 1, last >> 1
	return last == 0 and old == older_root and new == newer_root


def peaks_of(hashes):
	"""Roots of the complete subtrees, largest first."""
	peaks, start = [], 0
	for bit in reversed(range(len(hashes).bit_length())):
		if len(hashes) >> bit & 1:
			peaks.append(mth_of_hashes(hashes[start:start + (1 << bit)]))
			start += 1 << bit
	return peaks


def add_to_peaks(peaks, count, hash_of_leaf):
	"""The peaks of count + 1 leaves from those of count."""
	peaks, peak = list(peaks), hash_of_leaf
	while count & 1:
		peak = inner_hash(peaks.pop(), peak)
		count >>= 1
	return peaks + [peak]


def mth_of_peaks(peaks):
	if not peaks:
		return H()
	result = peaks[-1]
	for peak in reversed(peaks[:-1]):
		result = inner_hash(peak, result)
	return result


# dig-chunking(7)

GEAR = [struct.unpack("<I", H(b"dig gear table 1", u8(byte))[:4])[0] for byte in range(256)]

PARAMETER_FIELDS = ("small_file_chunk_size small_file_threshold medium_file_chunk_size "
	"medium_file_threshold large_file_chunk_size huge_file_chunk_size huge_file_threshold "
	"target").split()


class Parameters(namedtuple("Parameters", PARAMETER_FIELDS)):
	"""What a store fixes about chunking; target 0 means the tiers."""

	def target_at(self, offset):
		if self.target:
			return self.target
		if offset < self.small_file_threshold:
			return self.small_file_chunk_size
		if offset < self.medium_file_threshold:
			return self.medium_file_chunk_size
		if offset < self.huge_file_threshold:
			return self.large_file_chunk_size
		return self.huge_file_chunk_size

	def encoded(self):
		return struct.pack("<H8Q", 1, *self)


DEFAULTS = Parameters(256 << 10, 1 << 20, 1 << 20, 100 << 20, 512 << 10, 2 << 20, 1 << 30, 0)


def find_cut(data, start, target):
	"""Where the chunk that starts at `start` ends; data is bytes or a map of a file.

	Nothing before start + minimum can be a cut, so the scan begins 32 bytes before
	that.  One comparison a byte: whatever is below T is below W too.
	"""
	minimum, maximum = target // 2, 4 * target
	T = 2**33 // target
	W = min(16 * T, 2**32 - 1)
	first, end = start + minimum, min(start + maximum, len(data))
	if first >= len(data):
		return len(data)
	gear, h, weak = GEAR, 0, 0
	for byte in data[max(first - 32, 0):first - 1]:
		h = h + h + gear[byte] & 0xffffffff
	ahead = iter(data[first - 1:end])
	for byte in ahead:
		h = h + h + gear[byte] & 0xffffffff
		if h < W:
			weak = end - length_hint(ahead)         # the position after this byte
			if h < T:
				return weak
	if end < start + maximum:
		return end
	return weak or end


def cuts(data, parameters):
	"""Yields (start, end) of each chunk."""
	start = 0
	while start < len(data):
		end = find_cut(data, start, parameters.target_at(start))
		yield start, end
		start = end


# Trees

Item = namedtuple("Item", "encoded leaves size digest path entry")
Item.__doc__ = """One item of a node.

leaves and size are the level-0 items and content bytes below, digest the chunk id
or node id (None for an entry), path the last path below (None in chunk lists).
"""

Node = namedtuple("Node", "kind level items leaves size encoded id")


def chunk_item(size, chunk_id):
	return Item(u64(size) + chunk_id, 1, size, chunk_id, None, None)


def entry_item(entry):
	return Item(encode_entry(entry), 1, entry.size, None, entry.path, entry)


def parent_item(node):
	encoded = u64(node.size) + u64(node.leaves) + node.id
	path = None
	if node.kind == MANIFEST:
		path = node.items[-1].path
		encoded += u16(len(path)) + path
	return Item(encoded, node.leaves, node.size, node.id, path, None)


def make_node(kind, level, items):
	leaves, size = sum(item.leaves for item in items), sum(item.size for item in items)
	counts = struct.pack("<BBIQQ", kind, level, len(items), leaves, size)
	encoded = [item.encoded for item in items]
	return Node(kind, level, items, leaves, size, counts + b"".join(encoded),
		H(b"\2", counts, mth(encoded)))


def is_boundary(kind, level, item):
	key = item.digest if kind == CHUNK_LIST else H(b"\4", u8(level), item.path)
	return struct.unpack("<I", key[:4])[0] < 1 << 25


def node_ends(kind, level, held, size, item):
	"""Whether a node of `held` items, `size` bytes encoded, ends after item, its last."""
	if held == 512 or held >= 32 and is_boundary(kind, level, item):
		return True
	return size >= 65536 and (level == 0 or held >= 2)


def cut_level(kind, level, items):
	"""The nodes that hold items; one without items if there are none."""
	nodes, held, size = [], [], 0
	for item in items:
		held.append(item)
		size += len(item.encoded)
		if node_ends(kind, level, len(held), size, item):
			nodes.append(make_node(kind, level, held))
			held, size = [], 0
	if held or not nodes:
		nodes.append(make_node(kind, level, held))
	return nodes


def build_tree(kind, items):
	"""All nodes of a tree, from the bottom; the last one is the root node."""
	nodes = level_nodes = cut_level(kind, 0, items)
	while len(level_nodes) > 1:
		level = level_nodes[0].level + 1
		level_nodes = cut_level(kind, level, [parent_item(node) for node in level_nodes])
		nodes = nodes + level_nodes
	return nodes


def decode_node(data):
	"""A node as it is stored; what can be told from it alone is checked."""
	cursor = Cursor(data, "node")
	kind, level, count = cursor.u8(), cursor.u8(), cursor.u32()
	leaves, size = cursor.u64(), cursor.u64()
	demand(kind in (CHUNK_LIST, MANIFEST), f"node of unknown kind {kind}")
	demand(count <= 512, f"node of {count} items")
	demand(count or level == 0, "node above level 0 without items")
	node = make_node(kind, level, [decode_item(cursor, kind, level) for _ in range(count)])
	cursor.end()
	demand((leaves, size) == (node.leaves, node.size), "node does not count what it holds")
	demand(kind == CHUNK_LIST or is_ascending([item.path for item in node.items]),
		"paths out of order")
	check_ends([node])
	return node


def decode_item(cursor, kind, level):
	start = cursor.offset
	if level == 0 and kind == MANIFEST:
		entry = decode_entry(cursor)
		leaves, size, digest, path = 1, entry.size, None, entry.path
	else:
		size = cursor.u64()
		leaves = cursor.u64() if level else 1
		digest = cursor.take(32)
		path = cursor.take(cursor.u16()) if kind == MANIFEST else None
		entry = None
	demand(leaves > 0, "item without anything below")
	if kind == CHUNK_LIST and level == 0:
		demand(0 < size <= LARGEST_ITEM, f"chunk of {size} bytes")
	return Item(cursor.data[start:cursor.offset], leaves, size, digest, path, entry)


def check_ends(nodes):
	"""Whether each of the nodes, neighbours of one level, ends where it has to.

	The last one may end because the level does, and is not asked to do more.
	"""
	for node in nodes:
		size = 0
		for held, item in enumerate(node.items, 1):
			size += len(item.encoded)
			ends = node_ends(node.kind, node.level, held, size, item)
			if held < len(node.items):
				demand(not ends, f"node goes on behind its end, item {held}")
			elif node is not nodes[-1]:
				demand(ends, f"node ends too early, behind item {held}")


def tree_items(kind, root, get_node):
	"""The level-0 items below the node `root`; the whole shape is checked.

	get_node(digest) gives a decoded node.
	"""
	nodes = [get_node(root)]
	demand(nodes[0].kind == kind, f"node {root.hex()} is of another kind")
	while nodes[0].level:
		check_ends(nodes)
		nodes = [child_of(item, node, get_node) for node in nodes for item in node.items]
	check_ends(nodes)
	items = [item for node in nodes for item in node.items]
	demand(build_tree(kind, items)[-1].id == root, f"tree {root.hex()} has another shape")
	return items


def child_of(item, parent, get_node):
	child, name = get_node(item.digest), item.digest.hex()
	demand(child.kind == parent.kind, f"node {name} is of another kind than its parent")
	demand(child.level == parent.level - 1, f"node {name} is of the wrong level")
	demand(child.leaves == item.leaves, f"node {name} holds another number of items")
	demand(child.size == item.size, f"node {name} holds another number of bytes")
	demand(child.kind == CHUNK_LIST or child.items[-1].path == item.path,
		f"node {name} ends with another path")
	return child


# Entries

Entry = namedtuple("Entry", "path kind mode size content digest mtime attributes")


def make_entry(path, kind, mode, mtime, chunks):
	"""An entry for content that was cut into chunks, (size, chunk id) each."""
	size = sum(size for size, _ in chunks)
	content, digest = NO_CONTENT, None
	if len(chunks) == 1:
		content, digest = ONE_CHUNK, chunks[0][1]
	elif chunks:
		content, digest = FILE_ROOT, file_root_of(chunks)
	return Entry(path, kind, mode, size, content, digest, mtime, ())


def file_root_of(chunks):
	return build_tree(CHUNK_LIST, [chunk_item(*chunk) for chunk in chunks])[-1].id


def file_root(entry):
	if entry.content == FILE_ROOT:
		return entry.digest
	return file_root_of([(entry.size, entry.digest)] if entry.content == ONE_CHUNK else [])


def encode_entry(entry):
	flags = entry.content | (4 if entry.mtime is not None else 0)
	pieces = [u16(len(entry.path)), entry.path, u8(entry.kind), u16(entry.mode),
		u64(entry.size), u8(flags), entry.digest or b""]
	if entry.mtime is not None:
		pieces.append(i64(entry.mtime))
	pieces.append(u16(len(entry.attributes)))
	pieces += [u16(kind) + u32(len(value)) + value for kind, value in entry.attributes]
	return b"".join(pieces)


def decode_entry(cursor):
	path = cursor.take(cursor.u16())
	check_path(path)
	kind, mode, size, flags = cursor.u8(), cursor.u16(), cursor.u64(), cursor.u8()
	content = flags & 3
	demand(flags < 8 and content < 3, f"entry {path!r} has unknown flags {flags}")
	digest = cursor.take(32) if content else None
	mtime = cursor.i64() if flags & 4 else None
	attributes = tuple((cursor.u16(), cursor.take(cursor.u32())) for _ in range(cursor.u16()))
	demand(is_ascending([kind for kind, _ in attributes]),
		f"attributes of {path!r} out of order")
	demand(mode < 1 << 12, f"entry {path!r} has mode {mode:o}")
	demand((size == 0) == (content == NO_CONTENT),
		f"entry {path!r} has no content for its size")
	demand(kind != EMPTY_DIRECTORY or size == 0, f"directory {path!r} has content")
	return Entry(path, kind, mode, size, content, digest, mtime, attributes)


def check_path(path):
	for component in path.split(b"/"):
		demand(component not in (b"", b".", b"..", b".dig") and len(component) <= 255
			and b"\0" not in component, f"bad path {path!r}")


def is_ascending(things):
	return all(one < other for one, other in zip(things, things[1:]))


def check_paths(entries):
	"""Order, and no file with something below it."""
	paths = [entry.path for entry in entries]
	demand(is_ascending(paths), "paths out of order")
	there = set(paths)
	for path in paths:
		for place, byte in enumerate(path):
			demand(byte != 0x2f or path[:place] not in there,
				f"{path[:place]!r} is a file and a directory")


def print_entries(entries):
	kinds = {FILE: "file", SYMLINK: "symlink", EMPTY_DIRECTORY: "directory"}
	for entry in entries:
		kind = kinds.get(entry.kind, f"kind-{entry.kind}")
		line = f"{entry.mode:04o} {kind} {entry.size} {file_root(entry).hex()} "
		sys.stdout.buffer.write(line.encode() + entry.path + b"\n")


# A directory, as dig add takes it

def chunks_of(data, parameters):
	return [(end - start, H(data[start:end])) for start, end in cuts(data, parameters)]


def chunks_of_file(path, parameters):
	with open(path, "rb") as file:
		if os.fstat(file.fileno()).st_size == 0:
			return []
		with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
			return chunks_of(data, parameters)


def with_block_tree_of_file(entry, path):
	"""The entry as core.block_tree makes it."""
	if entry.size <= BLOCK_TREE_LEAST:
		return entry
	with open(path, "rb") as file:
		root = block_tree_root(iter(lambda: file.read(1 << 20), b""))
	return entry._replace(attributes=((BLOCK_TREE, root),))


def entries_of_directory(top, parameters, with_mtime=True, with_block_tree=False):
	"""Entries of all below top, in order.

	Rules of .digignore are not followed.  A directory of which nothing is taken
	counts as empty; top itself is no entry.
	"""
	def entry_of(path, found):
		status = found.stat(follow_symlinks=False)
		mtime = status.st_mtime_ns if with_mtime else None
		mode = stat.S_IMODE(status.st_mode)
		if stat.S_ISLNK(status.st_mode):
			chunks = chunks_of(os.readlink(found.path), parameters)
			return make_entry(path, SYMLINK, mode, mtime, chunks)
		if stat.S_ISREG(status.st_mode):
			entry = make_entry(path, FILE, mode, mtime,
				chunks_of_file(found.path, parameters))
			return with_block_tree_of_file(entry, found.path) if with_block_tree else entry
		return make_entry(path, EMPTY_DIRECTORY, mode, mtime, [])

	def visit(directory, prefix):
		entries = []
		for found in os.scandir(directory):
			path = prefix + found.name
			if found.name == b".dig":
				continue
			if found.is_dir(follow_symlinks=False):
				entries += visit(found.path, path + b"/") or [entry_of(path, found)]
			elif found.is_symlink() or found.is_file(follow_symlinks=False):
				entries.append(entry_of(path, found))
		return entries

	return sorted(visit(os.fsencode(top), b""), key=lambda entry: entry.path)


# Layers

def check_preamble(data, magic, known_features=0, newest=1):
	demand(len(data) == 24, "preamble ends early")
	cursor = Cursor(data, "preamble")
	demand(cursor.take(8) == magic, f"no {magic.decode()}")
	demand(zlib.crc32(data[:20]) == struct.unpack("<I", data[20:24])[0],
		"preamble with a wrong checksum")
	version, _, read_features, _ = (cursor.u16() for _ in range(4))
	demand(1 <= version <= newest, f"version {version}")
	demand(read_features & ~known_features == 0, f"unknown features {read_features:#x} needed to read")
	demand(cursor.u32() == 0, "preamble with unknown fields")
	return version


def decompress_zlib(payload, size):
	decoder = zlib.decompressobj()
	try:
		raw = decoder.decompress(payload, size + 1)
	except zlib.error as error:
		raise Corrupt(f"zlib payload: {error}")
	demand(len(raw) == size and decoder.eof and not decoder.unused_data,
		"zlib payload is not of the raw size")
	return raw


def decompress_zstd(payload, size):
	check_zstd_frame(payload)
	with tempfile.TemporaryFile() as file:
		file.write(payload)
		file.seek(0)
		with subprocess.Popen(["zstd", "-dcq", "--no-progress"], stdin=file,
				stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as decoder:
			raw = decoder.stdout.read(size + 1)
			decoder.stdout.close()
	demand(len(raw) == size and decoder.returncode == 0, "zstd payload is not of the raw size")
	return raw


def check_zstd_frame(payload):
	"""One frame of RFC 8878, without a dictionary and with nothing behind it.

	The program would take several, one after another.
	"""
	cursor = Cursor(payload, "zstd frame")
	demand(cursor.take(4) == b"\x28\xb5\x2f\xfd", "zstd payload is no frame")
	descriptor = cursor.u8()
	demand(descriptor & 3 == 0, "zstd frame with a dictionary")
	single_segment = descriptor >> 5 & 1
	cursor.take(1 - single_segment)                             # window
	cursor.take((single_segment, 2, 4, 8)[descriptor >> 6])     # content size
	last = 0
	while not last:
		header = int.from_bytes(cursor.take(3), "little")
		last, kind, size = header & 1, header >> 1 & 3, header >> 3
		cursor.take(1 if kind == 1 else size)
	cursor.take(4 if descriptor & 4 else 0)                     # checksum
	cursor.end()


Block = namedtuple("Block", "offset length raw_size count codec kind")
Section = namedtuple("Section", "type flags crc offset size")
Place = namedtuple("Place", "layer block number size")


class Layer:
	"""One layer file, wholly checked when it is opened.

	places maps (kind, digest) to where the item lies.  states has what the file says of
	each of its generations; a layer of a commit has one, and its fields are those of the
	layer, too.
	"""

	def __init__(self, path, check_blocks=True):
		self.path, self.size = path, os.path.getsize(path)
		self.cached = (None, None)
		try:
			self.check(check_blocks)
		except Corrupt as error:
			raise Corrupt(f"'{os.fsdecode(path)}': {error}") from None

	def read(self, offset, size):
		demand(offset + size <= self.size, "file ends early")
		with open(self.path, "rb", buffering=0) as file:
			return os.pread(file.fileno(), size, offset)

	def check(self, check_blocks):
		demand(self.size >= 24 + 80, "file ends early")
		check_preamble(self.read(0, 24), b"DIGLAYER")
		self.read_footer()
		self.read_sections()
		self.blocks = self.decode_block_table(self.section(1))
		self.read_chunk_index(self.check_blocks() if check_blocks else None)
		self.epoch, self.dropped, self.is_merged = 0, [], 6 in self.sections
		if self.is_merged:
			self.read_states()
			cursor = Cursor(self.section(7), "dropped")
			self.dropped = read_ranges(cursor)
			cursor.end()
		else:
			state = State(self, self.section(3))
			self.states = [state]
			self.read_texts(state)
			self.read_peaks(state)
			for name in State.FIELDS:
				setattr(self, name, getattr(state, name))
		self.first, self.last = self.states[0].generation, self.states[-1].generation
		self.read_packing()
		self.read_chunking()

	def read_footer(self):
		data = self.read(self.size - 80, 80)
		cursor = Cursor(data, "footer")
		self.table_offset, count, flags = cursor.u64(), cursor.u32(), cursor.u32()
		self.pack_id, size, table_crc = cursor.take(32), cursor.u64(), cursor.u32()
		demand(cursor.take(8) == bytes(8), "footer with unknown fields")
		demand(cursor.take(8) == b"DIGLAEND", "no DIGLAEND")
		demand(cursor.u32() == zlib.crc32(data[:76]), "footer with a wrong checksum")
		demand(size == self.size, "file of another size than its footer says")
		demand(flags < 2, f"footer with unknown flags {flags:#x}")
		demand(self.table_offset + 24 * count + 80 == self.size,
			"section table is out of place")
		self.is_full = flags == 1
		self.table = self.read(self.table_offset, 24 * count)
		demand(zlib.crc32(self.table) == table_crc, "section table with a wrong checksum")

	def read_sections(self):
		self.sections = {}
		sections = [Section(*fields) for fields in struct.iter_unpack("<HHIQQ", self.table)]
		demand(is_ascending([section.type for section in sections]),
			"sections out of order")
		types = {section.type for section in sections}
		needed = {1, 2, 6, 7} if 6 in types else {1, 2, 3, 4, 5}
		demand(needed <= types, "a section is missing")
		demand(types & {1, 2, 3, 4, 5, 6, 7} == needed, "a section is of the other kind of layer")
		self.blocks_end = end = sections[0].offset
		demand(end >= 24, "block table is out of place")
		for section in sections:
			demand(section.offset == end, f"section {section.type} is out of place")
			end += section.size
			demand(end <= self.table_offset, f"section {section.type} is too long")
			demand(section.flags < 2, f"section {section.type} has unknown flags")
			demand(section.type != 10, "content lies in a remote")
			demand(1 <= section.type <= 11 or not section.flags,
				f"unknown section {section.type} is needed")
			demand(section.type not in (8, 9, 11) or not section.flags, f"section {section.type} is said to be needed")
			demand(zlib.crc32(self.read(section.offset, section.size)) == section.crc,
				f"section {section.type} has a wrong checksum")
			self.sections[section.type] = section
		demand(end == self.table_offset, "section table is out of place")

	def section(self, kind):
		return self.read(self.sections[kind].offset, self.sections[kind].size)

	# Blocks

	def decode_block_table(self, data):
		demand(len(data) % 24 == 0, "block table ends in a record")
		blocks = []
		for *fields, zero in struct.iter_unpack("<QIIHBBI", data):
			demand(zero == 0, "block table with unknown fields")
			blocks.append(Block(*fields))
		return blocks

	def check_blocks(self):
		"""Checks blocks and gaps; (kind, digest, size) of each block's items."""
		end, items = 24, []
		for number, block in enumerate(self.blocks):
			demand(block.offset >= end, "blocks overlap or are out of order")
			demand(block.offset + block.length <= self.blocks_end,
				"block reaches the sections")
			self.check_zeros(end, block.offset)
			end = block.offset + block.length
			items.append([])
			for data in self.block_items(number):
				digest = H(data) if block.kind == CHUNK else decode_node(data).id
				items[-1].append((block.kind, digest, len(data)))
		self.check_zeros(end, self.blocks_end)
		return items

	def check_zeros(self, start, end):
		while start < end:
			size = min(1 << 20, end - start)
			demand(self.read(start, size).count(0) == size,
				f"no zeros in the gap at {start}")
			start += size

	def block_items(self, number):
		"""The decoded items of a block.  The last block is kept."""
		if self.cached[0] != number:
			try:
				self.cached = (number, self.decode_block(self.blocks[number]))
			except Corrupt as error:
				offset = self.blocks[number].offset
				raise Corrupt(f"block at {offset}: {error}") from None
		return self.cached[1]

	def decode_block(self, block):
		data = self.read(block.offset, block.length)
		cursor = Cursor(data, "block")
		demand(cursor.u32() == 0x4b4c4244, "no DBLK")
		codec, kind, count = cursor.u8(), cursor.u8(), cursor.u16()
		raw_size, stored_size, payload_crc, crc = (cursor.u32() for _ in range(4))
		demand((raw_size, count, codec, kind) == block[2:], "differs from the block table")
		sizes_bytes = cursor.take(4 * count if count > 1 else 0)
		demand(crc == zlib.crc32(data[:20] + sizes_bytes), "header has a wrong checksum")
		sizes = [size for size, in struct.iter_unpack("<I", sizes_bytes)] or [raw_size]
		demand(count > 0 and kind in (CHUNK, NODE), "unknown kind or no item")
		demand(0 < min(sizes) and max(sizes) <= LARGEST_ITEM,
			"an item is too small or too large")
		demand(sum(sizes) == raw_size, "sizes do not add up")
		demand(count == 1 or raw_size <= LARGEST_SHARED_BLOCK,
			"too large for several items")
		payload = cursor.take(stored_size)
		cursor.end()
		demand(payload_crc == (zlib.crc32(payload) if codec else 0),
			"payload has a wrong checksum")
		raw = Cursor(self.decompress(codec, payload, raw_size), "block")
		return [raw.take(size) for size in sizes]

	def decompress(self, codec, payload, size):
		demand(codec in (0, 1, 2), f"unknown codec {codec}")
		if codec:
			return (decompress_zlib, decompress_zstd)[codec - 1](payload, size)
		demand(len(payload) == size, "stored size is not the raw size")
		return payload

	# Sections

	def read_chunk_index(self, items):
		"""Every record has to name what lies there, and every item to be named.

		Without items, only the records themselves are checked.
		"""
		cursor = Cursor(self.section(2), "chunk index")
		count, bits = cursor.u64(), cursor.u8()
		demand(cursor.take(7) == bytes(7), "chunk index with unknown fields")
		demand(bits == fanout_bits(count), f"chunk index has {bits} fanout bits")
		fanout = [cursor.u64() for _ in range(1 << bits)]
		records = list(struct.iter_unpack("<32sIHBB", cursor.take(40 * count)))
		cursor.end()
		check_fanout(fanout, [digest for digest, *_ in records], bits)
		demand(is_ascending([(digest, kind) for digest, _, _, kind, _ in records]),
			"chunk index is out of order")
		self.places = {}
		for digest, block, number, kind, zero in records:
			demand(zero == 0, "chunk index with unknown fields")
			demand(items is None or block < len(items) and number < len(items[block])
				and items[block][number][:2] == (kind, digest),
				f"chunk index is wrong about {digest.hex()}")
			self.places[kind, digest] = Place(self, block, number,
				items and items[block][number][2])
		for kind, digest, _ in (item for block in items or [] for item in block):
			demand((kind, digest) in self.places, f"chunk index lacks {digest.hex()}")
		pack = [u8(kind) + digest for digest, _, _, kind, _ in records]
		demand(self.pack_id == H(*pack, self.table), "another pack id")

	def read_texts(self, state):
		cursor = Cursor(self.section(5), "texts")
		state.set_texts(cursor.take(cursor.u32()), cursor.take(cursor.u32()))
		cursor.end()

	def read_peaks(self, state):
		cursor = Cursor(self.section(4), "peaks")
		state.peaks = [cursor.take(32) for _ in range(cursor.u8())]
		cursor.end()
		before = state.generation - 1
		demand(len(state.peaks) == bin(before).count("1"), "wrong number of peaks")
		parent = root_of(before, mth_of_peaks(state.peaks)) if before else ZEROS
		demand(parent == state.parent_root, "parent root does not follow from the peaks")
		state.root = root_of(state.generation,
			mth_of_peaks(add_to_peaks(state.peaks, before, leaf_hash(state.id))))

	def read_states(self):
		data = self.section(6)
		cursor = Cursor(data, "states")
		first, count, self.epoch = cursor.u64(), cursor.u64(), cursor.u64()
		demand(first > 0 and count > 0, "states of no generation")
		demand(24 + 8 * count <= len(data), "states end early")
		offsets = [cursor.u64() for _ in range(count)] + [len(data)]
		demand(offsets[0] == 24 + 8 * count and is_ascending(offsets), "a state is out of place")
		self.states = []
		for number, (start, end) in enumerate(zip(offsets, offsets[1:])):
			state = read_state(self, data[start:end])
			demand(state.generation == first + number, "a state is of another generation")
			self.states.append(state)
		demand(not self.is_full, "a merged layer is not full")

	def read_chunking(self):
		if 9 in self.sections:
			parameters = self.section(9)
			demand(len(parameters) == 66, "chunking parameters of another size")
			demand(all(state.parameters_digest == H(parameters) for state in self.states),
				"states of other chunking parameters")

	def read_packing(self):
		self.level = self.pending = 0
		if 8 in self.sections:
			cursor = Cursor(self.section(8), "packing")
			self.level, self.pending = cursor.u8(), cursor.u64()
			cursor.end()
		raw = sum(block.raw_size for block in self.blocks if block.codec == 0 and block.kind == CHUNK)
		demand(self.level <= 19 and self.pending <= raw, "packing of other blocks than these")


class State:
	"""What a layer says of one generation.

	root and peaks are None where they are not stored and follow from all layers.
	"""

	FIELDS = ("store_id generation parent_root manifest_root time parameters_digest texts_digest "
		"entry_count content_size id author message peaks root").split()

	def __init__(self, layer, data):
		self.layer, self.header, self.root, self.peaks = layer, data, None, None
		cursor = Cursor(data, "layer header")
		demand(cursor.u16() == 1, "unknown identity version")
		demand(cursor.u8() == 1, "unknown digest algorithm")
		self.store_id, self.generation = cursor.take(32), cursor.u64()
		self.parent_root, self.manifest_root = cursor.take(32), cursor.take(32)
		self.time, self.parameters_digest = cursor.i64(), cursor.take(32)
		self.texts_digest = cursor.take(32)
		self.entry_count, self.content_size = cursor.u64(), cursor.u64()
		extensions = []
		while cursor.offset < len(data):
			extensions.append(cursor.u16())
			cursor.take(cursor.u32())
		demand(is_ascending(extensions), "extensions of the header out of order")
		demand(self.generation > 0, "generation 0")
		self.id = H(b"\5", data)

	def set_texts(self, author, message):
		self.author, self.message = author, message
		demand(b"\0" not in self.author, "author holds a NUL")
		demand(H(self.author, b"\0", self.message) == self.texts_digest,
			"author and message are not those of the header")


def read_state(layer, data):
	"""A record of section 6, or of the log of states."""
	cursor = Cursor(data, "state")
	state = State(layer, cursor.take(cursor.u32()))
	state.set_texts(cursor.take(cursor.u32()), cursor.take(cursor.u32()))
	cursor.end()
	return state


def read_ranges(cursor):
	"""Generations, as (first, last); they ascend and do not overlap."""
	ranges = [(cursor.u64(), cursor.u64()) for _ in range(cursor.u32())]
	check_ranges(ranges)
	return ranges


def check_ranges(ranges):
	ends = [end for pair in ranges for end in pair]
	demand(all(0 < first <= last for first, last in ranges) and ends == sorted(ends)
		and all(one[1] < other[0] for one, other in zip(ranges, ranges[1:])),
		"ranges of generations out of order")


def is_within(generation, ranges):
	return any(first <= generation <= last for first, last in ranges)


def root_of(generation, hash_of_ids):
	return H(b"\3", u64(generation), hash_of_ids)


def fanout_bits(count):
	return next((bits for bits in range(16) if count <= 64 << bits), 16)


def check_fanout(fanout, digests, bits):
	expected = [0] * len(fanout)
	for digest in digests:
		expected[int.from_bytes(digest[:2], "big") >> 16 - bits] += 1
	total = 0
	for number, count in enumerate(expected):
		total += count
		demand(fanout[number] == total, f"fanout {number} is {fanout[number]}, not {total}")


# All layers of a store

class History:
	"""Layers of one store, by generation, and the states that they make up."""

	def __init__(self, layers, dropped=None):
		"""dropped: ranges of dropped states; else those that the newest merged layer names."""
		self.layers = sorted(layers, key=lambda layer: layer.first)
		self.states = [state for layer in self.layers for state in layer.states]
		self.dropped = max(self.layers, key=lambda layer: layer.epoch).dropped if layers else []
		if dropped is not None:
			self.dropped = dropped
		self.places = {}
		for layer in self.layers:
			self.places.update(layer.places)
		self.known_lists, self.known_block_trees = {}, {}

	def is_dropped(self, state):
		return is_within(state.generation, self.dropped)

	def check_chain(self):
		"""Roots follow one another, from the ids where all of them are there."""
		ids = []
		for previous, state in zip([None] + self.states, self.states):
			name = f"generation {state.generation}"
			follows = previous and previous.generation == state.generation - 1
			if previous:
				demand(previous.generation < state.generation,
					f"{name} is there twice")
				demand(previous.store_id == state.store_id,
					f"{name} is of another store")
				demand(previous.parameters_digest == state.parameters_digest,
					f"{name} was made with other chunking parameters")
			if follows and previous.root:
				demand(previous.root == state.parent_root,
					f"{name} has another parent root")
			if state.generation == len(ids) + 1:
				demand(state.peaks in (None, peaks_of(ids)), f"{name} has other peaks")
				demand(ids or state.parent_root == ZEROS, f"{name} has a parent")
				ids.append(leaf_hash(state.id))
				root = root_of(len(ids), mth_of_hashes(ids))
				demand(state.root in (None, root), f"{name} has another root")
				state.root = root

	def whole_generations(self):
		"""States that must be there: from the first or a full layer, gapless."""
		whole, previous = [], None
		for state in self.states:
			follows = previous in whole and previous.generation == state.generation - 1
			if state.generation == 1 or state.layer.is_full or follows:
				whole.append(state)
			previous = state
		return whole

	def node(self, digest):
		place = self.places.get((NODE, digest))
		if place is None and digest == EMPTY_MANIFEST.id:
			return EMPTY_MANIFEST
		demand(place, f"node {digest.hex()} is missing")
		return decode_node(place.layer.block_items(place.block)[place.number])

	def chunk(self, digest):
		place = self.places.get((CHUNK, digest))
		demand(place, f"chunk {digest.hex()} is missing")
		return place.layer.block_items(place.block)[place.number]

	def state(self, layer):
		"""The entries of a generation, each with its content found and measured."""
		try:
			items = tree_items(MANIFEST, layer.manifest_root, self.node)
			entries = [item.entry for item in items]
			check_paths(entries)
			demand(len(entries) == layer.entry_count, "header counts other entries")
			demand(sum(entry.size for entry in entries) == layer.content_size,
				"header counts other content bytes")
			for entry in entries:
				size = sum(size for size, _ in self.chunk_list(entry))
				demand(size == entry.size,
					f"entry {entry.path!r} has {size} bytes of content")
				self.check_block_tree(entry)
		except Corrupt as error:
			raise Corrupt(f"generation {layer.generation}: {error}") from None
		return entries

	def chunk_list(self, entry):
		"""(size, chunk id) of the entry's chunks, all of which are there."""
		if entry.content == FILE_ROOT:
			chunks = self.known_lists.get(entry.digest)
			if chunks is None:
				items = tree_items(CHUNK_LIST, entry.digest, self.node)
				chunks = [(item.size, item.digest) for item in items]
				demand(len(chunks) > 1,
					f"entry {entry.path!r} has a list of one chunk")
				self.known_lists[entry.digest] = chunks
		else:
			chunks = [(entry.size, entry.digest)] if entry.content else []
		for size, digest in chunks:
			place = self.places.get((CHUNK, digest))
			demand(place, f"chunk {digest.hex()} of {entry.path!r} is missing")
			demand(place.size == size,
				f"chunk {digest.hex()} of {entry.path!r} is of another size")
		return chunks

	def check_states(self):
		"""Checks every state that is whole; entries of the last, None if it is not."""
		entries, whole = None, self.whole_generations()
		for state in self.states:
			if self.is_dropped(state):
				entries = []
			elif state in whole:
				entries = self.state(state)
				if state.layer.is_full:
					History([state.layer]).state(state)
			else:
				note(f"generation {state.generation} is not checked: "
					"layers before it are missing")
		return entries if self.states and self.states[-1] in whole else None

	def check_block_tree(self, entry):
		"""Attribute 5 is the root of the tree over blocks of the entry's content."""
		for value in (value for kind, value in entry.attributes if kind == BLOCK_TREE):
			demand(entry.kind == FILE and len(value) == 32,
				f"{entry.path!r} has a block tree that can be none")
			if entry.digest not in self.known_block_trees:
				pieces = (self.chunk(digest) for _, digest in self.chunk_list(entry))
				self.known_block_trees[entry.digest] = block_tree_root(pieces)
			demand(self.known_block_trees[entry.digest] == value,
				f"{entry.path!r} has the tree of other blocks")

	def check_cuts(self, entries, parameters):
		"""Whether content is cut where dig-chunking(7) says."""
		for entry in entries:
			chunks = self.chunk_list(entry)
			if not chunks:
				continue
			with tempfile.NamedTemporaryFile() as file:
				for _, digest in chunks:
					file.write(self.chunk(digest))
				file.flush()
				demand(chunks_of_file(file.name, parameters) == chunks,
					f"{entry.path!r} is cut elsewhere")


EMPTY_MANIFEST = make_node(MANIFEST, 0, [])


def open_layers(paths):
	"""The layers in files and directories; in a directory they bear their ids."""
	layers = []
	for path in paths:
		if not os.path.isdir(path):
			layers.append(Layer(path))
			continue
		for name in sorted(os.listdir(path)):
			if name.endswith((".dig", ".merged")):
				layers.append(Layer(os.path.join(path, name)))
				check_name(layers[-1])
	return without_leftovers(layers)


def check_name(layer):
	name = layer.pack_id.hex() + ".merged" if layer.is_merged else layer.id.hex() + ".dig"
	demand(os.path.basename(layer.path) == name, f"'{layer.path}' is not named by its id")


def without_leftovers(layers):
	"""Of files with a common generation, the merged one with the highest epoch."""
	kept = []
	for layer in sorted(layers, key=lambda layer: -layer.epoch):
		newer = [other for other in kept if other.is_merged
			and other.first <= layer.last and layer.first <= other.last]
		if newer:
			note(f"'{layer.path}' is left over")
		else:
			kept.append(layer)
	return kept


# Stores

def read_checked(path, magic, known_features=0):
	"""A small file of the store, behind its preamble and before its checksum."""
	with open(path, "rb") as file:
		data = file.read()
	try:
		check_preamble(data[:24], magic, known_features)
		demand(len(data) >= 28 and u32(zlib.crc32(data[:-4])) == data[-4:],
			"wrong checksum")
	except Corrupt as error:
		raise Corrupt(f"'{path}': {error}") from None
	return Cursor(data[24:-4], f"'{path}'")


def find_store(path):
	if os.path.isfile(path):
		with open(path, "rb") as file:
			line = file.read()
		demand(re.fullmatch(rb"store: [^\n]+\n?", line), f"'{path}' names no store")
		return os.path.join(os.path.dirname(path), os.fsdecode(line[7:].rstrip(b"\n")))
	return path


def read_format(path):
	cursor = read_checked(path, b"DIGFORMT", LAYER_TABLE_NEEDED)
	store_id, version = cursor.take(32), cursor.u16()
	demand(version == 1, f"'{path}': gear table {version}")
	parameters = Parameters(*(cursor.u64() for _ in range(8)))
	cursor.end()
	return store_id, parameters


def read_roots(path):
	"""(layer id, root) of each generation; every root is computed again."""
	cursor = read_checked(path, b"DIGROOTS")
	records = [(cursor.take(32), cursor.take(32)) for _ in range(cursor.u64())]
	cursor.end()
	peaks = []
	for number, (layer_id, root) in enumerate(records):
		peaks = add_to_peaks(peaks, number, leaf_hash(layer_id))
		demand(root == root_of(number + 1, mth_of_peaks(peaks)),
			f"'{path}': another root of generation {number + 1}")
	return records


LAYER_TABLE_NEEDED = 1                  # a feature of format

Table = namedtuple("Table", "epoch drops rounds merged dropped")
Table.__doc__ = """merged: (first, last, pack id); dropped: (first, last)."""


def read_table(store, count):
	"""The layer table of a store of count generations; an empty one if it has none."""
	with open(os.path.join(store, "format"), "rb") as file:
		is_needed = struct.unpack("<H", file.read(14)[12:])[0] & LAYER_TABLE_NEEDED
	path = os.path.join(store, "layer-table")
	if not os.path.exists(path):
		demand(not is_needed, f"'{path}' is not there")
		return Table(0, 0, 0, [], [])
	demand(is_needed, f"'{path}' is there, and format does not say so")
	cursor = read_checked(path, b"DIGTABLE")
	epoch, drops, rounds = cursor.u64(), cursor.u64(), cursor.u64()
	merged = [(cursor.u64(), cursor.u64(), cursor.take(32)) for _ in range(cursor.u32())]
	check_ranges([record[:2] for record in merged])
	dropped = read_ranges(cursor)
	cursor.end()
	for first, last, *_ in merged + dropped:
		demand(last <= count, f"'{path}' has generations that are not in roots")
	return Table(epoch, drops, rounds, merged, dropped)


def layer_paths(store, table, roots):
	"""Where each generation lies, by the last generation of the file."""
	directory, paths, generation = os.path.join(store, "layers"), {}, 1
	homes = {first: (last, pack_id) for first, last, pack_id in table.merged}
	while generation <= len(roots):
		last, name = generation, roots[generation - 1][0].hex() + ".dig"
		if generation in homes:
			last, pack_id = homes[generation]
			name = pack_id.hex() + ".merged"
		paths[last] = os.path.join(directory, name)
		generation = last + 1
	return paths


def open_store_layers(store, table, roots):
	"""The layers that roots and table name, and a note for each other one."""
	paths = layer_paths(store, table, roots)
	for last, path in paths.items():
		demand(os.path.exists(path), "the last state is not there" if last == len(roots)
			else f"'{path}' is not there")
	layers = [Layer(path) for path in paths.values()]
	for layer in layers:
		check_name(layer)
		demand(layer.epoch <= table.epoch, f"'{layer.path}' is of a later layer table")
		demand(not layer.is_merged or (layer.first, layer.last, layer.pack_id) in table.merged,
			f"'{layer.path}' has other generations than the layer table says")
	directory = os.path.join(store, "layers")
	for name in sorted(os.listdir(directory)):
		if os.path.join(directory, name) not in paths.values():
			note(f"'{os.path.join(directory, name)}' is not in roots or layer-table")
	return layers


def record_logs(directory, magic, least):
	"""Each numbered file of the directory with its records, which have least bytes or more."""
	names = os.listdir(directory) if os.path.isdir(directory) else []
	for name in sorted(name for name in names if name.isdigit()):
		path = os.path.join(directory, name)
		with open(path, "rb") as file:
			data = file.read()
		cursor, records = Cursor(data[24:], f"'{path}'"), []
		try:
			check_preamble(data[:24], magic)
			while cursor.offset < len(cursor.data):
				records.append(cursor.take(cursor.u32()))
				demand(cursor.u32() == zlib.crc32(records[-1]), f"{cursor.what} with a wrong checksum")
				demand(len(records[-1]) >= least, f"{cursor.what} with a record that is too short")
		except Corrupt as error:
			note(f"'{path}': {error}")
			continue
		yield path, records


def check_state_log(directory, history):
	"""Whether what is noted of states is what their layers say; damage is no error."""
	by_generation = {state.generation: state for state in history.states}
	for path, records in record_logs(directory, b"DIGSTATE", 0):
		demand(len(records) <= 1024, f"'{path}' has too many records")
		for generation, record in enumerate(records, 1024 * int(os.path.basename(path)) + 1):
			demand(generation in by_generation, f"'{path}' has generation {generation}")
			if record:
				state, noted = by_generation[generation], read_state(None, record)
				demand((noted.header, noted.author, noted.message)
					== (state.header, state.author, state.message),
					f"'{path}' is wrong about generation {generation}")


def check_changed_paths(directory, history):
	"""Whether what is noted of changed paths is what the manifests say; damage is no error."""
	known = {state.manifest_root for state in history.states if not history.is_dropped(state)}
	manifests = {}

	def manifest(root):
		if root not in manifests:
			items = tree_items(MANIFEST, root, history.node)
			manifests[root] = {item.entry.path: item.entry for item in items}
		return manifests[root]

	for path, records in record_logs(directory, b"DIGPATHS", 64):
		for record in records:
			cursor, paths = Cursor(record, f"'{path}'"), []
			before, after = cursor.take(32), cursor.take(32)
			while cursor.offset < len(record):
				paths.append(cursor.take(cursor.u16()))
			if not {before, after} <= known | {EMPTY_MANIFEST.id}:
				continue
			old, new = manifest(before), manifest(after)
			changed = sorted(path for path in {*old, *new} if old.get(path) != new.get(path))
			demand(len(record) <= 8192 and paths in ([], changed), f"'{path}' is wrong about {after.hex()}")


def check_tags(directory, roots):
	if not os.path.isdir(directory):
		return
	for name in sorted(os.listdir(directory)):
		path = os.path.join(directory, name)
		cursor = read_checked(path, b"DIGTAG01")
		generation, root = cursor.u64(), cursor.take(32)
		cursor.end()
		demand(1 <= generation <= len(roots) and roots[generation - 1][1] == root,
			f"'{path}' names no root of the store")


def read_run(path):
	"""The generations of a run, the source that it names if it does, and of each record
	(digest, generation, block, item, kind)."""
	with open(path, "rb") as file:
		data = file.read()
	demand(data, f"'{path}' is empty")
	pages = [data[place:place + 4096] for place in range(0, len(data), 4096)]
	for number, page in enumerate(pages):
		demand(len(page) == 4096 and u32(zlib.crc32(page[:4092])) == page[4092:],
			f"'{path}': page {number} has a wrong checksum")
	version = check_preamble(data[:24], b"DIGCHRUN", newest=2)
	cursor = Cursor(pages[0][24:4092], f"'{path}'")
	first, last, count, bits = cursor.u64(), cursor.u64(), cursor.u64(), cursor.u8()
	demand(cursor.take(7 + 8 + 8) == bytes(23), f"'{path}' has unknown fields")
	source = cursor.take(32) if version > 1 else None
	demand(bits <= 16, f"'{path}' has {bits} fanout bits")
	demand(not any(cursor.rest()), f"'{path}' has unknown fields")
	fanout, used = read_pages(pages[1:], "<Q", 511, 1 << bits)
	records, more = read_pages(pages[1 + used:], "<32sIIHB5s", 85, count)
	demand(1 + used + more == len(pages), f"'{path}' has pages behind its end")
	demand(all(record[5] == bytes(5) and first <= record[1] <= last for record in records),
		f"'{path}' has a bad record")
	keys = [(record[0], record[4]) for record in records]
	demand(keys == sorted(keys), f"'{path}' is out of order")
	check_fanout([number for number, in fanout], [key[0] for key in keys], bits)
	return (first, last), source, [record[:5] for record in records]


def source_of_run(covered, history):
	"""What a run of these generations has to name; None if they are not there."""
	roots = {state.generation: state.root for state in history.states}
	first, last = covered
	merged = [layer for layer in history.layers
		if layer.is_merged and layer.first <= last and first <= layer.last]
	if last not in roots or not merged:
		return roots.get(last)
	return H(b"\6", roots[last],
		*(u64(layer.first) + u64(layer.last) + layer.pack_id for layer in merged))


def read_pages(pages, form, to_a_page, count):
	"""count records from the front of pages, and how many pages they take."""
	used, records, size = -(-count // to_a_page), [], struct.calcsize(form)
	demand(used <= len(pages), "run ends early")
	for page in pages[:used]:
		here = min(to_a_page, count - len(records))
		records += struct.iter_unpack(form, page[:here * size])
		demand(not any(page[here * size:4092]), "run has unknown fields")
	return records, used


def check_runs(directory, history):
	"""Whether each record of the chunk index leads to what it names."""
	by_generation = {layer.last: layer for layer in history.layers}
	names = os.listdir(directory) if os.path.isdir(directory) else []
	for name in sorted(name for name in names if name.endswith(".run")):
		path = os.path.join(directory, name)
		covered, source, records = read_run(path)
		expected = source_of_run(covered, history)
		has_merged = any(layer.is_merged for layer in history.layers)
		if source != expected and (source is not None or has_merged):
			note(f"'{path}' is of another history")
			continue
		for digest, generation, block, number, kind in records:
			layer = by_generation.get(generation)
			place = layer and layer.places.get((kind, digest))
			demand(place and (place.block, place.number) == (block, number),
				f"'{path}' is wrong about {digest.hex()}")


def check_store(path, with_cuts=False):
	"""Checks a store; its states by generation and the entries of the last."""
	store = find_store(path)
	store_id, parameters = read_format(os.path.join(store, "format"))
	with open(os.path.join(store, "store-id"), "rb") as file:
		demand(file.read() == store_id.hex().encode() + b"\n",
			"store-id differs from format")
	roots_path = os.path.join(store, "roots")
	roots = read_roots(roots_path) if os.path.exists(roots_path) else []
	check_tags(os.path.join(store, "tags"), roots)
	table = read_table(store, len(roots))
	history = History(open_store_layers(store, table, roots), table.dropped)
	history.check_chain()
	for state, (layer_id, root) in zip(history.states, roots):
		name = f"generation {state.generation} of '{state.layer.path}'"
		demand(state.store_id == store_id, f"{name} is of another store")
		demand(state.parameters_digest == H(parameters.encoded()),
			f"{name} was made with other chunking parameters")
		demand((state.id, state.root) == (layer_id, root), f"{name} has another root")
	entries = history.check_states() if roots else []
	check_runs(os.path.join(store, "chunk-index"), history)
	check_state_log(os.path.join(store, "states"), history)
	check_changed_paths(os.path.join(store, "changed-paths"), history)
	if with_cuts:
		history.check_cuts(entries, parameters)
	return store_id, parameters, history.states, entries


# Damage

class Damaged:
	"""A store with damaged blocks, and what of its states is still there.

	Sections and small files must be right.
	"""

	def __init__(self, store):
		roots = read_roots(os.path.join(store, "roots"))
		table = read_table(store, len(roots))
		self.dropped, self.states, self.items = table.dropped, [], {}
		for path in layer_paths(store, table, roots).values():
			layer = Layer(path, check_blocks=False)
			self.states += layer.states
			for number, block in enumerate(layer.blocks):
				self.take_block(layer, number, block)
		self.seen, self.listed = {}, {}

	def take_block(self, layer, number, block):
		"""Keeps what is whole in it; of a chunk only that it is."""
		try:
			items = layer.decode_block(block)
		except Corrupt:
			return
		for data in items:
			try:
				if block.kind == CHUNK:
					self.items[CHUNK, H(data)] = True
				else:
					node = decode_node(data)
					self.items[NODE, node.id] = node
			except Corrupt:
				pass

	def is_whole(self, entry):
		if entry.content == NO_CONTENT:
			return True
		kind = CHUNK if entry.content == ONE_CHUNK else NODE
		return self.is_there(kind, entry.digest)

	def is_there(self, kind, digest):
		"""A chunk, or all of a chunk list."""
		key = kind, digest
		if key not in self.seen:
			item = self.items.get(key)
			self.seen[key] = bool(item) and (kind == CHUNK or all(
				self.is_there(NODE if item.level else CHUNK, one.digest) for one in item.items))
		return self.seen[key]

	def entries(self, digest):
		"""Of a manifest, as far as its nodes are whole."""
		node = self.items.get((NODE, digest))
		for item in node.items if node else []:
			if node.level:
				yield from self.entries(item.digest)
			else:
				yield item.entry

	def is_listed(self, digest):
		"""Whether all of a manifest is there."""
		if digest not in self.listed:
			node = self.items.get((NODE, digest), EMPTY_MANIFEST if digest == EMPTY_MANIFEST.id else None)
			self.listed[digest] = node is not None and (node.level == 0
				or all(self.is_listed(item.digest) for item in node.items))
		return self.listed[digest]

	def kept(self):
		return [state for state in self.states if not is_within(state.generation, self.dropped)]

	def listed_generations(self):
		return {state.generation for state in self.kept() if self.is_listed(state.manifest_root)}

	def unlisted(self):
		"""Generations whose lists of files are damaged."""
		return {state.generation for state in self.kept()} - self.listed_generations()

	def paths(self):
		"""(generation, path) of all that is damaged, as far as the lists of files tell."""
		for state in self.kept():
			for entry in self.entries(state.manifest_root):
				if not self.is_whole(entry):
					yield state.generation, entry.path


# The command line

def note(message):
	print("dig_reference: " + message, file=sys.stderr)


def size_of_text(text):
	match = re.fullmatch(r"(\d+)(?:([KMG])(?:i?B)?)?", text)
	if not match or int(match[1]) == 0:
		raise argparse.ArgumentTypeError(f"no size: '{text}'")
	return int(match[1]) << {None: 0, "K": 10, "M": 20, "G": 30}[match[2]]


def add_parameter_options(parser):
	parser.add_argument("--format", help="take the parameters from a store's format file")
	for field in PARAMETER_FIELDS:
		option = "--" + field.replace("_file", "").replace("_size", "").replace("_", "-")
		parser.add_argument(option, dest=field, type=size_of_text, metavar="N")


def parameters_of(args):
	parameters = read_format(args.format)[1] if args.format else DEFAULTS
	given = {field: getattr(args, field) for field in PARAMETER_FIELDS}
	parameters = parameters._replace(**{field: size for field, size in given.items() if size})
	sizes = [size for field, size in zip(PARAMETER_FIELDS, parameters) if "chunk" in field]
	demand(min(sizes) >= 2 and parameters.target != 1, "a target is 2 bytes or more")
	return parameters


def print_state(state):
	layer = state.layer

	def text(data):
		text = data.decode("utf-8", "backslashreplace")
		return text.replace("\\", "\\\\").replace("\n", "\\n")

	kinds = [kind for kind, _ in layer.places]
	for name, value in (
			("store-id", state.store_id.hex()), ("generation", state.generation),
			("layer-id", state.id.hex()), ("root", (state.root or b"").hex()),
			("parent-root", state.parent_root.hex()),
			("manifest-root", state.manifest_root.hex()), ("time", state.time),
			("entries", state.entry_count), ("bytes", state.content_size),
			("author", text(state.author)), ("message", text(state.message)),
			("pack-id", layer.pack_id.hex()),
			("full", "yes" if layer.is_full else "no"),
			("blocks", len(layer.blocks)), ("chunks", kinds.count(CHUNK)),
			("nodes", kinds.count(NODE))):
		print(name, value)
	if layer.is_merged:
		print("merged", f"{layer.first}-{layer.last}")
	for name, value in (("level", layer.level), ("pending", layer.pending)):
		if value:
			print(name, value)
	print(flush=True)


def command_chunk(args):
	parameters = parameters_of(args)
	if args.file == "-":
		chunks = chunks_of(sys.stdin.buffer.read(), parameters)
	else:
		chunks = chunks_of_file(args.file, parameters)
	offset = 0
	for size, chunk_id in chunks:
		print(offset, size, chunk_id.hex())
		offset += size
	if args.file_root:
		print("file-root", file_root_of(chunks).hex())


def command_tree(args):
	entries = entries_of_directory(args.directory, parameters_of(args), not args.no_mtime,
		args.block_tree)
	for entry in entries:
		check_path(entry.path)
	print_entries(entries)
	root = build_tree(MANIFEST, [entry_item(entry) for entry in entries])[-1]
	sys.stdout.buffer.write(b"manifest-root " + root.id.hex().encode() + b"\n")


def command_layer(args):
	history = History(open_layers(args.file + args.layer_dir))
	demand(history.layers, "no layer")
	history.check_chain()
	for state in history.states:
		print_state(state)
	entries = history.check_states()
	demand(entries is not None or not (args.layer_dir or any(map(os.path.isdir, args.file))),
		"the last state is not there")
	print_entries(entries or [])


def command_store(args):
	store_id, parameters, states, entries = check_store(args.store, args.cuts)
	print("store-id", store_id.hex())
	print("parameters", *(f"{name}={size}" for name, size in zip(PARAMETER_FIELDS, parameters)))
	print(flush=True)
	for state in states:
		print_state(state)
	print_entries(entries)


def command_damaged(args):
	for generation, path in Damaged(find_store(args.store)).paths():
		sys.stdout.buffer.write(b"@%d %s\n" % (generation, path))


def command_extract(args):
	history = History(open_layers([args.layers]))
	history.check_chain()
	states = [state for state in history.states if args.at in (None, state.generation)]
	demand(states, "no such generation")
	demand(not history.is_dropped(states[-1]), "the state was dropped")
	wanted = os.fsencode(args.path)
	entry = next((entry for entry in history.state(states[-1]) if entry.path == wanted), None)
	demand(entry, f"no entry {wanted!r}")
	for _, digest in history.chunk_list(entry):
		sys.stdout.buffer.write(history.chunk(digest))


def main():
	parser = argparse.ArgumentParser(description="An independent reading of dig's formats.")
	commands = parser.add_subparsers(required=True, metavar="COMMAND")

	def command(name, function, help):
		added = commands.add_parser(name, help=help)
		added.set_defaults(function=function)
		return added

	chunk = command("chunk", command_chunk, "where a file is cut")
	chunk.add_argument("file", metavar="FILE", help="'-' is standard input")
	chunk.add_argument("--file-root", action="store_true", help="print it as the last line")
	add_parameter_options(chunk)
	tree = command("tree", command_tree, "entries and manifest root of a directory")
	tree.add_argument("directory", metavar="DIR")
	tree.add_argument("--no-mtime", action="store_true")
	tree.add_argument("--block-tree", action="store_true", help="as core.block_tree asks for")
	add_parameter_options(tree)
	layer = command("layer", command_layer, "check layers and what they make up")
	layer.add_argument("file", metavar="FILE", nargs="*",
		help="a layer, or a directory of layers")
	layer.add_argument("--layer-dir", metavar="DIR", action="append", default=[])
	store = command("store", command_store, "check a store")
	store.add_argument("store", metavar="DIR/.dig")
	store.add_argument("--cuts", action="store_true", help="cut the last state's content again")
	damaged = command("damaged", command_damaged, "paths whose content is damaged or gone")
	damaged.add_argument("store", metavar="DIR/.dig")
	extract = command("extract", command_extract, "write a file to standard output")
	extract.add_argument("layers", metavar="LAYERS_DIR")
	extract.add_argument("path", metavar="PATH")
	extract.add_argument("--at", type=int, metavar="N", help="the generation; else the last")
	args = parser.parse_args()
	try:
		args.function(args)
	except (Corrupt, OSError) as error:
		sys.stdout.flush()
		note(str(error))
		return 1
	return 0


if __name__ == "__main__":
	sys.exit(main())
