// report.html in a real Chromium: what a reader gets, and what a hostile banner does not.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { expect } from 'chai';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { RunRecord } from '../../lib/model.ts';
import { htmlFile } from '../../lib/reports/html/file.ts';
import { cellStateOf } from '../../lib/reports/verdicts.ts';
import { aFinding, aRecord, passed } from '../fixtures/flows.ts';
import { openBrowser } from './chromium.ts';
import { record, withTexts } from './record.ts';

type Opened = Readonly<{ page: Page; url: string; complaints: readonly string[]; requests: readonly string[] }>;

describe('report.html in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flowproof-browser-'));
  let browser: Browser;
  let opened = 0;
  before(async () => {
    browser = await openBrowser();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });
  after(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  /** Opens the record's report from disk, as its reader does; `complaints` are what the console says and what the page throws. */
  async function open(of: RunRecord, options: BrowserContextOptions = {}, inPage?: string): Promise<Opened> {
    const file = join(folder, `${(opened += 1)}.html`);
    writeFileSync(file, htmlFile(of, { folder: '2026-11-22T00-00-00-000Z', cells: of.findings.map((finding) => ({ ...cellStateOf(finding), verdict: 'pass' })) }));
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const [complaints, requests]: [string[], string[]] = [[], []];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => requests.push(request.url()));
    if (inPage !== undefined) await page.addInitScript({ content: inPage });
    const url = pathToFileURL(file).href;
    await page.goto(url);
    return { page, url, complaints, requests };
  }
  const count = (page: Page): Promise<string | null> => page.textContent('#count');
  /** A style as the browser computed it, of all that fit. Code for the page is text, since this project's types know no DOM. */
  const styles = (page: Page, selector: string, property: string): Promise<readonly string[]> =>
    page.evaluate(`[...document.querySelectorAll('${selector}')].map((one) => getComputedStyle(one).${property})`);
  const ids = (page: Page): Promise<readonly string[]> => page.locator('#list summary').allTextContents();

  it('opens without a word on the console, and asks for nothing but itself', async () => {
    const { page, url, complaints, requests } = await open(record);
    expect(await count(page)).to.equal('154 cells, the first 100 shown');
    expect(complaints).to.deep.equal([]);
    expect(requests).to.deep.equal([url]);
    expect(await styles(page, '.verdict', 'borderLeftStyle'), 'its style').to.deep.equal(['solid']);
  });

  it('runs no script and takes no style but its own', async () => {
    const { page, complaints } = await open(record);
    await page.evaluate(`for (const [name, text] of [['script', 'document.title = "taken"'], ['style', 'body { border-top: 9px solid }']])
      document.body.append(Object.assign(document.createElement(name), { textContent: text }))`);
    expect(await styles(page, 'body', 'borderTopWidth')).to.deep.equal(['0px']);
    expect(await page.title()).to.equal('flowproof steady 2026-11-23T04:05:41.755Z');
    expect(complaints.join()).to.include('Content Security Policy');
  });

  it('searches the ids and the evidence of all cells', async () => {
    const { page } = await open(record);
    await page.fill('#search', 'TCP/1149 mesh');
    expect(await ids(page)).to.deep.equal(['blocked mesh -> ntp vmbr1 tcp/1149']);
    await page.fill('#search', '3c696d673e');
    expect(await ids(page)).to.deep.equal(['fail joi -> internet tcp/443']);
    await page.fill('#search', 'nothing of the kind');
    expect(await count(page)).to.equal('0 cells');
  });

  it('filters by source, destination, port and state, together', async () => {
    const { page } = await open(record);
    await page.selectOption('#from', 'ntp');
    expect(await ids(page)).to.deep.equal(['untold ntp -> joi vmbr1 tcp/26', 'open ntp -> joi vmbr1 udp/123']);
    await page.selectOption('#state', 'open');
    expect(await ids(page)).to.deep.equal(['open ntp -> joi vmbr1 udp/123']);
    await page.selectOption('#to', 'internet');
    expect(await count(page)).to.equal('0 cells');
    await page.selectOption('#from', '');
    await page.selectOption('#state', 'fail');
    await page.selectOption('#port', 'tcp/443');
    expect(await ids(page)).to.deep.equal(['fail joi -> internet tcp/443']);
  });

  it('leads from a red cell of the heat map to its evidence, by keys alone', async () => {
    const { page } = await open(record);
    await page.focus('.heat td.fail a');
    await page.keyboard.press('Enter');
    expect(await ids(page)).to.deep.equal(['fail joi -> internet tcp/443']);
    for (let tabs = 0; tabs < 12 && !(await page.evaluate(`document.activeElement.matches('#list summary')`)); tabs += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.innerText('#list pre')).to.include('verdict fail: reached: TCP handshake').and.include('try 1 got 5 bytes from 198.51.100.80');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    expect(await page.locator('#list pre').count()).to.equal(1);
  });

  it('draws an arrow for each source and destination, the wrong one red', async () => {
    const { page } = await open(record);
    expect(await styles(page, '.topology .arrow', 'stroke')).to.deep.equal(['rgb(76, 107, 87)', 'rgb(122, 82, 0)', 'rgb(179, 20, 31)']);
    expect(await page.locator('.topology g:has(.arrow) title').allTextContents()).to.deep.equal(['mesh to ntp: 150 of 150 cells all blocked, as it should be', 'ntp to joi: 1 of 2 cells could not be told', 'joi to internet: 1 of 2 cells not as the matrix says']);
    const good = await open(aRecord([aFinding('a', passed, { expected: 'allowed' })]));
    expect(await styles(good.page, '.topology .arrow', 'stroke')).to.deep.equal(['rgb(11, 107, 51)']);
  });

  for (const colorScheme of ['light', 'dark'] as const)
    it(`has nothing that axe finds serious, ${colorScheme}`, async () => {
      const { page } = await open(record, { colorScheme }, axe.source);
      await page.locator('#list summary').first().click();
      await page.locator('.cause summary').first().click();
      const found = await page.evaluate(async () => (await (globalThis as unknown as { axe: typeof axe }).axe.run()).violations);
      expect(found.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).to.deep.equal([]);
      expect(await styles(page, 'body', 'backgroundColor')).to.deep.equal([colorScheme === 'dark' ? 'rgb(22, 25, 29)' : 'rgb(255, 255, 255)']);
    });

  it('fits a phone: only tables and the picture scroll, by themselves', async () => {
    const long = withTexts(record, (text) => `${text}${'x'.repeat(120)}`);
    for (const of of [record, long]) {
      const { page } = await open(of, { viewport: { width: 375, height: 800 } });
      await page.locator('#list summary').first().click();
      expect(await page.evaluate('document.documentElement.scrollWidth')).to.equal(375);
    }
  });

  it('keeps what others wrote as text, in every field', async () => {
    const attack = (text: string): string => `${text}</script></style></title><script>alert(1)</script><!--<script><img src=x: onerror=alert(2)>"'&lt;\u202E\u0000`;
    /** Each element with its attributes' names, in order: what is markup. */
    const markup = (page: Page): Promise<readonly string[]> => page.locator('*').evaluateAll((all) => all.map((one) => `${one.tagName} ${one.getAttributeNames().join(' ')}`));
    const [tame, hostile] = [await open(withTexts(record, (text) => `${text}!`)), await open(withTexts(record, attack))];
    for (const { page } of [tame, hostile]) {
      await page.evaluate(`for (const summary of document.querySelectorAll('summary')) summary.click()`);
      await page.locator('#list details:not(:has(pre))').first().waitFor({ state: 'detached' });
    }
    expect(await markup(hostile.page)).to.deep.equal(await markup(tame.page));
    expect(hostile.complaints).to.deep.equal([]);
    expect(hostile.requests).to.deep.equal([hostile.url]);
    const text = ((await hostile.page.textContent('body')) ?? '').replaceAll('\n', '');
    expect(text).to.include('<img src=x: onerror=alert(2)>"\'&lt;\uFFFD\uFFFD').and.not.match(/[\p{Cc}\p{Cf}]/u);
    for (const field of ['no shell', 'python as root', 'SHA256:abc', 'Linux 6.1', 'a Match exec', 'old switch', 'anna', 'TCP handshake', 'a second look', 'a handshake', 'anna@seat', 'no raw packets', 'chat.signal.org', 'ntp-joi', 'interrupted', '--grep joi', 'ab12'])
      expect(text, field).to.include(`${field}</script>`);
  });

  it('prints the essentials: verdict, causes, picture, tables; not the search', async () => {
    const { page } = await open(record, { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    for (const shown of ['.verdict', '.cause >> nth=0', '.topology', '.heat', 'text=For the assessor']) expect(await page.isVisible(shown), shown).to.equal(true);
    expect(await page.isVisible('#cells')).to.equal(false);
    expect(await styles(page, 'body', 'backgroundColor')).to.deep.equal(['rgb(255, 255, 255)']);
    expect((await page.pdf({ format: 'A4' })).subarray(0, 5).toString()).to.equal('%PDF-');
  });

  it('reads without script', async () => {
    const { page } = await open(record, { javaScriptEnabled: false });
    for (const shown of ['.verdict', '.cause >> nth=0', '.topology', '.heat']) expect(await page.isVisible(shown), shown).to.equal(true);
    expect(await page.isVisible('#cells')).to.equal(false);
  });
});
