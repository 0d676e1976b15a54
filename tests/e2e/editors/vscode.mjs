// node vscode.mjs --tools JSON --vsix FILE --folder DIR [--setting NAME=JSON]... [--untrusted] [--api-test FILE]
//
// Drives a real VS Code: its server with the packed extension installed, and its workbench in Chromium. Reads one
// command a line from stdin and answers each with one line on stdout: {"ok":true,...} or {"ok":false,"error":...}.
// README.md beside this file lists the commands; nvim.lua understands the same ones.
// State (diagnostics, lenses) is read through VS Code's API and then looked for on the screen; whatever a person
// would do (click a lens, choose in a list, press a button) is done on the screen.
//
// With --api-test the file runs in VS Code's own test runner instead, and its outcome is the exit code.
// --tools: the line that install.sh prints. The environment reaches the language server unchanged.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    tools: { type: 'string' },
    vsix: { type: 'string' },
    folder: { type: 'string' },
    setting: { type: 'string', multiple: true, default: [] },
    untrusted: { type: 'boolean', default: false },
    'api-test': { type: 'string' },
  },
});
const tools = JSON.parse(options.tools);
const folder = path.resolve(options.folder);
const { chromium } = createRequire(path.join(tools.modules, 'x.js'))('playwright-core');
const here = path.dirname(fileURLToPath(import.meta.url));
const data = mkdtempSync(path.join(tmpdir(), 'fluxcd-ls-vscode-'));
const LIMIT = 60_000;

const say = (...words) => console.error('vscode:', ...words);
let code;
let browser;
let ending = false;

/** Ends everything this process started, whatever happened. */
async function end(status) {
  if (ending) return;
  ending = true;
  await Promise.race([browser?.close().catch(() => {}), new Promise((done) => setTimeout(done, 5_000))]);
  if (code) {
    try {
      process.kill(-code.pid, 'SIGTERM');
    } catch {}
    await Promise.race([new Promise((done) => code.once('exit', done)), new Promise((done) => setTimeout(done, 5_000))]);
    try {
      process.kill(-code.pid, 'SIGKILL');
    } catch {}
  }
  rmSync(data, { recursive: true, force: true, maxRetries: 5 });
  process.exit(status);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(1));
process.on('uncaughtException', (error) => {
  say(error.stack);
  end(1);
});
process.on('unhandledRejection', (error) => {
  say(error?.stack ?? error);
  end(1);
});

/** Waits until `probe` gives something true. The condition is polled: a screen has no events to wait for. */
async function until(what, probe, limit = LIMIT) {
  const start = Date.now();
  let last;
  while (Date.now() - start < limit) {
    last = await probe();
    if (last?.found) return last.found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`not within ${limit / 1000} s: ${what}${last?.instead ? `; instead: ${last.instead}` : ''}`);
}

/* The server. */

function settings() {
  const all = {
    'workbench.startupEditor': 'none',
    'workbench.enableExperiments': false,
    'workbench.tips.enabled': false,
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'chat.disableAIFeatures': true,
    'telemetry.telemetryLevel': 'off',
    'update.mode': 'none',
    'extensions.autoUpdate': false,
    'extensions.autoCheckUpdates': false,
    'extensions.ignoreRecommendations': true,
    'git.enabled': false,
    'editor.minimap.enabled': false,
    'remote.autoForwardPorts': false,
    'window.commandCenter': false,
    'window.title': '${activeEditorShort}',
    'editor.hover.delay': 100,
    'security.workspace.trust.enabled': options.untrusted,
    'security.workspace.trust.startupPrompt': 'never',
    'security.workspace.trust.banner': 'never',
  };
  for (const setting of options.setting) {
    const at = setting.indexOf('=');
    all[setting.slice(0, at)] = JSON.parse(setting.slice(at + 1));
  }
  return all;
}

const serverArguments = [
  tools.vscode,
  '--accept-server-license-terms',
  '--server-data-dir',
  data,
  '--extensions-dir',
  path.join(data, 'extensions'),
];

function startNode(extra, socket) {
  // Ends with this process even when that is killed and can end nothing itself.
  return spawn('setpriv', ['--pdeathsig', 'KILL', tools.node, ...serverArguments, ...extra], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${path.dirname(tools.node)}:${process.env.PATH}`,
      // No marketplace: without this the workbench asks one at every start, and fails.
      EXTENSIONS_GALLERY: '{"serviceUrl":""}',
      FLUXCD_LS_DRIVER_SOCKET: socket,
    },
  });
}

async function installExtension() {
  const install = startNode(['--install-extension', path.resolve(options.vsix), '--force'], '');
  let output = '';
  for (const stream of [install.stdout, install.stderr]) stream.on('data', (chunk) => (output += chunk));
  const status = await new Promise((done) => install.once('exit', done));
  if (status !== 0) throw new Error(`VS Code does not install ${options.vsix}:\n${output}`);
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function startServer(socket) {
  const port = await freePort();
  code = startNode(
    [
      ...['--host', '127.0.0.1', '--port', String(port), '--without-connection-token', '--telemetry-level', 'off'],
      // A built VS Code takes the page's payload (our driver, test runs) only with this flag.
      '--enable-smoke-test-driver',
      // Otherwise a closed page leaves its extension host and language server running for three hours.
      ...['--reconnection-grace-time', '1'],
    ],
    socket,
  );
  let output = '';
  for (const stream of [code.stdout, code.stderr]) stream.on('data', (chunk) => (output += chunk));
  code.once('exit', (status) => {
    if (!ending) {
      say(`VS Code's server ended with ${status}:\n${output}`);
      end(1);
    }
  });
  await until('VS Code answers', async () => ({
    found: await fetch(`http://127.0.0.1:${port}/version`).then((r) => r.ok, () => false),
    instead: output.slice(-500),
  }));
  return port;
}

/** The part of the driver that runs inside VS Code. */
function listen(socket) {
  const waiting = new Map();
  let next = 0;
  let connected;
  const ready = new Promise((done) => (connected = done));
  const server = net.createServer((connection) => {
    readline.createInterface({ input: connection }).on('line', (line) => {
      const { id, result, error } = JSON.parse(line);
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (error) reject(new Error(error));
      else resolve(result);
    });
    connection.on('error', () => {});
    connected((run, argument) => {
      const id = next++;
      const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
      connection.write(`${JSON.stringify({ id, source: run.toString(), argument })}\n`);
      return answer;
    });
  });
  server.listen(socket).unref();
  return ready;
}

async function openBrowser() {
  browser = await chromium.launchPersistentContext(path.join(data, 'chromium'), {
    executablePath: tools.chromium,
    headless: true,
    viewport: { width: 1280, height: 800 },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  // Nothing but this machine.
  await browser.route('**/*', (route) => {
    const { hostname, protocol } = new URL(route.request().url());
    const local = /^(127\.0\.0\.1|localhost|[\w-]+\.localhost)$/.test(hostname) || !/^https?:/.test(protocol);
    if (local) return route.continue();
    say('refused to ask', hostname);
    return route.abort();
  });
  return browser.pages()[0] ?? browser.newPage();
}

function address(port, payload) {
  const remote = (file) => `vscode-remote://127.0.0.1:${port}${file}`;
  const entries = Object.entries(payload).map(([key, file]) => [key, remote(file)]);
  return `http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}&payload=${encodeURIComponent(JSON.stringify(entries))}`;
}

/* What a test asks for. */

function commands(page, inside) {
  let file;
  const lens = () => page.locator('.codelens-decoration:visible a');
  const clean = (text) => text.replaceAll('\u00a0', ' ').replaceAll('\u200b', '').trim();
  const texts = async (locator) => (await locator.allInnerTexts()).map(clean);

  /** The mouse where it hovers nothing. */
  const rest = () => page.mouse.move(640, 12);

  async function diagnostics(wanted) {
    return inside(
      (vscode, wanted) =>
        vscode.languages
          .getDiagnostics()
          .filter(([uri]) => wanted === '*' || uri.fsPath === wanted)
          .flatMap(([uri, all]) =>
            all.map((d) => ({
              file: uri.fsPath,
              range: { start: { line: d.range.start.line, character: d.range.start.character }, end: { line: d.range.end.line, character: d.range.end.character } },
              severity: ['error', 'warning', 'information', 'hint'][d.severity],
              code: typeof d.code === 'object' ? d.code?.value : d.code,
              source: d.source,
              message: d.message,
              related: (d.relatedInformation ?? []).map((r) => ({ file: r.location.uri.fsPath, line: r.location.range.start.line, message: r.message })),
            })),
          ),
      wanted,
    );
  }

  /** Lenses as the server gave them, row by row. */
  const lenses = () =>
    inside(async (vscode, file) => {
      const all = await vscode.commands.executeCommand('vscode.executeCodeLensProvider', vscode.Uri.file(file), 500);
      return all.map((l) => ({ line: l.range.start.line, text: l.command?.title ?? '' }));
    }, file);

  const reveal = (line) =>
    inside((vscode, line) => {
      const editor = vscode.window.activeTextEditor;
      editor?.revealRange(new vscode.Range(line, 0, line, 0), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }, line);

  const inFile = (wanted) => (wanted === undefined ? file : wanted === '*' ? '*' : path.resolve(folder, wanted));

  /** The lens on the screen, scrolled to where it is. */
  async function seenLens(pattern, limit) {
    const found = await until(
      `a lens like ${pattern}`,
      async () => {
        const all = await lenses();
        const one = all.find(({ text }) => pattern.test(text));
        return { found: one && { one, all }, instead: JSON.stringify(all.map(({ text }) => text)) };
      },
      limit,
    );
    await reveal(found.one.line);
    await until(`the lens ${pattern} on the screen`, async () => {
      const shown = await texts(lens());
      return { found: shown.some((text) => pattern.test(text)), instead: JSON.stringify(shown) };
    });
    return { line: found.one.line, lens: found.one.text, lenses: found.all };
  }

  /** Texts of notifications, from the list behind the bell: a toast may have gone. */
  const notifications = page.locator('.notification-toast .notification-list-item, .notifications-center.visible .notification-list-item');
  async function openNotifications() {
    if ((await page.locator('.notifications-center.visible').count()) > 0) return;
    await inside((vscode) => vscode.commands.executeCommand('notifications.showList'));
  }
  const closeNotifications = () => inside((vscode) => vscode.commands.executeCommand('notifications.hideList'));

  /** Whatever asks for an answer now: a quick pick, a dialog, or a notification with buttons. */
  async function question() {
    const rows = page.locator('.quick-input-widget:visible .quick-input-list .monaco-list-row');
    if ((await rows.count()) > 0) {
      const title = (await texts(page.locator('.quick-input-widget:visible .quick-input-title')))[0] ?? '';
      return { kind: 'list', title, choices: rows, labels: (await texts(rows)).map((t) => t.replaceAll(/\s*\n\s*/g, ' · ')) };
    }
    const dialog = page.locator('.monaco-dialog-box:visible');
    if ((await dialog.count()) > 0) {
      const buttons = dialog.locator('.monaco-button');
      const title = (await texts(dialog.locator('.dialog-message-container')))[0] ?? '';
      return { kind: 'dialog', title, choices: buttons, labels: await texts(buttons) };
    }
    for (const asking of await notifications.all()) {
      const buttons = asking.locator('.notification-list-item-buttons-container .monaco-button:visible');
      const labels = await texts(buttons);
      if (labels.length === 0) continue;
      const title = (await texts(asking.locator('.notification-list-item-message')))[0] ?? '';
      return { kind: 'message', title, choices: buttons, labels };
    }
    // A toast goes after a while; what it asked is still in the list.
    await openNotifications();
    return undefined;
  }

  return {
    open: async (wanted) => {
      file = path.resolve(folder, wanted);
      await inside(async (vscode, file) => {
        await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
      }, file);
      await page.waitForSelector('.monaco-editor .view-line', { timeout: LIMIT });
      return { file };
    },

    waitDiagnostic: async (wanted, { timeoutMs, file: other }) => {
      const pattern = new RegExp(wanted, 'u');
      const where = inFile(other);
      const diagnostic = await until(
        `a diagnostic like ${pattern} in ${where}`,
        async () => {
          const all = await diagnostics(where);
          return { found: all.find(({ message }) => pattern.test(message)), instead: JSON.stringify(all.map(({ message }) => message)) };
        },
        timeoutMs,
      );
      if (diagnostic.file === file) {
        await reveal(diagnostic.range.start.line);
        await page.locator('.monaco-editor [class*="squiggly-"]').first().waitFor({ state: 'attached', timeout: LIMIT });
      }
      return { diagnostic };
    },

    waitNoDiagnostic: async (wanted, { timeoutMs, file: other }) => {
      const pattern = new RegExp(wanted, 'u');
      const where = inFile(other);
      await until(
        `no diagnostic like ${pattern} in ${where}`,
        async () => {
          const all = (await diagnostics(where)).filter(({ message }) => pattern.test(message));
          return { found: all.length === 0, instead: JSON.stringify(all.map(({ message }) => message)) };
        },
        timeoutMs,
      );
      return {};
    },

    waitLens: (wanted, { timeoutMs }) => seenLens(new RegExp(wanted, 'u'), timeoutMs),

    waitNoLens: async (wanted, { timeoutMs }) => {
      const pattern = new RegExp(wanted, 'u');
      await until(
        `no lens like ${pattern}`,
        async () => {
          const known = (await lenses()).map(({ text }) => text);
          // Not only links: VS Code draws what it remembers of a lens as plain text.
          const rows = await texts(page.locator('.codelens-decoration:visible'));
          const shown = [...known, ...rows].filter((text) => pattern.test(text));
          return { found: shown.length === 0, instead: JSON.stringify(shown) };
        },
        timeoutMs,
      );
      return {};
    },

    clickLens: async (wanted, { timeoutMs }) => {
      const pattern = new RegExp(wanted, 'u');
      const seen = await seenLens(pattern, timeoutMs);
      await page.keyboard.press('Escape');
      await until(`the lens ${pattern} can be clicked`, async () => {
        // VS Code draws no-break spaces, and draws anew when a lens changes: look each time.
        const shown = await texts(lens());
        const index = shown.findIndex((text) => pattern.test(text));
        if (index < 0) return { instead: JSON.stringify(shown) };
        return { found: await lens().nth(index).click({ timeout: 2_000 }).then(() => true, () => false) };
      });
      await rest();
      return { lens: seen.lens };
    },

    waitPick: async (wanted, { timeoutMs }) => {
      const pattern = new RegExp(wanted, 'u');
      const asked = await until(
        `a question with a choice like ${pattern}`,
        async () => {
          const now = await question();
          const labels = now?.labels ?? [];
          return { found: labels.some((label) => pattern.test(label)) && now, instead: now && JSON.stringify([now.title, ...labels]) };
        },
        timeoutMs,
      );
      return { kind: asked.kind, title: asked.title, items: asked.labels };
    },

    answerPick: async (wanted, { timeoutMs }) => {
      const pattern = new RegExp(wanted, 'u');
      return until(
        `a question with a choice like ${pattern}`,
        async () => {
          const asked = await question();
          if (!asked) return undefined;
          const index = asked.labels.findIndex((label) => pattern.test(label));
          if (index < 0) return { instead: JSON.stringify([asked.title, ...asked.labels]) };
          const done = await asked.choices.nth(index).click({ timeout: 2_000 }).then(() => true, () => false);
          await rest();
          return { found: done && { kind: asked.kind, title: asked.title, items: asked.labels, chosen: asked.labels[index] } };
        },
        timeoutMs,
      );
    },

    dismissPick: async () => {
      await page.keyboard.press('Escape');
      return {};
    },

    waitMessage: async (wanted, { timeoutMs }) => {
      const pattern = new RegExp(wanted, 'u');
      const message = await until(
        `a message like ${pattern}`,
        async () => {
          const shown = await texts(notifications.locator('.notification-list-item-message'));
          const found = shown.find((text) => pattern.test(text));
          if (!found) await openNotifications();
          return { found, instead: JSON.stringify(shown) };
        },
        timeoutMs,
      );
      return { message };
    },

    clearMessages: async () => {
      await inside((vscode) => vscode.commands.executeCommand('notifications.clearAll'));
      await closeNotifications();
      return {};
    },

    waitDetails: async (wanted, { timeoutMs }) => {
      const pattern = new RegExp(wanted, 'u');
      const text = await until(
        `details like ${pattern}`,
        async () => {
          const shown = [];
          for (const frame of page.frames()) shown.push(await frame.locator('body.vscode-body').innerText({ timeout: 200 }).catch(() => ''));
          return { found: shown.find((text) => pattern.test(text)), instead: JSON.stringify(shown.filter(Boolean)) };
        },
        timeoutMs,
      );
      return { text };
    },

    closeDetails: async () => {
      await inside(async (vscode) => {
        const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
        await vscode.window.tabGroups.close(tabs.filter((tab) => tab.input instanceof vscode.TabInputWebview));
      });
      return {};
    },

    waitStatus: async (wanted, { timeoutMs }) => {
      const pattern = new RegExp(wanted, 'u');
      const item = page.locator('.statusbar-item[id$="fluxcd.status"]:visible');
      const text = await until(
        `a status like ${pattern}`,
        async () => {
          const [shown = ''] = await texts(item);
          return { found: pattern.test(shown) && shown, instead: shown };
        },
        timeoutMs,
      );
      return { text };
    },

    hover: async ({ line, character }, { timeoutMs }) => {
      await page.locator('.monaco-editor .view-lines').first().waitFor({ timeout: LIMIT });
      await inside(
        async (vscode, { line, character }) => {
          const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
          const at = new vscode.Position(line, character);
          await vscode.window.showTextDocument(editor.document, { viewColumn: editor.viewColumn, selection: new vscode.Range(at, at) });
        },
        { line, character },
      );
      const box = page.locator('.monaco-hover:visible');
      const text = await until(
        `a hover at ${line}:${character}`,
        async () => {
          const [shown = ''] = await texts(box);
          if (shown === '') await inside((vscode) => vscode.commands.executeCommand('editor.action.showHover'));
          return { found: !/^(Loading\.\.\.)?$/.test(shown) && shown };
        },
        timeoutMs,
      );
      return { text };
    },

    run: async (verb) => {
      const name = verb.replaceAll(/-(.)/g, (_, letter) => letter.toUpperCase());
      const command = { status: 'statusAtCursor', cause: 'goToCause', clusters: 'chooseCluster' }[name] ?? name;
      // Not awaited: the command may ask something that the test answers next.
      await inside((vscode, command) => void vscode.commands.executeCommand(`fluxcd.editor.${command}`), command);
      return {};
    },

    execute: async ({ command, arguments: all = [] }) => {
      await inside((vscode, { command, all }) => void vscode.commands.executeCommand(command, ...all), { command, all });
      return {};
    },

    // VS Code sees by itself when a file changes on the disk.
    reload: async () => ({}),

    cursor: async ({ line, character } = {}) =>
      inside((vscode, to) => {
        const editor = vscode.window.activeTextEditor;
        if (to.line !== undefined) {
          const at = new vscode.Position(to.line, to.character ?? 0);
          editor.selection = new vscode.Selection(at, at);
        }
        const { active } = editor.selection;
        return { file: editor.document.uri.fsPath, line: active.line, character: active.character };
      }, { line, character }),

    replace: async ({ from, to }) =>
      inside(
        async (vscode, { from, to }) => {
          const { document } = vscode.window.activeTextEditor;
          const start = document.getText().indexOf(from);
          if (start < 0) throw new Error(`the text has no ${from}`);
          const edit = new vscode.WorkspaceEdit();
          edit.replace(document.uri, new vscode.Range(document.positionAt(start), document.positionAt(start + from.length)), to);
          if (!(await vscode.workspace.applyEdit(edit))) throw new Error('the edit was not applied');
          return {};
        },
        { from, to },
      ),

    save: async () =>
      inside(async (vscode) => {
        await vscode.window.activeTextEditor.document.save();
        return {};
      }),

    trust: async () => {
      await inside((vscode) => void vscode.commands.executeCommand('workbench.trust.manage'));
      await page.locator('.workspace-trust-editor .monaco-button', { hasText: /^Trust$/ }).first().click({ timeout: LIMIT });
      await until('the workspace is trusted', async () => ({ found: await inside((vscode) => vscode.workspace.isTrusted) }));
      await inside((vscode) => vscode.commands.executeCommand('workbench.action.closeActiveEditor'));
      return {};
    },

    version: async () => inside((vscode) => ({ editor: 'vscode', version: vscode.version })),

    screenshot: async (file) => {
      mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
      await page.screenshot({ path: file });
      return { file };
    },
  };
}

async function drive(port, connected) {
  const page = await openBrowser();
  page.on('pageerror', (error) => say('page error:', String(error).slice(0, 300)));
  await page.goto(address(port, { extensionDevelopmentPath: path.join(here, 'vscode-driver') }));
  await page.waitForSelector('.monaco-workbench', { timeout: LIMIT });
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('the driver inside VS Code did not connect')), LIMIT)));
  const inside = await Promise.race([connected, late]);
  clearTimeout(timer);
  await inside((vscode) => vscode.commands.executeCommand('workbench.action.closeAuxiliaryBar'));
  // What only the test rig adds to the window: its name for a window with a development extension, and port forwarding.
  await page.addStyleTag({ content: '.window-title, [id="status.forwardedPorts"] { visibility: hidden; }' });

  const all = commands(page, inside);
  console.log(JSON.stringify({ ok: true, ready: true, ...(await all.version()) }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    let answer;
    try {
      const { timeoutMs = LIMIT, file, ...command } = JSON.parse(line);
      if (command.quit) break;
      const [[name, argument]] = Object.entries(command);
      if (!all[name]) throw new Error(`no command ${name}`);
      answer = { ok: true, ...(await all[name](argument, { timeoutMs, file })) };
    } catch (error) {
      answer = { ok: false, error: String(error.message ?? error).split('\n')[0] };
    }
    console.log(JSON.stringify(answer));
  }
  console.log(JSON.stringify({ ok: true }));
  await end(0);
}

/** VS Code's own extension test runner. Console lines that begin with "T " are passed on. */
async function apiTest(port) {
  const page = await openBrowser();
  const finished = new Promise((done) => page.exposeFunction('codeAutomationExit', done));
  await page.exposeFunction('codeAutomationLog', (_type, words) => {
    const line = words.join(' ');
    if (process.env.VERBOSE || line.startsWith('T ')) console.log(line);
  });
  await page.goto(
    address(port, {
      extensionDevelopmentPath: path.join(here, 'vscode-driver'),
      extensionTestsPath: path.resolve(options['api-test']),
    }),
  );
  const limit = new Promise((done) => setTimeout(() => done('time'), 3 * LIMIT));
  const outcome = await Promise.race([finished, limit]);
  say(outcome === 0 ? 'passed' : `failed (${outcome})`);
  await end(outcome === 0 ? 0 : 1);
}

mkdirSync(path.join(data, 'data', 'User'), { recursive: true });
// Machine-scoped settings count only in the server's own machine settings.
mkdirSync(path.join(data, 'data', 'Machine'), { recursive: true });
for (const where of ['User', 'Machine']) writeFileSync(path.join(data, 'data', where, 'settings.json'), JSON.stringify(settings()));
await installExtension();
const socket = path.join(data, 'driver.sock');
const connected = listen(socket);
const port = await startServer(socket);
await (options['api-test'] ? apiTest(port) : drive(port, connected));
