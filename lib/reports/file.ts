// Text to a file and from it, piece by piece.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

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

const readAtOnce = 1 << 18;
const lineEnd = 0x0a;

/** The lines of a file without their ends. @throws where it cannot be read */
export function* linesOf(file: string): Generator<string> {
  const from = openSync(file, 'r');
  try {
    const piece = Buffer.alloc(readAtOnce);
    let rest: Buffer = Buffer.alloc(0);
    for (let length = readSync(from, piece); length > 0; length = readSync(from, piece)) {
      const read = Buffer.concat([rest, piece.subarray(0, length)]);
      let begin = 0;
      for (let end = read.indexOf(lineEnd); end !== -1; end = read.indexOf(lineEnd, begin)) {
        yield read.toString('utf8', begin, end);
        begin = end + 1;
      }
      rest = read.subarray(begin);
    }
    if (rest.length > 0) yield rest.toString('utf8');
  } finally {
    closeSync(from);
  }
}
