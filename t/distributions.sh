#!/bin/sh
# The two commands of README.md in a bare system of each named release of Debian: a compiler,
# make and git are there, and install-deps brings the rest.
#
#	t/distributions.sh                        bookworm, trixie and sid
#	t/distributions.sh trixie
#
# For root, by hand, and not a part of "make check": it takes a network, debootstrap, 4 GB in
# $TEST_TMPDIR (default /tmp) and a quarter of an hour a release.  The committed state of this
# checkout is cloned, nothing else.  A system that works is removed again; of one that does not,
# the directory stays, and is used again by the next run.

releases=${*:-bookworm trixie sid}
checkout=$(cd "$(dirname "$0")/.." && pwd -P)
place=${TEST_TMPDIR:-/tmp}/dig-distributions

die () {
	echo "distributions: $*" >&2
	exit 1
}

test "$(id -u)" = 0 || die "only root can make a bare system"
command -v debootstrap >/dev/null || die "debootstrap is not installed"
mkdir -p "$place" || exit 1

leave () {
	umount -R "$system/dev" "$system/proc" 2>/dev/null
}

# enter COMMAND...: runs it in $system, with an environment of its own.
enter () {
	chroot "$system" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"
}

# Whether both commands work in the bare system of a release; what they print is in $log.
try () {
	release=$1 system=$place/$1 log=$place/$1.log
	test -e "$system/made" || {
		rm -rf --one-file-system "$system" &&
		debootstrap --variant=minbase --include=g++,make,git "$release" "$system" >"$log" 2>&1 &&
		touch "$system/made" || return 1
	}
	rm -rf "$system/root/dig" "$system/root/dig.git" &&
	git clone -q --bare "$checkout" "$system/root/dig.git" || return 1
	cp /etc/resolv.conf /etc/hosts "$system/etc/"
	# What a download needs on this machine, such as a proxy, it needs in there.
	apt-config dump | grep -E '^Acquire::(Check|Retries|https?|[^ ]*Proxy)' \
		>"$system/etc/apt/apt.conf.d/90-as-outside"
	mount -t proc proc "$system/proc" && mount --rbind /dev "$system/dev" &&
		mount --make-rslave "$system/dev" || return 1
	enter sh -c '
		git clone -q /root/dig.git /root/dig && cd /root/dig &&
		make demo && make deps-remote check &&
		echo "versions: $(g++ -dumpfullversion) g++, $(git --version)" &&
		dpkg-query -W -f "\${db:Status-Status} \${Package} \${Version}\n" "libboost*-dev" libcrypto++-dev |
			sed -n "s/^installed //p"
	' >"$log" 2>&1
}

trap 'leave; exit 130' HUP INT TERM
failed=
for release in $releases
do
	if try "$release"
	then
		echo "$release: both commands work ($(grep '^Files=' "$log"))"
		sed -n '/^versions: /,$p' "$log" | sed 's/^/  /'
		leave
		rm -rf --one-file-system "$system"
	else
		tail -n 30 "$log"
		echo "$release: failed; see $log"
		leave
		failed=t
	fi
done
test -z "$failed"
