// Opens the status page in Debian's Chromium at two widths, light and dark, and fails on: horizontal scroll, console
// errors, requests to anywhere else, accessibility violations found by axe-core, a page that waits for script.
//
//   node check.mjs <folder with node_modules> <url> <name of the screenshots> [<path of the page> [<token>]]
//
// Screenshots go beside the packages, for people to look at.
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [packages, url, name, path = '/?refresh=off', token] = process.argv.slice(2);
const require = createRequire(join(packages, 'package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const shots = join(packages, 'shots');
mkdirSync(shots, { recursive: true });

const faults = [];
const browser = await chromium.launch({
  executablePath: process.env.BOA_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'], // Tests may run as root, in containers without user namespaces; only our own page is opened.
});

for (const width of [1280, 360]) {
  for (const colorScheme of ['light', 'dark']) {
    const where = `${name} at ${width} px, ${colorScheme}`;
    const context = await browser.newContext({
      viewport: { width, height: 800 },
      colorScheme,
      ...(token && { httpCredentials: { username: 'Kim', password: token } }),
    });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) faults.push(`${where}: console: ${message.text()}`);
    });
    page.on('pageerror', (error) => faults.push(`${where}: page error: ${error.message}`));
    page.on('dialog', (dialog) => { faults.push(`${where}: a dialog opened: ${dialog.message()}`); dialog.dismiss(); });
    page.on('request', (request) => {
      const target = request.url();
      if (!target.startsWith(url) && !target.startsWith('data:')) faults.push(`${where}: outside request: ${target}`);
    });
    const response = await page.goto(`${url}${path}`, { waitUntil: 'load' });
    if (response.status() !== 200) faults.push(`${where}: status ${response.status()}`);
    // Unfolded, so that what is folded away is checked as well.
    await page.screenshot({ path: join(shots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    // A page with the strict policy runs no script of ours or of others; the debugger's world may, and opens the folds.
    await page.evaluate(() => document.querySelectorAll('details').forEach((fold) => { fold.open = true; }));
    const scroll = await page.evaluate(() => {
      const root = document.documentElement;
      const wide = [...document.querySelectorAll('body *')]
        .filter((it) => it.getBoundingClientRect().right > root.clientWidth + 0.5)
        .map((it) => `${it.tagName}.${it.getAttribute('class')}`);
      return { over: root.scrollWidth - root.clientWidth, wide: wide.slice(0, 5) };
    });
    if (scroll.over > 0 || scroll.wide.length > 0) {
      faults.push(`${where}: ${scroll.over} px of horizontal scroll: ${scroll.wide.join(', ')}`);
    }
    const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'] })`);
    for (const violation of found.violations) {
      const nodes = violation.nodes.slice(0, 3).map((node) => node.html).join(' | ');
      faults.push(`${where}: axe ${violation.id}: ${violation.help}: ${nodes}`);
    }
    if (found.passes.length === 0) faults.push(`${where}: axe looked at nothing`);
    await page.screenshot({ path: join(shots, `${name}-${width}-${colorScheme}-open.png`), fullPage: true });
    await context.close();
  }
}
await browser.close();

if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`${name}: 4 views, 0 faults`);
