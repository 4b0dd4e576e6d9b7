// Can it be read, by everybody?

import { join as path } from 'node:path';
import { sleep, until } from './shows.js';

/** Runs in the page: every text with its size and its contrast against what lies behind it (WCAG 2.2, 1.4.3). */
function measure() {
  const small = [];
  const faint = [];
  let count = 0;
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a),
    g: top.g * top.a + below.g * (1 - top.a),
    b: top.b * top.a + below.b * (1 - top.a),
    a: 1,
  });
  const luminance = ({ r, g, b }) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const parent = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host ?? null;
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = parent(at)) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.a > 0) layers.push(colour);
      if (colour.a === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), { r: 0, g: 0, b: 0, a: 1 });
  };
  const visit = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.shadowRoot) visit(node.shadowRoot);
      const text = [...node.childNodes].filter((child) => child.nodeType === 3).map((child) => child.data.trim()).join('');
      if (!text || !node.checkVisibility?.({ visibilityProperty: true, opacityProperty: true })) continue;
      if (node.matches('option, .unseen, .unseen *, script, style, noscript, .skip')) continue;
      const style = getComputedStyle(node);
      count += 1;
      if (parseFloat(style.fontSize) < 13) small.push(`${text}: ${style.fontSize}`);
      if (node.matches(':disabled')) continue;
      const back = ground(node);
      const [a, b] = [luminance(over(parse(style.color), back)), luminance(back)].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      if (ratio < 4.5) faint.push(`${text}: ${ratio.toFixed(2)}`);
    }
  };
  visit(document);
  return { count, small, faint };
}

export async function looks(context) {
  const { page, report, name, out } = context;
  for (const theme of ['dark', 'light']) {
    const now = await page.evaluate(() => document.documentElement.dataset.theme);
    if (now !== theme) await page.click('#theme-button');
    await sleep(500);
    const { count, small, faint } = await page.evaluate(measure);
    report.holds(name, `${theme}: no text below 13 px`, small.length === 0 && count > 20, small.length ? small[0] : `${count} texts`);
    report.holds(name, `${theme}: contrast AA`, faint.length === 0, faint.length ? faint.slice(0, 3).join('; ') : `${count} texts`);
    await page.screenshot({ path: path(out, `${name.toLowerCase()}-${theme}.png`) });
  }
  await page.click('#theme-button');
  const unnamed = await page.evaluate(() => {
    // With what is in shadow trees: that is where a tile's name is.
    const words = (node) => [...node.childNodes, ...(node.shadowRoot?.childNodes ?? [])].map((n) => (n.nodeType === 3 ? n.data : words(n))).join('');
    const all = (root) => [...root.querySelectorAll('*')].flatMap((node) => [node, ...(node.shadowRoot ? all(node.shadowRoot) : [])]);
    return all(document)
      .filter((node) => node.matches('button, [role=slider], [role=option], [role=listbox], select, dialog'))
      .filter((node) => /undefined/.test(node.getAttribute('aria-label') ?? '') || !(node.getAttribute('aria-label') || node.getAttribute('aria-labelledby') || words(node).trim() || node.labels?.length))
      .map((node) => node.outerHTML.slice(0, 60));
  });
  report.holds(name, 'every control has a name', unnamed.length === 0, unnamed[0] ?? 'yes');
}

/** The desk itself in French, by its own button: nothing of its page stays English. */
export async function french({ browser, server, report, name }) {
  const page = await browser.newPage();
  // The page is loaded anew meanwhile.
  const holds = (test) => until(() => page.evaluate(test).catch(() => false), 10_000);
  try {
    await page.goto(server.address);
    await holds(() => document.querySelectorAll('#list button').length >= 4);
    await page.evaluate(() => document.getElementById('lang-button').click());
    const turned = await holds(() => document.documentElement.lang === 'fr' && document.querySelectorAll('#list button').length >= 4);
    report.holds(name, 'the desk’s button turns it into French', !Number.isNaN(turned));
    await sleep(1000);
    const [seen, english] = await page.evaluate(async () => {
      const { FRENCH } = await import('/words.js');
      const texts = [...document.querySelectorAll('body *')].flatMap((node) => [...node.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE).map(({ data }) => data.trim()));
      for (const attribute of ['title', 'aria-label']) texts.push(...[...document.querySelectorAll(`body [${attribute}]`)].map((node) => node.getAttribute(attribute)));
      return [texts.filter(Boolean).length, texts.filter((text) => (FRENCH[text] ?? text) !== text)];
    });
    report.holds(name, '… all of it', english.length === 0 && seen > 60, english.join(', ') || `${seen} texts`);
  } finally {
    await page.evaluate(() => localStorage.setItem('vigie-lang', 'en')).catch(() => {});
    await page.close();
  }
}
