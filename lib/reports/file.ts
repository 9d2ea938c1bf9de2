// Text to a file, piece by piece.
import { closeSync, openSync, writeSync } from 'node:fs';

/** Pieces of a cell are small: together they make writes of a size that disks like. */
const writeAtOnce = 1 << 16;

/** @throws where the disk does not take it; what it took stays */
export function writePieces(file: string, pieces: Iterable<string>): void {
  const to = openSync(file, 'w');
  try {
    let held = '';
    for (const piece of pieces) {
      held += piece;
      if (held.length < writeAtOnce) continue;
      writeAll(to, held);
      held = '';
    }
    writeAll(to, held);
  } finally {
    closeSync(to);
  }
}

/** A disk that is nearly full takes a part, and says so at the next attempt. */
function writeAll(to: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(to, bytes, written);
}
