-- nvim --clean --headless -l nvim.lua --tools JSON --server FILE --folder DIR [--settings JSON] [--plugin DIR]
--
-- Drives a real Neovim on a terminal's screen (tmux) with the plugin and the language server. Reads one command
-- a line from stdin and answers each with one line on stdout: {"ok":true,...} or {"ok":false,"error":...}.
-- README.md beside this file lists the commands; vscode.mjs understands the same ones.
-- State is asked from that Neovim over its socket and then looked for on the screen; whatever a person would
-- do (run a lens, choose in a list) is typed. Messages go as notifications both ways: a Neovim that waits for
-- an answer at a prompt answers no request, and this driver must not hang with it.
-- --tools: the line that install.sh prints. The environment reaches the language server unchanged.

local LIMIT = 60000

local options = {}
for i = 1, #_G.arg, 2 do
  options[_G.arg[i]:sub(3)] = _G.arg[i + 1]
end
local here = vim.fs.dirname(vim.fn.fnamemodify(_G.arg[0], ':p'))
local tools = vim.json.decode(options.tools)
local folder = vim.fn.fnamemodify(options.folder, ':p'):gsub('/$', '')
local plugin = options.plugin or vim.fn.resolve(here .. '/../../../editors/neovim')
local data = vim.fn.tempname()
vim.fn.mkdir(data, 'p')
local socket = data .. '/nvim.sock'
local session = 'fluxcd-ls-' .. vim.uv.os_getpid()

---@return string
local function tmux(...)
  local done = vim.system({ 'tmux', '-f', '/dev/null', '-L', session, ... }, { text = true }):wait(10000)
  if done.code ~= 0 then
    error('tmux: ' .. vim.trim(done.stderr), 0)
  end
  return done.stdout
end

local function quit(code)
  pcall(tmux, 'kill-server')
  vim.fn.delete(data, 'rf')
  os.exit(code)
end
for _, name in ipairs({ 'sigint', 'sigterm', 'sighup' }) do
  local signal = assert(vim.uv.new_signal())
  signal:start(name, vim.schedule_wrap(function()
    quit(1)
  end))
end

-- Waits for a condition; the other Neovim's messages are taken in meanwhile. `probe` gives what was found, or nil and
-- what is there instead.
local function wait_for(what, probe, limit)
  local found, instead
  local ok = vim.wait(limit or LIMIT, function()
    found, instead = probe()
    return found ~= nil and found ~= false
  end, 30)
  if not ok then
    local message = ('not within %g s: %s'):format((limit or LIMIT) / 1000, what)
    error(instead and message .. '; instead: ' .. instead or message, 0)
  end
  return found
end

-- A regular expression as both drivers take it (the simple ones of JavaScript), as one of Vim.
local function matcher(pattern)
  local regex = vim.regex('\\v\\C' .. pattern:gsub('[@<>=&~%%]', '\\%0'))
  return function(text)
    return regex:match_str((text:gsub('\n', ' '))) ~= nil
  end
end

---------------------------------------------------------------- the other Neovim

local init = [[
  local plugin, server, settings, driver = ...
  vim.o.swapfile = false
  vim.o.autoread = true
  vim.o.laststatus = 2
  vim.o.number = true
  vim.o.signcolumn = 'yes'
  vim.o.termguicolors = true
  vim.o.statusline = " %f %m %= %{v:lua.require'fluxcd_ls'.statusline()} "
  vim.opt.runtimepath:prepend(plugin)
  vim.diagnostic.config({ virtual_text = true })
  _G.messages = {}
  -- What a plugin manager or a person would call; the messages are shown as always, and kept for the test.
  local notify = vim.notify
  vim.notify = function(message, ...)
    table.insert(_G.messages, message)
    return notify(message, ...)
  end
  local echo = vim.api.nvim_echo
  vim.api.nvim_echo = function(chunks, ...)
    table.insert(_G.messages, table.concat(vim.tbl_map(function(chunk) return chunk[1] end, chunks)))
    return echo(chunks, ...)
  end
  -- The built-in list, but the driver hears of the question: while it is open nothing can be asked.
  local select = vim.ui.select
  vim.ui.select = function(items, opts, on_choice)
    local labels = vim.tbl_map(opts.format_item or tostring, items)
    _G.tell('asked', { title = opts.prompt or '', items = labels })
    select(items, opts, function(...)
      _G.tell('asked', vim.NIL)
      on_choice(...)
    end)
  end
  vim.lsp.config('fluxcd_ls', { cmd = { server }, settings = { fluxcd = settings } })
  vim.lsp.enable('fluxcd_ls')
  -- Ends with its driver, however that ends.
  local timer = assert(vim.uv.new_timer())
  timer:start(2000, 2000, vim.schedule_wrap(function()
    if vim.uv.kill(driver, 0) ~= 0 then vim.cmd('qall!') end
  end))
]]

_G.heard = {}
local channel

-- Runs Lua in the other Neovim. Nil and a reason when it waits at a prompt.
local sent = 0
local function inside(code, ...)
  sent = sent + 1
  local id = 'answer' .. sent
  vim.rpcnotify(
    channel,
    'nvim_exec_lua',
    'local id, code, args = ... _G.tell(id, _G.run(code, args))',
    { id, code, { ... } }
  )
  vim.wait(3000, function()
    return _G.heard[id] ~= nil
  end, 5)
  local answer = _G.heard[id]
  _G.heard[id] = nil
  if answer then
    if answer.error then
      error(answer.error, 0)
    end
    return answer.result
  end
  local mode = vim.rpcrequest(channel, 'nvim_get_mode')
  if mode.mode == 'r' or mode.mode == 'rm' then
    io.stderr:write('nvim: a message fills the screen and waits for Enter\n')
    vim.rpcrequest(channel, 'nvim_input', '<CR>')
  end
  return nil, 'Neovim waits at a prompt (mode ' .. mode.mode .. ')'
end

local function type_keys(keys)
  vim.rpcrequest(channel, 'nvim_input', keys)
end

local function screen()
  return tmux('capture-pane', '-p', '-t', 'nvim')
end

local function start()
  tmux(
    'new-session',
    '-d',
    '-s',
    'nvim',
    '-x',
    '150',
    '-y',
    '32',
    '-c',
    folder,
    table.concat({
      'env',
      'VIMRUNTIME=' .. tools.nvim .. '/usr/share/nvim/runtime',
      'COLORTERM=truecolor',
      tools.nvim .. '/usr/bin/nvim',
      '--clean',
      '-i NONE',
      '--listen',
      socket,
    }, ' ')
  )
  wait_for('Neovim listens', function()
    return vim.uv.fs_stat(socket)
  end)
  channel = vim.fn.sockconnect('pipe', socket, { rpc = true })
  local mine = vim.rpcrequest(channel, 'nvim_get_api_info')[1]
  vim.rpcrequest(
    channel,
    'nvim_exec_lua',
    [[
      local channel = ...
      function _G.tell(key, value)
        vim.rpcnotify(channel, 'nvim_exec_lua', 'local key, value = ... _G.heard[key] = value', { key, value })
      end
      function _G.run(code, args)
        local ok, result = pcall(assert(loadstring(code)), unpack(args))
        return ok and { result = result } or { error = tostring(result) }
      end
    ]],
    { mine }
  )
  local settings = options.settings and vim.json.decode(options.settings) or vim.empty_dict()
  vim.rpcrequest(channel, 'nvim_exec_lua', init, { plugin, options.server, settings, vim.uv.os_getpid() })
  -- --clean has sourced its plugins before the runtimepath knew this one.
  vim.rpcrequest(channel, 'nvim_command', 'runtime! plugin/fluxcd_ls.lua')
end

---------------------------------------------------------------- what a test asks for

local file

local function in_file(wanted)
  if wanted == '*' then
    return wanted
  end
  if not wanted then
    return file
  end
  return vim.startswith(wanted, '/') and wanted or folder .. '/' .. wanted
end

local function diagnostics(where)
  return inside(
    [[
      local where = ...
      local all = {}
      for _, d in ipairs(vim.diagnostic.get(nil)) do
        local name = vim.api.nvim_buf_get_name(d.bufnr)
        if where == '*' or name == where then
          local lsp = (d.user_data or {}).lsp or {}
          table.insert(all, {
            file = name,
            range = { start = { line = d.lnum, character = d.col }, ['end'] = { line = d.end_lnum, character = d.end_col } },
            severity = ({ 'error', 'warning', 'information', 'hint' })[d.severity],
            code = d.code, source = d.source, message = d.message,
            related = vim.tbl_map(function(r)
              return { file = vim.uri_to_fname(r.location.uri), line = r.location.range.start.line, message = r.message }
            end, lsp.relatedInformation or {}),
          })
        end
      end
      return all
    ]],
    where
  )
end

-- Sorted as they stand: by line, then as the server gave them.
local function lenses()
  return inside([[
    local all = {}
    local got = vim.lsp.codelens.get(vim.lsp.codelens.enable and { bufnr = 0 } or 0)
    for _, entry in ipairs(got) do
      local lens = entry.lens or entry
      table.insert(all, { line = lens.range.start.line, text = lens.command and lens.command.title or '' })
    end
    table.sort(all, function(a, b) return a.line < b.line end)
    return all
  ]])
end

local function texts(entries, field)
  return vim.json.encode(vim.tbl_map(function(entry)
    return field and entry[field] or entry
  end, entries or {}))
end

local function find(entries, field, matches)
  for _, entry in ipairs(entries or {}) do
    if matches(field and entry[field] or entry) then
      return entry
    end
  end
end

local function set_cursor(line, character)
  -- The row above the line must be on the screen too, where lenses stand.
  inside(
    [[
      local line, character = ...
      vim.api.nvim_win_set_cursor(0, { line + 1, character })
      vim.cmd('normal! zz')
    ]],
    line,
    character
  )
end

local function floats()
  return inside([[
    local all = {}
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(window).relative ~= '' then
        local text = table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), '\n')
        -- As it is on the screen: the marks of Markdown are hidden there.
        table.insert(all, (text:gsub('%*%*', ''):gsub('`', '')))
      end
    end
    return all
  ]]) or {}
end

local function close_floats()
  inside([[
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(window).relative ~= '' then vim.api.nvim_win_close(window, true) end
    end
  ]])
end

local function seen_lens(pattern, limit)
  local matches = matcher(pattern)
  local all
  local lens = wait_for('a lens like ' .. pattern, function()
    all = lenses()
    return find(all, 'text', matches), texts(all, 'text')
  end, limit)
  set_cursor(lens.line, 0)
  wait_for(('the lens %s on the screen'):format(lens.text), function()
    local shown = screen()
    return shown:find(vim.fn.strcharpart(lens.text, 0, 40), 1, true), shown
  end)
  return lens, all
end

-- The question that is open and has a matching choice.
local function question(pattern, limit)
  local matches = matcher(pattern)
  return wait_for('a question with a choice like ' .. pattern, function()
    local asked = _G.heard.asked
    if type(asked) ~= 'table' then
      return nil
    end
    return find(asked.items, nil, matches) and asked, texts(vim.list_extend({ asked.title }, asked.items))
  end, limit)
end

local function answer(pattern, limit)
  local asked = question(pattern, limit)
  local matches = matcher(pattern)
  for index, label in ipairs(asked.items) do
    if matches(label) then
      wait_for('the list on the screen', function()
        return screen():find(index .. ': ', 1, true)
      end)
      type_keys(index .. '<CR>')
      wait_for('the list is closed', function()
        return _G.heard.asked ~= asked
      end)
      return { kind = 'list', title = asked.title, items = asked.items, chosen = label }
    end
  end
end

local commands = {}

function commands.open(wanted)
  file = in_file(wanted)
  inside('vim.cmd.edit(vim.fn.fnameescape(...))', file)
  wait_for('the server is attached', function()
    return inside('local c = vim.lsp.get_clients({ bufnr = 0, name = "fluxcd_ls" })[1] return c and c.initialized')
  end)
  return { file = file }
end

function commands.waitDiagnostic(wanted, with)
  local matches = matcher(wanted)
  local where = in_file(with.file)
  local diagnostic = wait_for(('a diagnostic like %s in %s'):format(wanted, where), function()
    local all = diagnostics(where)
    return find(all, 'message', matches), texts(all, 'message')
  end, with.timeoutMs)
  if diagnostic.file == file then
    set_cursor(diagnostic.range.start.line, diagnostic.range.start.character)
    wait_for('the sign of the diagnostic on the screen', function()
      local shown = screen()
      return shown:find('\n%s*[EWIH]%s+' .. (diagnostic.range.start.line + 1) .. ' ')
        or shown:find('^%s*[EWIH]%s+' .. (diagnostic.range.start.line + 1) .. ' '), shown
    end)
  end
  return { diagnostic = diagnostic }
end

function commands.waitNoDiagnostic(wanted, with)
  local matches = matcher(wanted)
  local where = in_file(with.file)
  wait_for(('no diagnostic like %s in %s'):format(wanted, where), function()
    local all = diagnostics(where)
    return all and not find(all, 'message', matches), texts(all, 'message')
  end, with.timeoutMs)
end

function commands.waitLens(wanted, with)
  local lens, all = seen_lens(wanted, with.timeoutMs)
  return { line = lens.line, lens = lens.text, lenses = all }
end

function commands.waitNoLens(wanted, with)
  local matches = matcher(wanted)
  wait_for('no lens like ' .. wanted, function()
    local all = lenses()
    -- Lenses stand on rows of their own, which have no number.
    local rows = vim.tbl_filter(function(row)
      return row:find('^%s+[^%s%d~]') and matches(row)
    end, vim.split(screen(), '\n'))
    return all and not find(all, 'text', matches) and #rows == 0, texts(all, 'text')
  end, with.timeoutMs)
end

function commands.clickLens(wanted, with)
  local lens, all = seen_lens(wanted, with.timeoutMs)
  local beside = vim.tbl_filter(function(other)
    return other.line == lens.line
  end, all)
  type_keys('<Esc>:lua vim.lsp.codelens.run()<CR>')
  if #beside > 1 then
    answer('^' .. lens.text:gsub('[%.%*%+%?%(%)%[%]%^%$|{}\\]', '\\%0') .. ' \\[', with.timeoutMs)
  end
  return { lens = lens.text }
end

function commands.waitPick(wanted, with)
  local asked = question(wanted, with.timeoutMs)
  return { kind = 'list', title = asked.title, items = asked.items }
end

function commands.answerPick(wanted, with)
  return answer(wanted, with.timeoutMs)
end

function commands.dismissPick()
  type_keys('<Esc>')
  wait_for('the list is closed', function()
    return type(_G.heard.asked) ~= 'table'
  end)
end

function commands.waitMessage(wanted, with)
  local matches = matcher(wanted)
  local message = wait_for('a message like ' .. wanted, function()
    local all = inside('return _G.messages')
    return find(all, nil, matches), texts(all)
  end, with.timeoutMs)
  return { message = message }
end

function commands.clearMessages()
  inside('_G.messages = {}')
  type_keys('<Esc>:echo<CR>')
end

function commands.waitDetails(wanted, with)
  local matches = matcher(wanted)
  local text = wait_for('details like ' .. wanted, function()
    local all = floats()
    return find(all, nil, matches), texts(all)
  end, with.timeoutMs)
  return { text = text }
end

function commands.closeDetails()
  close_floats()
end

function commands.waitStatus(wanted, with)
  local matches = matcher(wanted)
  local text = wait_for('a status like ' .. wanted, function()
    local text = inside('return require("fluxcd_ls").statusline()')
    local first = screen():match('[^\n]*\n[^\n]*\n?$') or ''
    return text and matches(text) and first:find(text, 1, true) and text, text
  end, with.timeoutMs)
  return { text = text }
end

function commands.hover(at, with)
  close_floats()
  set_cursor(at.line, at.character)
  type_keys('<Esc>K')
  local text = wait_for(('a hover at %d:%d'):format(at.line, at.character), function()
    return floats()[1]
  end, with.timeoutMs)
  return { text = text }
end

function commands.run(verb)
  type_keys('<Esc>:Flux ' .. verb .. '<CR>')
end

function commands.execute(what)
  inside(
    [[
      local what = ...
      local client = vim.lsp.get_clients({ bufnr = 0, name = 'fluxcd_ls' })[1]
      client:exec_cmd({ title = '', command = what.command, arguments = what.arguments })
    ]],
    what
  )
end

function commands.cursor(to)
  if type(to) == 'table' and to.line then
    set_cursor(to.line, to.character or 0)
  end
  return inside([[
    local at = vim.api.nvim_win_get_cursor(0)
    return { file = vim.api.nvim_buf_get_name(0), line = at[1] - 1, character = at[2] }
  ]])
end

function commands.replace(change)
  inside(
    [[
      local change = ...
      local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
      local first, last = text:find(change.from, 1, true)
      assert(first, 'the text has no ' .. change.from)
      text = text:sub(1, first - 1) .. change.to .. text:sub(last + 1)
      vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(text, '\n', { plain = true }))
    ]],
    change
  )
end

function commands.save()
  inside("vim.cmd('silent write')")
end

function commands.reload()
  inside("vim.cmd('silent! checktime')")
end

-- Neovim knows no trust of workspaces: the server asks for each repository itself.
function commands.trust() end

function commands.version()
  return inside("return { editor = 'nvim', version = tostring(vim.version()) }")
end

-- The screen as text, and as a picture when the name ends in .png and a browser is there to draw it.
function commands.screenshot(to)
  vim.fn.mkdir(vim.fs.dirname(to), 'p')
  -- A redraw, and all of it on the terminal before it is read.
  inside("vim.cmd('redraw')")
  local text_file = to:gsub('%.png$', '') .. '.txt'
  vim.fn.writefile(vim.split(screen(), '\n'), text_file)
  if vim.endswith(to, '.png') then
    local drawn = vim
      .system({ tools.node, here .. '/ansi_png.mjs', options.tools, to }, {
        stdin = tmux('capture-pane', '-e', '-p', '-t', 'nvim'),
        text = true,
      })
      :wait(LIMIT)
    if drawn.code ~= 0 then
      error('no picture: ' .. drawn.stderr, 0)
    end
  end
  return { file = to, text = text_file }
end

---------------------------------------------------------------- the loop

local function reply(value)
  io.stdout:write(vim.json.encode(value) .. '\n')
  io.stdout:flush()
end

local function run(line)
  local command = vim.json.decode(line)
  local with = { timeoutMs = command.timeoutMs, file = command.file }
  command.timeoutMs, command.file = nil, nil
  local name, argument = next(command)
  if name == 'quit' then
    reply({ ok = true })
    quit(0)
  end
  assert(commands[name], 'no command ' .. tostring(name))
  return commands[name](argument, with)
end

local ok, problem = pcall(start)
if not ok then
  io.stderr:write('nvim: ' .. tostring(problem) .. '\n')
  quit(1)
end
reply(vim.tbl_extend('force', { ok = true, ready = true }, commands.version()))

local lines, rest, closed = {}, '', false
local function take(_, chunk)
  if not chunk then
    closed = true
    return
  end
  local parts = vim.split(rest .. chunk, '\n', { plain = true })
  rest = table.remove(parts)
  vim.list_extend(lines, parts)
end
if vim.uv.guess_handle(0) == 'file' then
  take(nil, io.read('*a'))
  take(nil, nil)
else
  local stdin = assert(vim.uv.new_pipe())
  assert(stdin:open(0))
  stdin:read_start(take)
end
while true do
  vim.wait(1000, function()
    return #lines > 0 or closed
  end, 5)
  local line = table.remove(lines, 1)
  if line and vim.trim(line) ~= '' then
    local done, result = pcall(run, line)
    if done then
      reply(vim.tbl_extend('force', { ok = true }, result or {}))
    else
      reply({ ok = false, error = vim.split(tostring(result), '\n')[1] })
    end
  elseif not line and closed then
    quit(0)
  end
end
