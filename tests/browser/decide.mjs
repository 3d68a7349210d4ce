// Approves a proposal in Debian's Chromium with script switched off, by keyboard alone, and loads the answer again.
//
//   node decide.mjs <folder with node_modules> <url> <path of the proposal> <token>
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [packages, url, path, token] = process.argv.slice(2);
const require = createRequire(join(packages, 'package.json'));
const { chromium } = require('playwright-core');
const browser = await chromium.launch({
  executablePath: process.env.BOA_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'], // Tests may run as root, in containers without user namespaces; only our own page is opened.
});
const context = await browser.newContext({
  javaScriptEnabled: false,
  httpCredentials: { username: 'Kim', password: token },
});
const page = await context.newPage();
const check = (holds, what) => {
  if (holds) return;
  console.error(what);
  process.exit(1);
};
await page.goto(`${url}${path}`);
const form = page.getByRole('form', { name: 'Approve' });
check(await form.getByLabel('Your name').inputValue() === 'Kim', 'the name of the sign-in is not there');
await form.getByLabel('Value to ask for').focus();
await page.keyboard.press('Tab');
await page.keyboard.press('Tab');
await page.keyboard.type('the launch');
await page.keyboard.press('Enter');
await page.waitForURL(/said=/);
const said = async () => (await page.getByRole('status').textContent()).trim();
check(await said() === 'Done: approved by Kim.', `it says: ${await page.textContent('main')}`);
await page.reload();
check(await said() === 'Done: approved by Kim.', 'a reload says otherwise');
check(await page.getByRole('button').count() === 0, 'there are buttons left');
await browser.close();
console.log('approved by keyboard, 0 faults');
