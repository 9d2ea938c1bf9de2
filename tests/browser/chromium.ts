// Debian's own Chromium, as tests/browser/setup.sh installs it: nothing is downloaded by playwright.
import { chromium, type Browser } from 'playwright-core';

export function openBrowser(): Promise<Browser> {
  // Its sandbox does not work for root.
  return chromium.launch({ executablePath: '/usr/bin/chromium', chromiumSandbox: process.getuid?.() !== 0 });
}
