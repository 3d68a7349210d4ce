// Opens the status page with script, and waits until it has renewed itself in place: other content, the same document, folds
// as they were, no console error. Then without script: the page asks for itself again.
//
//   node live.mjs <folder with node_modules> <url>
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [packages, url] = process.argv.slice(2);
const require = createRequire(join(packages, 'package.json'));
const { chromium } = require('playwright-core');

const faults = [];
const browser = await chromium.launch({
  executablePath: process.env.BOA_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'], // As in check.mjs.
});

const page = await browser.newPage();
let loads = 0;
page.on('load', () => { loads += 1; });
page.on('console', (message) => {
  if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`);
});
page.on('pageerror', (error) => faults.push(`page error: ${error.message}`));
await page.goto(url, { waitUntil: 'load' });
const cycles = () => page.evaluate(() => document.querySelector('footer').textContent.match(/(\d+) cycles/)[1]);
await page.evaluate(() => { document.querySelector('details').open = true; });
const before = await cycles();
try {
  await page.waitForFunction(
    (old) => document.querySelector('footer').textContent.match(/(\d+) cycles/)[1] !== old,
    before,
    { timeout: 20000 },
  );
} catch {
  faults.push(`the page still shows ${before} cycles after 20 s`);
}
if (loads !== 1) faults.push(`the page was loaded ${loads} times`);
if (!(await page.evaluate(() => document.querySelector('details').open))) faults.push('a fold was closed');
// Whoever selects text is reading.
await page.evaluate(() => document.getSelection().selectAllChildren(document.querySelector('h1')));
await page.waitForTimeout(500);
const read = await cycles();
await page.waitForTimeout(4500);
if ((await cycles()) !== read) faults.push('the page changed under a selection');
await page.close();

const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
const response = await plain.goto(url, { waitUntil: 'load' });
const source = await response.text();
if (!source.includes('<noscript><meta http-equiv="refresh" content="30">')) faults.push('without script nothing renews the page');
if ((await plain.locator('h1').count()) !== 1) faults.push('without script there is no verdict');
await browser.close();

if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log('live: 0 faults');
