// npm run package -- --server PATH [--target linux-x64] [--out FILE.vsix]
// Builds the extension with one server binary inside. VS Code installs the .vsix of its own platform, so each
// target is a call of its own with the binary of that platform. Works offline.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    server: { type: 'string' },
    target: { type: 'string', default: `${process.platform}-${process.arch}` },
    out: { type: 'string' },
  },
});
if (!values.server || !existsSync(values.server)) {
  console.error(`--server must name the fluxcd-ls binary to bundle (it is ${values.server ?? 'not given'}).`);
  process.exit(2);
}

// vsce's --target only labels the package; which binary is inside is decided here.
rmSync('server', { recursive: true, force: true });
mkdirSync('server');
const bundled = values.target.startsWith('win32') ? 'server/fluxcd-ls.exe' : 'server/fluxcd-ls';
copyFileSync(values.server, bundled);
chmodSync(bundled, 0o755);

run(process.execPath, ['esbuild.mjs']);
const out = values.out ?? `fluxcd-ls-${values.target}.vsix`;
run(process.execPath, [
  'node_modules/@vscode/vsce/vsce',
  'package',
  '--no-dependencies',
  '--allow-missing-repository',
  '--skip-license',
  '--target',
  values.target,
  '--out',
  out,
]);

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
