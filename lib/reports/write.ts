// Writes each report by itself: under a temporary name, then renamed, so that no half-written file has a final name.
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hashOf } from '../bundle/hash.ts';
import { makeManifest } from '../bundle/manifest.ts';
import { before, earlierOf } from '../bundle/runs.ts';
import type { RunRecord } from '../model.ts';
import { writePieces } from './file.ts';
import { htmlFile } from './html/file.ts';
import { jsonPieces } from './json.ts';
import { junitPieces, renderJunitFault } from './junit.ts';
import { verdictPieces } from './verdicts.ts';

/** A report's text in pieces: that of a hundred hosts is not held whole. */
type Render = () => Iterable<string>;
type Written = Readonly<{ folder: string; faults: readonly string[] }>;

/**
 * Writes junit.xml, evidence.json and report.html into a folder named by the UTC time, and points `latest` to it. `used`: what the run was made
 * from, by file name, to stand beside them; `beside`: where the runs are that it is held against. The manifest comes last: a folder without one did not come to its end.
 * @returns what could not be written; one report's fault stops no other
 */
export function writeReports(parent: string, startedAt: string, record: RunRecord, used: Readonly<Record<string, string>> = {}, beside = parent): Written {
  const copies = Object.fromEntries(Object.entries(used).map(([name, text]) => [name, () => [text]]));
  const earlier = earlierOf(beside, folderOf(startedAt), record.run);
  return write(parent, startedAt, { ...copies, 'junit.xml': () => junitPieces(record), 'verdicts.json': () => verdictPieces(record), 'evidence.json': () => jsonPieces(record), 'report.html': () => [htmlFile(record, earlier)] });
}

const folderOf = (startedAt: string): string => startedAt.replace(/[:.]/g, '-');

/** For a run that came to no record. */
export function writeFault(parent: string, startedAt: string, name: string, message: string): Written {
  return write(parent, startedAt, {
    'junit.xml': () => [renderJunitFault(name, message)],
    'evidence.json': () => [`${JSON.stringify({ schema: 1, run: { startedAt, fault: message }, flows: [] }, null, 1)}\n`],
  });
}

function write(parent: string, startedAt: string, reports: Readonly<Record<string, Render>>): Written {
  const folder = join(parent, folderOf(startedAt));
  const faults: string[] = [];
  const attempt = (what: string, action: () => void): void => {
    try {
      action();
    } catch (error) {
      faults.push(`${what}: ${(error as Error).message}`);
    }
  };
  attempt(folder, () => mkdirSync(folder, { recursive: true }));
  const put = (name: string, render: Render): void => {
    const file = join(folder, name);
    attempt(file, () => {
      try {
        writePieces(`${file}.part`, render());
        renameSync(`${file}.part`, file);
      } finally {
        rmSync(`${file}.part`, { force: true }); // what a full disk took of it
      }
    });
  };
  for (const [name, render] of Object.entries(reports)) put(name, render);
  if (faults.length === 0) put('manifest.json', () => [makeManifest(new Map(readdirSync(folder).filter((name) => name !== 'manifest.json').map((name) => [name, hashOf(join(folder, name))])), before(parent, basename(folder)))]);
  attempt(join(parent, 'latest'), () => {
    const link = join(parent, `.latest-${process.pid}`);
    rmSync(link, { force: true });
    symlinkSync(basename(folder), link);
    try {
      renameSync(link, join(parent, 'latest'));
    } finally {
      rmSync(link, { force: true });
    }
  });
  return { folder, faults };
}
