'use strict';
// Draw a digit: the network itself runs in the page, and shows what it reads after every row.

/**
 * A field to draw in, with strokes in pixels of an image of height x width. changed() hears of
 * every point. With the keyboard, the arrow keys move the pen, and space puts it down or lifts it.
 */
class DrawingField {
  constructor(height, width, description, changed) {
    Object.assign(this, {height, width, changed, strokes: [], keys: new Set()});
    this.pen = {x: width / 2, y: height / 4, down: false, shown: false};
    this.canvas = element('canvas', {
      class: 'field',
      tabindex: 0,
      role: 'application',
      'aria-label': 'Field to draw in',
      'aria-describedby': description,
      onpointerdown: (event) => this.begin(event),
      onpointermove: (event) => this.go(event),
      onpointerup: (event) => this.end(event),
      onpointercancel: (event) => this.end(event),
      onkeydown: (event) => this.press(event),
      onkeyup: ({key}) => this.keys.delete(key),
      onfocus: () => this.showPen(this.canvas.matches(':focus-visible')),
      onblur: () => this.showPen(false),
    });
    this.canvas.style.aspectRatio = `${width} / ${height}`;
    whenThemeChanges(this.canvas, () => this.redraw());
    new ResizeObserver(() => this.redraw()).observe(this.canvas);
  }

  clear() {
    this.strokes = [];
    this.pen.down = false;
    this.pointer = undefined;
    this.update();
  }

  update() {
    this.redraw();
    this.changed();
  }

  /** Adds a point to the last stroke, if it is not where the pen is already. */
  add(x, y) {
    const stroke = this.strokes[this.strokes.length - 1],
          [lastX, lastY] = stroke[stroke.length - 1];
    if (Math.hypot(x - lastX, y - lastY) > 0.1) stroke.push([x, y]);
  }

  // The pointer

  place({clientX, clientY}) {
    const box = this.canvas.getBoundingClientRect();
    return [
      (clientX - box.left) / box.width * this.width,
      (clientY - box.top) / box.height * this.height,
    ];
  }

  begin(event) {
    if (event.button !== 0 || this.pointer !== undefined) return;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.showPen(false);
    this.strokes.push([this.place(event)]);
    this.update();
  }

  go(event) {
    if (event.pointerId !== this.pointer) return;
    // A fast hand makes several points between two frames.
    const between = event.getCoalescedEvents?.() ?? [];  // not in every browser
    for (const point of between.length > 0 ? between : [event]) this.add(...this.place(point));
    this.update();
  }

  end(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = undefined;
    this.update();
  }

  // The keyboard

  press(event) {
    const ways = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    const {pen} = this;
    if (event.key === ' ') {
      if (event.repeat) return event.preventDefault();
      pen.down = !pen.down;
      if (pen.down) this.strokes.push([[pen.x, pen.y]]);
    } else if (ways[event.key]) {
      this.keys.add(event.key);
      // Two arrows at a time move it aslant.
      const unit = Math.min(this.height, this.width) / 28;
      for (const key of this.keys) {
        pen.x = Math.max(0, Math.min(this.width, pen.x + ways[key][0] * unit));
        pen.y = Math.max(0, Math.min(this.height, pen.y + ways[key][1] * unit));
      }
      if (pen.down) this.add(pen.x, pen.y);
    } else {
      return;
    }
    event.preventDefault();
    pen.shown = true;
    this.update();
  }

  showPen(shown) {
    this.pen.shown = shown;
    if (!shown) {
      this.pen.down = false;
      this.keys.clear();
    }
    this.redraw();
  }

  redraw() {
    const {canvas, pen} = this, box = canvas.getBoundingClientRect();
    if (box.width === 0) return;
    const scale = box.width / this.width, dense = window.devicePixelRatio || 1;
    canvas.width = Math.round(box.width * dense);
    canvas.height = Math.round(box.height * dense);
    const context = canvas.getContext('2d');
    context.scale(scale * dense, scale * dense);
    context.lineCap = context.lineJoin = 'round';
    context.strokeStyle = colour('ink');
    const width = penWidth(this.height, this.width);
    context.lineWidth = width;
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (const point of stroke) context.lineTo(...point);
      context.stroke();
    }
    if (!pen.shown) return;
    context.beginPath();
    context.arc(pen.x, pen.y, width / 2, 0, 2 * Math.PI);
    context.strokeStyle = context.fillStyle = colour('accent');
    context.lineWidth = 2 / scale;
    context.stroke();
    if (pen.down) context.fill();
  }
}

/** What the network makes of an image: {pixels, outputs, every}, with the outputs of each step. */
function readImage(network, pixels) {
  network.reset();
  const all = network.process(network.fromPixels(pixels)), every = [];
  for (let t = 0; t < all.length; t += network.outputs)
    every.push(all.subarray(t, t + network.outputs));
  return {pixels, outputs: every[every.length - 1], every};
}

function drawSection(run, network, parent) {
  if (run.task !== 'classes' || network.input.pixels === false) return;
  const {height, width} = run.input, logits = network.output === 'logits';
  const name = (c) => run.classes?.[c] ?? String(c);
  const classes = Array.from({length: network.outputs}, (_, c) => name(c));
  const digits = classes.every((text, c) => text === String(c));
  const made = section(
      parent, 'draw', digits ? 'Draw a digit' : 'Draw a picture',
      'The trained network runs in this page and reads what you draw. The picture is scaled and ' +
          'centred as those of MNIST are: by its centre of mass.');

  let seen = null;  // what was read last; null: nothing is drawn
  const shares = (outputs) => logits ? network.probabilities(outputs) : outputs;
  const verdict = () => {
    if (!seen) return 'Nothing is drawn yet.';
    const best = argmax(seen.outputs), share = shares(seen.outputs)[best];
    return `Read as ${name(best)} (${logits ? percent(share) : `score ${number(share)}`}).`;
  };

  const pictures = drawingFigure(network, {height, width, classes, name}, () => seen, shares);
  const bars = logits ? probabilityBars(classes) : null;
  const said = element('p', {class: 'verdict'}, verdict());
  const live = element('p', {class: 'hidden', role: 'status', 'aria-live': 'polite'});

  // Slow networks are asked less often; a reader of the screen hears of pauses only.
  let waiting = 0, cost = 0, quiet = 0;
  const read = () => {
    const start = performance.now();
    waiting = 0;
    const strokes = field.strokes;
    seen = strokes.length > 0 ? readImage(network, imageOfStrokes(strokes, height, width)) : null;
    pictures.redraw();
    if (bars) bars.show(seen && shares(seen.outputs));
    said.textContent = verdict();
    cost = performance.now() - start;
    clearTimeout(quiet);
    quiet = setTimeout(() => live.textContent = verdict(), 700);
  };
  const field = new DrawingField(height, width, 'draw-help', () => {
    waiting = waiting || setTimeout(read, Math.max(16, 2 * cost));
  });
  const clear =
      element('button', {type: 'button', onclick: () => field.clear()}, 'Clear the field');

  made.append(
      element(
          'div', {class: 'drawing'},
          element(
              'div', {}, element('p', {class: 'title'}, 'Draw here'), field.canvas,
              element('div', {class: 'buttons'}, clear),
              element(
                  'p', {class: 'note', id: 'draw-help'},
                  'Draw with the mouse, a pen or a finger. With the keyboard, arrow keys move ' +
                      'the pen, and space puts it down or lifts it.')),
          pictures.element,
          element('div', {class: 'answer'}, said, ...(bars ? [bars.element] : []))),
      live);
  read();
  window.unroll = {
    ...window.unroll,
    /** For tests: what the network was given, and what it answered. */
    drawn: () => {
      if (waiting) {
        clearTimeout(waiting);
        read();
      }
      return seen && {
        pixels: Array.from(seen.pixels),
        outputs: Array.from(seen.outputs),
        every: seen.every.map((outputs) => Array.from(outputs)),
        prediction: argmax(seen.outputs),
      };
    },
  };
}

/**
 * The image that the network sees and, if it reads in steps, its outputs after each. seen() is what
 * was read last.
 */
function drawingFigure(network, {height, width, classes, name}, seen, shares) {
  const pixel = (r, c) => seen() ? seen().pixels[r * width + c] : 0;
  const picture = () => plainPanel(
      'The network sees', heatMap({
        rows: height,
        columns: width,
        low: 0,
        high: 255,
        at: pixel,
        label: 'The image that the network sees',
      }),
      'picture');
  const heatOf = (panel) => panel.querySelector('.heat');
  if (!network.streams) {
    const panel = picture(), made = element('div', {class: 'time down'}, panel);
    return {element: made, redraw: () => heatOf(panel).redraw()};
  }
  const view = timeView({network, isImage: true}, network.steps || height);
  const input = view.aligned ? timePanel(
                                   {
                                     title: 'The network sees',
                                     lanes: width,
                                     low: 0,
                                     high: 255,
                                     at: (lane, t) => pixel(view.steps.indexOf(t), lane),
                                   },
                                   view) :
                               picture();
  input.classList.add('picture');
  const output = timePanel(
      {
        title: network.output === 'logits' ? 'Probability' : 'Score',
        lanes: network.outputs,
        low: 0,
        high: 1,
        at: (lane, t) => seen() ? shares(seen().every[t])[lane] : 0,
        names: classes,
      },
      view);
  output.classList.add('probabilities');
  const made = timeFigure([input, output], view, (k) => {
    if (!seen()) return '';
    return `${bestClasses({name}, shares(seen().every[view.steps[k]]))}.`;
  });
  const slider = made.querySelector('input');
  const redraw = () => {
    made.classList.toggle('empty', !seen());
    heatOf(input).redraw();
    heatOf(output).redraw();
    slider.dispatchEvent(new Event('input'));  // the text beside it
  };
  return {element: made, redraw};
}
