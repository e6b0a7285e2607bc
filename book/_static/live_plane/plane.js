/* The plane: the codes of the test digits, the prior's contours, the point that is decoded, and a digit's code. */
"use strict";
((live) => {
  const NEAR = 9, STILL = 5; // pixels: of a click from a code, and of a drag that is a click

  class Plane {
    /* `moved` is told a point of the plane, `picked` the number of a test digit. */
    constructor(canvas, palette, { moved, picked }) {
      Object.assign(this, { canvas, palette, moved, picked });
      Object.assign(this, { view: 4, prior: null, codes: [], labels: [], point: [0, 0], code: null });
      this.still = document.createElement("canvas"); // what does not change while the point moves
      this.listen();
      new ResizeObserver(() => this.redraw()).observe(canvas);
    }

    listen() {
      const { canvas } = this;
      let start = null;
      canvas.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        canvas.setPointerCapture(event.pointerId);
        start = [event.clientX, event.clientY];
        this.moved(this.at(event));
      });
      canvas.addEventListener("pointermove", (event) => start && this.moved(this.at(event)));
      canvas.addEventListener("pointerup", (event) => {
        const clicked = start && Math.hypot(event.clientX - start[0], event.clientY - start[1]) < STILL;
        start = null;
        const near = this.nearest(this.at(event));
        if (clicked && near && near.distance * this.scale() < NEAR) this.picked(near.number);
      });
      canvas.addEventListener("pointercancel", () => (start = null));
      canvas.addEventListener("keydown", (event) => this.key(event));
    }

    key(event) {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      const step = (this.view / 40) * (event.shiftKey ? 5 : 1);
      if (way) this.moved(this.within(this.point.map((v, axis) => v + step * way[axis])));
      else if (event.key === "Home") this.moved([0, 0]);
      else if ((event.key === "Enter" || event.key === " ") && this.codes.length)
        this.picked(this.nearest(this.point).number);
      else return;
      event.preventDefault();
    }

    /* The point of the plane under a pointer. */
    at(event) {
      const box = this.canvas.getBoundingClientRect();
      const across = (event.clientX - box.left) / box.width, down = (event.clientY - box.top) / box.height;
      return this.within([(2 * across - 1) * this.view, (1 - 2 * down) * this.view]);
    }

    within(z) {
      return z.map((v) => Math.min(this.view, Math.max(-this.view, v)));
    }

    /* CSS pixels to a unit of the plane. */
    scale() {
      return this.canvas.clientWidth / 2 / this.view;
    }

    nearest(z) {
      let best = null;
      this.codes.forEach((code, number) => {
        const distance = Math.hypot(code[0] - z[0], code[1] - z[1]);
        if (!best || distance < best.distance) best = { number, distance };
      });
      return best;
    }

    /* Changes what is shown: view, prior, codes, labels. */
    set(changes) {
      Object.assign(this, changes);
      this.redraw();
    }

    redraw() {
      const side = this.canvas.clientWidth, ratio = window.devicePixelRatio || 1;
      if (!side) return;
      for (const canvas of [this.canvas, this.still]) canvas.width = canvas.height = Math.round(side * ratio);
      const pen = this.still.getContext("2d"), of = live.colours();
      pen.scale(ratio, ratio);
      pen.fillStyle = of("paper");
      pen.fillRect(0, 0, side, side);
      this.drawAxes(pen, side, of);
      this.drawCodes(pen);
      if (this.prior) this.drawContours(pen, of);
      this.drawLabels(pen, of);
      this.draw();
    }

    place([a, b]) {
      const half = this.canvas.clientWidth / 2;
      return [half + a * this.scale(), half - b * this.scale()];
    }

    drawAxes(pen, side, of) {
      const step = [1, 2, 5, 10, 20, 50].find((s) => this.view / s <= 4.5);
      pen.font = "11px system-ui, sans-serif";
      pen.fillStyle = of("faint");
      pen.strokeStyle = of("grid");
      pen.lineWidth = 1;
      for (let v = -step * Math.floor(this.view / step); v <= this.view; v += step) {
        const [x, y] = this.place([v, v]);
        line(pen, [x, 0], [x, side]);
        line(pen, [0, y], [side, y]);
        if (Math.abs(v) > 0.88 * this.view) continue;
        const told = String(v).replace("-", "−");
        pen.textAlign = "center";
        pen.fillText(told, x, side - 5);
        pen.textAlign = "left";
        if (side - y > 24) pen.fillText(told, 4, y + 4);
      }
      pen.textAlign = "right";
      pen.fillText("z₁", side - 4, side - 5);
      pen.textAlign = "left";
      pen.fillText("z₂", 4, 13);
    }

    drawCodes(pen) {
      pen.globalAlpha = 0.75;
      this.codes.forEach((code, i) => {
        pen.fillStyle = this.palette[this.labels[i]];
        pen.beginPath();
        pen.arc(...this.place(code), 2.4, 0, 2 * Math.PI);
        pen.fill();
      });
      pen.globalAlpha = 1;
    }

    drawContours(pen, of) {
      pen.strokeStyle = of("ink");
      pen.lineWidth = 1.2;
      pen.font = "11px system-ui, sans-serif";
      pen.textAlign = "center";
      let last = this.canvas.clientWidth / 2 + 24; // no number on a contour so small that it would hide it
      this.prior.levels.forEach((level, i) => {
        const line = live.contour(this.prior, level).map((z) => this.place(z));
        pen.beginPath();
        line.forEach((place, k) => (k ? pen.lineTo(...place) : pen.moveTo(...place)));
        pen.closePath();
        pen.stroke();
        const [x, y] = line[75]; // below, to the left of the middle
        if (y - last < 16) return;
        this.halo(pen, `${100 * this.prior.mass[i]}\u202f%`, x, y + 4, of("ink"), of);
        last = y;
      });
    }

    /* Each class at the median of its codes, but for one whose place is taken. */
    drawLabels(pen, of) {
      pen.font = "bold 15px system-ui, sans-serif";
      pen.textAlign = "center";
      const taken = [];
      for (const label of new Set(this.labels)) {
        const own = this.codes.filter((_, i) => this.labels[i] === label);
        if (!own.length) continue;
        const [x, y] = this.place([0, 1].map((axis) => median(own.map((code) => code[axis]))));
        if (taken.some((other) => Math.hypot(x - other[0], y - other[1]) < 13)) continue;
        taken.push([x, y]);
        this.halo(pen, label, x, y + 5, of("ink"), of);
      }
    }

    halo(pen, text, x, y, colour, of) {
      pen.strokeStyle = of("paper");
      pen.lineWidth = 6;
      pen.lineJoin = "round";
      pen.strokeText(text, x, y);
      pen.fillStyle = colour;
      pen.fillText(text, x, y);
      pen.strokeStyle = of("ink");
      pen.lineWidth = 1.2;
    }

    /* What moves: the digit's code with its posterior, from where it lay when the digit was clean, and the point. */
    draw() {
      const pen = this.canvas.getContext("2d"), ratio = window.devicePixelRatio || 1, of = live.colours();
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.drawImage(this.still, 0, 0);
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      if (this.code) this.drawCode(pen, of);
      const [x, y] = this.place(this.within(this.point));
      for (const [colour, width] of [[of("paper"), 5], [of("mark"), 2.5]]) {
        pen.strokeStyle = colour;
        pen.lineWidth = width;
        pen.beginPath();
        pen.arc(x, y, 9, 0, 2 * Math.PI);
        pen.stroke();
      }
      pen.fillStyle = of("mark");
      pen.fillRect(x - 1, y - 1, 2, 2);
    }

    drawCode(pen, of) {
      const { mean, deviation, clean } = this.code, [x, y] = this.place(mean);
      pen.strokeStyle = pen.fillStyle = of("mark");
      pen.lineWidth = 1.5;
      pen.globalAlpha = 0.16;
      pen.beginPath();
      pen.ellipse(x, y, ...deviation.map((s) => 2 * s * this.scale()), 0, 0, 2 * Math.PI);
      pen.fill();
      pen.globalAlpha = 1;
      pen.stroke();
      pen.lineWidth = 2.5;
      line(pen, this.place(clean), [x, y]);
      pen.save();
      pen.translate(x, y);
      pen.rotate(Math.PI / 4);
      pen.fillRect(-4, -4, 8, 8);
      pen.restore();
    }
  }

  function line(pen, from, to) {
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
  }

  function median(values) {
    return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  }

  live.Plane = Plane;
})(window.livePlane);
