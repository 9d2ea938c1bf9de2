// The product's TypeScript as the few files of JavaScript that node reads at once: a loader between node and some 150 modules takes longer than
// a small run looks. Sync and CommonJS, since mocha reads .mocharc.cjs so.
'use strict';
const { createHash } = require('node:crypto');
const { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } = require('node:fs');
const { join } = require('node:path');
const { version } = require('esbuild/package.json');

const root = join(__dirname, '..');
const cache = join(root, 'node_modules/.cache/flowproof');
/** What may be imported lies in these, what is started in the latter two. */
const folders = ['lib', 'cli', 'tests/reachability'];
const oldMs = 24 * 3_600_000;

const namesIn = (folder) => readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`).toSorted();

/** By content, not by time: a copy may keep the time of what it is no longer. */
function keyOf(names) {
  const hash = createHash('sha256').update(`${version}\n`);
  for (const name of names) hash.update(`${name}\n`).update(createHash('sha256').update(readFileSync(join(root, name))).digest());
  return hash.digest('hex').slice(0, 32);
}

/**
 * Compiles the sources as they are now, unless that was done before.
 * @returns the folder of `cli/NAME.mjs` and `tests/reachability/NAME.mjs`; null: node_modules can't be written to, or FLOWPROOF_UNCOMPILED is set
 * @throws esbuild's own error where a source is no TypeScript
 */
function compiled() {
  if (process.env.FLOWPROOF_UNCOMPILED) return null;
  const names = folders.flatMap(namesIn);
  const folder = join(cache, keyOf(names));
  if (existsSync(folder)) return folder;
  let fresh;
  try {
    mkdirSync(cache, { recursive: true });
    fresh = mkdtempSync(join(cache, 'new-'));
  } catch {
    return null; // whose machine it is may have its reasons: slower, and as good
  }
  try {
    require('esbuild').buildSync({ // read only where it is needed
      absWorkingDir: root, entryPoints: names.filter((name) => !name.startsWith('lib/')), outbase: root, outdir: fresh, outExtension: { '.js': '.mjs' },
      bundle: true, splitting: true, packages: 'external', platform: 'node', format: 'esm', target: 'node20', tsconfigRaw: {}, logLevel: 'silent',
    });
    chmodSync(fresh, 0o755); // another user may run what is here
    renameSync(fresh, folder); // whole, or not at all: another may want it at this moment
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  forgetOld(folder);
  return folder;
}

/** What nobody has made or used for a day: whoever began with it has read it long since. */
function forgetOld(folder) {
  for (const name of readdirSync(cache)) {
    const other = join(cache, name);
    if (other !== folder && Date.now() - statSync(other).mtimeMs > oldMs) rmSync(other, { recursive: true, force: true });
  }
}

module.exports = { compiled };
