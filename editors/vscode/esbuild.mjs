// Bundles the extension into one file. `--dev`: with a source map, not minified.
import { build } from 'esbuild';

const dev = process.argv.includes('--dev');
await build({
  entryPoints: ['src/extension.ts'],
  outfile: 'dist/extension.js',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['vscode'],
  minify: !dev,
  sourcemap: dev,
});
