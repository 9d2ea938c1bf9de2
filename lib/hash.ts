// SHA-256 (FIPS 180-4), the one hash of files, keys and programs. Pure.
import { createHash } from 'node:crypto';

type Piece = Buffer | string;

/** Base64 with its padding. */
export const sha256 = (content: Piece, as: 'hex' | 'base64' = 'hex'): string => createHash('sha256').update(content).digest(as);

/** In hex, of what is not held whole. */
export function sha256Of(pieces: Iterable<Piece>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
