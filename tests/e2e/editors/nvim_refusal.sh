#!/bin/bash
# nvim_refusal.sh TOOLS_JSON : starts the Neovim that is too old with the plugin, and passes when it says so, once and
# in one sentence, and defines nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
plugin=$(cd "$here/../../../editors/neovim" && pwd)
old=$(sed -n 's/.*"nvimOld": "\([^"]*\)".*/\1/p' <<<"$1")
said=$(VIMRUNTIME=$old/usr/share/nvim/runtime "$old/usr/bin/nvim" --clean --headless --cmd "set runtimepath^=$plugin" \
  -c 'echo exists(":Flux")' -c 'quitall!' 2>&1)
echo "$said"
grep -qE 'fluxcd-ls needs Neovim 0\.11 or later; this is 0\.10\.[0-9]+\. It stays off\.' <<<"$said"
[ "${said##*[!0-9]}" = 0 ]
