// The product's TypeScript as the few files of JavaScript that node reads at once: a loader between node and some 150 modules takes longer than
// a small run looks. Sync and CommonJS, since mocha reads .mocharc.cjs so. Where anything stands in the way, the sources run as they are.
'use strict';
const { createHash } = require('node:crypto');
const { accessSync, chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { version } = require('esbuild/package.json');

const root = join(__dirname, '..');
const cache = join(root, 'node_modules/.cache/flowproof');
/** What may be imported lies in these, what is started in the latter two. */
const folders = ['lib', 'cli', 'tests/reachability'];
const oldMs = 24 * 3_600_000;
/** A source may be saved while it is compiled. */
const mostTries = 3;
/** The last file of a folder that is whole. */
const whole = 'whole';

/**
 * Compiles the sources as they are now, unless that was done before.
 * @returns the folder of `cli/NAME.mjs` and `tests/reachability/NAME.mjs`; null: run the sources, since node_modules can't be written to or
 * lies elsewhere, or FLOWPROOF_UNCOMPILED is set
 * @throws esbuild's own error where a source is no TypeScript
 */
function compiled() {
  if (process.env.FLOWPROOF_UNCOMPILED) return null;
  try {
    // Of a link, node takes the place that it leads to, and the project's files would be sought from there.
    if (realpathSync(join(root, 'node_modules')) !== join(realpathSync(root), 'node_modules')) return null;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const names = sources();
      const key = keyOf(names);
      if (!isWhole(key)) build(names, key);
      if (isWhole(key)) return join(cache, key);
    }
  } catch (error) {
    if (error.errors !== undefined) throw error; // esbuild names the source
  }
  return null;
}

/** An editor's own files beside them begin with a dot. */
const sources = () => folders.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => /^(?!\.|.*\/\.).*\.ts$/.test(name)).toSorted().map((name) => `${folder}/${name}`));

/** By content, not by time: a copy may keep the time of what it is no longer. */
function keyOf(names) {
  const hash = createHash('sha256').update(`${version}\n`);
  for (const name of ['package.json', 'cli/compiled.cjs', ...names]) hash.update(`${name}\n`).update(createHash('sha256').update(readFileSync(join(root, name))).digest());
  return hash.digest('hex').slice(0, 32);
}

/** Whether it is there, to be read by us; it is then young again. */
function isWhole(key) {
  try {
    accessSync(join(cache, key, whole));
  } catch {
    return false;
  }
  try {
    utimesSync(join(cache, key), new Date(), new Date());
  } catch {
    // Another user's: it is made again once a day.
  }
  return true;
}

/** Under its name when it is whole and of sources that are still the same. */
function build(names, key) {
  const before = process.umask(0o022); // another user may run what is here; the caller's own is for its reports
  let fresh = null;
  try {
    mkdirSync(cache, { recursive: true });
    fresh = mkdtempSync(join(cache, 'new-'));
    process.env.ESBUILD_WORKER_THREADS = '0'; // else it keeps a process for the next build
    const { metafile } = require('esbuild').buildSync({
      absWorkingDir: root, entryPoints: names.filter((name) => !name.startsWith('lib/')), outbase: root, outdir: fresh, outExtension: { '.js': '.mjs' }, metafile: true,
      bundle: true, splitting: true, packages: 'external', platform: 'node', format: 'esm', target: 'node20', tsconfigRaw: {}, logLevel: 'silent',
    });
    const foreign = Object.keys(metafile.inputs).find((input) => !names.includes(input));
    if (foreign !== undefined) throw Object.assign(new Error(`${foreign} is imported by the product, and lies in none of ${folders.join(', ')}`), { errors: [] });
    writeFileSync(join(fresh, whole), '');
    chmodSync(fresh, 0o755);
    if (keyOf(sources()) === key) renameSync(fresh, join(cache, key));
  } catch (error) {
    if (!isWhole(key)) throw error; // it was made by another at this moment
  } finally {
    process.umask(before);
    delete process.env.ESBUILD_WORKER_THREADS;
    if (fresh !== null) rmSync(fresh, { recursive: true, force: true });
  }
  forgetOld(key);
}

/** What nobody has made or used for a day. */
function forgetOld(key) {
  for (const name of readdirSync(cache).filter((other) => other !== key))
    try {
      if (Date.now() - statSync(join(cache, name)).mtimeMs < oldMs) continue;
      const gone = join(cache, `old-${process.pid}-${name}`);
      renameSync(join(cache, name), gone); // as a whole, however far its removal comes
      rmSync(gone, { recursive: true });
    } catch {
      // Another one's, or gone already.
    }
}

module.exports = { compiled };
