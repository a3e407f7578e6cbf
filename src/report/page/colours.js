'use strict';
// Colours. page.css has them as custom properties, for light and dark; the scales of heat maps are
// here. Zero and "nothing" have the colour of the paper in both, so that more ink is more.

const SCALES = {
  // One hue, by even steps of lightness.
  amount: {
    light: ['#f6f8fb', '#d3e2f3', '#9fc3e6', '#629cd2', '#3274b3', '#164f8c', '#0a2c5c'],
    dark: ['#1b2026', '#1d3450', '#215080', '#2f72b0', '#5496d3', '#95c1ea', '#e9f4ff'],
  },
  // Orange below zero, blue above.
  signed: {
    light: ['#6b2503', '#b4500f', '#e59a5c', '#f7f6f4', '#8db8e0', '#2c6fb3', '#0c3263'],
    dark: ['#ffdcb8', '#ee9a50', '#98500f', '#1b2026', '#20588f', '#5b9fdc', '#d5eafc'],
  },
};

const dark = matchMedia('(prefers-color-scheme: dark)');
const tables = new Map();

dark.addEventListener('change', () => {
  document.querySelectorAll('.drawn').forEach((drawn) => drawn.dispatchEvent(new Event('theme')));
});

/**
 * Calls `redraw` when the reader's system changes between light and dark, as long as `drawn` is in
 * the page.
 */
function whenThemeChanges(drawn, redraw) {
  drawn.classList.add('drawn');
  drawn.addEventListener('theme', redraw);
}

/** A colour of page.css: colour('accent'). */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The colours of runs that are drawn over each other. */
function runColour(i) {
  return colour(`run-${i % 6 + 1}`);
}

/** The 256 colours of a scale as [red, green, blue]. */
function scaleColours(scale) {
  const theme = dark.matches ? 'dark' : 'light', key = `${scale} ${theme}`;
  if (!tables.has(key)) {
    const anchors =
        SCALES[scale][theme].map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
    tables.set(key, Array.from({length: 256}, (_, i) => {
      const place = i / 255 * (anchors.length - 1);
      const below = Math.min(Math.floor(place), anchors.length - 2), share = place - below;
      return anchors[below].map(
          (channel, k) => Math.round(channel + share * (anchors[below + 1][k] - channel)));
    }));
  }
  return tables.get(key);
}

/**
 * The colour of a value between `low` and `high`; what is not finite has the colour of warnings.
 */
function scaleColour(scale, value, low, high) {
  if (!Number.isFinite(value)) return [200, 30, 30];
  const share = high > low ? (value - low) / (high - low) : 0;
  return scaleColours(scale)[Math.max(0, Math.min(255, Math.round(share * 255)))];
}

/** Black or white, whichever is read better on a colour. */
function inkOn([red, green, blue]) {
  const linear = (channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const light = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  return light > 0.179 ? '#000' : '#fff';
}
