// Runs inside VS Code's extension host, by its own test runner (vscode.mjs --api-test), in a folder that holds one YAML file.
const assert = require('node:assert/strict');
const vscode = require('vscode');

const LIMIT = 60_000;

async function until(what, probe) {
  const start = Date.now();
  while (Date.now() - start < LIMIT) {
    const found = await probe();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`not within ${LIMIT / 1000} s: ${what}`);
}

/** The server's own commands are registered while it runs. */
const serverRuns = async () => (await vscode.commands.getCommands(true)).includes('fluxcd.reconcile');

const tests = {
  async 'sleeps until a YAML file is open'(extension) {
    assert.equal(extension.isActive, false);
    const [yaml] = await vscode.workspace.findFiles('**/*.yaml', undefined, 1);
    await vscode.window.showTextDocument(yaml);
    await until('the extension is active', () => extension.isActive);
    await until('the server runs', serverRuns);
  },

  async 'registers every command that it contributes'(extension) {
    const registered = new Set(await vscode.commands.getCommands(true));
    const missing = extension.packageJSON.contributes.commands.map(({ command }) => command).filter((c) => !registered.has(c));
    assert.deepEqual(missing, []);
  },

  async 'describes every setting and says where it may be set'(extension) {
    for (const [name, setting] of Object.entries(extension.packageJSON.contributes.configuration.properties)) {
      assert.ok(setting.markdownDescription?.length > 10, `${name} has no description`);
      assert.ok(['machine', 'window', 'application'].includes(setting.scope), `${name} has no scope`);
      assert.notEqual(setting.default, undefined, `${name} has no default`);
    }
  },

  async 'takes no machine setting from a workspace'(extension) {
    const machine = Object.entries(extension.packageJSON.contributes.configuration.properties)
      .filter(([, { scope }]) => scope === 'machine')
      .map(([name]) => name);
    for (const decisive of ['server.path', 'kubeconfig', 'snapshot', 'clusters', 'actions', 'login', 'protectedContexts']) {
      assert.ok(machine.includes(`fluxcd.${decisive}`), `fluxcd.${decisive} is not a machine setting`);
    }
    for (const name of machine) {
      const update = vscode.workspace.getConfiguration().update(name, 'x', vscode.ConfigurationTarget.Workspace);
      await assert.rejects(Promise.resolve(update), `${name} can be set in a workspace`);
    }
  },

  async 'stops and starts the server with fluxcd.enable'() {
    const set = (value) => vscode.workspace.getConfiguration('fluxcd').update('enable', value, vscode.ConfigurationTarget.Workspace);
    await set(false);
    await until('the server is gone', async () => !(await serverRuns()));
    await vscode.commands.executeCommand('fluxcd.editor.restartServer');
    assert.equal(await serverRuns(), false, 'a server that is switched off was started');
    await set(undefined);
    await until('the server runs again', serverRuns);
  },

  async 'restarts the server'() {
    await vscode.commands.executeCommand('fluxcd.editor.restartServer');
    assert.equal(await serverRuns(), true);
  },
};

exports.run = async () => {
  const extension = vscode.extensions.getExtension('fluxcd-ls.fluxcd-ls');
  assert.ok(extension, 'the extension is not installed');
  console.log(`T VS Code ${vscode.version}, Node ${process.version}`);
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test(extension);
      console.log(`T ok   ${name}`);
    } catch (error) {
      failed++;
      console.log(`T FAIL ${name}: ${error.message}`);
    }
  }
  assert.equal(failed, 0);
};
