#!/bin/sh
# Does what README.md says under "Try it", and docs/tutorial.md, on a machine
# that has Go, git, make, curl, a shell and coreutils, and nothing else: PATH
# leads to no other program. make run has to vend a token within a minute, the
# tutorial's commands have to print what it says, and make test has to pass.
#
#   internal/bare/run.sh             all of it
#   internal/bare/run.sh run         make run alone
#   internal/bare/run.sh tutorial    the tutorial alone
#   internal/bare/run.sh readme      all but the tutorial, whose commands make test runs too
#
# BARE_CACHE names a build cache; by default it is the one go uses anyway.
set -eu
cd "$(dirname "$0")/../.."

coreutils='[ arch base64 basename cat chmod chown comm cp csplit cut date dd df dirname du echo env expand expr
factor false fmt fold groups head hostid id install join kill ln logname ls mkdir mkfifo mknod mktemp mv nice nl
nohup nproc od paste pathchk pr printenv printf pwd readlink realpath rm rmdir seq sha256sum sha512sum shred
shuf sleep sort split stat stty sum sync tac tail tee test timeout touch tr true truncate tsort tty uname
unexpand uniq unlink wc who whoami yes'

work=$(mktemp -d)
chmod 755 "$work" # tests run programs of theirs as another user, too
server=
finish() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait
	fi
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

# Not command -v: the shell has some of these built in.
program() {
	(
		IFS=:
		for dir in $PATH; do
			if [ -x "$dir/$1" ] && [ ! -d "$dir/$1" ]; then
				echo "$dir/$1"
				break
			fi
		done
	)
}

mkdir "$work/bin" "$work/home" "$work/tmp"
for name in go git make curl sh $coreutils; do
	found=$(program "$name")
	if [ -n "$found" ]; then
		ln -s "$found" "$work/bin/$name"
		continue
	fi
	case $name in go | git | make | curl | sh) echo "bare: $name is not on this machine" >&2 && exit 1 ;; esac
done

# What Go was told of proxies and caches counts here too.
goflags=$(go env GOFLAGS)
bare() {
	env -i PATH="$work/bin" HOME="$work/home" TMPDIR="$work/tmp" GOFLAGS="$goflags" GOPROXY="$(go env GOPROXY)" \
		GOSUMDB="$(go env GOSUMDB)" GOMODCACHE="$(go env GOMODCACHE)" GOCACHE="${BARE_CACHE:-$(go env GOCACHE)}" "$@"
}

seconds() { date +%s; }

tutorial() {
	began=$(seconds)
	bare "$work/bin/go" test ./cmd/tokenvend -count=1 -run '^TestTutorial$' -args -verbatim
	echo "bare: docs/tutorial.md was done after $(($(seconds) - began)) s"
}
if [ "${1:-}" = tutorial ]; then
	tutorial
	exit
fi

began=$(seconds)
# timeout is a process group of its own, and hands what ends it to all in it.
bare sh -c 'echo $$ >"$TMPDIR/pid" && exec timeout 900 make run' >"$work/out" 2>&1 &
while [ ! -s "$work/tmp/pid" ]; do sleep 0.1; done
server=$(cat "$work/tmp/pid")
line=
for _ in $(seq 600); do
	line=$(while read -r one; do case $one in *curl*--aws-sigv4*tokens/monta*) echo "$one" && break ;; esac; done <"$work/out")
	[ -z "$line" ] || break
	kill -0 "$server" 2>/dev/null || { echo "bare: make run ended:" >&2 && cat "$work/out" >&2 && exit 1; }
	sleep 0.5
done
[ -n "$line" ] || { echo "bare: make run printed no line to paste:" >&2 && cat "$work/out" >&2 && exit 1; }
line="curl ${line#*curl }"
answer=$(bare "$work/bin/sh" -c "$line")
case $answer in
*'"access_token":"'*) echo "bare: make run vended a token after $(($(seconds) - began)) s" ;;
*) echo "bare: the line that make run printed gave: $answer" >&2 && exit 1 ;;
esac
kill "$server" 2>/dev/null || true
wait
server=
[ "${1:-}" != run ] || exit 0

[ "${1:-}" = readme ] || tutorial

began=$(seconds)
bare "$work/bin/make" test
echo "bare: make test passed after $(($(seconds) - began)) s, as $(id -un)"
