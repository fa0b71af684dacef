#!/usr/bin/env python3
"""Damages one file of a store, in a way that depends on SEED alone, and says how.

    mutate-store.py SEED STORE [OTHER...]

Raw damage; or changed fields, with checksums over them that are right again; or a file as it was in
another store, at another time.
"""

import os
import random
import shutil
import struct
import sys
import zlib

U32 = struct.Struct("<I")


def crc(*pieces):
	value = 0
	for piece in pieces:
		value = zlib.crc32(piece, value)
	return U32.pack(value)


def change(rng, data, start, end):
	"""A few bytes within these bounds are others now; some of them look like numbers."""
	if end <= start:
		return
	for _ in range(rng.choice((1, 1, 1, 2, 5))):
		at = rng.randrange(start, end)
		way = rng.randrange(4)
		if way == 0:
			data[at] ^= 1 << rng.randrange(8)
		elif way == 1:
			data[at] = rng.choice((0, 1, 2, 0x7f, 0x80, 0xff))
		elif way == 2:
			size = min(rng.choice((2, 4, 8)), end - at)
			data[at:at + size] = rng.choice((b"\0", b"\xff")) * size
		else:
			data[at] = (data[at] + rng.choice((1, 255))) % 256


def repair_sealed(rng, data):
	change(rng, data, 24, len(data) - 4)
	data[-4:] = crc(data[:-4])


def repair_preamble(rng, data):
	change(rng, data, 8, 20)
	data[20:24] = crc(data[:20])
	if len(data) > 28 and data[:8] in (b"DIGROOTS", b"DIGFORMT"):
		data[-4:] = crc(data[:-4])


def repair_run(rng, data):
	page = rng.randrange(len(data) // 4096) * 4096
	change(rng, data, page + (24 if page == 0 else 0), page + rng.choice((110, 4092)))
	data[page + 4092:page + 4096] = crc(data[page:page + 4092])


def repair_layer(rng, data):
	footer = len(data) - 80
	table, count = struct.unpack_from("<QI", data, footer)
	sections = [struct.unpack_from("<HHIQQ", data, table + 24 * i) for i in range(count)]
	way = rng.randrange(count + 4)
	if way < count:
		_, _, _, offset, size = sections[way]
		change(rng, data, offset, offset + size)
		data[table + 24 * way + 4:table + 24 * way + 8] = crc(data[offset:offset + size])
	elif way == count:
		change(rng, data, table, footer)
	elif way == count + 1:
		change(rng, data, footer, footer + 56)
	else:
		_, _, _, blocks, size = sections[0]
		if size:
			at, length = struct.unpack_from("<QI", data, blocks + 24 * rng.randrange(size // 24))
			repair_block(rng, data, at, length)
	data[footer + 56:footer + 60] = crc(data[table:footer])
	data[footer + 76:footer + 80] = crc(data[footer:footer + 76])


def repair_block(rng, data, at, length):
	codec, items, stored = data[at + 4], *struct.unpack_from("<H", data, at + 6), \
		*struct.unpack_from("<I", data, at + 12)
	sizes = 4 * items if items > 1 else 0
	if rng.randrange(2):
		change(rng, data, at + 24 + sizes, at + length)
		if codec:
			data[at + 16:at + 20] = crc(data[at + 24 + sizes:at + length])
	else:
		change(rng, data, at + 4, at + 20)
		change(rng, data, at + 24, at + 24 + sizes)
	data[at + 20:at + 24] = crc(data[at:at + 20], data[at + 24:at + 24 + sizes])


def repair_index(rng, data):
	tail = len(data) - 144
	table, count = struct.unpack_from("<QI", data, tail)
	if count and rng.randrange(3):
		at = table
		for _ in range(rng.randrange(count)):
			at += 18 + struct.unpack_from("<H", data, at + 16)[0]
		offset, size = struct.unpack_from("<QI", data, at)
		change(rng, data, offset, offset + size)
		data[at + 12:at + 16] = crc(data[offset:offset + size])
	else:
		change(rng, data, table, len(data) - 8)
	data[tail + 136:tail + 140] = crc(data[table:tail])
	data[tail + 140:tail + 144] = crc(data[tail:tail + 140])


def repair_journal(rng, data):
	at, records = 44, []
	while at + 9 <= len(data):
		size = U32.unpack_from(data, at)[0]
		if at + size + 9 > len(data):
			break
		records.append((at, at + size + 5))
		at += size + 9
	if not records:
		return
	start, end = rng.choice(records)
	change(rng, data, start + 4, end)
	data[end:end + 4] = crc(data[start:end])


REPAIRS = {
	b"DIGFORMT": repair_sealed, b"DIGROOTS": repair_sealed, b"DIGCHRUN": repair_run,
	b"DIGLAYER": repair_layer, b"DIGINDEX": repair_index, b"DIGJRNAL": repair_journal,
}


def repaired(rng, data):
	magic = bytes(data[:8])
	repair = repair_preamble if rng.randrange(12) == 0 else REPAIRS.get(magic)
	if repair is None:
		return raw(rng, data)
	try:
		repair(rng, data)
	except (struct.error, ValueError, IndexError):
		return raw(rng, data)  # as of a pack, which has no end
	return "changed, and its checksums repaired"


def raw(rng, data):
	way = rng.randrange(6)
	if not data or way == 0:
		data.extend(rng.randbytes(rng.choice((1, 24, 4096))))
		return "longer"
	if way == 1:
		del data[rng.randrange(len(data)):]
		return "cut"
	at = rng.randrange(len(data))
	if way == 2:
		size = min(rng.choice((1, 100, 512, 4096)), len(data) - at)
		data[at:at + size] = bytes(size)
		return f"zeros at {at}"
	if way == 3:
		size = min(rng.choice((16, 512)), len(data) - at)
		data[at:at + size] = rng.randbytes(size)
		return f"garbage at {at}"
	if way == 4:
		other = rng.randrange(len(data))
		size = min(512, len(data) - at, len(data) - other)
		data[at:at + size] = data[other:other + size]
		return f"{other} copied to {at}"
	change(rng, data, 0, len(data))
	return "changed"


def files_of(store):
	names = []
	for top, _, files in os.walk(store):
		names += [os.path.relpath(os.path.join(top, name), store) for name in files]
	skipped = ("config.toml", "lock", "staging/lock")
	return sorted(name for name in names if name not in skipped)


def swap(rng, store, others):
	"""A file, or all of a directory, is as it was elsewhere."""
	other = rng.choice(others)
	names = sorted(set(files_of(store)) | set(files_of(other)) | {"chunk-index", "staging", "layers"})
	name = rng.choice(names)
	here, there = os.path.join(store, name), os.path.join(other, name)
	if os.path.isdir(here):
		shutil.rmtree(here)
	elif os.path.exists(here):
		os.unlink(here)
	if os.path.isdir(there):
		shutil.copytree(there, here)
	elif os.path.exists(there):
		shutil.copy(there, here)
	return f"{name} is that of {other}"


def main():
	rng = random.Random(int(sys.argv[1]))
	store, others = sys.argv[2], sys.argv[3:]
	for _ in range(rng.choice((1, 1, 1, 2))):
		if others and rng.randrange(3) == 0:
			print(swap(rng, store, others))
			continue
		# Large layers and small files alike.
		name = rng.choice(files_of(store))
		path = os.path.join(store, name)
		with open(path, "rb") as file:
			data = bytearray(file.read())
		how = repaired(rng, data) if rng.randrange(2) else raw(rng, data)
		with open(path, "wb") as file:
			file.write(data)
		print(f"{name}: {how}")


main()
