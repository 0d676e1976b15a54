local M = {}

--- Shows a text in a floating window. Asked again, the cursor moves into it.
---@param details { title: string, markdown: string }
function M.show(details)
  vim.lsp.util.open_floating_preview(vim.split(vim.trim(details.markdown), '\r?\n'), 'markdown', {
    border = 'rounded',
    title = ' ' .. details.title:gsub('%c+', ' ') .. ' ',
    focus_id = 'fluxcd_details',
    max_width = math.max(40, math.floor(vim.o.columns * 0.8)),
    max_height = math.max(10, math.floor(vim.o.lines * 0.8)),
  })
end

return M
