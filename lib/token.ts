// Tokens, drawn by the hundred thousand: from one pool of random bytes, since a call for each costs more than all else about a token.
import { randomFillSync } from 'node:crypto';

const tokenBytes = 16;
const pool = Buffer.alloc(tokenBytes * 256);
let drawn = pool.length;

/** 16 fresh random bytes as 32 hex digits; no byte of the pool is given twice. */
export function newToken(): string {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += tokenBytes;
  return pool.toString('hex', drawn - tokenBytes, drawn);
}
