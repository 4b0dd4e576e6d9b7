// Chromium and Firefox as the distribution has them, driven by puppeteer.

import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';

const CHROMIUM = process.env.VIGIE_CHROMIUM ?? '/usr/bin/chromium';
const FIREFOX = process.env.VIGIE_FIREFOX ?? '/usr/bin/firefox-esr';
const defaultViewport = { width: 1440, height: 900 };

export const browsers = [
  {
    name: 'Chromium',
    path: CHROMIUM,
    // Without a graphics processor it has no H.265: the tile must say so.
    h265: false,
    launch: () =>
      puppeteer.launch({
        executablePath: CHROMIUM,
        headless: true,
        defaultViewport,
        args: [
          ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
          ...['--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
        ],
      }),
  },
  {
    name: 'Firefox',
    path: FIREFOX,
    h265: true,
    launch: () =>
      puppeteer.launch({
        browser: 'firefox',
        executablePath: FIREFOX,
        headless: true,
        defaultViewport,
        extraPrefsFirefox: { 'media.autoplay.default': 0, 'media.autoplay.blocking_policy': 0 },
      }),
  },
].map((browser) => ({ ...browser, there: existsSync(browser.path) }));
