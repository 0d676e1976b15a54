-- nvim --clean --headless -l nvim_plugin.test.lua : the plugin's parts that need no server.
local here = vim.fs.dirname(vim.fn.fnamemodify(_G.arg[0], ':p'))
vim.opt.runtimepath:prepend(vim.fn.resolve(here .. '/../../../editors/neovim'))

local failed = 0
local function say(line)
  io.stdout:write(line .. '\n')
end
local function test(name, run)
  local ok, problem = pcall(run)
  failed = failed + (ok and 0 or 1)
  say((ok and 'ok   ' or 'FAIL ') .. name .. (ok and '' or ': ' .. tostring(problem)))
end
local function equal(expected, actual)
  if not vim.deep_equal(expected, actual) then
    error(('expected %s, got %s'):format(vim.inspect(expected), vim.inspect(actual)), 2)
  end
end

say('Neovim ' .. tostring(vim.version()))
local maps = #vim.api.nvim_get_keymap('n')
vim.cmd.runtime('plugin/fluxcd_ls.lua')
local status = require('fluxcd_ls.status')
local clusters = {
  { name = 'prod', state = 'live', text = 'live' },
  { name = 'staging', state = 'signIn', text = 'sign in' },
}
local said = { text = 'Flux: 1 failed', tooltip = '', severity = 'error', clusters = clusters, failed = 1, waiting = 0 }

test('maps no keys', function()
  equal(maps, #vim.api.nvim_get_keymap('n'))
end)

test('is found by vim.lsp.config', function()
  local config = vim.lsp.config.fluxcd_ls
  equal({ 'fluxcd-ls' }, config.cmd)
  equal({ 'yaml' }, config.filetypes)
  equal({ pick = true, details = true, status = true }, config.init_options.client)
end)

test('sends the settings with the first message', function()
  local config = vim.tbl_deep_extend('force', vim.lsp.config.fluxcd_ls, { settings = { fluxcd = { hover = false } } })
  local params = { initializationOptions = vim.deepcopy(config.init_options) }
  config.before_init(params, config)
  equal({ hover = false }, params.initializationOptions.settings)
  equal(nil, params.initializationOptions.trusted)
end)

test('completes verbs and clusters', function()
  equal({ 'reconcile', 'reconcile-with-source', 'resume' }, vim.fn.getcompletion('Flux re', 'cmdline'))
  local get_clients = vim.lsp.get_clients
  vim.lsp.get_clients = function()
    return { { id = 77 } }
  end
  status.by_client[77] = said
  equal({ 'staging' }, vim.fn.getcompletion('Flux sign-in ', 'cmdline'))
  equal({ 'prod' }, vim.fn.getcompletion('Flux disconnect p', 'cmdline'))
  vim.lsp.get_clients = get_clients
end)

test('answers a question with the id, or with null', function()
  local select = vim.ui.select
  local function ask(choose)
    local answer
    vim.ui.select = function(items, opts, on_choice)
      equal('a b · c', opts.format_item(items[1]))
      on_choice(choose(items))
    end
    coroutine.wrap(function()
      local items = { { id = 'one', label = 'a\nb', description = '', detail = 'c' } }
      answer = require('fluxcd_ls.handlers')['fluxcd/pick'](nil, { title = '?', items = items })
    end)()
    vim.wait(1000, function()
      return answer ~= nil
    end)
    return answer
  end
  equal('one', ask(function(items)
    return items[1]
  end))
  equal(vim.NIL, ask(function() end))
  vim.ui.select = select
end)

test('tells its status to statuslines', function()
  local heard
  vim.api.nvim_create_autocmd('User', {
    pattern = 'FluxcdStatus',
    callback = function(event)
      heard = event.data
    end,
  })
  status.update(77, said)
  equal('Flux: 1 failed', vim.g.fluxcd_status)
  equal(said, heard.status)
  status.update(77, nil)
  equal('', vim.g.fluxcd_status)
end)

test('asks for lenses by itself where they cannot be switched on (0.11)', function()
  local codelens = vim.lsp.codelens
  local asked = 0
  vim.lsp.codelens = {
    refresh = function()
      asked = asked + 1
    end,
  }
  package.loaded['fluxcd_ls.handlers'] = nil
  local handlers = require('fluxcd_ls.handlers')
  require('fluxcd_ls.lens').attach({ id = 1 }, 0)
  equal(1, asked)
  vim.api.nvim_exec_autocmds('InsertLeave', { buffer = 0 })
  equal(2, asked)
  equal(vim.NIL, handlers['workspace/codeLens/refresh'](nil, nil, { client_id = 1 }))
  vim.lsp.codelens = codelens
end)

os.exit(failed == 0 and 0 or 1)
