// `npm run screenshot -- REPORT.html OUT.png`: the top of the report as a picture, for the README. Colours are few, hence PNG is small.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { openBrowser } from './chromium.ts';

const { values, positionals: [report, picture, ...rest] } = parseArgs({
  allowPositionals: true,
  options: { width: { type: 'string', default: '1100' }, height: { type: 'string', default: '1500' }, dark: { type: 'boolean', default: false }, full: { type: 'boolean', default: false } },
});
const [width, height] = [Number(values.width), Number(values.height)];
if (report === undefined || picture === undefined || rest.length > 0 || !(width > 0) || !(height > 0)) {
  console.error('usage: npm run screenshot -- REPORT.html OUT.png [--width PIXELS] [--height PIXELS] [--dark] [--full]');
  process.exit(2);
}
const browser = await openBrowser();
try {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: values.dark ? 'dark' : 'light' });
  await page.goto(pathToFileURL(resolve(report)).href);
  await page.screenshot({ path: picture, fullPage: values.full });
} finally {
  await browser.close();
}
