--- What configurations use: `require('fluxcd_ls')`.

local M = {}

--- How HEAD of the current buffer's repository stands over its clusters, and what fails in them. Asks nobody; empty when
--- there is nothing to say. For statuslines: `%{v:lua.require'fluxcd_ls'.statusline()}`.
---@return string
function M.statusline()
  return vim.b.fluxcd_status or ''
end

return M
