#!/usr/bin/env python3
"""Writes a file of the staging area, with zeros for what no two runs have in common.

    still-staging.py FILE       index, changes or journal

That is ids, inode, device, change times, when reading began or the pack was marked, and the
checksums over these, which must be right.  All else stays as it is, at its place; the layout is that of dig-index-format(5).
"""

import os
import struct
import sys
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reference"))
from dig_reference import Cursor, check_preamble, demand

# Needed to read: records without a file; checksums of blocks.
KNOWN_FEATURES = {b"DIGINDEX": 1, b"DIGJRNAL": 1}
REMOVED, WITH_STAT = 1, 4              # flags of a record
FILE, CHECKPOINT, MARK = 2, 3, 4        # types of records of the journal


class Still(Cursor):
	"""A cursor over bytes that can clear what it passes."""

	def __init__(self, data, what):
		super().__init__(bytes(data), what)
		self.still = bytearray(data)

	def clear(self, size):
		self.still[self.offset:self.offset + size] = bytes(size)
		return self.take(size)

	def checksum(self, covered):
		demand(struct.unpack("<I", self.clear(4))[0] == zlib.crc32(covered),
			f"{self.what} with a wrong checksum")

	def record(self):
		"""What a path's record says, behind the path."""
		flags = self.u8()
		demand(flags < 16, f"record with flags {flags}")
		self.take(8)
		if not flags & REMOVED:
			self.take(1 + 2 + 8)
			content = self.u8()
			self.take((32 if content & 3 else 0) + (8 if content & 4 else 0))
			for _ in range(self.u16()):
				self.take(2)
				self.take(self.u32())
		if flags & WITH_STAT:
			self.clear(8 + 8)
			self.take(8 + 8)
			self.clear(8 + 8)
			self.take(2)


def still_index(data):
	tail = Still(data[-144:], "tail")
	table, count = tail.u64(), tail.u32()
	tail.take(4 + 8)
	tail.clear(16 + 16)
	tail.take(32 + 8 + 8 + 8)
	tail.clear(16)
	tail.take(8)
	tail.checksum(data[table:-144])
	tail.checksum(data[-144:-4])
	blocks, pieces = Still(data[table:-144], "block table"), [data[:24]]
	for _ in range(count):
		offset, size = blocks.u64(), blocks.u32()
		demand(offset == sum(map(len, pieces)), "blocks with a gap")
		block = Still(data[offset:offset + size], "block")
		blocks.checksum(block.data)
		blocks.take(blocks.u16())
		while block.offset < size:
			block.take(2)
			block.take(block.u16())
			block.record()
		pieces.append(block.still)
	blocks.end()
	return pieces + [blocks.still, tail.still]


def still_journal(data):
	cursor = Still(data, "journal")
	cursor.take(24)
	cursor.checksum(cursor.clear(16))
	while cursor.offset < len(data):
		start, size, kind = cursor.offset, cursor.u32(), cursor.u8()
		end = cursor.offset + size
		if kind in (FILE, CHECKPOINT):
			cursor.take(cursor.u16())
			cursor.record()
		if kind == MARK:
			cursor.take(8 + 4)
			cursor.clear(end - cursor.offset)
		cursor.take(end - cursor.offset)
		cursor.checksum(data[start:end])
	return [cursor.still]


def main():
	with open(sys.argv[1], "rb") as file:
		data = file.read()
	magic = data[:8]
	check_preamble(data[:24], magic, KNOWN_FEATURES.get(magic, 0))
	still = {b"DIGINDEX": still_index, b"DIGJRNAL": still_journal}[magic](data)
	sys.stdout.buffer.write(b"".join(still))


main()
