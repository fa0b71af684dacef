#!/usr/bin/env python3
"""Random operations on a work tree and its index, against a model and, with --git, against git.

    random-index.py [--git] SEED OPERATIONS

Works in the current directory, which must be empty.  Half of what happens changes the work tree:
files, symlinks, empty and full directories, pipes and stores of their own take each other's place.
The rest is dig: add with and without -A, -f and paths, rm, reset, streams, lists, commit, extract.
After each command, index and status are compared with the model below, which is written from
the pages of these commands, and a commit's state with the index.

What git has as well is compared with git: which files the index holds after add, rm, reset, lists
and commit, and what rm refuses.  There these differ, and are left out:

 * git has no empty directories, so there are none; of permissions it has one bit, and no times.
 * git add without -A leaves a file in the index in whose place there is a directory, and what has gone
   from a directory; dig takes what is there in the place of a file.
 * git stops at a named path that is not there and takes nothing; dig takes the others.
 * git add of a tracked file below an ignored directory takes it and ends with 1; dig, with 0.
 * git add -A stages the removal of what came as a stream or from a list without a file; dig does not.
 * git ends at a pipe in the place of a tracked file; dig stages the removal of the file.
 * git rm follows a symlink in the place of a directory as it looks for changes; dig never does.
 * git rm finds a directory in the place of a file as it removes it; dig before it does anything.
"""

import fnmatch
import hashlib
import os
import random
import shutil
import stat
import subprocess
import sys

NAMES = ["a", "a-b", "a.b", "b", "hid", "x.o"]
CONTENTS = [b"", b"one\n", b"two\n", b"three\n", b"a longer line\n", b"more\n" * 300]
TARGETS = [b"a", b"b", b"nowhere"]
RULES = ["", "*.o\n", "hid\n", "/a/\n", "b\n!/b\n", "hid/\n*.o\n", "/a-b\nx.o\n"]
TIMES = [1500000000_000000000, 1600000000_500000000, -1_500000000]


class Entry:
	"""What index or state have of a path: kind is f, l or d."""

	def __init__(self, kind, mode, content, mtime):
		self.kind, self.mode, self.content, self.mtime = kind, mode, content, mtime

	def key(self):
		return self.kind, self.mode, self.content, self.mtime

	def but_time(self):
		return self.kind, self.mode, self.content


def same(a, b):
	return (a and a.key()) == (b and b.key())


def within(path, scope):
	return scope == "" or path == scope or path.startswith(scope + "/")


def parents(path):
	parts = path.split("/")
	return ["/".join(parts[:i]) for i in range(1, len(parts))]


class Tree:
	"""The work tree as it is."""

	def is_reachable(self, path):
		return all(stat.S_ISDIR(os.lstat(p).st_mode) if os.path.lexists(p) else False
			for p in parents(path))

	def kind(self, path):
		"""f, l, p for what is no entry, d for an empty directory, D for another; nothing for nothing."""
		if path == "":
			return "D"
		if not self.is_reachable(path) or not os.path.lexists(path):
			return None
		mode = os.lstat(path).st_mode
		if stat.S_ISREG(mode):
			return "f"
		if stat.S_ISLNK(mode):
			return "l"
		if stat.S_ISDIR(mode):
			return "D" if os.listdir(path) else "d"
		return "p"

	def entry(self, path):
		info = os.lstat(path)
		kind = self.kind(path)
		if kind == "f":
			with open(path, "rb") as file:
				return Entry("f", stat.S_IMODE(info.st_mode), file.read(), info.st_mtime_ns)
		if kind == "l":
			return Entry("l", 0o777, os.fsencode(os.readlink(path)), info.st_mtime_ns)
		return Entry("d", stat.S_IMODE(info.st_mode), b"", info.st_mtime_ns)

	def is_store(self, path):
		at = path + "/.dig"
		return os.path.isfile(at + "/format") or (os.path.isfile(at) and not os.path.islink(at)
			and open(at, "rb").read().startswith(b"store: /") and
			os.path.isfile(open(at).read()[7:-1] + "/format"))

	def rules(self, directory):
		if directory and (os.path.islink(directory) or not self.is_reachable(directory)):
			return []
		try:
			with open(os.path.join(directory, ".digignore")) as file:
				return file.read().split()
		except (FileNotFoundError, NotADirectoryError):
			return []

	def matches(self, path, is_directory):
		"""Whether the rules of the directories above say that path itself is ignored."""
		for directory in reversed([""] + parents(path)):
			below = path[len(directory) + 1:] if directory else path
			for rule in reversed(self.rules(directory)):
				keeps, pattern = rule.startswith("!"), rule.lstrip("!")
				if pattern.endswith("/"):
					if not is_directory:
						continue
					pattern = pattern[:-1]
				text = below if pattern.startswith("/") else below.rsplit("/", 1)[-1]
				if fnmatch.fnmatchcase(text, pattern.lstrip("/")):
					return not keeps
		return False

	def is_ignored(self, path):
		return any(self.matches(p, True) for p in parents(path)) or \
			self.matches(path, self.kind(path) in ("d", "D"))

	def walk(self, path, force, found):
		kind = self.kind(path)
		if path and not force and self.matches(path, kind in ("d", "D")):
			return
		if kind in ("f", "l", "d"):
			found[path] = kind
		elif kind == "D" and (path == "" or not self.is_store(path)):
			for name in os.listdir(path or "."):
				if name != ".dig":
					self.walk(path + "/" + name if path else name, force, found)

	def files(self):
		"""Whatever is no directory."""
		all = set()
		for top, directories, names in os.walk("."):
			if top == ".":
				directories.remove(".dig")
			links = [d for d in directories if os.path.islink(os.path.join(top, d))]
			all.update(os.path.join(top, name)[2:] for name in names + links)
		return all


class Model:
	def __init__(self, tree):
		self.tree = tree
		self.index, self.unfiled = {}, set()  # paths without a file
		self.was_unfiled = set()              # of staged removals
		self.states = [{}]

	def head(self):
		return self.states[-1]

	def put(self, path, entry, unfiled=False):
		for other in [o for o in self.index if o != path and (within(o, path) or within(path, o))]:
			self.drop(other)
		self.index[path] = entry
		self.unfiled.discard(path)
		self.was_unfiled.discard(path)
		if unfiled:
			self.unfiled.add(path)

	def drop(self, path):
		if self.index.pop(path, None):
			self.was_unfiled.discard(path)
			if path in self.unfiled:
				self.was_unfiled.add(path)
			self.unfiled.discard(path)

	def has_file(self, path, kind):
		there = self.tree.kind(path)
		return there in ("f", "l") or (there in ("d", "D") and kind == "d")

	def add(self, scopes, all, force):
		"""Whether everything could be taken."""
		is_good, found = True, {}
		for scope in scopes:
			kind = self.tree.kind(scope)
			if kind is None:
				is_good &= all and any(within(p, scope) for p in self.index)
			elif scope and not force and self.tree.is_ignored(scope):
				is_good &= scope in self.index
			else:
				self.tree.walk(scope, force, found)
		for path, kind in list(found.items()):
			if kind == "d" and path not in self.index and \
				any(within(p, path) for p in (self.unfiled if all else self.index)):
				del found[path]
		gone = []
		for path in list(self.index):
			if path in found or not any(within(path, scope) for scope in scopes):
				continue
			kind = self.tree.kind(path)
			if kind in ("f", "l", "d"):
				found[path] = kind
			elif all and path not in self.unfiled and not (kind == "D" and self.index[path].kind == "d"):
				gone.append(path)
		for path in found:
			self.put(path, self.tree.entry(path))
		for path in gone:
			self.drop(path)
		return is_good

	def targets(self, paths):
		return [p for p in self.index if any(within(p, path) for path in paths)]

	def refuses_removal(self, paths, cached, force):
		if any(not self.targets([path]) for path in paths):
			return True
		for path in self.targets(paths):
			entry, kind = self.index[path], self.tree.kind(path)
			if not cached and entry.kind != "d" and kind in ("d", "D"):
				return True
			if force or entry.kind == "d" or kind not in ("f", "l", "p"):
				continue
			local = kind == "p" or self.tree.entry(path).but_time() != entry.but_time()
			before = self.head().get(path)
			staged = not before or before.but_time() != entry.but_time()
			if local and staged or not cached and (local or staged):
				return True
		return False

	def reset(self, scopes):
		back = {p: e for p, e in self.head().items()
			if any(within(p, s) for s in scopes) and not same(self.index.get(p), e)}
		unfiled = self.unfiled | self.was_unfiled
		for path in self.targets(scopes):
			if path not in self.head():
				self.drop(path)
		for path, entry in back.items():
			self.put(path, entry, path in unfiled)

	def listed(self, path, entry, is_exact):
		there = self.index.get(path)
		if there and there.but_time() == entry.but_time() and \
			(there.mtime == entry.mtime or not is_exact and entry.mtime is None):
			self.put(path, there, path in self.unfiled)
		else:
			self.put(path, entry, not self.has_file(path, entry.kind))

	def commit(self):
		if {p: e.key() for p, e in self.index.items()} == {p: e.key() for p, e in self.head().items()}:
			return False
		self.states.append(dict(self.index))
		self.was_unfiled = set()
		return True

	def status(self):
		lines, head = {}, self.head()
		for path in set(head) | set(self.index):
			before, now = head.get(path), self.index.get(path)
			if not same(before, now):
				letter = "A" if not before else "D" if not now else "M" if before.kind == now.kind else "T"
				lines[path] = [letter, " "]
		for path, entry in self.index.items():
			letter = self.work_letter(path, entry)
			if letter:
				lines.setdefault(path, [" ", " "])[1] = letter
		found = {}
		self.tree.walk("", False, found)
		for path, kind in found.items():
			if path in self.index or kind == "d" and any(within(p, path) for p in self.unfiled):
				continue
			name = path + "/" if kind == "d" else path
			for above in parents(path):
				if not any(p != above and within(p, above) for p in self.index):
					name = above + "/"
					break
			line = lines.setdefault(name, ["?", "?"])
			line[1] = "?"
		return {path: "".join(letters) for path, letters in lines.items()}

	def work_letter(self, path, entry):
		kind = self.tree.kind(path)
		if kind in ("f", "l", "d"):
			now = self.tree.entry(path)
			if now.kind != entry.kind:
				return "T"
			return "M" if now.but_time() != entry.but_time() or \
				entry.mtime is not None and now.mtime != entry.mtime else None
		if kind == "p":
			return "T"
		if path in self.unfiled:
			return None
		return "D" if kind is None or entry.kind != "d" else None


def all_files(tree, scopes):
	return bool(scopes) and all(tree.kind(s) in ("f", "l") for s in scopes)


class Difference(Exception):
	pass


class Run:
	def __init__(self, seed, with_git):
		self.random, self.with_git = random.Random(seed), with_git
		self.tree, self.log = Tree(), []
		self.model = Model(self.tree)
		self.run(["dig-init-store", "."])
		self.run(["dig-init-store", "../nested"])
		self.roots = self.learn_roots()
		if with_git:
			os.environ.update(GIT_DIR=os.path.abspath("../git"), GIT_WORK_TREE=os.getcwd(),
				GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a",
				GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null")
			self.run(["git", "init", "-q"])
			with open("../git/info/exclude", "w") as file:
				file.write("/.dig\n")

	def run(self, command, input=b""):
		self.log.append(" ".join(command) + (f" <<{input!r}" if input else ""))
		done = subprocess.run(command, input=input, capture_output=True)
		if done.returncode not in (0, 1, 3, 128):
			raise Difference(f"status {done.returncode}: {done.stderr.decode()}")
		self.said = done.stderr.decode(errors="replace")
		self.output = done.stdout
		return done.returncode

	def learn_roots(self):
		"""File roots of all contents, by content."""
		os.mkdir("../contents")
		contents = sorted(set(CONTENTS + TARGETS + [r.encode() for r in RULES]))
		for i, content in enumerate(contents):
			with open(f"../contents/{i}", "wb") as file:
				file.write(content)
		self.run(["dig-hash-object"] + [f"../contents/{i}" for i in range(len(contents))])
		return dict(zip(contents, self.output.decode().split()))

	# --- the work tree ------------------------------------------------------------------------

	def path(self):
		return "/".join(self.random.choice(NAMES) for _ in range(self.random.choice([1, 1, 2, 2, 3])))

	def some_path(self):
		"""Mostly one that is known."""
		known = [p for p in list(self.model.index) + list(self.model.head()) if not p.endswith("ignore")]
		if not known or self.random.random() < 0.25:
			return self.path()
		path = self.random.choice(sorted(known))
		above = parents(path)
		return self.random.choice(above) if above and self.random.random() < 0.4 else path

	def clear(self, path):
		if os.path.islink(path) or os.path.lexists(path) and not os.path.isdir(path):
			os.unlink(path)
		elif os.path.isdir(path):
			shutil.rmtree(path)

	def make_room(self, path):
		for above in parents(path):
			if os.path.lexists(above) and (os.path.islink(above) or not os.path.isdir(above)):
				os.unlink(above)
			if not os.path.isdir(above):
				os.mkdir(above)
		self.clear(path)

	def write(self, path):
		with open(path, "wb") as file:
			file.write(self.random.choice(CONTENTS))
		os.chmod(path, self.random.choice([0o644, 0o644, 0o755]))

	def change(self):
		choice = self.random.choice
		kinds = ["file", "file", "file", "edit", "edit", "link", "full", "full", "nothing", "nothing", "move",
			"touch", "chmod", "rules"]
		if not self.with_git:
			kinds += ["hollow", "fifo", "store", "junk"]
		kind, path = choice(kinds), self.some_path()
		self.log.append(f"{kind} {path}")
		if kind in ("edit", "touch", "chmod", "nothing", "move") and self.tree.kind(path) is None:
			kind = "file"
		if kind == "edit" and self.tree.kind(path) != "f":
			kind = "file"
		if kind == "nothing":
			self.clear(path)
		elif kind == "touch":
			os.utime(path, ns=(0, choice(TIMES)), follow_symlinks=False)
		elif kind == "chmod":
			if self.tree.kind(path) == "f":
				os.chmod(path, choice([0o644, 0o755]))
		elif kind == "edit":
			self.write(path)
		elif kind == "move":
			target = self.path()
			if not within(target, path) and not within(path, target):
				self.make_room(target)
				if os.path.lexists(path):
					os.rename(path, target)
		elif kind == "rules":
			self.change_rules()
		else:
			self.make_room(path)
			self.make(kind, path)
		if self.with_git:
			self.prune()

	def prune(self):
		"""git knows no empty directories."""
		for top, directories, _ in os.walk(".", topdown=False):
			if not top.startswith("./.dig") and top != "." and not os.listdir(top):
				os.rmdir(top)

	def make(self, kind, path):
		if kind == "file":
			self.write(path)
		elif kind == "link":
			os.symlink(os.fsdecode(self.random.choice(TARGETS)), path)
		elif kind == "fifo":
			os.mkfifo(path)
		else:
			os.mkdir(path)
		if kind in ("full", "store", "junk"):
			for name in self.random.sample(NAMES, self.random.choice([1, 2])):
				self.write(path + "/" + name)
		if kind == "store":
			if self.random.random() < 0.5:
				shutil.copytree("../nested/.dig", path + "/.dig")
			else:
				with open(path + "/.dig", "w") as file:
					file.write("store: " + os.path.abspath("../nested/.dig") + "\n")
		if kind == "junk":
			self.random.choice([lambda: os.mkdir(path + "/.dig"), lambda: self.write(path + "/.dig"),
				lambda: os.symlink("nowhere", path + "/.dig")])()

	def change_rules(self):
		directory = self.random.choice([".", ".", ".", "a"])
		if not os.path.isdir(directory) or os.path.islink(directory):
			directory = "."
		rules = self.random.choice(RULES)
		for name in [".digignore"] + [".gitignore"] * self.with_git:
			path = os.path.join(directory, name)
			self.clear(path)
			if rules:
				with open(path, "w") as file:
					file.write(rules)

	# --- commands -----------------------------------------------------------------------------

	def expect(self, what, actual, expected):
		if actual != expected:
			raise Difference(f"{what}: {actual!r}, expected {expected!r}; {self.said}")

	def in_store(self, path):
		return any(self.tree.kind(p) == "D" and self.tree.is_store(p) for p in parents(path))

	def scopes(self):
		if self.random.random() < 0.4:
			return []
		paths = [self.some_path() for _ in range(self.random.choice([1, 1, 2, 3]))]
		return [p for p in paths if not self.in_store(p)]

	def add(self):
		scopes, all, force = self.scopes(), self.random.random() < 0.7, self.random.random() < 0.15
		if self.with_git:
			scopes = [s for s in scopes[:1] if self.tree.kind(s) not in (None, "d", "p")]
			force = force and bool(scopes)  # or git would take the store
			all = all or not all_files(self.tree, scopes)
		if not scopes and not all:
			scopes = ["."]
		options = ["-A"] * all + ["-f"] * force
		status = self.run(["dig-add"] + options + ["--"] + scopes)
		wanted = ["" if s == "." else s for s in scopes] or [""]
		is_below_ignored = any(self.tree.matches(p, True) for s in wanted for p in parents(s))
		is_good = self.model.add(wanted, all, force)
		self.expect("status of add is 0", status == 0, is_good)
		if self.with_git:
			git = self.run(["git", "add"] + (["-A"] if all else ["--ignore-removal"]) + ["-f"] * force + ["--"] +
				(scopes or ["."]))
			if not is_below_ignored:
				self.expect("status of git add is 0", git == 0, is_good)

	def rm(self):
		paths = [p for p in [self.some_path() for _ in range(self.random.choice([1, 1, 2]))] if not self.in_store(p)]
		if not paths:
			return
		cached, force = self.random.random() < 0.4, self.random.random() < 0.4
		options = ["--cached"] * cached + ["-f"] * force
		refuses = self.model.refuses_removal(paths, cached, force)
		targets = self.model.targets(paths)
		files = {p for p in targets if self.model.index[p].kind != "d"}
		in_the_way = not cached and any(self.tree.kind(p) in ("d", "D") for p in files)
		through_link = any(os.path.islink(above) for p in files for above in parents(p))
		compares = self.with_git and not in_the_way and not through_link and all(any(within(p, path) for p in files) for path in paths)
		if compares:
			git = self.run(["git", "rm", "-r", "-n", "-q"] + options + ["--"] + paths)
			self.expect("git rm refuses", git != 0, refuses)
		before = self.tree.files()
		status = self.run(["dig-rm"] + options + ["--"] + paths)
		self.expect("rm refuses", status != 0, refuses)
		reached = set() if refuses or cached else files
		self.expect("files that are left", sorted(self.tree.files()), sorted(before - reached))
		if not refuses:
			for path in targets:
				self.model.drop(path)
			if self.with_git and files:
				self.run(["git", "update-index", "--force-remove", "--"] + sorted(files))

	def reset(self):
		scopes = self.scopes()
		status = self.run(["dig-reset", "-q", "--"] + scopes)
		if status == 0:
			self.model.reset(scopes or [""])
			if self.with_git:
				self.run(["git", "reset", "-q", "--"] + scopes)

	def stream(self):
		path, content = self.some_path(), self.random.choice(CONTENTS)
		self.expect("status of add --stdin", self.run(["dig-add", "--stdin", "--path=" + path], content), 0)
		self.model.put(path, Entry("f", 0o644, content, None), not self.model.has_file(path, "f"))

	def line(self, path, entry):
		kinds = {"f": "10", "l": "12", "d": "04"}
		time = "" if entry.mtime is None else f" {entry.mtime}"
		return f"{kinds[entry.kind]}{entry.mode:04o} {len(entry.content)} {self.roots[entry.content]}{time}\t{path}\n"

	def list(self):
		known = [e for state in [self.model.index] + self.model.states[-3:] for e in state.values()]
		text, lines = "", []
		for _ in range(self.random.choice([1, 2, 4])):
			path = self.some_path()
			if known and self.random.random() < 0.8:
				entry = self.random.choice(known)
				if self.with_git and (entry.kind == "d" or self.tree.kind(path) not in ("f", "l")):
					continue
				if self.random.random() < 0.3:
					entry = Entry(entry.kind, entry.mode, entry.content, None)
				if not any(p == path for p, _ in lines):
					lines.append((path, entry))
			elif not any(within(p, path) or within(path, p) for p, _ in lines):
				lines.append((path, None))
		for path, entry in lines:
			text += self.line(path, entry) if entry else f"000000 0 {'0' * 64}\t{path}\n"
		self.expect("status of a list", self.run(["dig-update-index", "--index-info"], text.encode()), 0)
		for path, entry in lines:
			if entry:
				self.model.listed(path, entry, False)
			else:
				self.model.drop(path)
			if self.with_git:
				self.git_put(path, entry)

	def git_put(self, path, entry):
		if not entry:
			self.run(["git", "update-index", "--force-remove", "--", path])
			return
		self.run(["git", "hash-object", "-w", "--stdin"], entry.content)
		mode = "120000" if entry.kind == "l" else "100755" if entry.mode & 0o100 else "100644"
		self.run(["git", "update-index", "--add", "--replace", "--cacheinfo",
			f"{mode},{self.output.decode().strip()},{path}"])

	def restore(self):
		number = self.random.randrange(len(self.model.states))
		if self.with_git or number == 0:
			return
		self.expect("status of ls-root", self.run(["dig-ls-root", f"@{number}"]), 0)
		self.expect("status of a whole list",
			self.run(["dig-update-index", "--index-info", "--replace"], self.output), 0)
		wanted = self.model.states[number]
		for path in [p for p in self.model.index if p not in wanted]:
			self.model.drop(path)
		for path, entry in wanted.items():
			self.model.listed(path, entry, True)

	def trip(self):
		"""What is staged, listed and staged again: nothing changes."""
		self.run(["dig-ls-index", "-s", "-z"])
		self.expect("status of a list", self.run(["dig-update-index", "--index-info", "-z"], self.output), 0)

	def commit(self):
		status = self.run(["dig-commit", "-q", "-m", "a commit"])
		self.expect("status of commit", status, 0 if self.model.commit() else 1)
		if status == 0:
			self.run(["dig-ls-root", "-z", "HEAD"])
			self.compare("state", self.parsed(self.output), self.model.head())
			if self.with_git:
				self.run(["git", "commit", "-q", "--allow-empty", "-m", "a commit"])

	def extract(self):
		if len(self.model.states) == 1:
			return
		number = self.random.randrange(1, len(self.model.states))
		state = self.model.states[number]
		for path in state:
			self.make_room(path)
		self.expect("status of extract", self.run(["dig-checkout-root", "-f", f"@{number}", "."]), 0)
		for path, entry in state.items():
			there = self.tree.kind(path) and self.tree.entry(path)
			if not there or there.but_time() != entry.but_time() or entry.mtime not in (None, there.mtime):
				raise Difference(f"extract made another {path}")

	# --- comparing ----------------------------------------------------------------------------

	def parsed(self, output):
		kinds, all = {"10": "f", "12": "l", "04": "d"}, {}
		contents = {root: content for content, root in self.roots.items()}
		for record in output.decode().split("\0")[:-1]:
			fields, path = record.split("\t", 1)
			mode, _, root, *time = fields.split(" ")
			all[path] = Entry(kinds[mode[:2]], int(mode[2:], 8), contents.get(root), int(time[0]) if time else None)
		return all

	def compare(self, what, actual, expected):
		for path in sorted(set(actual) | set(expected)):
			a, b = actual.get(path), expected.get(path)
			if not same(a, b):
				raise Difference(f"{what} of {path}: {a and a.key()}, expected {b and b.key()}")

	def check(self):
		self.run(["dig-ls-index", "-z"])
		self.compare("index", self.parsed(self.output), self.model.index)
		self.run(["dig-status", "-z"])
		actual = {r[3:]: r[:2] for r in self.output.decode().split("\0")[:-1]}
		expected = self.model.status()
		for path in sorted(set(actual) | set(expected)):
			if actual.get(path) != expected.get(path):
				raise Difference(f"status of {path}: {actual.get(path)!r}, expected {expected.get(path)!r}")
		if self.with_git:
			self.check_git()

	def check_git(self):
		self.run(["git", "ls-files", "-s", "-z"])
		actual = {}
		for record in self.output.decode().split("\0")[:-1]:
			fields, path = record.split("\t", 1)
			actual[path] = fields
		expected = {}
		for path, entry in self.model.index.items():
			if entry.kind != "d":
				mode = "120000" if entry.kind == "l" else "100755" if entry.mode & 0o100 else "100644"
				blob = hashlib.sha1(b"blob %d\0" % len(entry.content) + entry.content).hexdigest()
				expected[path] = f"{mode} {blob} 0"
		if actual != expected:
			paths = sorted(p for p in set(actual) | set(expected) if actual.get(p) != expected.get(p))
			raise Difference(f"git has another index: {[(p, actual.get(p), expected.get(p)) for p in paths]}")

	def go(self, operations):
		commands = [self.add] * 7 + [self.rm] * 3 + [self.reset] * 2 + [self.list] * 2 + [self.commit] * 3 + \
			[self.restore, self.trip, self.extract]
		if not self.with_git:
			commands += [self.stream] * 2
		done = 0
		while done < operations:
			for _ in range(self.random.choice([1, 2, 4, 6])):
				self.change()
				done += 1
			self.random.choice(commands)()
			self.check()
			done += 1


def main():
	with_git = sys.argv[1] == "--git"
	seed, operations = (int(a) for a in sys.argv[1 + with_git:])
	run = Run(seed, with_git)
	try:
		run.go(operations)
	except Difference as difference:
		print(f"seed {seed}, after {len(run.log)} steps: {difference}")
		print("\n".join("  " + line for line in run.log[-30:]))
		sys.exit(1)


main()
