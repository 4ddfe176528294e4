# SPDX-License-Identifier: MIT
# Installs what Drydock needs; sourced by tools/drydock. Quick when nothing is missing.
# Needs ROOT and DRYDOCK_CACHE. Packages come from Debian through apt; what Debian 12 has not got, or has
# for another architecture only, is unpacked into a private folder and never installed.
# Functions whose body is in ( ) have variables of their own.

say()
{
	printf '%s\n' "$*" >&2
}

SETUP_PACKAGES="build-essential cmake ninja-build pkg-config python3
	libcmocka-dev libfdt-dev libcapstone-dev libzydis-dev device-tree-compiler lcov clang-format
	qemu-system-arm qemu-system-misc qemu-system-x86 seabios spin"
# A compiler for each guest architecture that is not this machine's.
setup_machine=$(uname -m)
[ "$setup_machine" = aarch64 ] || SETUP_PACKAGES="$SETUP_PACKAGES gcc-aarch64-linux-gnu"
[ "$setup_machine" = x86_64 ] || SETUP_PACKAGES="$SETUP_PACKAGES gcc-x86-64-linux-gnu"
[ "$setup_machine" = riscv64 ] || SETUP_PACKAGES="$SETUP_PACKAGES gcc-riscv64-linux-gnu"

# The guests that are booted when none is named: folder in the cache, Debian's architecture, suite.
SETUP_GUESTS="debian12-arm64:arm64:bookworm debian13-riscv64:riscv64:trixie debian12-amd64:amd64:bookworm"

setup_fail()
{
	say "drydock: $1"
	exit 1
}

setup_has_apt()
{
	command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1
}

# Names of the packages that are not installed.
setup_missing()
{
	for package in $SETUP_PACKAGES; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
			printf '%s ' "$package"
	done
}

setup_as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		setup_fail "this needs root; run it yourself, then try again: $*"
	fi
}

setup_packages()
{
	missing=$(setup_missing)
	[ -n "$missing" ] || return 0
	say "drydock: installing $missing"
	export DEBIAN_FRONTEND=noninteractive
	mkdir -p "$DRYDOCK_CACHE"
	log=$DRYDOCK_CACHE/apt-install.log
	# shellcheck disable=SC2086
	if ! { setup_as_root apt-get update -q && setup_as_root apt-get install -y -q \
		--no-install-recommends $missing; } >"$log" 2>&1; then
		tail -n 15 "$log" >&2
		setup_fail "apt could not install: $missing(the whole log is $log)"
	fi
}

# The Debian mirror this machine is set up with.
setup_mirror()
{
	for list in /etc/apt/sources.list.d/*.sources; do
		[ -f "$list" ] && awk 'tolower($1) == "uris:" && $2 !~ /security/ { print $2; exit }' "$list"
	done
	for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$list" ] && awk '$1 == "deb" { for (i = 2; i <= NF; i++)
			if ($i ~ /^[a-z]+:\/\// && $i ~ /debian/ && $i !~ /security/) { print $i; exit } }' "$list"
	done
	:
}

# apt with sources, lists and cache of its own: setup_apt ARCH SUITE PROGRAM ARG…
setup_apt()
(
	arch=$1
	suite=$2
	program=$3
	shift 3
	state=$DRYDOCK_CACHE/apt/$suite-$arch
	mirror=$(setup_mirror | head -n 1)
	[ -n "$mirror" ] || setup_fail "no Debian mirror found in /etc/apt; add one there and try again"
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
		"$mirror" "$suite" >"$state/sources.list"
	"$program" -q -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" \
		-o Dir::State::status=/dev/null -o APT::Architecture="$arch" \
		-o APT::Architectures="$arch" -o APT::Sandbox::User=root "$@"
)

# setup_unpack ARCH SUITE FOLDER PACKAGE…: downloads the packages and unpacks them into FOLDER.
setup_unpack()
(
	arch=$1
	suite=$2
	folder=$3
	shift 3
	log=$DRYDOCK_CACHE/apt-$suite-$arch.log
	rm -rf "$folder.tmp"
	mkdir -p "$folder.tmp/.deb"
	if ! { setup_apt "$arch" "$suite" apt-get update &&
		(cd "$folder.tmp/.deb" && setup_apt "$arch" "$suite" apt-get download "$@"); } >"$log" 2>&1; then
		tail -n 15 "$log" >&2
		setup_fail "apt could not fetch $* of $suite for $arch (the whole log is $log)"
	fi
	for deb in "$folder.tmp/.deb"/*.deb; do
		dpkg -x "$deb" "$folder.tmp"
	done
	rm -rf "$folder.tmp/.deb" "$folder"
	mv "$folder.tmp" "$folder"
)

# Unicorn before 2.1.1 cannot run a guest that has its MMU on; Debian 12 has 2.0.1, Debian 13 has 2.1.1.
setup_unicorn()
{
	if pkg-config --atleast-version=2.1.1 unicorn 2>/dev/null; then
		return 0
	fi
	[ ! -e "$DRYDOCK_CACHE/unicorn/usr/include/unicorn/unicorn.h" ] || return 0
	say "drydock: fetching Unicorn 2.1.1"
	setup_unpack "$(dpkg --print-architecture)" trixie "$DRYDOCK_CACHE/unicorn" \
		libunicorn2t64 libunicorn-dev
}

# setup_guest FOLDER ARCH SUITE: Debian's kernel, under one name whatever the package calls it, and a
# static busybox.
setup_guest()
(
	folder=$DRYDOCK_CACHE/guests/$1
	if [ ! -f "$folder/vmlinuz" ] || [ ! -f "$folder/busybox" ]; then
		say "drydock: fetching Debian's $2 kernel ($3) and busybox"
		mkdir -p "$DRYDOCK_CACHE/guests"
		log=$DRYDOCK_CACHE/apt-guest-$2.log
		setup_apt "$2" "$3" apt-get update >"$log" 2>&1 ||
			setup_fail "apt could not read the lists (see $log)"
		image=$(setup_apt "$2" "$3" apt-cache show --no-all-versions "linux-image-$2" |
			sed -n 's/^Depends:.*\(linux-image-[0-9][^ ,]*\).*/\1/p' | head -n 1)
		[ -n "$image" ] || setup_fail "Debian's $3 has no linux-image-$2"
		setup_unpack "$2" "$3" "$folder.deb" "$image" busybox-static
		rm -rf "$folder"
		mkdir -p "$folder"
		mv "$folder.deb"/boot/vmlinu[xz]-* "$folder/vmlinuz"
		mv "$folder.deb"/bin/busybox "$folder/busybox" 2>/dev/null ||
			mv "$folder.deb"/usr/bin/busybox "$folder/busybox"
		rm -rf "$folder.deb"
	fi
	setup_initramfs "$1"
)

# setup_guests COMMAND: runs COMMAND FOLDER ARCH SUITE for each guest.
setup_guests()
(
	for guest in $SETUP_GUESTS; do
		rest=${guest#*:}
		"$1" "${guest%%:*}" "${rest%%:*}" "${rest#*:}"
	done
)

# The initramfs belongs to this checkout: it is made again when its parts are newer.
setup_initramfs()
(
	folder=$ROOT/build/guests/$1
	out=$folder/initramfs.cpio
	busybox=$DRYDOCK_CACHE/guests/$1/busybox
	if [ -f "$out" ] && [ -z "$(find "$ROOT/tools/guest" "$busybox" -newer "$out" -type f)" ]; then
		return 0
	fi
	mkdir -p "$folder"
	python3 "$ROOT/tools/guest/initramfs.py" --busybox "$busybox" --init "$ROOT/tools/guest/init" \
		--out "$out"
)

# setup_lacks_guest FOLDER: the names of its files that are not there.
setup_lacks_guest()
(
	for file in vmlinuz busybox; do
		[ -f "$DRYDOCK_CACHE/guests/$1/$file" ] || printf '%s ' "$DRYDOCK_CACHE/guests/$1/$file"
	done
)

setup_without_apt()
{
	for program in cmake ninja python3 pkg-config dtc qemu-system-aarch64 qemu-system-riscv64 \
		qemu-system-x86_64; do
		command -v "$program" >/dev/null 2>&1 || lacking="${lacking:-}$program "
	done
	for library in cmocka libfdt capstone 'unicorn >= 2.1.1'; do
		pkg-config --exists "$library" 2>/dev/null || lacking="${lacking:-}$library; "
	done
	lacking="${lacking:-}$(setup_guests setup_lacks_guest)"
	if [ -n "$lacking" ]; then
		say "drydock: this machine has no apt, so please provide by hand: $lacking"
		say "Programs and libraries come from your distribution. A guest's vmlinuz is any Linux Image of"
		say "its architecture (x86_64: a bzImage), its busybox a static one."
		exit 1
	fi
	setup_guests setup_initramfs
}

setup_all()
{
	if ! setup_has_apt; then
		setup_without_apt
		return 0
	fi
	setup_packages
	setup_unicorn
	setup_guests setup_guest
}
