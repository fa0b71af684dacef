#!/usr/bin/env python3
"""Tests of dig_reference.py: published vectors, definitions, layers made by hand.

The writer of layers below is a second reading of dig-layer-format(5): it packs
every field itself and takes nothing from the reader but the hashes of trees.
"""

import contextlib
import io
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from hashlib import sha256

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dig_reference as dig

STORE_ID = bytes(range(32))
SMALL = dig.Parameters(128, 1000, 256, 4000, 512, 1024, 16000, 0)


def seeded(seed, size):
	"""size bytes: SHA-256 of the seed and a u64 that counts from 0, one after another."""
	blocks = [sha256(seed + struct.pack("<Q", i)).digest() for i in range(-(-size // 32))]
	return b"".join(blocks)[:size]


def unhex(text):
	return [bytes.fromhex(word) for word in text.split()]


# Writing layers, as the page says

def preamble(magic, version=1, ignore=0, read=0, write=0):
	data = magic + struct.pack("<HHHHI", version, ignore, read, write, 0)
	return data + struct.pack("<I", zlib.crc32(data))


def compress(codec, raw):
	if codec == 1:
		return zlib.compress(raw)
	if codec == 2:
		return subprocess.run(["zstd", "-cq"], input=raw, stdout=subprocess.PIPE).stdout
	return raw


def block_bytes(codec, kind, items, twist=lambda name, data: data):
	raw = b"".join(items)
	payload = twist("payload", compress(codec, raw))
	sizes = twist("sizes",
		b"".join(struct.pack("<I", len(item)) for item in items[:-1] and items))
	head = twist("block", struct.pack("<IBBHIII", 0x4b4c4244, codec, kind, len(items), len(raw),
		len(payload), zlib.crc32(payload) if codec else 0))
	return head + struct.pack("<I", zlib.crc32(head + sizes)) + sizes + payload


def item_id(kind, item):
	"""A node's id from its stored bytes, whose items are found by their lengths."""
	if kind == 1:
		return sha256(item).digest()
	tree, level = item[0], item[1]
	encoded, place = [], 22
	while place < len(item):
		if tree == 1:
			size = 48 if level else 40
		elif level:
			size = 50 + struct.unpack_from("<H", item, place + 48)[0]
		else:
			size = entry_size(item, place)
		encoded.append(item[place:place + size])
		place += size
	return sha256(b"\2" + item[:22] + mth_as_defined(encoded)).digest()


def entry_size(data, place):
	"""Of entries without attributes."""
	path = struct.unpack_from("<H", data, place)[0]
	flags = data[place + 2 + path + 11]
	return 2 + path + 12 + (32 if flags & 3 else 0) + (8 if flags & 4 else 0) + 2


def chunk_index_bytes(blocks):
	records = sorted((item_id(kind, item), kind, block, number)
		for block, (_, kind, items) in enumerate(blocks)
		for number, item in enumerate(items))
	k = 0
	while len(records) > 64 * 2**k and k < 16:
		k += 1
	fanout = [0] * 2**k
	for digest, *_ in records:
		first = int(f"{int.from_bytes(digest, 'big'):0256b}"[:k] or "0", 2)
		for i in range(first, 2**k):
			fanout[i] += 1
	data = struct.pack("<QB7x", len(records), k) + struct.pack(f"<{2**k}Q", *fanout)
	for digest, kind, block, number in records:
		data += digest + struct.pack("<IHBB", block, number, kind, 0)
	return data, b"".join(bytes([kind]) + digest for digest, kind, *_ in records)


def header_bytes(generation, parent, manifest, entries, size, author, message, parameters):
	return (struct.pack("<HB", 1, 1) + STORE_ID + struct.pack("<Q", generation) + parent
		+ manifest + struct.pack("<q", -5 + generation)
		+ sha256(struct.pack("<H8Q", 1, *parameters)).digest()
		+ sha256(author + b"\0" + message).digest() + struct.pack("<QQ", entries, size))


def layer_bytes(blocks, header, peaks, author=b"", message=b"", full=False, gaps={},
		extra=[], twist=lambda name, data: data, sections_of_a_commit=True):
	"""A layer file.  twist may change each part before the checksums over it are made."""
	data, table = preamble(b"DIGLAYER"), b""
	for number, (codec, kind, items) in enumerate(blocks):
		data += bytes(gaps.get(number, 0))
		block = block_bytes(codec, kind, items, twist)
		table += struct.pack("<QIIHBBI", len(data), len(block), sum(map(len, items)),
			len(items), codec, kind, 0)
		data += block
	data += twist("gap", bytes(gaps.get(len(blocks), 0)))
	index, pack = chunk_index_bytes(blocks)
	texts = b"".join(struct.pack("<I", len(text)) + text for text in (author, message))
	parts = [(1, 0, twist("block table", table)), (2, 0, twist("chunk index", index)),
		(3, 0, twist("header", header)),
		(4, 0, twist("peaks", bytes([len(peaks)]) + b"".join(peaks))),
		(5, 0, twist("texts", texts))]
	if not sections_of_a_commit:
		parts = parts[:2]
	parts += extra
	sections = b""
	for kind, flags, part in parts:
		sections += struct.pack("<HHIQQ", kind, flags, zlib.crc32(part), len(data),
			len(part))
		data += part
	sections = twist("sections", sections)
	footer = twist("footer", struct.pack("<QII", len(data), len(sections) // 24, full)
		+ sha256(pack + sections).digest()
		+ struct.pack("<QII", len(data) + len(sections) + 80, zlib.crc32(sections), 0)
		+ bytes(4) + b"DIGLAEND")
	return data + sections + footer + struct.pack("<I", zlib.crc32(footer))


class Maker:
	"""Makes the layers of a store, one generation after another."""

	def __init__(self, directory, parameters=SMALL):
		self.directory, self.parameters = directory, parameters
		self.ids, self.roots, self.known = [], [], set()
		self.all_blocks, self.records = [], []
		os.makedirs(directory, exist_ok=True)

	def commit(self, files, codecs=(0, 1, 2), full=False, gaps={}, author=b"A <a@b>",
			message=b"a message\n", build=dig.build_tree, edit=None, **more):
		"""files maps a path to (kind, mode, content) or to an entry; the layer's path."""
		if full:
			self.known = set()
		chunks, nodes, entries = [], [], []
		for path, what in sorted(files.items()):
			if not isinstance(what, dig.Entry):
				kind, mode, content = what
				pieces = [content[start:end]
					for start, end in dig.cuts(content, self.parameters)]
				list_items = [dig.chunk_item(len(piece), sha256(piece).digest())
					for piece in pieces]
				chunks += pieces
				if len(pieces) > 1:
					nodes += build(1, list_items)
				what = dig.make_entry(path, kind, mode, 1234567890123456789,
					[(item.size, item.digest) for item in list_items])
			entries.append(what)
		tree = build(2, [dig.entry_item(entry) for entry in entries])
		nodes = [node.encoded for node in nodes + tree]
		blocks = self.blocks(chunks, 1, codecs) + self.blocks(nodes, 2, codecs)
		generation = len(self.ids) + 1
		header = header_bytes(generation, self.roots[-1] if self.roots else bytes(32),
			tree[-1].id, len(entries), sum(entry.size for entry in entries), author,
			message, self.parameters)
		if edit:
			header = edit(header)
		layer_id = sha256(b"\5" + header).digest()
		path = os.path.join(self.directory, layer_id.hex() + ".dig")
		with open(path, "wb") as file:
			file.write(layer_bytes(blocks, header, self.peaks(), author, message, full,
				gaps, **more))
		self.all_blocks.append(blocks)
		self.records.append(record_bytes(header, author, message))
		self.ids.append(layer_id)
		self.roots.append(sha256(b"\3" + struct.pack("<Q", generation)
			+ mth_as_defined(self.ids)).digest())
		return path

	def merge(self, first, last, epoch=1, **more):
		"""One file in the place of the layers of these generations; its path."""
		blocks = sum(self.all_blocks[first - 1:last], [])
		data = merged_bytes(blocks, first, self.records[first - 1:last], epoch, **more)
		path = os.path.join(self.directory, data[-64:-32].hex() + ".merged")
		with open(path, "wb") as file:
			file.write(data)
		for layer_id in self.ids[first - 1:last]:
			other = os.path.join(self.directory, layer_id.hex() + ".dig")
			if os.path.exists(other):
				os.remove(other)
		return path

	def blocks(self, items, kind, codecs):
		"""Three items a block, the codecs in turn."""
		new = []
		for item in items:
			if (kind, item_id(kind, item)) not in self.known:
				self.known.add((kind, item_id(kind, item)))
				new.append(item)
		return [(codecs[(i // 3 + 2 * kind) % len(codecs)], kind, new[i:i + 3])
			for i in range(0, len(new), 3)]

	def peaks(self):
		peaks, start, count = [], 0, len(self.ids)
		for bit in range(40, -1, -1):
			if count & 1 << bit:
				peaks.append(mth_as_defined(self.ids[start:start + (1 << bit)]))
				start += 1 << bit
		return peaks


def record_bytes(header, author, message):
	return b"".join(struct.pack("<I", len(part)) + part for part in (header, author, message))


def ranges_bytes(ranges):
	return struct.pack("<I", len(ranges)) + b"".join(struct.pack("<QQ", *pair) for pair in ranges)


def merged_bytes(blocks, first, records, epoch, dropped=(), packing=None, twist=lambda name, data: data):
	"""A merged layer; records are those of section 6, packing is (level, pending)."""
	place, offsets = 24 + 8 * len(records), b""
	for record in records:
		offsets += struct.pack("<Q", place)
		place += len(record)
	states = struct.pack("<QQQ", first, len(records), epoch) + offsets + b"".join(records)
	more = [(6, 1, twist("states", states)), (7, 1, twist("dropped", ranges_bytes(dropped)))]
	if packing:
		more.append((8, 0, twist("packing", struct.pack("<BQ", *packing))))
	return layer_bytes(blocks, b"", [], extra=more, twist=twist, sections_of_a_commit=False)


def mth_as_defined(leaves):
	"""Section 2.1.1, word by word."""
	if len(leaves) == 0:
		return sha256().digest()
	if len(leaves) == 1:
		return sha256(b"\0" + leaves[0]).digest()
	k = 1
	while k * 2 < len(leaves):
		k *= 2
	return sha256(b"\1" + mth_as_defined(leaves[:k]) + mth_as_defined(leaves[k:])).digest()


class MerkleTrees(unittest.TestCase):
	# The leaves, roots and proofs of Certificate Transparency's own tests.
	leaves = [bytes.fromhex(text) for text in (
		"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
		"606162636465666768696a6b6c6d6e6f")]
	roots = unhex("""
		e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
		6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
		fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
		aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
		d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
		4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
		76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
		ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
		5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328""")
	inclusion = {
		(0, 1): [],
		(0, 8): unhex("""
			96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7
			5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
			6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"""),
		(5, 8): unhex("""
			bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b
			ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0
			d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"""),
		(2, 3): unhex("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
		(1, 5): unhex("""
			6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
			5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
			bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"""),
	}
	consistency = {
		(1, 1): [],
		(1, 8): inclusion[0, 8],
		(6, 8): unhex("""
			0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a
			ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0
			d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"""),
		(2, 5): unhex("""
			5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
			bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"""),
	}

	def setUp(self):
		self.many = [dig.leaf_hash(b"%d" % number) for number in range(67)]

	def test_published_roots(self):
		for count, root in enumerate(self.roots):
			self.assertEqual(dig.mth(self.leaves[:count]), root)
			self.assertEqual(mth_as_defined(self.leaves[:count]), root)

	def test_published_inclusion_proofs(self):
		hashes = [dig.leaf_hash(leaf) for leaf in self.leaves]
		for (number, count), proof in self.inclusion.items():
			self.assertEqual(dig.inclusion_proof(hashes[:count], number), proof)
			self.assertTrue(dig.inclusion_holds(hashes[number], number, count, proof,
				self.roots[count]))

	def test_published_consistency_proofs(self):
		hashes = [dig.leaf_hash(leaf) for leaf in self.leaves]
		for (older, newer), proof in self.consistency.items():
			self.assertEqual(dig.consistency_proof(hashes[:newer], older), proof)
			self.assertTrue(dig.consistency_holds(older, newer, proof,
				self.roots[older], self.roots[newer]))

	def test_pairing_splits_as_the_definition_does(self):
		for count in range(67):
			leaves = [b"%d" % number for number in range(count)]
			self.assertEqual(dig.mth(leaves), mth_as_defined(leaves))

	def test_inclusion_proofs_hold_for_their_leaf_only(self):
		for count in range(1, 35):
			hashes = self.many[:count]
			root = dig.mth_of_hashes(hashes)
			for number in range(count):
				proof = dig.inclusion_proof(hashes, number)
				leaf, wrong = hashes[number], self.many[count]

				def holds(leaf, place, proof):
					return dig.inclusion_holds(leaf, place, count, proof, root)

				self.assertEqual([place for place in range(count + 2)
					if holds(leaf, place, proof)], [number])
				self.assertFalse(holds(wrong, number, proof))
				self.assertFalse(holds(leaf, number, proof + [wrong]))
				for i in range(len(proof)):
					for instead in [], [wrong]:
						damaged = proof[:i] + instead + proof[i + 1:]
						self.assertFalse(holds(leaf, number, damaged))

	def test_consistency_proofs_hold_for_their_trees_only(self):
		roots = [dig.mth_of_hashes(self.many[:count]) for count in range(35)]
		for newer in range(1, 35):
			for older in range(1, newer + 1):
				proof = dig.consistency_proof(self.many[:newer], older)

				def holds(proof, older_root, newer_root):
					return dig.consistency_holds(older, newer, proof,
						roots[older_root], roots[newer_root])

				self.assertTrue(holds(proof, older, newer))
				self.assertFalse(holds(proof, older - 1, newer))
				self.assertFalse(holds(proof, older, newer - 1))
				self.assertFalse(holds(proof + [roots[1]], older, newer))

	def test_peaks_give_the_root(self):
		peaks = []
		for count in range(67):
			self.assertEqual(peaks, dig.peaks_of(self.many[:count]))
			self.assertEqual(dig.mth_of_peaks(peaks),
				dig.mth_of_hashes(self.many[:count]))
			peaks = dig.add_to_peaks(peaks, count, self.many[count])


def cuts_as_defined(data, parameters):
	"""dig-chunking(7) word by word: h from scratch at every position."""
	table = [int.from_bytes(sha256(b"dig gear table 1" + bytes([i])).digest()[:4], "little")
		for i in range(256)]
	hashes = [sum(table[byte] << i for i, byte in enumerate(reversed(data[max(p - 32, 0):p])))
		% 2**32 for p in range(len(data) + 1)]
	found, s = [], 0
	while s < len(data):
		target = parameters.target_at(s)
		threshold = 2**33 // target
		places = range(s + target // 2, min(s + 4 * target, len(data)) + 1)
		strong = [p for p in places if hashes[p] < threshold]
		weak = [p for p in places if hashes[p] < min(16 * threshold, 2**32 - 1)]
		if strong:
			end = strong[0]
		elif len(data) >= s + 4 * target:
			end = weak[-1] if weak else s + 4 * target
		else:
			end = len(data)
		found.append((s, end))
		s = end
	return found


class Chunking(unittest.TestCase):
	def test_the_gear_table(self):
		self.assertEqual([f"{dig.GEAR[i]:08x}" for i in (0, 1, 127, 255)], GEAR_WORDS)

	def test_cuts_are_those_of_the_definition(self):
		data = seeded(b"cuts", 20000)
		for target in (2, 3, 7, 32, 50, 64, 100, 333, 1000, 4096, 30000):
			one_size = SMALL._replace(target=target)
			self.assertEqual(list(dig.cuts(data, one_size)),
				cuts_as_defined(data, one_size))
		self.assertEqual(list(dig.cuts(data, SMALL)), cuts_as_defined(data, SMALL))

	def test_cuts_of_content_with_few_candidates(self):
		"""The weak threshold and the maximum decide where content repeats."""
		for data in (bytes(9000), b"ab" * 3000, seeded(b"x", 40) * 200,
				bytes(3000) + seeded(b"y", 1500) + bytes(2000)):
			for target in (64, 100, 256):
				one_size = SMALL._replace(target=target)
				self.assertEqual(list(dig.cuts(data, one_size)),
					cuts_as_defined(data, one_size))

	def test_some_content_is_cut_by_the_weak_threshold(self):
		one_size = SMALL._replace(target=256)
		data = seeded(b"weak", 400000)
		sizes = [end - start for start, end in dig.cuts(data, one_size)]
		self.assertTrue(all(128 <= size <= 1024 for size in sizes[:-1]))
		self.assertEqual(list(dig.cuts(data[:60000], one_size)),
			cuts_as_defined(data[:60000], one_size))

	def test_ends_of_content(self):
		data = seeded(b"ends", 3000)
		for size in list(range(0, 300)) + [1023, 1024, 1025, 2047, 2048, 2049]:
			for content in (data[:size], bytes(size)):
				one_size = SMALL._replace(target=256)
				self.assertEqual(list(dig.cuts(content, one_size)),
					cuts_as_defined(content, one_size))

	def test_zeros_are_cut_at_the_maximum(self):
		self.assertEqual(list(dig.cuts(bytes(40000), SMALL._replace(target=4096))),
			[(0, 16384), (16384, 32768), (32768, 40000)])

	def test_the_target_follows_from_the_offset(self):
		targets = [dig.DEFAULTS.target_at(offset) >> 10 for offset in
			(0, 2**20 - 1, 2**20, 100 * 2**20 - 1, 100 * 2**20, 2**30 - 1, 2**30,
				2**50)]
		self.assertEqual(targets, [256, 256, 1024, 1024, 512, 512, 2048, 2048])

	def test_a_known_answer(self):
		"""For other programs to compare with; the data is seeded(b"known", 1 << 18)."""
		chunks = dig.chunks_of(seeded(b"known", 1 << 18), SMALL._replace(target=16384))
		self.assertEqual([size for size, _ in chunks], KNOWN_SIZES)
		self.assertEqual(dig.file_root_of(chunks).hex(), KNOWN_FILE_ROOT)

	def test_the_parameters_take_66_bytes(self):
		self.assertEqual(dig.DEFAULTS.encoded()[:10], b"\1\0\0\0\4\0\0\0\0\0")
		self.assertEqual(len(dig.DEFAULTS.encoded()), 66)


def tree_as_defined(kind, items):
	"""Node ids of a tree, level by level; items are (encoded, leaves, size, key or path)."""
	levels, level = [], 0
	while True:
		nodes, held = [], []
		for number, item in enumerate(items):
			held.append(item)
			key = item[3] if kind == 1 else sha256(b"\4" + bytes([level])
				+ item[3]).digest()
			boundary = int.from_bytes(key[:4], "little") < 2**25
			size = sum(len(item[0]) for item in held)
			if (len(held) >= 32 and boundary or len(held) == 512
					or size >= 65536 and (level == 0 or len(held) > 1)):
				nodes.append(held)
				held = []
		if held or not nodes:
			nodes.append(held)
		above = []
		for node in nodes:
			leaves, size = sum(item[1] for item in node), sum(item[2] for item in node)
			node_id = sha256(b"\2"
				+ struct.pack("<BBIQQ", kind, level, len(node), leaves, size)
				+ mth_as_defined([item[0] for item in node])).digest()
			path = node[-1][3] if node and kind == 2 else b""
			encoded = struct.pack("<QQ", size, leaves) + node_id
			if kind == 2:
				encoded += struct.pack("<H", len(path)) + path
			above.append((encoded, leaves, size, path if kind == 2 else node_id))
		levels.append([(len(node), item[0][16:48]) for node, item in zip(nodes, above)])
		if len(nodes) == 1:
			return levels
		items, level = above, level + 1


def numbered_chunks(count):
	return [(number % 5000 + 1, sha256(b"%d" % number).digest()) for number in range(count)]


def numbered_entries(count, form=b"d%02d/file-%06d"):
	entries = [dig.make_entry(form % (number % 7, number), 1, 0o644, None,
		numbered_chunks(number % 3)) for number in range(count)]
	return sorted(entries, key=lambda entry: entry.path)


class Trees(unittest.TestCase):
	def compare(self, kind, items):
		key = (lambda item: item.digest) if kind == 1 else (lambda item: item.path)
		defined = tree_as_defined(kind, [(item.encoded, 1, item.size, key(item))
			for item in items])
		built = dig.build_tree(kind, items)
		self.assertEqual([(len(node.items), node.id) for node in built],
			[node for level in defined for node in level])
		by_id = {node.id: dig.decode_node(node.encoded) for node in built}
		self.assertEqual(dig.tree_items(kind, built[-1].id, by_id.__getitem__), items)
		return built

	def test_the_empty_sequence(self):
		node, = self.compare(1, [])
		self.assertEqual(node.encoded, b"\1" + bytes(21))
		self.assertEqual(node.id, sha256(b"\2\1" + bytes(21) + sha256().digest()).digest())

	def test_one_chunk(self):
		digest = sha256(b"x").digest()
		item = b"\1" + bytes(7) + digest
		counts = b"\1\0" b"\1\0\0\0" b"\1\0\0\0\0\0\0\0" b"\1\0\0\0\0\0\0\0"
		self.assertEqual(dig.file_root_of([(1, digest)]),
			sha256(b"\2" + counts + sha256(b"\0" + item).digest()).digest())

	def test_chunk_lists(self):
		for count in (1, 31, 32, 33, 200, 512, 513, 6000, 30000):
			self.compare(1,
				[dig.chunk_item(*chunk) for chunk in numbered_chunks(count)])

	def test_manifests(self):
		for count in (0, 1, 33, 700, 9000):
			self.compare(2,
				[dig.entry_item(entry) for entry in numbered_entries(count)])

	def test_a_boundary_counts_from_the_32nd_item(self):
		low, high = bytes(3) + b"\1" + bytes(28), bytes(3) + b"\2" + bytes(28)
		for digests, sizes in (
				([low] * 100, [32, 32, 32, 4]), ([high] * 1100, [512, 512, 76]),
				([high] * 31 + [low] + [high] * 40, [32, 40]),
				([high] * 40 + [low], [41]), ([low] * 30 + [high] * 20, [50])):
			built = self.compare(1, [dig.chunk_item(1, digest) for digest in digests])
			self.assertEqual([len(node.items) for node in built if node.level == 0],
				sizes)

	def test_long_paths_end_nodes(self):
		component = b"c" * 255
		paths = [b"%04d/" % number + b"/".join([component] * 255) for number in range(24)]
		entries = [dig.make_entry(path, 3, 0o755, None, []) for path in paths]
		built = self.compare(2, [dig.entry_item(entry) for entry in entries])
		self.assertLessEqual(max(len(node.items) for node in built), 2)
		self.assertLess(built[-1].level, 8)

	def test_a_known_answer(self):
		items = [dig.entry_item(entry) for entry in numbered_entries(2000)]
		self.assertEqual(dig.build_tree(2, items)[-1].id.hex(), KNOWN_MANIFEST_ROOT)

	def test_entries_come_back(self):
		digest = sha256(b"e").digest()
		for entry in (
				dig.Entry(b"a/b", 1, 0o4755, 7, 1, digest, -1, ()),
				dig.Entry(b"\xff", 2, 0o777, 2**40, 2, digest, None,
					((1, b"x"), (9, b""))),
				dig.Entry(b"d" * 255, 3, 0, 0, 0, None, 2**62, ()),
				dig.Entry(b"u", 77, 0, 5, 1, digest, None, ())):
			cursor = dig.Cursor(dig.encode_entry(entry), "entry")
			self.assertEqual(dig.decode_entry(cursor), entry)
			cursor.end()

	def test_an_entry_byte_by_byte(self):
		digest = sha256(b"e").digest()
		entry = dig.Entry(b"ab", 1, 0o644, 258, 1, digest, -2, ((3, digest),))
		self.assertEqual(dig.encode_entry(entry),
			b"\2\0ab" b"\1" b"\xa4\1" b"\2\1\0\0\0\0\0\0" b"\5" + digest
			+ b"\xfe" + b"\xff" * 7 + b"\1\0" b"\3\0" b"\x20\0\0\0" + digest)

	def test_bad_entries_are_refused(self):
		digest = sha256(b"e").digest()
		good = dig.Entry(b"ab", 1, 0o644, 258, 1, digest, -2, ())
		for change in (
				{"path": b""}, {"path": b"/a"}, {"path": b"a/"}, {"path": b"a//b"},
				{"path": b"./a"}, {"path": b"a/.."}, {"path": b"a/.dig/b"},
				{"path": b"\0"}, {"path": b"c" * 256}, {"mode": 0o10000},
				{"size": 0}, {"kind": 3}, {"content": 0, "digest": None},
				{"content": 3}, {"content": 9},
				{"attributes": ((2, b""), (1, b""))},
				{"attributes": ((1, b""), (1, b""))}):
			data = dig.encode_entry(good._replace(**change))
			with self.assertRaises(dig.Corrupt, msg=str(change)):
				dig.decode_entry(dig.Cursor(data, "entry"))


class BlockTrees(unittest.TestCase):
	def test_the_tree_is_that_of_the_blocks(self):
		content = seeded(b"blocks", 9 * 16384 + 5)
		for size in (1, 16383, 16384, 16385, 32768, 5 * 16384, len(content)):
			part = content[:size]
			root = mth_as_defined([part[at:at + 16384] for at in range(0, size, 16384)])
			for most in (1000, 16384, 50000):
				pieces = [part[at:at + most] for at in range(0, size, most)]
				self.assertEqual(dig.block_tree_root(pieces), root)
		self.assertEqual(dig.block_tree_root([]), sha256(b"").digest())
		self.assertEqual(dig.block_tree_root([b"a" * 1048577]).hex(),
			"b214509f9d21037f9cd0d2c695cd07ee56851e6151e0361132292beeaab8955b")


SOME_FILES = {
	b"a/large": (1, 0o644, seeded(b"large", 30000)),
	b"a/one": (1, 0o600, seeded(b"one", 50)),
	b"a-b": (1, 0o755, b"a comes before a/"),
	b"empty": (1, 0o644, b""),
	b"hollow": (3, 0o755, b""),
	b"link": (2, 0o777, b"a/one"),
	b"same": (1, 0o640, seeded(b"one", 50)),
	b"\xff\n": (1, 0o644, seeded(b"name", 700)),
}


class WithDirectory(unittest.TestCase):
	def setUp(self):
		self.top = tempfile.mkdtemp(prefix="dig-reference-")
		self.addCleanup(shutil.rmtree, self.top)
		self.layers = os.path.join(self.top, "layers")

	def state_of(self, *paths):
		history = dig.History(dig.open_layers(paths or [self.layers]))
		history.check_chain()
		return history, history.check_states()

	def refused(self, reason, *paths):
		with self.assertRaisesRegex(dig.Corrupt, reason):
			self.state_of(*paths)


class Layers(WithDirectory):
	def test_a_layer_by_hand(self):
		path = Maker(self.layers).commit(SOME_FILES, gaps={0: 5, 2: 100, 4: 1})
		history, entries = self.state_of()
		layer, = history.layers
		self.assertEqual([entry.path for entry in entries], sorted(SOME_FILES))
		self.assertEqual({block.codec for block in layer.blocks}, {0, 1, 2})
		self.assertEqual((layer.author, layer.message, layer.time),
			(b"A <a@b>", b"a message\n", -4))
		for entry in entries:
			content = b"".join(history.chunk(digest)
				for _, digest in history.chunk_list(entry))
			self.assertEqual(content, SOME_FILES[entry.path][2])
		history.check_cuts(entries, SMALL)
		self.assertEqual(os.path.basename(path), layer.id.hex() + ".dig")

	def test_one_codec_at_a_time(self):
		for codec in (0, 1, 2):
			layers = os.path.join(self.top, str(codec))
			Maker(layers).commit(SOME_FILES, codecs=(codec,))
			self.assertEqual(len(self.state_of(layers)[1]), len(SOME_FILES))

	def test_more_generations(self):
		maker, files = Maker(self.layers), {}
		for generation in range(1, 12):
			files[b"file-%d" % generation] = (1, 0o644,
				seeded(b"%d" % generation, 300 * generation))
			files.pop(b"file-%d" % (generation - 4), None)
			maker.commit(files, codecs=(generation % 2,), full=generation == 6)
		history, entries = self.state_of()
		self.assertEqual([layer.root for layer in history.layers], maker.roots)
		self.assertEqual([entry.path for entry in entries], sorted(files))

	def test_without_the_layers_before_a_full_one(self):
		maker = Maker(self.layers)
		first = maker.commit({b"a": (1, 0o644, b"a")})
		full = maker.commit({b"a": (1, 0o644, b"a"), b"b": (1, 0o644, b"b")}, full=True)
		last = maker.commit({b"b": (1, 0o644, b"b")})
		os.remove(first)
		self.assertEqual([entry.path for entry in self.state_of()[1]], [b"b"])
		self.assertEqual([entry.path for entry in self.state_of(full)[1]], [b"a", b"b"])
		with contextlib.redirect_stderr(io.StringIO()) as talk:
			self.assertEqual(self.state_of(last)[1], None)
		self.assertIn("generation 3 is not checked", talk.getvalue())

	def test_a_commit_that_changes_nothing_and_one_of_nothing(self):
		maker = Maker(self.layers)
		maker.commit({})
		maker.commit({})
		history, entries = self.state_of()
		self.assertEqual(entries, [])
		self.assertEqual(history.layers[1].blocks, [])

	def test_many_chunks_need_a_fanout(self):
		maker = Maker(self.layers, SMALL._replace(target=64))
		maker.commit({b"f": (1, 0o644, seeded(b"fanout", 20000))}, codecs=(1,))
		layer = self.state_of()[0].layers[0]
		self.assertGreater(layer.section(2)[8], 1)

	def test_fanout_bits(self):
		self.assertEqual([dig.fanout_bits(count) for count in
			(0, 64, 65, 128, 129, 64 << 16, 65 << 20)], [0, 0, 1, 1, 2, 16, 16])

	def test_a_state_of_many_nodes(self):
		files = {b"%05d" % number: (1, 0o644, b"%d" % (number % 50))
			for number in range(3000)}
		maker = Maker(self.layers)
		maker.commit(files, codecs=(1,))
		files[b"01500x"] = (1, 0o644, b"more")
		maker.commit(files, codecs=(1,))
		history, entries = self.state_of()
		self.assertEqual(len(entries), 3001)
		self.assertLess(len(history.layers[1].places), 6)

	def test_a_large_item_has_a_block_of_its_own(self):
		large = bytes(5 << 20)
		path = os.path.join(self.top, "x.dig")
		empty = b"\2" + bytes(21)
		header = header_bytes(1, bytes(32), item_id(2, empty), 0, 0, b"", b"", SMALL)
		with open(path, "wb") as file:
			file.write(layer_bytes([(1, 1, [large]), (0, 2, [empty])], header, []))
		self.assertEqual(self.state_of(path)[1], [])
		with open(path, "wb") as file:
			file.write(layer_bytes([(1, 1, [large, b"x"]), (0, 2, [empty])], header,
				[]))
		self.refused("too large for several items", path)

	def test_unknown_sections_are_skipped_unless_needed(self):
		Maker(self.layers).commit(SOME_FILES, codecs=(0,), extra=[(12, 0, b"whatever")])
		self.assertEqual(len(self.state_of()[1]), len(SOME_FILES))
		other = os.path.join(self.top, "other")
		Maker(other).commit(SOME_FILES, codecs=(0,), extra=[(12, 1, b"whatever")])
		self.refused("unknown section 12 is needed", other)

	def test_extensions_of_the_header_are_skipped(self):
		Maker(self.layers).commit(SOME_FILES, codecs=(0,),
			edit=lambda header: header + struct.pack("<HI", 3, 2) + b"xy")
		self.assertEqual(len(self.state_of()[1]), len(SOME_FILES))

	def test_features(self):
		path = Maker(self.layers).commit({})
		with open(path, "rb") as file:
			data = file.read()
		for features, reason in (({"ignore": 4, "write": 8}, None),
				({"read": 1}, "features 0x1"), ({"version": 2}, "version 2")):
			with open(path, "wb") as file:
				file.write(preamble(b"DIGLAYER", **features) + data[24:])
			if reason:
				self.refused(reason)
			else:
				self.state_of()

	def test_a_layer_bears_its_id(self):
		path = Maker(self.layers).commit({})
		os.rename(path, os.path.join(self.layers, "00" * 32 + ".dig"))
		self.refused("not named by its id")


class Damage(WithDirectory):
	"""Of bytes: no checksum is mended."""

	def small_layer(self):
		files = {b"%d" % number: (1, 0o644, b"%d" % number * 40) for number in range(4)}
		maker = Maker(self.layers)
		maker.commit({}, codecs=(0,))
		return maker.commit({**files, b"c": (3, 0o755, b"")}, codecs=(1, 2, 0),
			gaps={0: 3, 1: 4, 2: 5, 3: 6})

	def test_the_layer_has_all_kinds_of_parts(self):
		layer = dig.Layer(self.small_layer())
		self.assertEqual([(block.codec, block.kind, block.count) for block in layer.blocks],
			[(0, 1, 3), (1, 1, 1), (2, 2, 1)])
		self.assertEqual(len(layer.peaks), 1)

	def test_every_flipped_byte_is_noticed(self):
		path = self.small_layer()
		with open(path, "r+b", buffering=0) as file:
			data = file.read()
			for place, byte in enumerate(data):
				for flip in (0x01, 0x80):
					os.pwrite(file.fileno(), bytes([byte ^ flip]), place)
					with self.assertRaises(dig.Corrupt,
						msg=f"byte {place} ^ {flip:#x}"):
						dig.Layer(path)
				os.pwrite(file.fileno(), bytes([byte]), place)
			dig.Layer(path)

	def test_every_other_length_is_noticed(self):
		path = self.small_layer()
		with open(path, "rb") as file:
			data = file.read()
		for size in range(len(data)):
			os.truncate(path, size)
			with self.assertRaises(dig.Corrupt):
				dig.Layer(path)
			with open(path, "wb") as file:
				file.write(data)
		with open(path, "ab") as file:
			file.write(b"\0")
		with self.assertRaises(dig.Corrupt):
			dig.Layer(path)


class Lies(WithDirectory):
	"""Layers whose checksums are right and whose statements are not."""

	def twisted(self, reason, wanted, change, files=SOME_FILES, codecs=(0,), **more):
		def twist(name, data):
			return change(data) if name == wanted else data

		shutil.rmtree(self.layers, ignore_errors=True)
		maker = Maker(self.layers)
		maker.commit({b"before": (1, 0o644, b"x")}, codecs=(0,))
		maker.commit(files, codecs=codecs, twist=twist, **more)
		self.refused(reason)

	@staticmethod
	def put(place, bytes_):
		return lambda data: data[:place] + bytes_ + data[place:][len(bytes_):]

	def test_blocks(self):
		put = self.put
		self.twisted("no DBLK", "block", put(0, b"X"))
		self.twisted("differs from the block table", "block", put(4, b"\1"))
		self.twisted("stored size is not|bytes behind|ends early", "block",
			put(12, b"\1\0"))
		self.twisted("payload has a wrong checksum", "block", put(16, b"\1\0"))
		self.twisted("sizes do not add up", "sizes", put(0, b"\1\0"))
		self.twisted("no zeros in the gap", "gap", put(2, b"\1"), {}, gaps={1: 5})
		self.twisted("chunk index is wrong about", "payload", lambda data:
			data[:-1] + bytes([data[-1] ^ 1]) if b"a comes" in data else data)

	def test_payloads(self):
		files = {b"a": (1, 0o644, bytes(100))}
		for codec, name in ((1, "zlib"), (2, "zstd")):
			for change in (lambda data: data + b"\0", lambda data: data[:-1],
					lambda data: compress(codec, b"other"),
					lambda data: compress(codec, bytes(10**6))):
				self.twisted(f"{name} (payload|frame)", "payload", change, files,
					(codec,))
		self.twisted("zstd frame has bytes behind its end", "payload",
			lambda data: data + compress(2, b""), files, (2,))

	def test_block_table(self):
		put = self.put
		self.twisted("unknown fields", "block table", put(20, b"\1"))
		self.twisted("overlap|reaches|no zeros", "block table", put(0, b"\x19"))
		self.twisted("ends in a record", "block table", lambda data: data[:-1])
		self.twisted("no zeros in the gap", "block table", lambda data: data[:-24])
		self.twisted("overlap or are out of order", "block table",
			lambda data: data + data[-24:])

	def test_chunk_index(self):
		put = self.put
		records = 16 + 8 * 2
		self.twisted("fanout bits", "chunk index", put(8, b"\2"))
		self.twisted("unknown fields", "chunk index", put(9, b"\2"))
		self.twisted("fanout 0 is", "chunk index", put(16, b"\0"))
		self.twisted("ends early", "chunk index", lambda data: data[:-1])
		self.twisted("behind its end", "chunk index", lambda data: data + b"\0")
		self.twisted("out of order", "chunk index", lambda data: data[:records]
			+ data[records + 40:][:40] + data[records:][:40] + data[records + 80:])
		self.twisted("wrong about", "chunk index", put(records + 36, b"\7"))
		self.twisted("wrong about", "chunk index", put(records + 38, b"\3"))
		self.twisted("unknown fields", "chunk index", put(records + 39, b"\1"))

	def test_an_item_that_the_index_lacks(self):
		def shorter(data):
			count = struct.unpack_from("<Q", data)[0] - 1
			return struct.pack("<QB7xQ", count, 0, count) + data[24:-40]

		self.twisted("chunk index lacks", "chunk index", shorter, {b"a": (1, 0, b"a")})

	def test_header_peaks_and_texts(self):
		put = self.put
		self.twisted("identity version", "header", put(0, b"\2"))
		self.twisted("digest algorithm", "header", put(2, b"\2"))
		self.twisted("wrong number of peaks|parent root", "header", put(35, b"\3"))
		self.twisted("parent root", "header", put(43, b"\3"))
		self.twisted("are not those of the header", "texts", put(4, b"B"))
		self.twisted("behind its end", "texts", lambda data: data + b"\0")
		self.twisted("wrong number of peaks", "peaks", lambda data: b"\0")
		self.twisted("parent root", "peaks", put(1, bytes(32)))
		self.twisted("holds a NUL", "none", None, author=b"a\0b")

	def test_footer_and_sections(self):
		put = self.put
		self.twisted("pack id", "footer", put(16, bytes(32)))
		self.twisted("unknown fields", "footer", put(60, b"\1"))
		self.twisted("another size", "footer", put(48, b"\0"))
		self.twisted("unknown flags", "footer", put(12, b"\2"))
		self.twisted("out of place", "footer", put(8, b"\4"))
		self.twisted("is missing|out of order", "sections", put(0, b"\6"))
		self.twisted("has unknown flags", "sections", put(2, b"\2"))
		self.twisted("section 2 is out of place", "sections", put(32, b"\0\0"))
		self.twisted("is missing", "sections", lambda data: data[:-24])

	def test_a_parent_that_is_not_there(self):
		"""A layer is one of its own history only."""
		first, second = Maker(self.layers), Maker(os.path.join(self.top, "other"))
		first.commit({b"a": (1, 0o644, b"a")})
		second.commit({b"b": (1, 0o644, b"b")})
		path = second.commit({b"b": (1, 0o644, b"b")})
		shutil.copy(path, self.layers)
		self.refused("another parent root")

	def state_refused(self, reason, files, **more):
		shutil.rmtree(self.layers, ignore_errors=True)
		Maker(self.layers).commit(files, codecs=(0,), **more)
		self.refused(reason)

	def test_entries_that_do_not_fit_their_content(self):
		content = seeded(b"large", 3000)
		chunks = dig.chunks_of(content, SMALL)
		entry = dig.make_entry(b"other", 1, 0o644, None, chunks)
		files = {b"large": (1, 0o644, content), b"small": (1, 0o644, b"small")}
		self.state_refused("bytes of content",
			{**files, b"other": entry._replace(size=2999)})
		self.state_refused("node .* is missing", {**files,
			b"other": entry._replace(digest=bytes(32))})
		self.state_refused("chunk .* is missing", {**files,
			b"other": entry._replace(content=1, digest=bytes(32))})
		self.state_refused("is of another size", {**files,
			b"other": entry._replace(content=1, digest=sha256(b"small").digest())})

	def test_a_list_of_one_chunk_is_not_stored_as_a_list(self):
		digest = sha256(b"small").digest()
		node = dig.make_node(1, 0, [dig.chunk_item(5, digest)])
		entry = dig.Entry(b"b", 1, 0o644, 5, 2, node.id, None, ())

		def build(kind, items):
			return ([node] if kind == 2 else []) + dig.build_tree(kind, items)

		self.state_refused("list of one chunk", {b"a": (1, 0o644, b"small"), b"b": entry},
			build=build)

	def test_paths_below_a_file(self):
		for kind in (1, 2, 3):
			self.state_refused("is a file and a directory", {b"a": (kind, 0o644, b""),
				b"a-b": (1, 0o644, b"x"), b"a/b": (1, 0o644, b"y")})

	def test_the_header_counts_the_state(self):
		files = {b"a": (1, 0o644, b"a")}
		self.state_refused("counts other entries", files,
			edit=lambda header: header[:-16] + struct.pack("<QQ", 2, 1))
		self.state_refused("counts other content", files,
			edit=lambda header: header[:-16] + struct.pack("<QQ", 1, 2))

	def misshapen(self, reason, cut, files=None):
		"""A state whose nodes of level 0 are cut by `cut`."""
		files = files or {b"%05d" % number: (3, 0o755, b"") for number in range(600)}

		def build(kind, items):
			nodes = [dig.make_node(kind, 0, piece) for piece in cut(items)]
			if len(nodes) == 1:
				return nodes
			return nodes + dig.build_tree_above(kind, nodes)

		self.state_refused(reason, files, build=build)

	def test_shapes(self):
		dig.build_tree_above = lambda kind, nodes: [dig.make_node(kind, 1,
			[dig.parent_item(node) for node in nodes])]
		self.addCleanup(delattr, dig, "build_tree_above")
		right = lambda items: [node.items for node in dig.cut_level(2, 0, items)]

		def early(items):
			first, *rest = right(items)
			return [first[:10], first[10:]] + rest

		def late(items):
			first, second, *rest = right(items)
			return [first + second] + rest

		self.misshapen("ends too early", early)
		self.misshapen("goes on behind its end", late)
		self.misshapen("out of order", lambda items: right(items[::-1]))
		self.misshapen("out of order|ends", lambda items: right(items)[::-1])

	def test_a_root_above_the_root(self):
		def build(kind, items):
			nodes = dig.build_tree(kind, items)
			return nodes + [dig.make_node(kind, nodes[-1].level + 1,
				[dig.parent_item(nodes[-1])])]

		self.state_refused("has another shape", {b"a": (1, 0o644, b"a")}, build=build)

	def test_counts_of_children(self):
		def build(change):
			def build(kind, items):
				*below, root = dig.build_tree(kind, items)
				items = list(root.items)
				items[0] = change(items[0])
				return below + [dig.make_node(kind, root.level, items)]
			return build

		def longer(item):
			return item._replace(size=item.size + 1, encoded=b"\1" + item.encoded[1:])

		def more(item):
			leaves = item.leaves + 1
			encoded = item.encoded[:8] + struct.pack("<Q", leaves) + item.encoded[16:]
			return item._replace(leaves=leaves, encoded=encoded)

		def another_path(item):
			path = b"00000"
			return item._replace(path=path, encoded=item.encoded[:48] + b"\5\0" + path)

		files = {b"%05d" % number: (3, 0o755, b"") for number in range(1000)}
		self.state_refused("another number of bytes", files, build=build(longer))
		self.state_refused("another number of items", files, build=build(more))
		self.state_refused("ends with another path", files, build=build(another_path))

	def test_nodes_alone(self):
		good = dig.make_node(1, 0, [dig.chunk_item(5, bytes(32))]).encoded
		for data in (b"\3" + good[1:], good[:1] + b"\1" + good[2:], good + b"\0", good[:-1],
				good[:6] + b"\2" + good[7:], good[:14] + b"\6" + good[15:],
				good[:22] + bytes(8) + good[30:], b"\1\1" + bytes(20),
				b"\1\0\1\2" + bytes(18) + bytes(40) * 513):
			with self.assertRaises(dig.Corrupt):
				dig.decode_node(data)

	def test_a_full_layer_lacks_nothing(self):
		def claim_to_be_full(name, data):
			return self.put(12, b"\1")(data) if name == "footer" else data

		maker = Maker(self.layers)
		maker.commit({b"a": (1, 0o644, b"a")})
		maker.commit({b"a": (1, 0o644, b"a"), b"b": (1, 0o644, b"b")},
			twist=claim_to_be_full)
		self.refused("generation 2: chunk .* is missing")

	def test_content_that_is_cut_elsewhere(self):
		Maker(self.layers, SMALL._replace(target=64)).commit(SOME_FILES, codecs=(0,))
		history, entries = self.state_of()
		with self.assertRaisesRegex(dig.Corrupt, "is cut elsewhere"):
			history.check_cuts(entries, SMALL)


def run_bytes(records, first, last):
	"""A run of the chunk index; records are (digest, generation, block, number, kind)."""
	def page(data):
		data += bytes(4092 - len(data))
		return data + struct.pack("<I", zlib.crc32(data))

	records = sorted(records, key=lambda record: (record[0], record[4]))
	data = page(preamble(b"DIGCHRUN")
		+ struct.pack("<QQQBQQ", first, last, len(records), 1, 0, 0))
	below = sum(record[0][0] < 128 for record in records)
	data += page(struct.pack("<QQ", below, len(records)))
	for start in range(0, len(records), 85):
		data += page(b"".join(
			digest + struct.pack("<IIHB5x", generation, block, number, kind)
			for digest, generation, block, number, kind in records[start:start + 85]))
	return data


class Stores(WithDirectory):
	def setUp(self):
		super().setUp()
		self.store = os.path.join(self.top, ".dig")
		self.maker = Maker(os.path.join(self.store, "layers"))
		self.maker.commit(SOME_FILES, codecs=(0, 1))
		self.maker.commit({**SOME_FILES, b"z": (1, 0o644, b"z")}, codecs=(0, 1))
		self.write("format", preamble(b"DIGFORMT") + STORE_ID
			+ struct.pack("<H8Q", 1, *SMALL))
		roots = b"".join(map(b"".join, zip(self.maker.ids, self.maker.roots)))
		self.write("roots", preamble(b"DIGROOTS") + struct.pack("<Q", 2) + roots)
		self.write("store-id", STORE_ID.hex().encode() + b"\n", crc=False)
		self.write("tags/one", preamble(b"DIGTAG01") + struct.pack("<Q", 1)
			+ self.maker.roots[0])
		self.write("chunk-index/1.run", run_bytes(self.records(), 1, 2), crc=False)

	def records(self):
		return [(digest, layer.generation, place.block, place.number, kind)
			for layer in dig.open_layers([self.maker.directory])
			for (kind, digest), place in layer.places.items()]

	def write(self, name, data, crc=True):
		path = os.path.join(self.store, name)
		os.makedirs(os.path.dirname(path), exist_ok=True)
		with open(path, "wb") as file:
			file.write(data + (struct.pack("<I", zlib.crc32(data)) if crc else b""))

	def refused(self, reason):
		with self.assertRaisesRegex(dig.Corrupt, reason):
			dig.check_store(self.store, True)

	def test_a_store(self):
		store_id, parameters, layers, entries = dig.check_store(self.store, True)
		self.assertEqual((store_id, parameters), (STORE_ID, SMALL))
		self.assertEqual([layer.root for layer in layers], self.maker.roots)
		self.assertEqual(len(entries), 9)

	def test_a_store_elsewhere(self):
		link = os.path.join(self.top, "pointer")
		for path in (self.store, ".dig"):
			with open(link, "w") as file:
				file.write(f"store: {path}\n")
			self.assertEqual(len(dig.check_store(link)[3]), 9)

	def test_every_flipped_byte_of_the_small_files_is_noticed(self):
		for name in ("format", "store-id", "roots", "tags/one"):
			path = os.path.join(self.store, name)
			with open(path, "r+b", buffering=0) as file:
				data = file.read()
				for place, byte in enumerate(data):
					os.pwrite(file.fileno(), bytes([byte ^ 1]), place)
					with self.assertRaises(dig.Corrupt, msg=f"{name} {place}"):
						self.small_files()
					os.pwrite(file.fileno(), bytes([byte]), place)
		self.small_files()

	def small_files(self):
		store_id, _ = dig.read_format(os.path.join(self.store, "format"))
		with open(os.path.join(self.store, "store-id"), "rb") as file:
			dig.demand(file.read() == store_id.hex().encode() + b"\n", "store-id")
		roots = dig.read_roots(os.path.join(self.store, "roots"))
		dig.check_tags(os.path.join(self.store, "tags"), roots)

	def test_every_other_length_of_the_small_files_is_noticed(self):
		for name in ("format", "roots", "tags/one"):
			with open(os.path.join(self.store, name), "rb") as file:
				data = file.read()
			for size in list(range(len(data))) + [len(data) + 1]:
				self.write(name, (data + b"\0")[:size], crc=False)
				with self.assertRaises(dig.Corrupt, msg=f"{name} {size}"):
					self.small_files()
			self.write(name, data, crc=False)

	def test_files_that_contradict_each_other(self):
		self.write("store-id", b"00" * 32 + b"\n", crc=False)
		self.refused("store-id differs")
		self.setUp()
		self.write("format", preamble(b"DIGFORMT") + STORE_ID
			+ struct.pack("<H8Q", 1, *SMALL._replace(target=64)))
		self.refused("other chunking parameters")
		self.setUp()
		self.write("tags/one", preamble(b"DIGTAG01") + struct.pack("<Q", 2)
			+ self.maker.roots[0])
		self.refused("names no root")
		self.setUp()
		self.write("roots", preamble(b"DIGROOTS") + struct.pack("<Q", 1)
			+ self.maker.ids[0] * 2)
		self.refused("another root of generation 1")

	def test_a_lost_layer(self):
		os.remove(os.path.join(self.maker.directory, self.maker.ids[1].hex() + ".dig"))
		self.refused("last state is not there")

	def test_a_stray_layer_is_noted(self):
		self.maker.commit({})
		with contextlib.redirect_stderr(io.StringIO()) as talk:
			dig.check_store(self.store)
		self.assertIn("is not in roots", talk.getvalue())

	def test_runs(self):
		records = self.records()
		digest, generation, block, number, kind = records[3]
		records[3] = (digest, generation, block, number + 1, kind)
		self.write("chunk-index/1.run", run_bytes(records, 1, 2), crc=False)
		self.refused("is wrong about")
		self.write("chunk-index/1.run", run_bytes(self.records(), 2, 2), crc=False)
		self.refused("has a bad record")
		whole = run_bytes(self.records(), 1, 2)
		for place in range(0, len(whole), 997):
			damaged = bytearray(whole)
			damaged[place] ^= 4
			self.write("chunk-index/1.run", bytes(damaged), crc=False)
			with self.assertRaisesRegex(dig.Corrupt, "checksum"):
				dig.read_run(os.path.join(self.store, "chunk-index/1.run"))


class MergedLayers(WithDirectory):
	"""Five states, the first three in one file; state 2 is dropped."""

	def setUp(self):
		super().setUp()
		self.store = os.path.join(self.top, ".dig")
		self.maker = Maker(os.path.join(self.store, "layers"))
		files = dict(SOME_FILES)
		for number in range(1, 6):
			files[b"n%d" % number] = (1, 0o644, seeded(b"n%d" % number, 300))
			self.maker.commit(files, codecs=(0, 1))
		self.merged = self.maker.merge(1, 3, dropped=[(2, 2)], packing=(9, 0))
		self.write("format", preamble(b"DIGFORMT", read=1) + STORE_ID
			+ struct.pack("<H8Q", 1, *SMALL))
		roots = b"".join(map(b"".join, zip(self.maker.ids, self.maker.roots)))
		self.write("roots", preamble(b"DIGROOTS") + struct.pack("<Q", 5) + roots)
		self.write("store-id", STORE_ID.hex().encode() + b"\n", crc=False)
		self.write("states/0", preamble(b"DIGSTATE") + b"".join(
			struct.pack("<I", len(record)) + record + struct.pack("<I", zlib.crc32(record))
			for record in self.maker.records[:3] + [b""] + self.maker.records[4:]), crc=False)
		self.table([(1, 3)])

	def table(self, merged, dropped=((2, 2),), epoch=4):
		pack_id = bytes.fromhex(os.path.basename(self.merged)[:64])
		self.write("layer-table", preamble(b"DIGTABLE") + struct.pack("<QQQI", epoch, 1, 1, len(merged))
			+ b"".join(struct.pack("<QQ", *pair) + pack_id for pair in merged) + ranges_bytes(dropped))

	write = Stores.write

	def refused(self, reason):
		with self.assertRaisesRegex(dig.Corrupt, reason):
			dig.check_store(self.store, True)

	def test_a_store(self):
		states, entries = dig.check_store(self.store, True)[2:]
		self.assertEqual([state.root for state in states], self.maker.roots)
		self.assertEqual([state.layer.is_merged for state in states], [True] * 3 + [False] * 2)
		self.assertEqual((states[0].layer.level, len(entries)), (9, 13))

	def test_layers_alone_know_what_was_dropped(self):
		history, entries = self.state_of(self.maker.directory)
		self.assertEqual([history.is_dropped(state) for state in history.states],
			[False, True, False, False, False])
		self.assertEqual(len(entries), 13)

	def test_the_table_says_where_a_state_lies(self):
		self.table([])
		self.refused("is not there")
		self.table([(1, 2)])
		self.refused("is not there|other generations")
		self.table([(1, 3)], dropped=[(2, 6)])
		self.refused("generations that are not in roots")
		self.table([(1, 3)], dropped=[(3, 3), (2, 2)])
		self.refused("out of order")
		self.table([(1, 3)], epoch=0)
		self.refused("later layer table")
		os.remove(os.path.join(self.store, "layer-table"))
		self.refused("is not there")

	def test_every_flipped_byte_of_the_file_and_the_table_is_noticed(self):
		for path, look in ((self.merged, dig.Layer), (os.path.join(self.store, "layer-table"),
				lambda _: dig.read_table(self.store, 5))):
			with open(path, "r+b", buffering=0) as file:
				data = file.read()
				for place in range(0, len(data), 41 if len(data) > 999 else 1):
					os.pwrite(file.fileno(), bytes([data[place] ^ 1]), place)
					with self.assertRaises(dig.Corrupt, msg=f"{path} {place}"):
						look(path)
					os.pwrite(file.fileno(), data[place:place + 1], place)
			look(path)

	def twisted(self, reason, wanted, change, **more):
		os.remove(self.merged)
		self.merged = self.maker.merge(1, 3, dropped=[(2, 2)],
			twist=lambda name, data: change(data) if name == wanted else data, **more)
		self.table([(1, 3)])
		self.refused(reason)

	def test_lies(self):
		put = Lies.put
		self.twisted("another generation", "states", put(0, struct.pack("<Q", 2)))
		self.twisted("no generation", "states", put(8, bytes(8)))
		self.twisted("out of place", "states", put(24, struct.pack("<Q", 49)))
		self.twisted("bytes behind its end", "states", lambda data: data + b"x")
		self.twisted("out of order", "dropped", lambda data: ranges_bytes([(2, 3), (3, 3)]))
		self.twisted("other blocks", "packing", put(0, b"\x14"), packing=(9, 0))
		self.twisted("other blocks", "packing", put(1, struct.pack("<Q", 1 << 40)), packing=(0, 1))

	def test_a_file_is_of_one_kind(self):
		for extra in ([(6, 1, b"")], [(6, 1, b""), (7, 1, b"")]):
			path = Maker(os.path.join(self.top, "other")).commit({}, codecs=(0,), extra=extra)
			with self.assertRaisesRegex(dig.Corrupt, "a section is (missing|of the other kind)"):
				dig.Layer(path)

	def test_a_record_of_another_state_is_refused(self):
		self.maker.records[1] = self.maker.records[1][:-1] + b"?"
		os.remove(self.merged)
		self.merged = self.maker.merge(1, 3)
		self.table([(1, 3)])
		self.refused("are not those of the header")

	def test_the_newest_of_two_files_counts(self):
		older, self.merged = self.merged, self.maker.merge(1, 3, epoch=3)
		self.table([(1, 3)], dropped=())
		with contextlib.redirect_stderr(io.StringIO()) as talk:
			dig.check_store(self.store)
			history, _ = self.state_of(self.maker.directory)
		self.assertIn(f"'{older}' is not in roots or layer-table", talk.getvalue())
		self.assertIn(f"'{older}' is left over", talk.getvalue())
		self.assertEqual(history.layers[0].epoch, 3)

	def test_the_log_of_states(self):
		path = os.path.join(self.store, "states/0")
		with open(path, "rb") as file:
			data = file.read()
		with contextlib.redirect_stderr(io.StringIO()) as talk:
			self.write("states/0", data[:-1], crc=False)
			dig.check_store(self.store)
		self.assertIn("ends early", talk.getvalue())
		records = self.maker.records
		for reason, wrong in (("is wrong about generation 1", records[1:2]),
				("has generation 6", records + [b""])):
			self.write("states/0", preamble(b"DIGSTATE") + b"".join(struct.pack("<I", len(record))
				+ record + struct.pack("<I", zlib.crc32(record)) for record in wrong), crc=False)
			self.refused(reason)

	def test_the_log_of_changed_paths(self):
		roots = [state.manifest_root for state in dig.check_store(self.store)[2]]

		def write(*records):
			os.makedirs(os.path.join(self.store, "changed-paths"), exist_ok=True)
			framed = (struct.pack("<I", len(record)) + record + struct.pack("<I", zlib.crc32(record))
				for record in records)
			self.write("changed-paths/0", preamble(b"DIGPATHS") + b"".join(framed), crc=False)

		trees, other = roots[2] + roots[3], bytes(64) + struct.pack("<H", 1) + b"x"
		right = trees + struct.pack("<H", 2) + b"n4"
		write(right, other, trees)
		dig.check_store(self.store)
		for wrong in (trees + struct.pack("<H", 2) + b"n5", right + struct.pack("<H", 2) + b"n5"):
			write(other, wrong)
			self.refused("is wrong about " + roots[3].hex())
		with contextlib.redirect_stderr(io.StringIO()) as talk:
			self.write("changed-paths/0", preamble(b"DIGPATHS") + b"\1", crc=False)
			dig.check_store(self.store)
		self.assertIn("ends early", talk.getvalue())

	def test_runs_name_the_merged_layers(self):
		history = dig.History(dig.open_layers([self.maker.directory]))
		history.check_chain()
		pack_id = bytes.fromhex(os.path.basename(self.merged)[:64])
		self.assertEqual(dig.source_of_run((1, 4), history), sha256(b"\x06" + self.maker.roots[3]
			+ struct.pack("<QQ", 1, 3) + pack_id).digest())
		self.assertEqual(dig.source_of_run((4, 5), history), self.maker.roots[4])

	def test_damaged_paths(self):
		self.assertEqual(list(dig.Damaged(self.store).paths()), [])
		with open(self.merged, "r+b", buffering=0) as file:
			data = file.read()
			place = data.index(seeded(b"n1", 128)[:64])
			os.pwrite(file.fileno(), bytes([data[place] ^ 1]), place)
		damaged = dig.Damaged(self.store)
		self.assertEqual(list(damaged.paths()), [(number, b"n1") for number in (1, 3, 4, 5)])
		self.assertEqual(damaged.unlisted(), set())


class Commands(WithDirectory):
	"""The command line, as scripts call it."""

	def run_reference(self, *args, status=0):
		program = os.path.join(os.path.dirname(os.path.abspath(__file__)),
			"dig_reference.py")
		done = subprocess.run([sys.executable, program, *args], capture_output=True,
			cwd=self.top)
		self.assertEqual(done.returncode, status, done.stderr)
		return done.stdout

	def make_tree(self):
		tree = os.path.join(self.top, "tree")
		for path, (kind, mode, content) in SOME_FILES.items():
			path = os.path.join(os.fsencode(tree), path)
			os.makedirs(path if kind == 3 else os.path.dirname(path), exist_ok=True)
			if kind == 2:
				os.symlink(content, path)
			elif kind == 1:
				with open(path, "wb") as file:
					file.write(content)
			if kind != 2:
				os.chmod(path, mode)
			os.utime(path, ns=(0, 1234567890123456789), follow_symlinks=False)
		os.makedirs(os.path.join(tree, "a", ".dig", "layers"))
		os.mkfifo(os.path.join(tree, "fifo"))
		return tree

	small = [word for option, size in zip(("--small-chunk", "--small-threshold",
		"--medium-chunk", "--medium-threshold", "--large-chunk", "--huge-chunk",
		"--huge-threshold"), SMALL) for word in (option, str(size))]

	def test_chunk(self):
		with open(os.path.join(self.top, "f"), "wb") as file:
			file.write(seeded(b"f", 5000))
		lines = self.run_reference("chunk", "f", *self.small).decode().splitlines()
		expected = [f"{start} {end - start} "
			+ sha256(seeded(b"f", 5000)[start:end]).hexdigest()
			for start, end in cuts_as_defined(seeded(b"f", 5000), SMALL)]
		self.assertEqual(lines, expected)
		self.assertEqual(self.run_reference("chunk", "f", "--target", "1KB").count(b"\n"),
			len(cuts_as_defined(seeded(b"f", 5000), SMALL._replace(target=1024))))
		self.run_reference("chunk", "nowhere", status=1)

	def test_a_tree_and_a_layer_of_it_agree(self):
		tree = self.run_reference("tree", self.make_tree(), *self.small)
		Maker(self.layers).commit(SOME_FILES)
		layer = self.run_reference("layer", "layers")
		entries, root = tree.rsplit(b"manifest-root ", 1)
		self.assertTrue(layer.endswith(b"\n\n" + entries))
		self.assertIn(b"\nmanifest-root " + root, layer)
		self.assertEqual(layer, self.run_reference("layer", "--layer-dir", "layers"))
		self.assertNotIn(root,
			self.run_reference("tree", "--no-mtime", "tree", *self.small))

	def test_extract(self):
		maker = Maker(self.layers)
		maker.commit(SOME_FILES)
		maker.commit({b"a/one": (1, 0o644, b"changed")})
		self.assertEqual(self.run_reference("extract", "layers", "a/one"), b"changed")
		self.assertEqual(self.run_reference("extract", "layers", "a/large", "--at", "1"),
			SOME_FILES[b"a/large"][2])
		self.run_reference("extract", "layers", "a/large", status=1)

	def test_damage_gives_status_1(self):
		path = Maker(self.layers).commit(SOME_FILES)
		with open(path, "r+b") as file:
			file.seek(30)
			file.write(b"!")
		self.run_reference("layer", path, status=1)
		self.run_reference("store", "nowhere", status=1)


# Answers that this program gave once, for other programs to compare with.
GEAR_WORDS = ["dabde62f", "36d560da", "579afe5d", "77d82146"]
KNOWN_SIZES = [10857, 23862, 13819, 9332, 15146, 16401, 8256, 11342, 8706, 8907, 8701, 16452,
	10714, 11461, 48821, 8261, 13232, 10424, 7450]
KNOWN_FILE_ROOT = "29ba724f00275253d75a0649c66dcef78b4bf0e9a3a555aadf7d45d64fa2b746"
KNOWN_MANIFEST_ROOT = "aefd7f36425dbce6b32dea095642d02d939fb264656577f60c9fea08ed62f7a5"

if __name__ == "__main__":
	unittest.main()
