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
  equal({ pick = true, details = true, status = true, outcome = true }, config.init_options.client)
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

local function head(root, text)
  return { root = vim.uri_from_fname(root), name = 'fleet', commit = ('1'):rep(40), state = 'live', text = text, clusters = {} }
end

test('tells of each buffer how HEAD of its repository stands', function()
  local outer = vim.fn.resolve(vim.fn.tempname())
  local inner = outer .. '/inner'
  vim.fn.mkdir(inner .. '-2', 'p')
  vim.fn.mkdir(inner, 'p')
  local statusline = require('fluxcd_ls').statusline
  local function of(file)
    vim.cmd.edit(vim.fn.fnameescape(file))
    status.attach(78, 0)
    return statusline()
  end
  equal('', of(outer .. '/a.yaml'))
  local heads = { head(outer, '✓ 1111111 live'), head(inner, '2222222 not pushed') }
  status.update(78, vim.tbl_extend('force', said, { heads = heads }))
  equal('✓ 1111111 live · Flux: 1 failed', of(outer .. '/a.yaml'))
  equal('2222222 not pushed · Flux: 1 failed', of(inner .. '/a.yaml'))
  equal('✓ 1111111 live · Flux: 1 failed', of(inner .. '-2/a.yaml'))
  equal('Flux: 1 failed', vim.g.fluxcd_status)
  -- Opened by another name.
  vim.uv.fs_symlink(inner, outer .. '-link')
  equal('2222222 not pushed · Flux: 1 failed', of(outer .. '-link/b.yaml'))
  status.update(78, vim.tbl_extend('force', said, { heads = { head(outer, '') }, text = '' }))
  equal('', of(outer .. '/a.yaml'))
  vim.cmd('silent %bwipeout!')
  vim.fn.delete(outer, 'rf')
  vim.fn.delete(outer .. '-link')
  status.update(78, nil)
end)

test('tells once how a wait ended, and says it to who wants that', function()
  local handle = require('fluxcd_ls.handlers')['fluxcd/outcome']
  local heard, shown = {}, {}
  vim.api.nvim_create_autocmd('User', {
    pattern = { 'FluxcdLive', 'FluxcdFailed' },
    callback = function(event)
      table.insert(heard, event.match .. ': ' .. event.data.message .. ' ' .. event.data.head.text)
    end,
  })
  local notify = vim.notify
  vim.notify = function(message, level)
    table.insert(shown, level .. ' ' .. message)
  end
  local live = head('/fleet', '✓ 1111111 live')
  handle(nil, { head = live, message = 'live', show = false }, { client_id = 78 })
  local failed = vim.tbl_extend('force', live, { state = 'failed', text = '✗ 1111111 failed' })
  handle(nil, { head = failed, message = 'failed', show = true }, { client_id = 78 })
  vim.notify = notify
  equal({ 'FluxcdLive: live ✓ 1111111 live', 'FluxcdFailed: failed ✗ 1111111 failed' }, heard)
  equal({ vim.log.levels.WARN .. ' failed' }, shown)
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
