// Removes old runs, and keeps of each what the next one's chain leads to.
import { readFileSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sha256 } from '../hash.ts';
import { toPrune } from '../nightly/prune.ts';
import { makePruned, readPruned, type Pruned } from './manifest.ts';

/** Beside the runs: the manifests' hashes of those that were removed. */
const prunedName = 'pruned.json';

/** @throws Error where it is there and cannot be read */
export function prunedOf(parent: string): Pruned['runs'] {
  const text = read(join(parent, prunedName));
  return text === null ? [] : readPruned(text.toString(), prunedName);
}

/**
 * All but the newest `keep` runs, and those that a link leads to. They are recorded before the first is removed: that one which was
 * recorded is still there does no harm.
 * @returns the folders that were removed, and what could not be
 */
export function pruneRuns(parent: string, keep: number): Readonly<{ removed: readonly string[]; faults: readonly string[] }> {
  const entries = readdirSync(parent, { withFileTypes: true });
  const linked = entries.filter((one) => one.isSymbolicLink()).map(({ name }) => basename(readlinkSync(join(parent, name))));
  const old = toPrune(entries.filter((one) => one.isDirectory()).map(({ name }) => name), keep, linked);
  if (old.length === 0) return { removed: [], faults: [] };
  const known = prunedOf(parent);
  const more = old.flatMap((folder) => {
    const manifest = read(join(parent, folder, 'manifest.json'));
    return manifest === null ? [] : [{ folder, sha256: sha256(manifest) }];
  });
  const part = join(parent, `.${prunedName}-${process.pid}`);
  writeFileSync(part, makePruned([...known.filter(({ folder }) => !more.some((one) => one.folder === folder)), ...more]));
  renameSync(part, join(parent, prunedName));
  const faults: string[] = [];
  const removed = old.filter((folder) => {
    try {
      rmSync(join(parent, folder), { recursive: true });
      return true;
    } catch (error) {
      faults.push(`${folder}: ${(error as Error).message}`);
      return false;
    }
  });
  return { removed, faults };
}

function read(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return null;
  }
}
