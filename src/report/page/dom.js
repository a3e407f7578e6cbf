'use strict';
// Elements of the page. Text of users reaches the page here only, and always as text.

/**
 * An element with attributes and children. A function listens to the event of its name: {onclick:
 * f}. A string among the children becomes a text node, never HTML.
 */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      made.addEventListener(name.slice(2), value);
    } else if (value !== undefined && value !== null && value !== false) {
      made.setAttribute(name, value === true ? '' : value);
    }
  }
  made.append(...children);
  return made;
}

/** A section with a heading and one sentence, appended to `parent` and to the navigation. */
function section(parent, id, heading, sentence) {
  const made = element(
      'section', {id, 'aria-labelledby': `${id}-heading`},
      element('h2', {id: `${id}-heading`}, heading), element('p', {class: 'lead'}, sentence));
  parent.append(made);
  document.getElementById('navigation')
      .append(element('li', {}, element('a', {href: `#${id}`}, heading)));
  return made;
}

/**
 * A table that scrolls by itself if it is too wide. `head` has a column each: {text, number} where
 * `number` aligns it right. A cell is a text or an element.
 */
function table(caption, head, rows) {
  const cell = (tag, content, column, i) => element(
      tag, {
        class: head[column].number ? 'number' : undefined,
        scope: tag === 'th' ? (i < 0 ? 'col' : 'row') : undefined,
      },
      content);
  return scroller(
      caption,
      element(
          'table', {}, element('caption', {class: 'hidden'}, caption),
          element(
              'thead', {},
              element('tr', {}, ...head.map((column, c) => cell('th', column.text, c, -1)))),
          element(
              'tbody', {},
              ...rows.map(
                  (row, r) => element(
                      'tr', {},
                      ...row.map((content, c) => cell(c === 0 ? 'th' : 'td', content, c, r)))))));
}

/** A box that scrolls sideways, so that the page never does. The keyboard reaches it. */
function scroller(label, ...children) {
  return element(
      'div', {class: 'scroller', role: 'group', 'aria-label': label, tabindex: 0}, ...children);
}

/** A <select> under a label. `choices` are texts; `chosen(index)` hears of a choice. */
function choice(label, choices, chosen) {
  const select = element(
      'select', {onchange: () => chosen(select.selectedIndex)},
      ...choices.map((text) => element('option', {}, text)));
  return {element: element('label', {class: 'choice'}, label, select), select};
}

/** Text in a box with a button that copies it. */
function copyable(label, text) {
  const code = element('pre', {tabindex: 0, 'aria-label': label}, element('code', {}, text));
  const said = element('span', {class: 'said', role: 'status'});
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = 'copied';
    } catch {
      // No clipboard here: the text is selected, so that Ctrl-C takes it.
      getSelection().selectAllChildren(code);
      said.textContent = 'selected: press Ctrl-C';
    }
    setTimeout(() => said.textContent = '', 3000);
  };
  return element(
      'div', {class: 'copyable'}, code,
      element(
          'div', {class: 'buttons'},
          element(
              'button', {type: 'button', 'aria-label': `Copy: ${label}`, onclick: copy}, 'Copy'),
          said));
}

/**
 * Bars with the probability of each class. show(probabilities, truth) sets them; the largest and
 * the truth are marked by words, not by colour alone.
 */
function probabilityBars(classes) {
  const rows = classes.map((name) => {
    const bar = element('span', {class: 'bar'}), figure = element('span', {class: 'figure'});
    return {
      bar,
      figure,
      row: element(
          'li', {}, element('span', {class: 'name'}, name), element('span', {class: 'track'}, bar),
          figure)
    };
  });
  const show = (probabilities, truth) => {
    const largest = probabilities ? argmax(probabilities) : -1;
    rows.forEach(({bar, figure, row}, c) => {
      bar.style.width = probabilities ? `${100 * probabilities[c]}%` : '0';
      figure.textContent = probabilities ? percent(probabilities[c]) : '';
      row.classList.toggle('largest', c === largest);
      row.classList.toggle('truth', c === truth);
    });
  };
  return {element: element('ol', {class: 'bars'}, ...rows.map(({row}) => row)), show};
}
