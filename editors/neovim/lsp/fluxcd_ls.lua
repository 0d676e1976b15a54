---@brief
---
--- fluxcd-ls: live Flux CD status in Kubernetes YAML. (Flux CD, not InfluxDB Flux.)
---
--- `vim.lsp.enable('fluxcd_ls')` starts it for YAML in a Git repository. It stays silent in YAML that is not
--- Kubernetes, and contacts no cluster before you choose one. See |fluxcd-ls|.

---@type vim.lsp.Config
return {
  cmd = { 'fluxcd-ls' },
  -- What plugins for Helm call a chart's templates and values.
  filetypes = { 'yaml', 'helm', 'yaml.helm-values' },
  root_markers = { '.git' },
  workspace_required = true,
  settings = { fluxcd = vim.empty_dict() },
  init_options = { client = { pick = true, details = true, status = true, outcome = true } },
  capabilities = { workspace = { codeLens = { refreshSupport = true } } },
  before_init = function(params, config)
    -- The first settings come with the first message, so that nothing is shown by defaults first.
    params.initializationOptions.settings = (config.settings or {}).fluxcd or vim.empty_dict()
  end,
  handlers = require('fluxcd_ls.handlers'),
}
