--- `:Flux {verb}`

local details = require('fluxcd_ls.details')
local progress = require('fluxcd_ls.progress')
local status = require('fluxcd_ls.status')

local M = {}

---@param message string
---@param level? integer
local function notify(message, level)
  vim.notify('Flux: ' .. message, level or vim.log.levels.INFO)
end

---@return vim.lsp.Client?
local function client()
  local found = vim.lsp.get_clients({ bufnr = 0, name = 'fluxcd_ls' })[1]
  if not found then
    notify('fluxcd-ls is not attached to this buffer. See :checkhealth fluxcd_ls', vim.log.levels.WARN)
  end
  return found
end

--- Runs a command of the server. It answers at once; what takes time is reported as progress.
---@param to vim.lsp.Client
---@param command string
---@param argument table
---@param on_result? fun(result: any)
local function execute(to, command, argument, on_result)
  to:exec_cmd({ title = command, command = command, arguments = { argument } }, { bufnr = 0 }, function(err, result)
    if err then
      notify(err.message, vim.log.levels.ERROR)
    elseif on_result then
      on_result(result)
    end
  end)
end

---@param to vim.lsp.Client
---@return { uri: string, position: lsp.Position }
local function here(to)
  local params = vim.lsp.util.make_position_params(0, to.offset_encoding)
  return { uri = params.textDocument.uri, position = params.position }
end

--- Runs the code action under the cursor that carries the wanted command. The server offers only what is possible and
--- permitted there.
---@param word string
---@param command string
---@param with_source? boolean
local function verb(word, command, with_source)
  local to = client()
  if not to then
    return
  end
  local bufnr = vim.api.nvim_get_current_buf()
  local params = vim.lsp.util.make_range_params(0, to.offset_encoding)
  ---@cast params lsp.CodeActionParams
  params.context = { diagnostics = {}, triggerKind = 1 }
  to:request('textDocument/codeAction', params, function(err, actions)
    if err then
      return notify(err.message, vim.log.levels.ERROR)
    end
    local found = vim.tbl_filter(function(action)
      local carried = action.command
      if type(carried) ~= 'table' or carried.command ~= command then
        return false
      end
      local argument = (carried.arguments or {})[1] or {}
      return with_source == nil or (argument.withSource == true) == with_source
    end, actions or {})
    local function run(action)
      if action then
        to:exec_cmd(action.command, { bufnr = bufnr })
      end
    end
    if #found == 0 then
      notify(('nothing to %s at the cursor. See :Flux status'):format(word))
    elseif #found == 1 then
      run(found[1])
    else
      vim.ui.select(found, {
        prompt = 'Flux: ' .. word,
        kind = 'fluxcd_ls',
        format_item = function(action)
          return action.title
        end,
      }, run)
    end
  end, bufnr)
end

--- Runs a command on one cluster: the named one, the only one in `state`, or the one the user picks.
---@param command string
---@param state string
---@param name? string
local function on_cluster(command, state, name)
  local to = client()
  if not to then
    return
  end
  local clusters = status.clusters(to.id, state)
  if name or #clusters <= 1 then
    local cluster = name or (clusters[1] or {}).name
    return execute(to, command, cluster and { cluster = cluster } or vim.empty_dict())
  end
  vim.ui.select(clusters, {
    prompt = 'Flux: which cluster?',
    kind = 'fluxcd_ls',
    format_item = function(cluster)
      return cluster.name .. ' · ' .. cluster.text
    end,
  }, function(cluster)
    if cluster then
      execute(to, command, { cluster = cluster.name })
    end
  end)
end

---A verb about the repository of the buffer.
---@param command string
local function in_repository(command)
  return function()
    local to = client()
    if to then
      execute(to, command, { uri = vim.uri_from_bufnr(0) })
    end
  end
end

---@type table<string, fun(argument?: string)>
local verbs = {
  status = function()
    local to = client()
    if to then
      execute(to, 'fluxcd.statusAtCursor', here(to), function(result)
        if type(result) == 'table' and result.markdown then
          details.show({ title = result.title or 'Flux status', markdown = result.markdown })
        end
      end)
    end
  end,
  reconcile = function()
    verb('reconcile', 'fluxcd.reconcile', false)
  end,
  ['reconcile-with-source'] = function()
    verb('reconcile with its source', 'fluxcd.reconcile', true)
  end,
  suspend = function()
    verb('suspend', 'fluxcd.suspend')
  end,
  resume = function()
    verb('resume', 'fluxcd.resume')
  end,
  cause = function()
    verb('go to', 'fluxcd.goToCause')
  end,
  clusters = in_repository('fluxcd.chooseCluster'),
  check = in_repository('fluxcd.checkNow'),
  ['commit-status'] = in_repository('fluxcd.commitStatus'),
  ['sign-in'] = function(cluster)
    on_cluster('fluxcd.signIn', 'signIn', cluster)
  end,
  disconnect = function(cluster)
    on_cluster('fluxcd.disconnect', 'live', cluster)
  end,
  cancel = function()
    local to = client()
    if to and progress.cancel(to) == 0 then
      notify('nothing is running')
    end
  end,
}

local takes_cluster = { ['sign-in'] = 'signIn', disconnect = 'live' }

---@param args string[]
function M.run(args)
  local run = verbs[args[1]]
  if not run then
    return notify(('no verb "%s"; :Flux <Tab> lists them'):format(args[1]), vim.log.levels.ERROR)
  end
  run(args[2])
end

---@return string[]
function M.names()
  local names = vim.tbl_keys(verbs)
  table.sort(names)
  return names
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local before = vim.split(vim.trim(line:sub(1, #line - #lead)), '%s+')
  local candidates = {}
  if #before == 1 then
    candidates = M.names()
  elseif #before == 2 and takes_cluster[before[2]] then
    local attached = vim.lsp.get_clients({ bufnr = 0, name = 'fluxcd_ls' })[1]
    for _, cluster in ipairs(attached and status.clusters(attached.id, takes_cluster[before[2]]) or {}) do
      table.insert(candidates, cluster.name)
    end
  end
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

return M
