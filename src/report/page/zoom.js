'use strict';
// Zoom of charts with the same axis of steps: all of them show the same steps.

/** The range of steps that a group of charts shows, and the ways to change it. */
class Zoom {
  constructor(first, last) {
    [this.first, this.last] = [first, last];
    this.charts = [];
    [this.low, this.high] = [first, last];
  }

  /** Zooms a chart by dragging, double click and keys. `box` holds its canvas. */
  add({chart, box}) {
    this.charts.push(chart);
    const canvas = chart.canvas;
    const keys = {
      '+': () => this.scale(0.5),
      '=': () => this.scale(0.5),
      '-': () => this.scale(2),
      0: () => this.reset(),
      Escape: () => this.reset(),
    };
    canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || !keys[event.key]) return;
      keys[event.key]();
      event.preventDefault();
    });
    canvas.addEventListener('dblclick', () => this.reset());
    this.addDragging(chart, canvas, box);
    this.apply(chart);
  }

  /** Shows the steps from `low` to `high`, within the run. */
  show(low, high) {
    const wide = Math.max(Math.min(Math.round(high - low), this.last - this.first), 1);
    this.low = Math.max(this.first, Math.min(this.last - wide, Math.round(low)));
    this.high = this.low + wide;
    this.charts.forEach((chart) => this.apply(chart));
  }

  reset() {
    this.show(this.first, this.last);
  }

  /** Shows `factor` times as many steps around the same middle. */
  scale(factor) {
    const middle = (this.low + this.high) / 2, half = (this.high - this.low) / 2 * factor;
    this.show(middle - half, middle + half);
  }

  /** Moves by a share of what is shown. */
  move(share) {
    const by = share * (this.high - this.low);
    this.show(this.low + by, this.high + by);
  }

  apply(chart) {
    Object.assign(chart.options.scales.x, {min: this.low, max: this.high});
    chart.update('none');
    this.said.textContent = this.low === this.first && this.high === this.last ?
        '' :
        `Steps ${number(this.low)} to ${number(this.high)}`;
  }

  /** The buttons, for those who can't drag. */
  buttons() {
    const button = (text, act) => element('button', {type: 'button', onclick: act}, text);
    return element(
        'div', {class: 'buttons'}, button('Zoom in', () => this.scale(0.5)),
        button('Zoom out', () => this.scale(2)), button('Earlier', () => this.move(-0.5)),
        button('Later', () => this.move(0.5)), button('All steps', () => this.reset()), this.said);
  }

  said = element('span', {class: 'said', role: 'status'});

  addDragging(chart, canvas, box) {
    const shade = element('span', {class: 'shade', hidden: true});
    box.append(shade);
    let start = null;
    const place = (event) => {
      const {left, right} = chart.chartArea,
                   x = event.clientX - canvas.getBoundingClientRect().left;
      return Math.max(left, Math.min(right, x));
    };
    const end = () => {
      start = null;
      shade.hidden = true;
    };
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      start = place(event);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (start === null) return;
      const [left, right] = [start, place(event)].sort((a, b) => a - b);
      const {top, bottom} = chart.chartArea;
      shade.hidden = false;
      shade.style.cssText =
          `left:${left}px;width:${right - left}px;top:${top}px;height:${bottom - top}px`;
    });
    canvas.addEventListener('pointerup', (event) => {
      if (start !== null && Math.abs(place(event) - start) > 5) {
        const axis = chart.scales.x;
        const [low, high] =
            [start, place(event)].map((x) => axis.getValueForPixel(x)).sort((a, b) => a - b);
        this.show(low, high);
      }
      end();
    });
    canvas.addEventListener('pointercancel', end);
  }
}
