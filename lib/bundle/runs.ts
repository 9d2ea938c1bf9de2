// Run folders on disk: which there are, and whether one is still what the run left.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { rejudge } from '../rejudge.ts';
import { readEvidence } from './evidence.ts';
import { compareFiles, readManifest, sha256 } from './manifest.ts';

const isRun = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z$/;

/** The run folders in it, oldest first; the link `latest` is none. */
export function runsIn(parent: string): readonly string[] {
  return readdirSync(parent, { withFileTypes: true }).filter((one) => one.isDirectory() && isRun.test(one.name)).map((one) => one.name).toSorted();
}

/** The manifest of the last run before this one that has one. */
export function before(parent: string, folder: string): Readonly<{ folder: string; manifest: Buffer }> | null {
  for (const one of runsIn(parent).filter((other) => other < folder).toReversed())
    try {
      return { folder: one, manifest: readFileSync(join(parent, one, 'manifest.json')) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  return null;
}

/** @returns one line for each thing that is not as the run left it: files, chain, outcomes, verdicts */
export function verifyRun(folder: string): readonly string[] {
  const files = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
  const own = files.get('manifest.json');
  if (own === undefined) return ['manifest.json: not there; the run did not come to its end, or somebody took it'];
  const told: string[] = [];
  const attempt = (action: () => readonly string[]): void => {
    try {
      told.push(...action());
    } catch (error) {
      told.push((error as Error).message);
    }
  };
  attempt(() => {
    const manifest = readManifest(own.toString(), 'manifest.json');
    return [...compareFiles(manifest, files), ...chain(folder, manifest.previous)];
  });
  attempt(() => {
    const text = files.get('evidence.json')?.toString();
    if (text === undefined) return ['evidence.json: not there'];
    if (isFault(text)) return [];
    const evidence = readEvidence(text, 'evidence.json');
    const inventory = files.get('inventory.json');
    const other = inventory !== undefined && sha256(inventory) !== evidence.inventoryHash ? ['inventory.json: not the one whose hash is in evidence.json'] : [];
    return [...other, ...rejudge(evidence)];
  });
  return told;
}

function chain(folder: string, previous: Readonly<{ folder: string; sha256: string }> | null): readonly string[] {
  const parent = dirname(folder);
  const found = before(parent, basename(folder));
  if (previous === null) return found === null ? [] : [`chain: manifest.json says that there was no run before, and there is ${found.folder}`];
  if (found === null || found.folder !== previous.folder) return [`chain: the run before, ${previous.folder}, is not there`];
  return sha256(found.manifest) === previous.sha256 ? [] : [`chain: the manifest of ${previous.folder} is not the one that this run followed`];
}

/** A run that came to no record has no verdict to judge. */
function isFault(text: string): boolean {
  try {
    return typeof (JSON.parse(text) as { run?: { fault?: unknown } }).run?.fault === 'string';
  } catch {
    return false;
  }
}
