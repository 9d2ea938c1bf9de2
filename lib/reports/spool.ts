// The cells of a run in batches, on the disk from the moment that they are judged until the reports are put together from them.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { grouped } from '../grouped.ts';
import type { Finding, RunRecord, Spooled } from '../model.ts';
import { linesOf, writePieces } from './file.ts';
import { findingOf, flowEntry, partPieces } from './json.ts';

export type Spool = Spooled & Readonly<{
  /** Writes a batch down; nothing of it need be held afterwards. @throws where the disk does not take it */
  add: (batch: RunRecord) => void;
}>;

/**
 * @param parent where the reports will be: the same disk, and a name that no run's folder has
 * @param sources in the order of the plan
 * @throws where it cannot be made
 */
export function makeSpool(parent: string, sources: readonly string[]): Spool {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, '.spool-'));
  const places = new Map(sources.map((source, index) => [source, index]));
  const written = new Set<string>();
  let batches = 0;
  // By number: what an inventory calls a host need not be a name for a file.
  const fileOf = (source: string): string => join(folder, `source-${places.get(source)}`);
  const partOf = (batch: number): string => join(folder, `batch-${batch}`);
  const there = (): readonly string[] => sources.filter((source) => written.has(source));
  return {
    add: (batch) => {
      for (const [source, findings] of grouped(batch.findings, ({ flow }) => flow.from)) {
        writePieces(fileOf(source), lines(findings));
        written.add(source);
      }
      writePieces(partOf(batches), partPieces(batch));
      batches += 1;
    },
    lines: function* () {
      for (const source of there()) yield* linesOf(fileOf(source));
    },
    findings: function* () {
      for (const source of there()) yield [source, [...linesOf(fileOf(source))].map(findingOf)] as const;
    },
    parts: function* () {
      for (let batch = 0; batch < batches; batch += 1) yield joined(linesOf(partOf(batch)));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function* lines(findings: readonly Finding[]): Generator<string> {
  for (const finding of findings) yield `${JSON.stringify(flowEntry(finding))}\n`;
}

/** As they were, without a line end at the end. */
function* joined(some: Iterable<string>): Generator<string> {
  let before = '';
  for (const line of some) {
    yield `${before}${line}`;
    before = '\n';
  }
}
