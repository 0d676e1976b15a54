--- What the server says of itself: for statuslines and for :checkhealth.

local M = {}

---@class fluxcd_ls.Cluster
---@field name string
---@field state string One word: live, connecting, checking, lastSeen, signIn, unreachable, notFlux, recorded, idle.
---@field text string

--- How the commit stands that is checked out in a repository, over its clusters.
---@class fluxcd_ls.Head
---@field root string The URI of the repository's folder.
---@field name string
---@field commit string
---@field subject string|vim.NIL
---@field branch string|vim.NIL
---@field state 'failed'|'waiting'|'untold'|'notPushed'|'notFollowed'|'older'|'live'|'nothing'|'notConnected'
---@field text string Empty when there is nothing to say.
---@field tooltip string The commit, and one line a cluster.
---@field clusters fluxcd_ls.Cluster[] With `state` in the words above.

---@class fluxcd_ls.Status
---@field text string
---@field tooltip string
---@field severity 'none'|'ok'|'warning'|'error'
---@field clusters fluxcd_ls.Cluster[]
---@field failed integer
---@field waiting integer
---@field heads fluxcd_ls.Head[]

--- A commit that was waited for became live, or failed.
---@class fluxcd_ls.Outcome
---@field head fluxcd_ls.Head
---@field message string
---@field show boolean Whether the user wants to be told.

--- By client id.
---@type table<integer, fluxcd_ls.Status?>
M.by_client = {}

--- The HEAD to tell of: the one of the innermost repository that holds the file, else the only one there is.
---@param heads fluxcd_ls.Head[]
---@param file string
---@return fluxcd_ls.Head?
local function head_of(heads, file)
  local names = { file, vim.uv.fs_realpath(file) }
  local found, length = nil, -1
  for _, head in ipairs(heads) do
    local folder = vim.uri_to_fname(head.root)
    for _, name in ipairs(names) do
      if #folder > length and vim.startswith(name, folder .. '/') then
        found, length = head, #folder
      end
    end
  end
  return found or (#heads == 1 and heads[1] or nil)
end

---@param status? fluxcd_ls.Status
---@param file string
---@return string
local function line(status, file)
  if not status then
    return ''
  end
  local head = head_of(status.heads or {}, file)
  local texts = vim.tbl_filter(function(text)
    return text ~= ''
  end, { head and head.text or '', status.text })
  return table.concat(texts, ' · ')
end

--- Sets `b:fluxcd_status` of the client's buffers, `g:fluxcd_status`, and fires `User FluxcdStatus`.
---@param client_id integer
---@param status? fluxcd_ls.Status nil: the server is gone
function M.update(client_id, status)
  M.by_client[client_id] = status
  -- Of several repositories none is meant by no file.
  vim.g.fluxcd_status = line(status, '')
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

--- Fires `User FluxcdLive` or `User FluxcdFailed`, and tells who wants to be told.
---@param client_id integer
---@param outcome fluxcd_ls.Outcome
function M.ended(client_id, outcome)
  local failed = outcome.head.state == 'failed'
  vim.api.nvim_exec_autocmds('User', {
    pattern = failed and 'FluxcdFailed' or 'FluxcdLive',
    modeline = false,
    data = { client_id = client_id, head = outcome.head, message = outcome.message },
  })
  if outcome.show then
    vim.notify(outcome.message, failed and vim.log.levels.WARN or vim.log.levels.INFO)
  end
end

---@param client_id integer
---@param bufnr integer
function M.attach(client_id, bufnr)
  if vim.api.nvim_buf_is_valid(bufnr) then
    vim.b[bufnr].fluxcd_status = line(M.by_client[client_id], vim.api.nvim_buf_get_name(bufnr))
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
