// Builds dist/ from beacon/. `--check` builds into memory instead, and fails if dist/ differs from that or if a
// file is over its budget. The same sources give the same bytes.

import { brotliCompressSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { build, transform } from 'esbuild';

const here = new URL('./', import.meta.url);
const BUDGETS = { 'beacon.js': 6000, 'behaviour.js': 1900, 'widget.js': 8000, 'preview.js': 5700, 'contact.js': 3600, 'cards.js': 2400 }; // bytes as brotli sends them

const smallCss = {
  name: 'small-css',
  setup(builder) {
    builder.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true, target: 'chrome111' });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

async function bundle(entry, options) {
  const { outputFiles } = await build({
    entryPoints: [new URL(entry, here).pathname],
    bundle: true,
    minify: true,
    target: 'es2020',
    charset: 'utf8',
    legalComments: 'none',
    write: false,
    plugins: [smallCss],
    ...options,
  });
  return outputFiles[0].contents;
}

const hashed = (...all) => JSON.stringify(all.reduce((hash, one) => hash.update(one), createHash('sha256')).digest('base64url').slice(0, 5));
const widget = await bundle('beacon/widget/index.js', { format: 'esm' });
const preview = await bundle('beacon/preview/index.js', { format: 'esm' });
const cards = await bundle('beacon/cards/index.js', { format: 'esm' });
const contact = await bundle('beacon/contact/index.js', { format: 'esm' });
const behaviour = await bundle('beacon/behaviour/index.js', { format: 'esm' });
const beacon = await bundle('beacon/index.js', {
  format: 'iife',
  define: { BUILD: hashed(widget, behaviour, preview, contact, cards) },
});

const check = process.argv.includes('--check');
for (const [name, contents] of Object.entries({ 'beacon.js': beacon, 'behaviour.js': behaviour, 'widget.js': widget, 'preview.js': preview, 'contact.js': contact, 'cards.js': cards })) {
  const file = new URL(`dist/${name}`, here);
  const size = brotliCompressSync(contents).length;
  console.log(`${name}  ${contents.length} B, brotli ${size} B of ${BUDGETS[name]}`);
  if (size > BUDGETS[name]) fail(`${name} is over its budget`);
  if (check && !Buffer.from(contents).equals(await readFile(file).catch(() => Buffer.alloc(0)))) {
    fail(`dist/${name} is not what the sources build: run npm --prefix static run build`);
  }
  if (!check) {
    await mkdir(new URL('dist/', here), { recursive: true });
    await writeFile(file, contents);
  }
}

function fail(text) {
  console.error(text);
  process.exitCode = 1;
}
