if vim.g.loaded_fluxcd_ls then
  return
end
vim.g.loaded_fluxcd_ls = true

if vim.fn.has('nvim-0.11') == 0 then
  local v = vim.version()
  vim.notify(
    ('fluxcd-ls needs Neovim 0.11 or later; this is %d.%d.%d. It stays off.'):format(v.major, v.minor, v.patch),
    vim.log.levels.WARN
  )
  return
end

vim.api.nvim_create_user_command('Flux', function(command)
  require('fluxcd_ls.command').run(command.fargs)
end, {
  nargs = '+',
  desc = 'Flux CD: status, reconcile, clusters, …',
  complete = function(lead, line)
    return require('fluxcd_ls.command').complete(lead, line)
  end,
})

local group = vim.api.nvim_create_augroup('fluxcd_ls', { clear = true })

---@return vim.lsp.Client?
local function ours(client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  return client and client.name == 'fluxcd_ls' and client or nil
end

vim.api.nvim_create_autocmd('LspAttach', {
  group = group,
  desc = 'fluxcd-ls: code lenses and status',
  callback = function(event)
    local client = ours(event.data.client_id)
    if not client then
      return
    end
    require('fluxcd_ls.status').attach(client.id, event.buf)
    if vim.g.fluxcd_ls_lens ~= false then
      require('fluxcd_ls.lens').attach(client, event.buf)
    end
  end,
})

vim.api.nvim_create_autocmd('LspDetach', {
  group = group,
  desc = 'fluxcd-ls: forget the status of a server that is gone',
  callback = function(event)
    local client = ours(event.data.client_id)
    if not client then
      return
    end
    vim.b[event.buf].fluxcd_status = nil
    local attached = vim.tbl_count(client.attached_buffers)
    if attached == 0 or (attached == 1 and client.attached_buffers[event.buf]) then
      require('fluxcd_ls.status').update(client.id, nil)
      require('fluxcd_ls.progress').forget(client.id)
    end
  end,
})

vim.api.nvim_create_autocmd('LspProgress', {
  group = group,
  desc = 'fluxcd-ls: show work in the command line',
  callback = function(event)
    if ours(event.data.client_id) then
      require('fluxcd_ls.progress').update(event.data.client_id, event.data.params)
    end
  end,
})
