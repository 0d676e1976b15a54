--- What the server asks and tells beyond the Language Server Protocol, by method.

local details = require('fluxcd_ls.details')
local status = require('fluxcd_ls.status')

local M = {}

---@class fluxcd_ls.PickItem
---@field id string
---@field label string
---@field description? string
---@field detail? string

---@param item fluxcd_ls.PickItem
---@return string
local function format_item(item)
  local parts = {}
  for _, part in ipairs({ item.label, item.description, item.detail }) do
    if part ~= '' and part ~= vim.NIL then
      -- A line break would break the list; names and messages are data of others.
      table.insert(parts, (part:gsub('%c+', ' ')))
    end
  end
  return table.concat(parts, ' · ')
end

--- Asks the user to choose one. The answer is its id, or null.
---@param params { title: string, items: fluxcd_ls.PickItem[] }
M['fluxcd/pick'] = function(_, params)
  -- Neovim runs handlers of requests in a coroutine, and answers with what it returns in the end.
  local co = assert(coroutine.running())
  vim.ui.select(params.items, {
    prompt = params.title,
    kind = 'fluxcd_ls',
    format_item = format_item,
  }, function(item)
    -- The built-in select calls back before it returns: resume only after the yield.
    vim.schedule(function()
      coroutine.resume(co, item and item.id or vim.NIL)
    end)
  end)
  return coroutine.yield()
end

---@param params { title: string, markdown: string }
M['fluxcd/details'] = function(_, params)
  details.show(params)
end

---@param params fluxcd_ls.Status
M['fluxcd/status'] = function(_, params, ctx)
  status.update(ctx.client_id, params)
end

---@param params fluxcd_ls.Outcome
M['fluxcd/outcome'] = function(_, params, ctx)
  status.ended(ctx.client_id, params)
end

if not vim.lsp.codelens.enable then
  -- Neovim 0.11 has no answer of its own to this request.
  M['workspace/codeLens/refresh'] = function(_, _, ctx)
    require('fluxcd_ls.lens').refresh_all(ctx.client_id)
    return vim.NIL
  end
end

return M
