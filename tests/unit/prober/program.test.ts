// What is carried to a host: all parts of a prober, each once.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parts, program } from '../../../lib/prober/program.ts';

const folder = join(import.meta.dirname, '../../../lib/prober');

for (const [name, kind] of [['python', 'python'], ['shell', 'sh']] as const)
  describe(`program: ${kind}`, () => {
    it('has every part that there is, once', () => expect([...parts[name]].toSorted()).to.deep.equal(readdirSync(join(folder, name)).toSorted()));
    it('has no function, class or constant twice: all parts have one room for names', () => {
      const defined = (part: string): readonly string[] => {
        const text = readFileSync(join(folder, name, part), 'utf8');
        const lines = [...text.matchAll(/^(?:def |class )(\w+)|^([A-Z_][A-Z0-9_]*(?:, [A-Z_][A-Z0-9_]*)*) = |^(\w+)\(\) [{(]/gm)];
        return lines.flatMap(([, python = '', constants = '', shell = '']) => [python, shell, ...constants.split(', ')]).filter((one) => one !== '');
      };
      const all = parts[name].flatMap((part) => [...new Set(defined(part))]);
      expect(all.length).to.be.greaterThan(20);
      expect(all.filter((one, index) => all.indexOf(one) !== index)).to.deep.equal([]);
    });
    for (const part of parts[name]) {
      const text = readFileSync(join(folder, name, part), 'utf8');
      it(`carries ${part}, which says on top what it is`, () => {
        expect(text).to.match(/^# [A-Z].*\n/);
        expect(program(kind).toString().split(text)).to.have.length(2);
      });
      it(`can tell where ${part} ends`, () => expect(text.split('\n')).to.not.include('#END'));
    }
    it('ends as its bootstrap awaits it', () => expect(program(kind).toString().endsWith('\n#END\n')).to.equal(kind === 'sh'));
  });
