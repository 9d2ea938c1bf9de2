// The SHA-256 of a file, read piece by piece: evidence of a hundred hosts has hundreds of megabytes.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

const pieceBytes = 1 << 20;

/** In hex. @throws where it cannot be read */
export function hashOf(file: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(pieceBytes);
  const from = openSync(file, 'r');
  try {
    for (let length = readSync(from, piece); length > 0; length = readSync(from, piece)) hash.update(piece.subarray(0, length));
  } finally {
    closeSync(from);
  }
  return hash.digest('hex');
}
