// The seed reaches the fast-check that the tests have (tests/seed.cjs).
import { expect } from 'chai';
import fc from 'fast-check';

it('the properties draw the same inputs each time', () => expect(fc.readConfigureGlobal()).to.include({ seed: 1 }));
