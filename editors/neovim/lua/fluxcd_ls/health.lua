--- :checkhealth fluxcd_ls

local M = {}

---@return string
local function user_file()
  local base = vim.env.XDG_CONFIG_HOME
  if not base or base == '' then
    base = vim.fs.joinpath(assert(vim.uv.os_homedir()), '.config')
  end
  return vim.fs.joinpath(base, 'fluxcd-ls', 'config.toml')
end

local function check_neovim()
  vim.health.start('Neovim')
  local version = tostring(vim.version())
  if vim.fn.has('nvim-0.11') == 0 then
    vim.health.error(('This is %s; fluxcd-ls needs 0.11 or later.'):format(version))
    return false
  end
  vim.health.ok(version)
  return true
end

local function check_server()
  vim.health.start('Server')
  local config = vim.lsp.config.fluxcd_ls
  if not config then
    vim.health.error('lsp/fluxcd_ls.lua is not on the runtimepath.', { 'Add editors/neovim of fluxcd-ls to it.' })
    return
  end
  local cmd = config.cmd
  if type(cmd) ~= 'table' then
    vim.health.info('The server is started by a function of your configuration.')
  elseif vim.fn.executable(cmd[1]) == 0 then
    vim.health.error(('"%s" is not an executable program.'):format(cmd[1]), {
      'Install it: cargo install --path server/fluxcd-ls',
      "Or name it: vim.lsp.config('fluxcd_ls', { cmd = { '/path/to/fluxcd-ls' } })",
    })
  else
    local ok, answer = pcall(function()
      return vim.system({ cmd[1], '--version' }, { text = true }):wait(5000)
    end)
    if ok and answer.code == 0 then
      vim.health.ok(('%s: %s'):format(vim.fn.exepath(cmd[1]), vim.trim(answer.stdout)))
    else
      local why = ok and vim.trim(answer.stderr or '') or tostring(answer)
      vim.health.error(('%s does not tell its version: %s'):format(cmd[1], why))
    end
  end
  if vim.lsp.is_enabled and not vim.lsp.is_enabled('fluxcd_ls') then
    vim.health.warn('It is not enabled.', { "Put vim.lsp.enable('fluxcd_ls') into your configuration." })
  end
end

local function check_clients()
  vim.health.start('Connections')
  local clients = vim.lsp.get_clients({ name = 'fluxcd_ls' })
  if #clients == 0 then
    vim.health.info('No server runs. It starts with the first YAML file of a Git repository.')
  end
  for _, client in ipairs(clients) do
    local info = client.server_info or {}
    vim.health.ok(
      ('%s %s serves %s (%d buffers)'):format(
        info.name or client.name,
        info.version or '',
        client.root_dir or 'single files',
        vim.tbl_count(client.attached_buffers)
      )
    )
    local status = require('fluxcd_ls.status').by_client[client.id]
    if not status then
      vim.health.info('It has not said anything of clusters yet.')
    else
      if #status.clusters == 0 then
        vim.health.info('No cluster is connected: :Flux clusters')
      end
      for _, cluster in ipairs(status.clusters) do
        local say = (cluster.state == 'live' or cluster.state == 'recorded') and vim.health.ok or vim.health.warn
        say(('%s: %s'):format(cluster.name, cluster.text))
      end
      vim.health.info(('%d objects fail, %d wait for others.'):format(status.failed, status.waiting))
    end
  end
end

local function check_user_file()
  vim.health.start('Your own file')
  local file = user_file()
  if vim.uv.fs_stat(file) then
    vim.health.ok(file)
  else
    vim.health.info(('%s does not exist; the defaults hold.'):format(file))
  end
end

function M.check()
  if not check_neovim() then
    return
  end
  check_server()
  check_clients()
  check_user_file()
  vim.health.info('More, in a terminal: fluxcd-ls doctor')
end

return M
