#!/usr/bin/env python3
"""Runs a command and watches what it takes.

    bounded.py [--term] [--seconds=N] [--out=BYTES] COMMAND...

Its standard output is thrown away, its standard error is ours.  The exit status is that of the
command, or 99 when it died of a signal of its own, needed more than 97,656 KiB, did not end after
SIGTERM, or took more than N seconds (20).  --term sends SIGTERM after half a second.  --out closes
the output after so many bytes, as "head" does.
"""

import os
import resource
import signal
import subprocess
import sys
import time

# A machine with other work may be late with each of these.
END_S = 5
MOST_KIB = 97656


def main():
	words = sys.argv[1:]
	term, seconds, out = False, 20, None
	while words[0].startswith("--"):
		word = words.pop(0)
		if word == "--term":
			term = True
		elif word.startswith("--seconds="):
			seconds = float(word[10:])
		else:
			out = int(word[6:])
	child = subprocess.Popen(words, stdin=subprocess.DEVNULL,
		stdout=subprocess.DEVNULL if out is None else subprocess.PIPE)
	if out is not None:
		while out > 0 and (data := child.stdout.read(min(out, 65536))):
			out -= len(data)
		child.stdout.close()
	wrong = []
	try:
		child.wait(0.5 if term else seconds)
	except subprocess.TimeoutExpired:
		if not term:
			wrong.append(f"it took more than {seconds} s")
		child.terminate()
		try:
			child.wait(END_S)
		except subprocess.TimeoutExpired:
			wrong.append(f"SIGTERM did not end it within {END_S} s")
			child.kill()
			child.wait()
	used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
	if used > MOST_KIB and not os.environ.get("SANITIZED"):
		wrong.append(f"it needed {used} KiB")
	if child.returncode < 0 and -child.returncode not in (signal.SIGTERM, signal.SIGKILL, signal.SIGPIPE):
		wrong.append(f"signal {-child.returncode} ended it")
	for what in wrong:
		print(f"bounded: {' '.join(words)}: {what}", file=sys.stderr)
	if wrong:
		return 99
	return child.returncode if child.returncode >= 0 else 128 - child.returncode


sys.exit(main())
