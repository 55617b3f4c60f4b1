// The build: what it makes is what is committed, and of its releases the newest three are kept.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BUILD = fileURLToPath(new URL('../build.mjs', import.meta.url));
const run = (...words) => promisify(execFile)(process.execPath, [BUILD, ...words]);

test('a release keeps its chunks and those of the two before it', async () => {
  const dist = await mkdtemp(join(tmpdir(), 'router-dist-'));
  try {
    for (const old of ['old-1', 'old-2', 'old-3']) await mkdir(join(dist, 'releases', old), { recursive: true });
    await writeFile(join(dist, 'releases.json'), '["old-3","old-2","old-1"]');
    await run('--release', `--dist=${dist}`);
    const builds = JSON.parse(await readFile(join(dist, 'releases.json'), 'utf8'));
    assert.equal(builds.length, 3);
    assert.deepEqual(builds.slice(1), ['old-3', 'old-2']);
    assert.deepEqual((await readdir(join(dist, 'releases'))).sort(), [...builds].sort());
    const kept = await readFile(join(dist, 'releases', builds[0], 'widget.js'), 'utf8');
    assert.equal(kept, await readFile(join(dist, 'widget.js'), 'utf8'));
    await run('--release', `--dist=${dist}`);
    assert.deepEqual(JSON.parse(await readFile(join(dist, 'releases.json'), 'utf8')), builds, 'the same build is one release');
    await writeFile(join(dist, 'widget.js'), 'else');
    await assert.rejects(run('--check', `--dist=${dist}`), /dist\/widget.js is not what the sources build/);
  } finally {
    await rm(dist, { recursive: true });
  }
});
