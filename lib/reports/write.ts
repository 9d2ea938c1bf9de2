// Writes each report by itself: under a temporary name, then renamed, so that no half-written file has a final name.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { RunRecord } from '../model.ts';
import { htmlFile } from './html/file.ts';
import { renderJson } from './json.ts';
import { renderJunit, renderJunitFault } from './junit.ts';

type Written = Readonly<{ folder: string; faults: readonly string[] }>;

/**
 * Writes junit.xml, evidence.json and report.html into a folder named by the UTC time, and points `latest` to it.
 * @returns what could not be written; one report's fault stops no other
 */
export function writeReports(parent: string, startedAt: string, record: RunRecord): Written {
  return write(parent, startedAt, { 'junit.xml': () => renderJunit(record), 'evidence.json': () => renderJson(record), 'report.html': () => htmlFile(record) });
}

/** For a run that came to no record. */
export function writeFault(parent: string, startedAt: string, name: string, message: string): Written {
  return write(parent, startedAt, {
    'junit.xml': () => renderJunitFault(name, message),
    'evidence.json': () => `${JSON.stringify({ schema: 1, run: { startedAt, fault: message }, flows: [] }, null, 1)}\n`,
  });
}

function write(parent: string, startedAt: string, reports: Readonly<Record<string, () => string>>): Written {
  const folder = join(parent, startedAt.replace(/[:.]/g, '-'));
  const faults: string[] = [];
  const attempt = (what: string, action: () => void): void => {
    try {
      action();
    } catch (error) {
      faults.push(`${what}: ${(error as Error).message}`);
    }
  };
  attempt(folder, () => mkdirSync(folder, { recursive: true }));
  for (const [name, render] of Object.entries(reports)) {
    const file = join(folder, name);
    attempt(file, () => {
      try {
        writeFileSync(`${file}.part`, render());
        renameSync(`${file}.part`, file);
      } finally {
        rmSync(`${file}.part`, { force: true }); // what a full disk took of it
      }
    });
  }
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
