// node ansi_png.mjs TOOLS OUT.png < screen : draws a terminal's screen, as `tmux capture-pane -e -p` gives it, as a picture.
import { createRequire } from 'node:module';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const [tools, out] = [JSON.parse(process.argv[2]), process.argv[3]];
const { chromium } = createRequire(path.join(tools.modules, 'x.js'))('playwright-core');

const basic = ['#07080d', '#ffc0b9', '#b3f6c0', '#fce094', '#a6dbff', '#ffcaff', '#8cf8f7', '#eef1f8'];
const bright = ['#4f5258', '#ffc0b9', '#b3f6c0', '#fce094', '#a6dbff', '#ffcaff', '#8cf8f7', '#eef1f8'];

/** The 256 colours of a terminal: 16 named ones, a cube, and greys. */
function indexed(n) {
  if (n < 8) return basic[n];
  if (n < 16) return bright[n - 8];
  if (n >= 232) return `rgb(${Array(3).fill(8 + (n - 232) * 10)})`;
  const level = (v) => (v === 0 ? 0 : 55 + v * 40);
  return `rgb(${[36, 6, 1].map((step) => level(Math.floor((n - 16) / step) % 6))})`;
}

function apply(style, codes) {
  for (let i = 0; i < codes.length; i++) {
    const [code, ...sub] = codes[i].split(':').map(Number);
    const colour = () => {
      if (sub.length > 0) return sub[0] === 2 ? `rgb(${sub.slice(-3)})` : indexed(sub[1]);
      if (Number(codes[i + 1]) === 5) return indexed(Number(codes[(i += 2)]));
      i += 4;
      return `rgb(${codes.slice(i - 2, i + 1)})`;
    };
    if (code === 0) for (const key of Object.keys(style)) delete style[key];
    else if (code === 1) style.bold = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underline = sub[0] !== 0;
    else if (code === 7) style.reverse = true;
    else if (code === 22) style.bold = false;
    else if (code === 23) style.italic = false;
    else if (code === 24) style.underline = false;
    else if (code === 27) style.reverse = false;
    else if (code >= 30 && code <= 37) style.fg = basic[code - 30];
    else if (code >= 90 && code <= 97) style.fg = bright[code - 90];
    else if (code >= 40 && code <= 47) style.bg = basic[code - 40];
    else if (code >= 100 && code <= 107) style.bg = bright[code - 100];
    else if (code === 38) style.fg = colour();
    else if (code === 48) style.bg = colour();
    else if (code === 58) style.line = colour();
    else if (code === 39) delete style.fg;
    else if (code === 49) delete style.bg;
    else if (code === 59) delete style.line;
  }
}

function css(style) {
  let [fg, bg] = [style.fg ?? '#e0e2ea', style.bg ?? '#14161b'];
  if (style.reverse) [fg, bg] = [bg, fg];
  const line = style.underline ? `text-decoration:underline ${style.line ?? fg};` : '';
  return `color:${fg};background:${bg};${style.bold ? 'font-weight:bold;' : ''}${style.italic ? 'font-style:italic;' : ''}${line}`;
}

const escape = (s) => s.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const style = {};
let html = '';
for (const part of (await text(process.stdin)).split(/(\x1b\[[\d;:]*m)/)) {
  const codes = /^\x1b\[([\d;:]*)m$/.exec(part);
  if (codes) apply(style, (codes[1] || '0').split(';'));
  else if (part !== '') html += `<span style="${css(style)}">${escape(part)}</span>`;
}

const browser = await chromium.launch({ executablePath: tools.chromium, args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage();
await page.setContent(
  `<body style="margin:0;background:#14161b"><pre style="margin:0;padding:12px;display:inline-block;min-width:150ch;font:14px/1.2 'DejaVu Sans Mono',monospace">${html}</pre>`,
);
await page.locator('pre').screenshot({ path: out });
await browser.close();
