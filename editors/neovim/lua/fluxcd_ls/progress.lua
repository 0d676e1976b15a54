--- Shows in the command line what the server is doing, and ends it on `:Flux cancel`.

local M = {}

--- Work that can be cancelled, by client and token.
---@type table<integer, table<string|integer, string>>
local running = {}

---@param client_id integer
---@param params lsp.ProgressParams
function M.update(client_id, params)
  local value = params.value
  local mine = running[client_id] or {}
  running[client_id] = mine
  if value.kind == 'begin' and value.cancellable then
    mine[params.token] = value.title
  elseif value.kind == 'end' then
    mine[params.token] = nil
  end
  if value.kind == 'end' and not value.message then
    return
  end
  local text = 'Flux'
  for _, part in ipairs({ value.title or '', value.message or '' }) do
    text = part == '' and text or text .. ': ' .. part:gsub('%c+', ' ')
  end
  -- Longer than the line it would stop everything until Enter is pressed.
  text = vim.fn.strcharpart(text, 0, math.max(0, vim.v.echospace - 1))
  vim.api.nvim_echo({ { text } }, false, {})
end

---@param client vim.lsp.Client
---@return integer count of what was told to end
function M.cancel(client)
  local count = 0
  for token in pairs(running[client.id] or {}) do
    client:notify('window/workDoneProgress/cancel', { token = token })
    count = count + 1
  end
  return count
end

---@param client_id integer
function M.forget(client_id)
  running[client_id] = nil
end

return M
