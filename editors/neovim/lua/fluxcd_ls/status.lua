--- What the server says of itself: for statuslines and for :checkhealth.

local M = {}

---@class fluxcd_ls.Cluster
---@field name string
---@field state string One word: live, connecting, checking, lastSeen, signIn, unreachable, notFlux, recorded, idle.
---@field text string

---@class fluxcd_ls.Status
---@field text string
---@field tooltip string
---@field severity 'none'|'ok'|'warning'|'error'
---@field clusters fluxcd_ls.Cluster[]
---@field failed integer
---@field waiting integer

--- By client id.
---@type table<integer, fluxcd_ls.Status?>
M.by_client = {}

--- Sets `b:fluxcd_status` of the client's buffers, `g:fluxcd_status`, and fires `User FluxcdStatus`.
---@param client_id integer
---@param status? fluxcd_ls.Status nil: the server is gone
function M.update(client_id, status)
  M.by_client[client_id] = status
  local text = status and status.text or ''
  vim.g.fluxcd_status = text
  local client = vim.lsp.get_client_by_id(client_id)
  for bufnr in pairs(client and client.attached_buffers or {}) do
    M.attach(client_id, bufnr)
  end
  vim.api.nvim_exec_autocmds('User', {
    pattern = 'FluxcdStatus',
    modeline = false,
    data = { client_id = client_id, status = status },
  })
  vim.cmd.redrawstatus({ bang = true })
end

---@param client_id integer
---@param bufnr integer
function M.attach(client_id, bufnr)
  if vim.api.nvim_buf_is_valid(bufnr) then
    local status = M.by_client[client_id]
    vim.b[bufnr].fluxcd_status = status and status.text or ''
  end
end

--- The clusters of a client, those in the wanted state if there are any.
---@param client_id integer
---@param state string
---@return fluxcd_ls.Cluster[]
function M.clusters(client_id, state)
  local status = M.by_client[client_id]
  local all = status and status.clusters or {}
  local wanted = vim.tbl_filter(function(cluster)
    return cluster.state == state
  end, all)
  return #wanted > 0 and wanted or all
end

return M
