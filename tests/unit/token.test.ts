// Tokens are what a probe knows its own traffic by.
import { expect } from 'chai';
import { newToken } from '../../lib/token.ts';

it('tokens are 16 bytes of hex, each another, also once the pool has been used up', () => {
  const tokens = Array.from({ length: 1_000 }, newToken);
  expect(tokens.every((token) => /^[0-9a-f]{32}$/.test(token))).to.equal(true);
  expect(new Set(tokens).size).to.equal(tokens.length);
});
