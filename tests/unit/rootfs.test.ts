// The lab's root file systems as they lie in the cache: whole, or not to be started from.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LabError } from '../../lab/error.ts';
import { expectModes } from '../../lab/rootfs.ts';

describe('root file systems', () => {
  const built = mkdtempSync(join(tmpdir(), 'flowproof-unit-'));
  const sudo = join(built, 'debian/usr/bin/sudo');
  after(() => rmSync(built, { recursive: true, force: true }));

  it('are refused without sudo', () => expect(() => expectModes(built)).to.throw(LabError, 'is not there'));
  for (const [mode, sentence] of [[0o4755, 'are taken'], [0o755, 'are refused, with the file and the mend, where sudo has lost its setuid bit']] as const)
    it(sentence, () => {
      mkdirSync(join(sudo, '..'), { recursive: true });
      writeFileSync(sudo, '');
      chmodSync(sudo, mode);
      const check = (): void => expectModes(built);
      if (mode === 0o4755) expect(check).to.not.throw();
      else expect(check).to.throw(LabError, sudo).with.property('message').that.includes(`Remove ${built}, and \`npm run lab -- up\``);
    });
});
