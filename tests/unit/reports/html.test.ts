// The page: one file, nothing of others in it but as text.
import { expect } from 'chai';
import { renderHtml } from '../../../lib/reports/html/index.ts';
import { aFinding, aRecord, passed, reached } from '../../fixtures/flows.ts';

const attack = `</script><img src=x onerror=alert(1)>'"&`;
const page = (...findings: Parameters<typeof aRecord>[0]): string => renderHtml(aRecord(findings), { style: 'p{}', script: '1' });

describe('html', () => {
  it('tells a violation with its row and reason', () => expect(page(aFinding('joi -> ntp vmbr1 tcp/26', reached))).to.include('<th scope="row">joi -&gt; ntp vmbr1 tcp/26</th><td>denied</td><td>everything else</td><td>fail</td>'));
  it('has what others wrote as text alone', () => {
    const text = page(aFinding(attack, { ...reached, reason: attack }, { row: attack, from: attack, to: attack }));
    expect(text).to.not.include('<img');
    expect(text.match(/<\/script>/g)).to.have.length(2);
  });
  it('asks nothing of any network', () => expect(page(aFinding('a', passed))).to.include(`content="default-src 'none'; style-src 'sha256-`).and.not.match(/(src|href)=/));
});
