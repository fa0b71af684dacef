#!/bin/sh

test_description='a store is used only if all that leads to it belongs to who uses it'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq ROOT || {
	skip_all='only root can give files to others'
	test_done
}
stranger=65534

# as_stranger CMD...: for who calls root by sudo, and for stores that root has written in.
as_stranger () {
	setpriv --reuid=$stranger --clear-groups "$@"
}
# What is built may lie where only root may look.  A new setpriv starts it there all the same, and what
# that starts cannot.
as_stranger env dig --version >/dev/null 2>&1 && test_set_prereq SETPRIV

refused () {
	test_expect_code 128 "$@" 2>err >out &&
	grep "belongs to another user ($stranger)" err && test ! -s out
}

test_expect_success 'a store of ours, and one of a stranger' '
	dig init ours >/dev/null && echo ours >ours/f && (cd ours && commit_all ours) &&
	dig init theirs >/dev/null && echo theirs >theirs/f && (cd theirs && commit_all theirs) &&
	(cd ours && dig info root) >root &&
	chown -R $stranger theirs
'

test_expect_success "a stranger's store is refused by every command, before anything of it is read" '
	printf "[#" >theirs/.dig/config.toml &&
	(
		cd theirs &&
		for command in "status" "log" "ls" "add f" "add -A" "commit -m x" "rm f" "reset" "diff" "show" "check" \
			"extract ../x" "cat HEAD:f" "info" "ls-index" "ls-work" "write-layer -m x" "config core.author" \
			"config --list" "config core.author me" "config --unset core.author" "check-ignore f" "hash-object f"
		do
			refused dig $command || { echo "dig $command" && exit 1; }
		done
	) &&
	printf "[#" >expect && test_cmp expect theirs/.dig/config.toml
'

test_expect_success 'however it is named' '
	rm theirs/.dig/config.toml &&
	refused dig -C theirs log &&
	refused dig -C theirs/.dig log &&
	refused env DIG_DIR=theirs/.dig dig log &&
	refused env DIG_DIR="$PWD/theirs/.dig/" dig log &&
	id=$(cat theirs/.dig/store-id) &&
	refused env DIG_STORES="$PWD/theirs" dig get urn:dig:chia:$id/f &&
	mkdir attached && refused dig init --attach=theirs/.dig attached && test ! -e attached/.dig
'

test_expect_success "a stranger's file or link that points to our store is refused" '
	mkdir evil && echo evil >evil/f &&
	echo "store: $PWD/ours/.dig" >evil/.dig && chown -h $stranger evil/.dig &&
	(cd evil && refused dig add -A && refused dig commit -m x && refused dig config core.author evil) &&
	rm evil/.dig && ln -s ../ours/.dig evil/.dig && chown -h $stranger evil/.dig &&
	(cd evil && refused dig add -A && refused dig log) &&
	refused env DIG_DIR=evil/.dig dig log &&
	ln -s evil/.dig link && refused env DIG_DIR=link dig log &&
	(cd ours && dig info root) >actual && test_cmp root actual && test ! -e ours/.dig/staging/pack
'

test_expect_success 'what is no regular file is no pointer' '
	mkdir odd && mkfifo odd/.dig &&
	test_expect_code 128 dig -C odd log 2>err && grep "neither a store nor" err
'

test_expect_success "a stranger's staging area is refused" '
	mkdir staging && chown $stranger staging &&
	(cd ours && refused env DIG_STAGING_DIR=../staging dig status &&
		refused env DIG_STAGING_DIR="$PWD/../staging" dig add -A) &&
	test -z "$(ls staging)"
'

# safe VALUE
safe () {
	dig config --global safe.directory "$1"
}

test_expect_success 'safe.directory names the store or the work tree, by any of its names' '
	ln -s theirs their-link &&
	for name in "$PWD/theirs" "$PWD/theirs/" "$PWD/theirs//" "$PWD/theirs/.dig" "$PWD/theirs/.dig/" "$PWD/their-link" \
		"$PWD/their-link/" "$PWD/*" "$PWD/theirs/*" "*" "/*"
	do
		safe "$name" && dig -C theirs log >/dev/null && env DIG_DIR=theirs/.dig dig log >/dev/null ||
			{ echo "$name"; return 1; }
	done &&
	for name in "$PWD/thei" "$PWD/theirs/f" "$PWD/ours" "$PWD/thei*" "/"
	do
		safe "$name" && refused dig -C theirs log || { echo "$name"; return 1; }
	done
'

test_expect_success "that our store is safe makes no stranger's pointer to it safe" '
	safe "[\"$PWD/ours\", \"$PWD/ours/.dig\"]" &&
	refused dig -C evil log &&
	safe "$PWD/evil" && dig -C evil log >/dev/null &&
	dig config --global --unset safe.directory
'

test_expect_success "a work tree that is safe does not speak for what a variable names" '
	dig init --store="$PWD/strange" with-strange >/dev/null && chown $stranger strange && mkdir here &&
	safe "[\"$PWD/here\", \"$PWD/here/*\"]" &&
	(cd here && refused env DIG_DIR=../strange dig log && refused env DIG_DIR=../strange DIG_WORK_TREE=. dig log) &&
	safe "$PWD/strange" && (cd here && DIG_DIR=../strange dig log && DIG_DIR=../strange/ dig log) &&
	safe "$PWD/theirs" && DIG_DIR=theirs/.dig/ dig log >/dev/null &&
	dig config --global --unset safe.directory
'

test_expect_success 'the message says what to do, and it helps' '
	test_expect_code 128 dig -C theirs log 2>err &&
	sed -n "s/^  //p" err >advice && grep "^dig config --global safe.directory" advice &&
	sh advice && dig -C theirs log >/dev/null &&
	dig config --global --unset safe.directory
'

test_expect_success 'root takes what belongs to who called sudo, and nobody else does' '
	SUDO_UID=$stranger dig -C theirs log >/dev/null &&
	refused env SUDO_UID=1 dig -C theirs log &&
	refused env SUDO_UID= dig -C theirs log &&
	refused env SUDO_UID=${stranger}x dig -C theirs log &&
	refused env SUDO_UID=4295032830 dig -C theirs log
'

test_expect_success SETPRIV 'SUDO_UID is nothing to who is not root' '
	chmod 755 . && test_expect_code 128 as_stranger env SUDO_UID=0 dig -C ours log 2>err &&
	grep "belongs to another user (0)" err
'

test_expect_success SETPRIV 'files that root made in the store of another: what to do is said' '
	dig init mixed >/dev/null && echo f >mixed/f && chown -R $stranger mixed &&
	(cd mixed && SUDO_UID=$stranger dig add f && chmod 600 .dig/staging/*) &&
	test_expect_code 128 as_stranger dig -C mixed add f 2>err &&
	grep "Permission denied; it belongs to another user (0).*chown -R USER.*mixed/.dig" err
'

test_expect_success SETPRIV 'a global file that may not be read is told of once, and is no obstacle' '
	mkdir home && mkdir -p home/.config/dig && echo "[core]" >home/.config/dig/config.toml && chmod 700 home &&
	dig init plain >/dev/null && echo f >plain/f && chown -R $stranger plain &&
	(
		cd plain && HOME=$PWD/../home && export HOME &&
		as_stranger dig add f 2>../err && as_stranger dig commit -q -m x 2>../err2 && as_stranger dig log >out
	) &&
	test $(grep -c "cannot open .*home/.config/dig/config.toml.: Permission denied" err) = 1 &&
	test $(grep -c "Permission denied" err2) = 1 &&
	chmod 755 home && chmod 600 home/.config/dig/config.toml &&
	(cd plain && HOME=$PWD/../home && export HOME && as_stranger dig status 2>../err) &&
	test $(grep -c "Permission denied" err) = 1 &&
	(
		cd plain && HOME=$PWD/../home && export HOME &&
		test_expect_code 128 as_stranger dig config --global core.author me 2>../err
	)
'

test_expect_success 'a store alone is found from within it, and has no work tree' '
	dig init --store="$PWD/alone" tree >/dev/null && echo f >tree/f && (cd tree && commit_all alone) &&
	dig -C alone log >actual && dig -C tree log >expect && test_cmp expect actual &&
	dig -C alone/layers log >actual && test_cmp expect actual &&
	dig -C alone ls >actual && echo f >expect && test_cmp expect actual &&
	dig -C alone check -q && dig -C alone cat HEAD:f && dig -C alone extract ../extracted && test -f extracted/f &&
	for command in "add f" "status" "ls-work" "rm f" "check-ignore f"
	do
		test_expect_code 128 dig -C alone $command 2>err && grep "has no work tree here" err || return 1
	done &&
	chown $stranger alone && refused dig -C alone log && refused dig -C tree log && chown 0 alone
'

test_expect_success 'a store that is there gets another work tree' '
	dig init --attach=alone second >actual && echo "attached to the store $PWD/alone" >expect && test_cmp expect actual &&
	echo "store: $PWD/alone" >expect && test_cmp expect second/.dig &&
	dig -C second log >actual && dig -C tree log >expect && test_cmp expect actual &&
	echo more >second/more && (cd second && dig add more && dig commit -q -m more) &&
	dig -C tree ls >actual && printf "f\nmore\n" >expect && test_cmp expect actual &&
	test_expect_code 128 dig init --attach=alone second 2>err && grep "there is a store already" err &&
	test_expect_code 10 dig init --attach=tree third && test_expect_code 10 dig init --attach=nowhere third &&
	test_expect_code 129 dig init --attach=alone --store=x third && test ! -e third/.dig
'

test_done
