// Small helpers: elements without markup in strings, styles without inline style (Content-Security-Policy allows both).

/** @param {string} css */
export function sheet(css) {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name @param {Record<string, string>} [attributes] @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Sets a text without touching the page where it is the same. @param {Node} node @param {string} text */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * A property that was set before the element was defined counts as set after.
 * @param {HTMLElement} host @param {string[]} names
 */
export function upgrade(host, names) {
  const bag = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (host));
  for (const name of names) {
    if (!Object.hasOwn(bag, name)) continue;
    const value = bag[name];
    delete bag[name];
    bag[name] = value;
  }
}

/** Colours and sizes; a page sets its own by the same names. All pairs meet WCAG AA. */
export const theme = sheet(`
  :host {
    --_ground: var(--vigie-ground, #0d1115);
    --_panel: var(--vigie-panel, #151b21);
    --_raised: var(--vigie-raised, #1e262e);
    --_line: var(--vigie-line, #2c3741);
    --_text: var(--vigie-text, #e8eef3);
    --_dim: var(--vigie-dim, #a3b1bd);
    --_accent: var(--vigie-accent, #6cb6ff);
    --_good: var(--vigie-good, #56c990);
    --_warn: var(--vigie-warn, #f0b849);
    --_bad: var(--vigie-bad, #ff8577);
    --_font: var(--vigie-font, system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif);
    font: 13px/1.4 var(--_font);
    font-variant-numeric: tabular-nums;
    color: var(--_text);
    box-sizing: border-box;
  }
  :host([hidden]) { display: none !important; }
  *, ::before, ::after { box-sizing: inherit; }
`);
