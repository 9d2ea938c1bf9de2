// The SHA-256 of a file, read piece by piece: evidence of a hundred hosts has hundreds of megabytes.
import { closeSync, openSync, readSync } from 'node:fs';
import { sha256Of } from '../hash.ts';

const pieceBytes = 1 << 20;

/** In hex. @throws where it cannot be read */
export const hashOf = (file: string): string => sha256Of(piecesOf(file));

/** Each holds until the next one is asked for. */
function* piecesOf(file: string): Iterable<Buffer> {
  const piece = Buffer.alloc(pieceBytes);
  const from = openSync(file, 'r');
  try {
    for (let length = readSync(from, piece); length > 0; length = readSync(from, piece)) yield piece.subarray(0, length);
  } finally {
    closeSync(from);
  }
}
