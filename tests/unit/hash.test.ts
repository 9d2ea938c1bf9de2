// SHA-256, by the examples that NIST publishes with FIPS 180.
import { expect } from 'chai';
import { sha256, sha256Of } from '../../lib/hash.ts';

describe('hash', () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  it('is that of its text, in hex', () => expect(sha256('abc')).to.equal(abc));
  it('is the same in base64, with its padding', () => expect(sha256(Buffer.from('abc'), 'base64')).to.equal(Buffer.from(abc, 'hex').toString('base64')));
  it('is the same of its pieces', () => expect(sha256Of(['a', Buffer.from('b'), 'c'])).to.equal(abc));
});
