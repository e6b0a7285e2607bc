/* Digits on canvases: painting 28 x 28 pixels, and a pad whose strokes become a digit as MNIST has them. */
"use strict";
((live) => {
  const SIDE = 28, BOX = 20, PEN = 2.2, FINE = 4; // pixels of a digit; and so many parts of each, to average over

  /* The page's ink and paper, which are others on dark pages. */
  function colours() {
    const style = getComputedStyle(document.querySelector(".live-plane"));
    return (name) => style.getPropertyValue(`--live-${name}`).trim();
  }

  function channels(hex) {
    return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  }

  /* Pixels from 0, paper, to 1, ink; what noise leads beyond is shown as the nearer. */
  function paint(canvas, pixels) {
    const of = colours(), paper = channels(of("paper")), ink = channels(of("ink"));
    const image = new ImageData(SIDE, SIDE);
    pixels.forEach((pixel, i) => {
      const share = Math.min(1, Math.max(0, pixel));
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = paper[c] + share * (ink[c] - paper[c]);
      image.data[4 * i + 3] = 255;
    });
    canvas.width = canvas.height = SIDE; // shown larger, its pixels kept, by the style sheet
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  /* Strokes, each a list of [x, y] in [0, 1], as 784 pixels: in a box of 20 x 20, its centre of mass in the middle. */
  function centred(strokes) {
    const points = strokes.flat();
    const bounds = [0, 1].map((axis) => points.map((p) => p[axis])).map((v) => [Math.min(...v), Math.max(...v)]);
    const extent = Math.max(...bounds.map(([low, high]) => high - low), 0.05);
    const scale = (BOX - PEN) / extent;
    const middle = bounds.map(([low, high]) => (low + high) / 2);
    const place = (centre) => (point) => point.map((v, axis) => SIDE / 2 + scale * (v - middle[axis]) - centre[axis]);
    const first = rasterised(strokes, place([0, 0]));
    return rasterised(strokes, place(centreOfMass(first)));
  }

  /* How far the ink lies from the middle of the image. */
  function centreOfMass(pixels) {
    let [x, y, mass] = [0, 0, 1e-9];
    pixels.forEach((pixel, i) => {
      x += pixel * ((i % SIDE) + 0.5);
      y += pixel * (Math.floor(i / SIDE) + 0.5);
      mass += pixel;
    });
    return [x / mass - SIDE / 2, y / mass - SIDE / 2];
  }

  function rasterised(strokes, place) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE * FINE;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.scale(FINE, FINE);
    trace(pen, strokes, place, PEN);
    const fine = pen.getImageData(0, 0, SIDE * FINE, SIDE * FINE).data;
    const pixels = new Float32Array(SIDE * SIDE);
    for (let i = 3, at = 0; i < fine.length; i += 4, at++) {
      const row = Math.floor(at / (SIDE * FINE * FINE)), column = Math.floor((at % (SIDE * FINE)) / FINE);
      pixels[row * SIDE + column] += fine[i] / 255 / FINE ** 2;
    }
    return pixels.map((pixel) => Math.min(1, 1.25 * pixel)); // MNIST's strokes are full in their middle
  }

  function trace(pen, strokes, place, width) {
    pen.lineWidth = width;
    pen.lineCap = pen.lineJoin = "round";
    for (const stroke of strokes) {
      pen.beginPath();
      stroke.forEach((point, i) => (i ? pen.lineTo(...place(point)) : pen.moveTo(...place(point))));
      if (stroke.length === 1) pen.lineTo(...place(stroke[0]));
      pen.stroke();
    }
  }

  /* A pad to draw on with mouse, finger, pen, or arrow keys and the space bar; `drawn` is told the digit's pixels. */
  class Pad {
    constructor(canvas, drawn) {
      Object.assign(this, { canvas, drawn, strokes: [], pen: [0.5, 0.3], down: false, keys: false });
      const at = (event) => {
        const box = canvas.getBoundingClientRect();
        return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      };
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        this.keys = false;
        this.begin(at(event));
      });
      canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && this.go(at(event)));
      canvas.addEventListener("keydown", (event) => this.key(event));
      canvas.addEventListener("blur", () => ((this.keys = this.down = false), this.show()));
      this.show();
    }

    begin(point) {
      this.strokes.push([point]);
      this.changed();
    }

    go(point) {
      this.strokes.at(-1).push(point);
      this.changed();
    }

    key(event) {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step && event.key !== " ") return;
      event.preventDefault();
      this.keys = true;
      if (step) {
        this.pen = this.pen.map((v, axis) => Math.min(0.95, Math.max(0.05, v + step[axis] / 20)));
        if (this.down) return this.go(this.pen);
      } else {
        this.down = !this.down;
        if (this.down) return this.begin(this.pen);
      }
      this.show();
    }

    clear() {
      this.strokes = [];
      this.down = false;
      this.show();
    }

    changed() {
      this.show();
      this.drawn(centred(this.strokes));
    }

    show() {
      const { canvas } = this, side = (canvas.width = canvas.height = 280), of = colours();
      const pen = canvas.getContext("2d"), place = (point) => point.map((v) => v * side);
      pen.strokeStyle = of("ink");
      trace(pen, this.strokes, place, 18);
      if (!this.keys) return;
      pen.strokeStyle = of("mark");
      trace(pen, [[this.pen]], place, this.down ? 12 : 6);
    }
  }

  Object.assign(live, { paint, centred, colours, Pad });
})(window.livePlane);
