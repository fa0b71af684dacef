#!/bin/sh
# Many small files by one process, in any order, beside git cat-file with the same requests.

. "$(dirname "$0")/perf-lib.sh"

count=$(pick 20000 5000) && small=$data/small-$count

# in_any_order COMMAND: requests for all files of the tree, in an order that is the same in each run.
in_any_order () {
	sed "s,^$small/,$1 HEAD:," "$small.list" | awk '{ print (NR * 7919) % 20011 "\t" $0 }' | sort -n | cut -f 2-
}

write_git () {
	git init -q . && git --work-tree="$small" add -A && git -c user.name=x -c user.email=x commit -q -m one &&
		git repack -adq
}

in_both () {
	stored "$small" && once "$state/git-$count" write_git &&
		in_any_order contents >contents && in_any_order info >infos
}

perf "$count files: contents" --needs "small $count" --files $count --target '100000 files/s' --prepare in_both \
	'dig-cat --buffer --batch-command <contents >/dev/null'
peer git --target '0.5 x' --prepare in_both "git -C '$state/git-$count' cat-file --buffer --batch-command <contents >/dev/null"
perf "$count files: sizes" --needs "small $count" --files $count --target '200000 files/s' --prepare in_both \
	'dig-cat --buffer --batch-command <infos >/dev/null'
peer git --target '0.5 x' --prepare in_both "git -C '$state/git-$count' cat-file --buffer --batch-command <infos >/dev/null"
perf "$count files: contents, to a program" --needs "small $count" --files $count --prepare in_both \
	'dig-cat --batch-command <contents | cat >/dev/null'
peer git --prepare in_both "git -C '$state/git-$count' cat-file --batch-command <contents | cat >/dev/null"

perf_done
