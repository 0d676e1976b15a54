#!/bin/bash
# deb-prefix.sh SUITE PREFIX PACKAGE...
# Unpacks packages of another Debian suite, with their whole dependency closure and their own libc,
# into PREFIX/root. Nothing on the system is touched or upgraded. Each program of usr/bin is patched
# to use the prefix's own loader and libraries, so that PREFIX/root/usr/bin/NAME simply runs.
# Needs apt as root, and patchelf. (Running by `ld.so --library-path` instead starts too, but Neovim
# then takes the loader's path for its own and does not find its tree-sitter parsers.)
set -euo pipefail

suite=$1
mkdir -p "$2"
prefix=$(cd "$2" && pwd)
shift 2
apt=$prefix/.apt
root=$prefix/root
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
# An empty status makes apt take the whole closure, libc included.
: >"$apt/status"

# The mirror is the one this machine is configured with; only the suite is another.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
source=$(grep -lsE "^Suites:.*\b$codename\b" /etc/apt/sources.list.d/*.sources | head -1 || true)
if [ -n "$source" ]; then
  uri=$(awk '/^URIs:/{print $2; exit}' "$source")
  keyring=$(awk '/^Signed-By:/{print $2; exit}' "$source")
else
  uri=$(awk '$1 == "deb" {for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) {print $i; exit}}' /etc/apt/sources.list)
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
fi
echo "deb [signed-by=$keyring] $uri $suite main" >"$apt/sources.list"
cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
CONF
apt-get -qq -c "$apt/apt.conf" update
apt-get -qq -y -c "$apt/apt.conf" install --download-only "$@" >"$apt/download.log"

for dir in bin sbin lib lib64; do
  mkdir -p "$root/usr/$dir"
  [ -e "$root/$dir" ] || ln -s "usr/$dir" "$root/$dir"
done
for deb in "$apt"/cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$root"
done

loader=$(readlink -e "$root/lib64/ld-linux-x86-64.so.2")
libraries=$root/usr/lib/x86_64-linux-gnu:$root/usr/lib
for program in "$root"/usr/bin/*; do
  program=$(readlink -e "$program" || true)
  # An absolute link would lead out of the prefix.
  case $program in "$root"/*) ;; *) continue ;; esac
  patchelf --print-interpreter "$program" >/dev/null 2>&1 || continue
  # DT_RPATH, not RUNPATH: what the libraries themselves need must come from here too.
  patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$program"
done
rm -rf "$apt"
