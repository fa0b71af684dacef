#!/usr/bin/env python3
"""Flips bits in the blocks of a store, and compares who finds what is damaged.

    random_damage.py DIR/.dig SEED COUNT

COUNT times, each with a seed of its own from SEED on, some bits are flipped and put back.  The
paths with their states that dig check names have to be those that dig_reference.py finds by itself.
States whose lists of files are damaged are left out: dig check names the list, and the paths are
not known.  So are dropped states, over which the ranges of dig check may reach.
"""

import os
import random
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dig_reference as dig

NAMED = re.compile(rb".*: '(.*)' in @(\d+)(?: to @(\d+))? is damaged: ")


def flip(path, offset, bit):
	with open(path, "r+b", buffering=0) as file:
		byte, = os.pread(file.fileno(), 1, offset)
		os.pwrite(file.fileno(), bytes([byte ^ 1 << bit]), offset)


def chosen_bits(layers, seed):
	"""Some in the blocks of any layer, by their sizes; sections stay as they are."""
	chance = random.Random(seed)
	chosen = chance.choices(layers, [layer.blocks_end for layer in layers], k=chance.choice((1, 2, 5, 40)))
	return [(layer.path, chance.randrange(24, layer.blocks_end), chance.randrange(8)) for layer in chosen]


def named_by_check(store):
	"""(generation, path) of each line, and the exit status."""
	check = subprocess.run(["dig-check", "-q"], cwd=os.path.dirname(store), capture_output=True)
	named = set()
	for match in filter(None, map(NAMED.match, check.stderr.splitlines())):
		first, last = int(match[2]), int(match[3] or match[2])
		named |= {(generation, match[1]) for generation in range(first, last + 1)}
	return named, check.returncode


def main():
	store, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
	directory = os.path.join(store, "layers")
	layers = [dig.Layer(os.path.join(directory, name), check_blocks=False)
		for name in sorted(os.listdir(directory))]
	layers = [layer for layer in layers if layer.blocks]
	stores = states = 0
	for number in range(seed, seed + count):
		bits = chosen_bits(layers, number)
		for one in bits:
			flip(*one)
		damaged, (named, status) = dig.Damaged(store), named_by_check(store)
		unlisted, listed = damaged.unlisted(), damaged.listed_generations()
		found = {one for one in damaged.paths() if one[0] in listed}
		named = {one for one in named if one[0] in listed}
		if named != found or status != (4 if found or unlisted else 0):
			print(f"seed {number}: status {status}; flipped: {bits}")
			print("only dig check:", sorted(named - found)[:20])
			print("only the reference:", sorted(found - named)[:20])
			return 1
		for one in reversed(bits):
			flip(*one)
		stores, states = stores + bool(found), states + len(found)
	print(f"{stores} of {count} times, {states} paths of states were damaged")
	return 0 if stores else 1


if __name__ == "__main__":
	sys.exit(main())
