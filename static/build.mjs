// Builds dist/ from beacon/. `--check` builds into memory instead, and fails if dist/ differs from that or if a
// file is over its budget. `--release` keeps the build's chunks as well. The same sources give the same bytes.

import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { build, transform } from 'esbuild';
import { minify } from 'terser';

const here = new URL('./', import.meta.url);

/** What the beacon fetches when it needs it: its source, and the bytes it may have as brotli sends them. */
const CHUNKS = {
  adobe: ['beacon/adapters/adobe.js', 700],
  after: ['beacon/after/index.js', 900],
  behaviour: ['beacon/behaviour/index.js', 2900],
  cards: ['beacon/cards/index.js', 3200],
  consent: ['beacon/consent/index.js', 1200],
  contact: ['beacon/contact/index.js', 3600],
  eccube: ['beacon/adapters/eccube.js', 700],
  futureshop: ['beacon/adapters/futureshop.js', 700],
  ga4: ['beacon/adapters/ga4.js', 1120],
  jsonld: ['beacon/adapters/jsonld.js', 700],
  launcher: ['beacon/launcher/index.js', 1200],
  magento: ['beacon/adapters/magento.js', 700],
  makeshop: ['beacon/adapters/makeshop.js', 700],
  phone: ['beacon/phone/index.js', 800],
  place: ['beacon/place/index.js', 900],
  preview: ['beacon/preview/index.js', 5800],
  segment: ['beacon/adapters/segment.js', 700],
  shopify: ['beacon/adapters/shopify.js', 700],
  woo: ['beacon/adapters/woo.js', 700],
  texts: ['beacon/texts/index.js', 500],
  widget: ['beacon/widget/index.js', 8000],
};
const CLASSIC = { // scripts for a page itself
  beacon: ['beacon/index.js', 6000],
  stub: ['beacon/stub.js', 500],
  'beacon.pinned': ['beacon/index.js', 16600], // one file, for `integrity`: with the behaviour, GA4 and the widget
};
const RELEASES = 3; // whose chunks are kept

/** Names of the beacon's own modules that nobody else ever sees. */
const INNER = /^(batches|rewind|settle|renew|usable|owed|anew|waiting)$/;

const smallCss = {
  name: 'small-css',
  setup(builder) {
    builder.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true, target: 'chrome111' });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

const pinned = {
  name: 'pinned',
  setup(builder) {
    builder.onResolve({ filter: /^\.\/chunk\.js$/ }, () => ({ path: new URL('beacon/chunk.pinned.js', here).pathname }));
  },
};

/** esbuild puts the modules together; terser, twenty times slower, makes them 5 % smaller than it would. */
async function bundle(entry, options) {
  const { outputFiles } = await build({
    entryPoints: [new URL(entry, here).pathname],
    bundle: true,
    minifySyntax: true,
    target: 'es2020',
    charset: 'utf8',
    legalComments: 'none',
    write: false,
    plugins: [smallCss],
    ...options,
  });
  const compress = { ecma: 2020, passes: 3, keep_fargs: false, pure_getters: true, unsafe_arrows: true };
  const { code } = await minify(outputFiles[0].text, { module: options.format === 'esm', ecma: 2020, compress });
  return Buffer.from(code);
}

const built = {};
const hash = createHash('sha256');
for (const [name, [entry]] of Object.entries(CHUNKS)) {
  built[name] = await bundle(entry, { format: 'esm' });
  hash.update(built[name]);
}
const BUILD = JSON.stringify(hash.digest('base64url').slice(0, 5)); // a cached beacon never meets another build's chunks
for (const [name, [entry]] of Object.entries(CLASSIC)) {
  const plugins = name === 'beacon.pinned' ? [smallCss, pinned] : [smallCss];
  const mangleProps = name === 'beacon' ? INNER : undefined;
  built[name] = await bundle(entry, { format: 'iife', define: { BUILD }, plugins, mangleProps });
}

const check = process.argv.includes('--check');
const out = process.argv.find((word) => word.startsWith('--dist='))?.slice(7); // for the build's own test
const dist = out ? pathToFileURL(`${out}/`) : new URL('dist/', here);
await mkdir(dist, { recursive: true });
for (const [name, contents] of Object.entries(built)) {
  const [, budget] = CHUNKS[name] ?? CLASSIC[name];
  const small = brotliCompressSync(contents);
  console.log(`${name}.js  ${contents.length} B, brotli ${small.length} B of ${budget}`);
  if (small.length > budget) fail(`${name}.js is over its budget`);
  if (check) await compare(name, contents);
  else await put(dist, name, contents, small);
}
if (process.argv.includes('--release')) await release();

async function put(folder, name, contents, small) {
  await writeFile(new URL(`${name}.js`, folder), contents);
  await writeFile(new URL(`${name}.js.br`, folder), small);
}

/** dist/ has to hold what the sources build, and the same in brotli's form, whichever brotli made it. */
async function compare(name, contents) {
  const read = (file) => readFile(new URL(file, dist)).catch(() => Buffer.alloc(0));
  const same = (bytes) => Buffer.from(contents).equals(bytes);
  const unpacked = (bytes) => (bytes.length ? brotliDecompressSync(bytes) : bytes);
  if (!same(await read(`${name}.js`)) || !same(unpacked(await read(`${name}.js.br`)))) {
    fail(`dist/${name}.js is not what the sources build: run npm --prefix static run build`);
  }
}

/** Keep this build's chunks for pages that will still be open after the next ones; of the oldest nobody has a page any more. */
async function release() {
  const build = JSON.parse(BUILD);
  const list = new URL('releases.json', dist);
  const builds = JSON.parse(await readFile(list, 'utf8').catch(() => '[]'));
  const kept = [build, ...builds.filter((one) => one !== build)].slice(0, RELEASES);
  const folder = new URL(`releases/${build}/`, dist);
  await mkdir(folder, { recursive: true });
  for (const name of Object.keys(CHUNKS)) await put(folder, name, built[name], brotliCompressSync(built[name]));
  for (const old of builds.filter((one) => !kept.includes(one))) await rm(new URL(`releases/${old}/`, dist), { recursive: true, force: true });
  await writeFile(list, `${JSON.stringify(kept)}\n`);
}

function fail(text) {
  console.error(text);
  process.exitCode = 1;
}
