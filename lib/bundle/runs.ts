// Run folders on disk: which there are, and whether one is still what the run left.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { CellState, Earlier } from '../changes.ts';
import { sha256 } from '../hash.ts';
import { rejudge } from '../rejudge.ts';
import { batchesIn, verifyBatches } from './batched.ts';
import { readCells, readParts } from './evidence.ts';
import { hashOf } from './hash.ts';
import { compareFiles, readManifest } from './manifest.ts';
import { verifyMerged } from './merged.ts';
import { prunedOf } from './prune.ts';
import { signerOf } from './sign.ts';

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

/** So many runs back, at most, a run looks for one that it can be held against. */
const farthestBack = 20;

/** The run before this one in `parent` that is of the same phase and the same cells, as its verdicts.json has it; what cannot be read is none. */
export function earlierOf(parent: string, folder: string, { phase, selection }: Readonly<{ phase: string; selection: string | null }>): Earlier | null {
  const candidates = (statSync(parent, { throwIfNoEntry: false })?.isDirectory() === true ? runsIn(parent) : []).filter((other) => other < folder).toReversed().slice(0, farthestBack);
  for (const one of candidates) {
    try {
      const read = readCells(readFileSync(join(parent, one, 'verdicts.json'), 'utf8'), 'verdicts.json');
      if (read.phase === phase && read.selection === selection) return { folder: one, cells: read.cells };
    } catch {
      // A run that came to no record, or one of an older version: the one before it, then.
    }
  }
  return null;
}

/** What a run made of its cells: by the small file, where it has one. */
export function cellsOf(folder: string): ReturnType<typeof readCells> {
  const name = existsSync(join(folder, 'verdicts.json')) ? 'verdicts.json' : 'evidence.json';
  return readCells(readFileSync(join(folder, name), 'utf8'), join(basename(folder), name));
}

/** `differences`: one line for each thing that is not as the run left it: files, chain, signature, outcomes, verdicts. `notes`: what the reader should know. */
type Verified = Readonly<{ differences: readonly string[]; notes: readonly string[] }>;

type Judged = ReturnType<typeof verifyBatches>;

/** In whatever order: a file's has those of each batch together. */
function isSame(cells: readonly CellState[], others: readonly CellState[]): boolean {
  const byId = new Map(others.map((one) => [one.id, one]));
  return cells.length === others.length && cells.every((one) => isDeepStrictEqual(one, byId.get(one.id)));
}

/**
 * @param signers a file of those who may sign, or null: then a signature is not looked at
 * @param isChained false: it was carried here by itself, so the runs beside it are none of its chain
 */
export function verifyRun(folder: string, signers: string | null, isChained = true): Verified {
  const entries = readdirSync(folder, { withFileTypes: true });
  const names = entries.filter((one) => one.isFile()).map(({ name }) => name);
  const read = (name: string): string | undefined => (names.includes(name) ? readFileSync(join(folder, name), 'utf8') : undefined);
  const differences = entries.filter((one) => !one.isFile()).map(({ name }) => `${name}: not a plain file`);
  const notes: string[] = [];
  const attempt = (action: () => readonly string[]): void => {
    try {
      differences.push(...action());
    } catch (error) {
      differences.push((error as Error).message);
    }
  };
  const own = read('manifest.json');
  if (own === undefined) return { differences: [...differences, 'manifest.json: not there; the run did not come to its end, or somebody took it'], notes };
  attempt(() => {
    const manifest = readManifest(own, 'manifest.json');
    return [...compareFiles(manifest, new Map(names.map((name) => [name, hashOf(join(folder, name))]))), ...(isChained ? chain(folder, manifest.previous, notes) : [])];
  });
  attempt(() => {
    const signed = names.includes('manifest.json.sig');
    if (signers === null) notes.push(signed ? 'signed; by whom was not checked: name the allowed signers with --signers FILE' : 'not signed');
    else if (signed) notes.push(`signed by ${signerOf(folder, signers)}`);
    return signers !== null && !signed ? ['manifest.json.sig: not there; the run is not signed'] : [];
  });
  attempt(() => {
    if (!names.includes('evidence.json')) return ['evidence.json: not there'];
    const inventory = read('inventory.json');
    const verdicts = read('verdicts.json');
    const isOther = (hashes: readonly string[]): boolean => inventory !== undefined && hashes.some((hash) => sha256(inventory) !== hash);
    const told = ({ inventoryHashes, cells, ...rest }: Judged): readonly string[] => [
      ...(isOther(inventoryHashes) ? ['inventory.json: not the one whose hash is in evidence.json'] : []),
      ...(verdicts !== undefined && !isSame(cells, readCells(verdicts, 'verdicts.json').cells) ? ['verdicts.json: not the verdicts that are in evidence.json'] : []), ...rest.differences,
    ];
    const batches = batchesIn(join(folder, 'evidence.json'));
    if (batches !== null) return told(verifyBatches(batches, 'evidence.json'));
    const text = read('evidence.json') ?? '';
    if (isFault(text)) {
      notes.push('the run came to no record: there is no verdict to judge');
      return [];
    }
    const parts = readParts(text, 'evidence.json');
    const whole = parts.isMerged ? verifyMerged(folder, new Map(names.map((name) => [name, readFileSync(join(folder, name))])), parts, signers) : { notes: [], differences: parts.parts.flatMap(rejudge) };
    notes.push(...whole.notes);
    return told({ inventoryHashes: parts.parts.map(({ inventoryHash }) => inventoryHash), cells: readCells(text, 'evidence.json').cells, differences: whole.differences });
  });
  return { differences, notes };
}

function chain(folder: string, previous: Readonly<{ folder: string; sha256: string }> | null, notes: string[]): readonly string[] {
  const parent = dirname(folder);
  const found = before(parent, basename(folder));
  if (previous === null) return found === null ? [] : [`chain: manifest.json says that there was no run before, and there is ${found.folder}`];
  if (found?.folder === previous.folder) return sha256(found.manifest) === previous.sha256 ? [] : [`chain: the manifest of ${previous.folder} is not the one that this run followed`];
  const gone = prunedOf(parent).find((one) => one.folder === previous.folder);
  if (gone === undefined) return [`chain: the run before, ${previous.folder}, is not there, and pruned.json does not have it`];
  if (gone.sha256 !== previous.sha256) return [`chain: pruned.json has another manifest of ${previous.folder} than the one that this run followed`];
  notes.push(`the run before, ${previous.folder}, was pruned; its manifest had the hash that this run followed`);
  return [];
}

/** A run that came to no record has no verdict to judge. */
export function isFault(text: string): boolean {
  try {
    return typeof (JSON.parse(text) as { run?: { fault?: unknown } }).run?.fault === 'string';
  } catch {
    return false;
  }
}
