#!/usr/bin/env python3
"""Writes layers that lie into a store, with every checksum and digest as it should be.

    hostile.py --all DIR        DIR/CASE/layers, DIR/CASE/roots, and the newest layer's id in
                                DIR/CASE/layer, for a store with the id 00 01 02 ... 1f
    hostile.py CASE DIR         one of them

--long behind it makes the largest one larger.

The writer is that of the reference's own tests.
"""

import hashlib
import os
import struct
import sys
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reference"))
import dig_reference as dig
from selftest import Maker, block_bytes, preamble

FILE, LINK, EMPTY = 1, 2, 3
CASES = {}


def case(function):
	CASES[function.__name__.replace("_", "-")] = function
	return function


def files(*paths):
	return {path: (FILE, 0o644, b"content of " + path[:20]) for path in paths}


def path_case(name, *paths):
	CASES["path-" + name] = lambda maker: maker.commit(files(b"good", *paths))


path_case("parent", b"../outside")
path_case("inner-parent", b"a/../../outside")
path_case("absolute", b"/outside")
path_case("store", b".dig/config.toml")
path_case("store-of-fat", b"DIG~1/config.toml")
path_case("store-of-hfs", ".d\u200cig/config.toml".encode())
path_case("empty-component", b"a//b")
path_case("dot", b"a/./b")
path_case("just-dot", b".")
path_case("empty", b"")
path_case("trailing-slash", b"a/")
path_case("nul", b"a\0b")
path_case("long-component", b"x" * 256)


@case
def path_twice(maker):
	maker.commit(files(b"a", b"b"), build=lambda kind, items:
		dig.build_tree(kind, [items[0], items[0]] + items[1:] if kind == 2 else items))


@case
def path_out_of_order(maker):
	maker.commit(files(b"a", b"b", b"c"), build=lambda kind, items:
		dig.build_tree(kind, items[::-1] if kind == 2 else items))


@case
def file_above_file(maker):
	maker.commit(files(b"a", b"a-between", b"a/b"))


@case
def link_above_file(maker):
	maker.commit({b"a": (LINK, 0o777, b"../outside"), b"a/b": (FILE, 0o644, b"through it")})


@case
def link_above_link(maker):
	maker.commit({b"d/a": (LINK, 0o777, b"../../outside"),
		b"d/a/b": (LINK, 0o777, b"/etc/passwd")})


@case
def directory_above_file(maker):
	maker.commit({b"a": (EMPTY, 0o755, b""), b"a/b": (FILE, 0o644, b"in no empty directory")})


@case
def conflict_with_an_older_file(maker):
	maker.commit(files(*(b"f%04d" % i for i in range(3)), b"a/b"))
	maker.commit(files(*(b"f%04d" % i for i in range(3)), b"a", b"a/b"))


def changed_entry(**fields):
	def commit(maker):
		content = b"some content"
		chunk = (len(content), hashlib.sha256(content).digest())
		entry = dig.make_entry(b"a", FILE, 0o644, 0, [chunk])._replace(**fields)
		maker.commit({b"a": entry, b"b": (FILE, 0o644, content)})
	return commit


CASES["mode-of-13-bits"] = changed_entry(mode=0o10644)
CASES["directory-with-content"] = changed_entry(kind=EMPTY)
CASES["size-too-large"] = changed_entry(size=13)
CASES["size-too-small"] = changed_entry(size=11)
CASES["size-huge"] = changed_entry(size=2**64 - 1 - 12 - 12)
CASES["size-without-content"] = changed_entry(content=dig.NO_CONTENT, digest=None)
CASES["chunk-that-is-not-there"] = changed_entry(digest=bytes(32))
CASES["list-that-is-not-there"] = changed_entry(content=dig.FILE_ROOT, digest=bytes(32))
CASES["chunk-as-list"] = changed_entry(content=dig.FILE_ROOT)
CASES["link-with-nul"] = lambda maker: maker.commit({b"a": (LINK, 0o777, b"x\0y"), b"b": (FILE, 0o644, b"b")})
CASES["link-too-long"] = lambda maker: maker.commit({b"a": (LINK, 0o777, b"x" * 70000)})


def lying_tree(lie):
	"""Two nodes and a parent, which says something wrong about the first one."""
	def build(kind, items):
		if kind == 1:
			return dig.build_tree(kind, items)
		low, high = dig.make_node(2, 0, items[:1]), dig.make_node(2, 0, items[1:])
		leaves, size, digest, path = lie(low.leaves, low.size, low.id, items[0].path)
		encoded = (struct.pack("<QQ", size, leaves) + digest + struct.pack("<H", len(path)) + path)
		item = dig.Item(encoded, leaves, size, digest, path, None)
		return [low, high, dig.make_node(2, 1, [item, dig.parent_item(high)])]
	return lambda maker: maker.commit(files(b"a", b"b", b"c"), build=build)


CASES["parent-counts-too-many"] = lying_tree(lambda n, size, digest, path: (n + 1, size, digest, path))
CASES["parent-counts-too-large"] = lying_tree(lambda n, size, digest, path: (n, size + 1, digest, path))
CASES["parent-counts-none"] = lying_tree(lambda n, size, digest, path: (0, size, digest, path))
CASES["parent-has-another-path"] = lying_tree(lambda n, size, digest, path: (n, size, digest, b"aa"))
CASES["parent-counts-huge"] = lying_tree(lambda n, size, digest, path: (2**64 - 3, size, digest, path))


def said(node, leaves=None, size=None, path=None):
	"""The item of a node as a parent may lie about it."""
	leaves, size = leaves or node.leaves, size or node.size
	encoded = struct.pack("<QQ", size, leaves) + node.id
	if node.kind == 2:
		path = path or node.items[-1].path
		encoded += struct.pack("<H", len(path)) + path
	return dig.Item(encoded, leaves, size, node.id, path, None)


CHUNK = b"x"


def chunk_leaf(count, content=CHUNK):
	return dig.make_node(1, 0, [dig.chunk_item(len(content), hashlib.sha256(content).digest())] * count)


def list_case(name, nodes, size=None, paths=(b"a",), size_of_root=None):
	"""Files whose chunk list is the last of the nodes that nodes() makes, over one stored chunk."""
	def commit(maker):
		made = nodes()
		root = made[-1]
		entry = dig.make_entry(b"a", FILE, 0o644, 0, [])._replace(content=dig.FILE_ROOT, digest=root.id,
			size=root.size if size_of_root is None else size_of_root)
		maker.commit({**{path: entry._replace(path=path) for path in paths}, b"z": (FILE, 0o644, CHUNK)},
			codecs=(1,), build=lambda kind, items: (made if kind == 2 else []) + dig.build_tree(kind, items))
	CASES[name] = commit


def list_chain(length):
	"""Nodes of level 1, each the only child of the next one."""
	nodes = [chunk_leaf(2)]
	nodes += [dig.make_node(1, 1, [said(nodes[0])])]
	while len(nodes) < length:
		nodes.append(dig.make_node(1, 1, [said(nodes[-1])]))
	return nodes


def list_shared(levels, fan=512, leaf=512, content=CHUNK):
	"""One node a level, of which each has the one below as all of its children."""
	nodes = [chunk_leaf(leaf, content)]
	for level in range(1, levels + 1):
		nodes.append(dig.make_node(1, level, [said(nodes[-1])] * fan))
	return nodes


def list_told_differently(**lie):
	"""A node that stands twice in the list, and its parents do not say the same of it."""
	low = chunk_leaf(3)
	middle = dig.make_node(1, 1, [said(low)] * 2)
	other = dig.make_node(1, 1, [said(low), said(low, **lie)])
	return [low, middle, other, dig.make_node(1, 2, [said(middle), said(other)])]


def list_of_levels(*levels):
	"""A node a level, whatever its children's levels are."""
	nodes = [chunk_leaf(2)]
	for level in levels:
		nodes.append(dig.make_node(1, level, [said(nodes[-1])]))
	return nodes


list_case("list-chain", lambda: list_chain(60000 if "--long" in sys.argv else 200))
list_case("list-of-equal-levels", lambda: list_of_levels(1, 1))
list_case("list-of-rising-levels", lambda: list_of_levels(2, 1))
list_case("list-without-a-level", lambda: list_of_levels(1, 3))
list_case("list-of-63-levels", lambda: list_of_levels(*range(1, 64)))
list_case("list-counts-too-many", lambda: list_told_differently(leaves=4))
list_case("list-counts-too-large", lambda: list_told_differently(size=4))
list_case("list-size-too-large", lambda: list_shared(1, 2, 2), size_of_root=5)
list_case("list-size-too-small", lambda: list_shared(1, 2, 2), size_of_root=3)
list_case("list-of-a-missing-node", lambda: list_shared(2)[1:])
list_case("list-of-two-files-missing", lambda: list_shared(2)[1:], paths=(b"a", b"b"))
# No lies: what they describe is large.
list_case("shared-2-54", lambda: list_shared(5))
list_case("shared-2-54-of-many-files", lambda: list_shared(5), paths=[b"f%04d" % i for i in range(400)])
list_case("shared-2-24", lambda: list_shared(2, 256, 256))
list_case("shared-2-18", lambda: list_shared(1, 512, 512))
list_case("shared-2-60-of-2", lambda: list_shared(59, 2, 2))


def two_leaves(first, second):
	"""Entries in two nodes, which a parent puts in order by their last paths."""
	def build(kind, items):
		if kind == 1:
			return dig.build_tree(kind, items)
		low = dig.make_node(2, 0, [items[i] for i in first])
		high = dig.make_node(2, 0, [items[i] for i in second])
		return [low, high, dig.make_node(2, 1, [said(low), said(high)])]
	return lambda maker: maker.commit(files(b"a", b"b", b"c", b"d"), build=build)


CASES["path-order-across-nodes"] = two_leaves((0, 2), (1, 3))
CASES["path-twice-across-nodes"] = two_leaves((0, 1, 2), (2, 3))


@case
def manifest_of_equal_levels(maker):
	def build(kind, items):
		nodes = dig.build_tree(kind, items)
		if kind == 2:
			for _ in range(2):
				nodes.append(dig.make_node(2, 1, [said(nodes[-1])]))
		return nodes
	maker.commit(files(b"a", b"b"), build=build)


@case
def leaf_as_inner_node(maker):
	def build(kind, items):
		if kind == 1:
			return dig.build_tree(kind, items)
		low, high = dig.make_node(2, 0, items[:1]), dig.make_node(2, 1, [said(dig.make_node(2, 0, items[1:]))])
		return [low, dig.make_node(2, 0, items[1:]), high, dig.make_node(2, 2, [said(low), said(high)])]
	maker.commit(files(b"a", b"b", b"c"), build=build)


def deep_path(levels, name=b"d"):
	return b"/".join([name] * levels)


CASES["deep-16000"] = lambda maker: maker.commit(files(deep_path(16000)))
CASES["deep-32768"] = lambda maker: maker.commit(files(deep_path(32768)))
CASES["deep-32768-of-40"] = lambda maker: maker.commit(files(*(b"%02d/" % i + deep_path(32766) for i in range(40))))


@case
def fan(maker):
	"""Files 100 levels below one directory, which lies deep itself."""
	depth, count = (20000, 1000) if "--long" in sys.argv else (300, 8)
	maker.commit(files(*(deep_path(depth) + b"/%04d/" % i + deep_path(100, b"e") for i in range(count))))


@case
def wide_1000(maker):
	"""One directory of files, each an entry of one shared chunk."""
	maker.commit({b"f%05d" % i: (FILE, 0o644, CHUNK) for i in range(10000)})


@case
def deep_tree(maker):
	"""A tree of 200 levels, each of one node."""
	def build(kind, items):
		nodes = dig.build_tree(kind, items)
		while kind == 2 and nodes[-1].level < 200:
			nodes.append(dig.make_node(2, nodes[-1].level + 1, [dig.parent_item(nodes[-1])]))
		return nodes
	maker.commit(files(b"a", b"b"), build=build)


@case
def wide_node(maker):
	maker.commit(files(*(b"f%05d" % i for i in range(600))), build=lambda kind, items:
		[dig.make_node(kind, 0, items)] if kind == 2 else dig.build_tree(kind, items))


def changed_header(at, form, value):
	def edit(header):
		data = bytearray(header)
		struct.pack_into("<" + form, data, at, value)
		return bytes(data)
	return lambda maker: maker.commit(files(b"a", b"b"), edit=edit)


CASES["header-counts-too-many"] = changed_header(179, "Q", 3)
CASES["header-counts-huge"] = changed_header(179, "Q", 2**63)
CASES["header-of-generation-0"] = changed_header(35, "Q", 0)
CASES["header-of-generation-2"] = changed_header(35, "Q", 2)
CASES["header-of-huge-generation"] = changed_header(35, "Q", 2**64 - 1)
CASES["header-of-another-store"] = changed_header(3, "32s", b"\xee" * 32)
CASES["header-with-a-parent"] = changed_header(43, "32s", b"\xee" * 32)
CASES["header-of-unknown-version"] = changed_header(0, "H", 2)


def twisted(part, change):
	"""The part is changed before the checksums over it are made."""
	def twist(name, data):
		return bytes(change(bytearray(data))) if name == part else data
	return lambda maker: maker.commit(files(b"a", b"b", b"c"), twist=twist)


def field(at, form, value):
	def change(data):
		struct.pack_into("<" + form, data, at if at >= 0 else len(data) + at, value)
		return data
	return change


CASES["block-codec-unknown"] = twisted("block", field(4, "B", 7))
CASES["block-kind-unknown"] = twisted("block", field(5, "B", 7))
CASES["block-without-items"] = twisted("block", field(6, "H", 0))
CASES["block-of-65535-items"] = twisted("block", field(6, "H", 65535))
CASES["block-raw-size-huge"] = twisted("block", field(8, "I", 2**32 - 1))
CASES["block-stored-size-huge"] = twisted("block", field(12, "I", 2**32 - 1))
CASES["block-sizes-wrap"] = twisted("sizes", lambda data: field(4, "I", 2**32 - 1)(data) if data else data)
CASES["block-table-offset-huge"] = twisted("block table", field(0, "Q", 2**64 - 8))
CASES["block-table-length-huge"] = twisted("block table", field(8, "I", 2**32 - 1))
CASES["block-table-overlaps"] = twisted("block table", lambda data: data[:24] + data[:24] + data[48:])
CASES["block-table-odd"] = twisted("block table", lambda data: data[:-1])
CASES["block-table-empty"] = twisted("block table", lambda data: b"")
CASES["index-count-huge"] = twisted("chunk index", field(0, "Q", 2**60))
CASES["index-count-wraps"] = twisted("chunk index", field(0, "Q", 2**64 // 40 + 1))
CASES["index-bits-huge"] = twisted("chunk index", field(8, "B", 255))
CASES["index-fanout-wrong"] = twisted("chunk index", field(16, "Q", 2**63))
CASES["index-block-huge"] = twisted("chunk index", field(-8, "I", 2**32 - 1))
CASES["index-item-huge"] = twisted("chunk index", field(-4, "H", 65535))
CASES["index-empty"] = twisted("chunk index", lambda data: b"")
CASES["peaks-too-many"] = twisted("peaks", lambda data: b"\xff" + bytes(255 * 32))
CASES["texts-huge"] = twisted("texts", field(0, "I", 2**32 - 1))
CASES["sections-size-huge"] = twisted("sections", field(16, "Q", 2**64 - 1))
CASES["sections-offset-huge"] = twisted("sections", field(8, "Q", 2**64 - 1))
CASES["sections-out-of-order"] = twisted("sections", field(24, "H", 1))
CASES["section-missing"] = twisted("sections", field(-24, "H", 6))
CASES["footer-sections-huge"] = twisted("footer", field(8, "I", 2**32 - 1))
CASES["footer-table-huge"] = twisted("footer", field(0, "Q", 2**64 - 1))
CASES["footer-size-wrong"] = twisted("footer", field(-24, "Q", 2**40))
CASES["footer-flags-unknown"] = twisted("footer", field(12, "I", 6))


def bomb(codec, real, declared):
	"""A block whose payload becomes `real` bytes, where `declared` are said to be in it."""
	def commit(maker):
		content = bytes(declared)
		entry = dig.make_entry(b"a", FILE, 0o644, 0, [(declared, hashlib.sha256(content).digest())])
		payload = {}

		def twist(name, data):
			# The block's parts come as payload, sizes, head.
			if name == "payload":
				payload["is_bomb"] = len(data) < 30000 and not payload
				if payload["is_bomb"]:
					import subprocess
					raw = bytes(real)
					return zlib.compress(raw, 9) if codec == 1 else subprocess.run(
						["zstd", "-19", "-cq"], input=raw, stdout=subprocess.PIPE).stdout
			return data
		original = maker.blocks

		def blocks(items, kind, codecs):
			if kind == 1:
				return [(codec, 1, [content])]
			return original(items, kind, (0,))
		maker.blocks = blocks
		maker.commit({b"a": entry, b"b": (FILE, 0o644, b"")}, twist=twist)
	return commit


CASES["bomb-of-zlib"] = bomb(1, 64 << 20, 100000)
CASES["bomb-of-zstd"] = bomb(2, 256 << 20, 100000)
CASES["bomb-one-byte-more"] = bomb(2, 100001, 100000)
CASES["bomb-one-byte-less"] = bomb(1, 99999, 100000)


def write_roots(store, maker):
	body = struct.pack("<Q", len(maker.ids)) + b"".join(
		layer_id + root for layer_id, root in zip(maker.ids, maker.roots))
	data = preamble(b"DIGROOTS") + body
	with open(os.path.join(store, "roots"), "wb") as file:
		file.write(data + struct.pack("<I", zlib.crc32(data)))


@case
def history_in_a_circle(maker):
	"""Two generations of one layer."""
	maker.commit(files(b"a"))
	maker.ids.append(maker.ids[0])
	maker.roots.append(maker.roots[0])


@case
def history_of_lies(maker):
	maker.commit(files(b"a"))
	maker.roots[0] = bytes(32)


@case
def good(maker):
	"""No lie at all: what the others are compared with."""
	maker.commit({b"a": (FILE, 0o644, b"content"), b"d/link": (LINK, 0o777, b"../a"),
		b"empty": (EMPTY, 0o755, b""), b"e": (FILE, 0o600, b"")})


@case
def unknown_kind(maker):
	"""Not corrupt: a later dig may know it."""
	entry = dig.make_entry(b"strange", 77, 0o644, 0, [])
	maker.commit({b"a": (FILE, 0o644, b"content"), b"strange": entry})


@case
def setuid(maker):
	maker.commit({b"a": (FILE, 0o6755, b"#!/bin/sh\n")})


def feature(at):
	def commit(maker):
		path = maker.commit(files(b"a"))
		with open(path, "r+b") as file:
			head = bytearray(file.read(24))
			struct.pack_into("<H", head, at, 0x8000)
			struct.pack_into("<I", head, 20, zlib.crc32(head[:20]))
			file.seek(0)
			file.write(head)
	return commit


CASES["feature-ignorable"] = feature(10)
CASES["feature-to-read"] = feature(12)
CASES["feature-version"] = feature(8)


def make(name, directory):
	maker = Maker(os.path.join(directory, "layers"), dig.DEFAULTS)
	CASES[name](maker)
	write_roots(directory, maker)
	with open(os.path.join(directory, "layer"), "w") as file:
		print(maker.ids[-1].hex(), file=file)


def main():
	name, directory = sys.argv[1:3]
	if name != "--all":
		make(name, directory)
		return
	for name in CASES:
		make(name, os.path.join(directory, name))


main()
