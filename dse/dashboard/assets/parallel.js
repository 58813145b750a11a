/* Parallel coordinates on a plain canvas: plotly's own needs seconds to start where WebGL is done in software. */
(function () {
  "use strict";
  const TOP = 46, BOTTOM = 18, SIDE = 56, GRAB = 22, BEYOND = 0.02;

  class Parallel {
    /* said: {changed: ranges => void, at: (axis, range) => void, which the keyboard has moved to} */
    constructor(box, said) {
      this.box = box;
      this.said = said;
      this.canvas = document.createElement("canvas");
      this.canvas.style.cssText = "width:100%;height:100%;display:block;touch-action:none";
      this.canvas.tabIndex = 0;
      this.canvas.setAttribute("role", "application");
      this.canvas.setAttribute("aria-label", box.getAttribute("aria-label"));
      box.replaceChildren(this.canvas);
      this.view = null;
      this.drag = null;
      this.place = -1;
      this.canvas.addEventListener("keydown", (e) => this.key(e));
      this.canvas.addEventListener("blur", () => { this.place = -1; this.paint(); });
      this.canvas.addEventListener("pointerdown", (e) => this.press(e));
      this.canvas.addEventListener("pointermove", (e) => this.move(e));
      this.canvas.addEventListener("pointerup", (e) => this.release(e));
      new ResizeObserver(() => this.paint()).observe(box);
    }

    /* view: {axes: [{name, label, low, high, step, ticks, values}], lines: [candidate], strong: (candidate) => bool,
       kept: Uint8Array, ranges: {name: [low, high]}, colours} */
    draw(view) {
      this.view = view;
      this.paint();
    }

    x(k) {
      const n = this.view.axes.length;
      return n === 1 ? this.width / 2 : SIDE + (k * (this.width - 2 * SIDE)) / (n - 1);
    }
    y(axis, value) {
      const span = axis.high - axis.low || 1;
      return TOP + (1 - (value - axis.low) / span) * (this.height - TOP - BOTTOM);
    }
    value(axis, y) {
      const share = 1 - (y - TOP) / (this.height - TOP - BOTTOM);
      return axis.low + Math.min(1 + BEYOND, Math.max(-BEYOND, share)) * (axis.high - axis.low || 1);
    }

    paint() {
      const { view, canvas } = this;
      if (!view || !this.box.clientWidth) return;
      const scale = window.devicePixelRatio || 1;
      this.width = this.box.clientWidth;
      this.height = this.box.clientHeight;
      canvas.width = Math.round(this.width * scale);
      canvas.height = Math.round(this.height * scale);
      const pen = canvas.getContext("2d");
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      const inside = (i) => view.kept[i];
      const passes = [
        [view.lines.filter((i) => !inside(i) && !view.strong(i)), view.colours.line, 0.25, 1],
        [view.lines.filter((i) => inside(i) && !view.strong(i)), view.colours.muted, view.lines.length > 300 ? 0.3 : 0.6, 1],
        [view.lines.filter((i) => !inside(i) && view.strong(i)), view.colours.front, 0.15, 1],
        [view.lines.filter((i) => inside(i) && view.strong(i)), view.colours.front, 1, 1.8],
      ];
      const xs = view.axes.map((_, k) => this.x(k));
      for (const [lines, colour, alpha, width] of passes) {
        pen.strokeStyle = colour;
        pen.globalAlpha = alpha;
        pen.lineWidth = width;
        for (const i of lines) {
          pen.beginPath();
          view.axes.forEach((axis, k) => {
            const y = this.y(axis, axis.values[i]);
            if (k) pen.lineTo(xs[k], y);
            else pen.moveTo(xs[k], y);
          });
          pen.stroke();
        }
      }
      pen.globalAlpha = 1;
      view.axes.forEach((axis, k) => this.paintAxis(pen, axis, xs[k], view.ranges[axis.name]));
      if (view.axes[this.place]) {
        pen.strokeStyle = view.colours.front;
        pen.lineWidth = 2;
        pen.strokeRect(xs[this.place] - SIDE + 8, 2, 2 * SIDE - 16, TOP - 12);
      }
    }

    paintAxis(pen, axis, x, range) {
      const { colours } = this.view, bottom = this.height - BOTTOM;
      pen.strokeStyle = colours.muted;
      pen.lineWidth = 1.2;
      pen.beginPath();
      pen.moveTo(x, TOP);
      pen.lineTo(x, bottom);
      pen.stroke();
      if (range) {
        const high = this.y(axis, range[1]), low = this.y(axis, range[0]);
        pen.fillStyle = colours.range;
        pen.globalAlpha = 0.35;
        pen.fillRect(x - 6, high, 12, Math.max(3, low - high));
        pen.globalAlpha = 1;
        pen.strokeStyle = colours.range;
        pen.lineWidth = 2;
        pen.strokeRect(x - 6, high, 12, Math.max(3, low - high));
      }
      pen.fillStyle = colours.text;
      pen.font = "12px " + colours.font;
      pen.textAlign = "center";
      const [first, ...rest] = axis.label.split("\n");
      pen.fillText(first, x, rest.length ? 12 : 20);
      if (rest.length) {
        pen.fillStyle = colours.muted;
        pen.fillText(rest.join(" "), x, 27);
      }
      pen.font = "11px " + colours.font;
      pen.textAlign = "right";
      let last = Infinity;
      for (const [value, text] of axis.ticks) {
        const y = this.y(axis, value);
        if (Math.abs(last - y) < 13) continue;
        last = y;
        pen.fillStyle = colours.card;
        pen.globalAlpha = 0.75;
        pen.fillRect(x - 9 - pen.measureText(text).width, y - 7, pen.measureText(text).width + 2, 14);
        pen.globalAlpha = 1;
        pen.fillStyle = colours.text;
        pen.fillText(text, x - 8, y + 4);
        pen.fillRect(x - 4, y - 0.5, 4, 1);
      }
    }

    at(event) {
      const place = this.canvas.getBoundingClientRect(), x = event.clientX - place.left, y = event.clientY - place.top;
      let near = -1;
      this.view.axes.forEach((_, k) => { if (Math.abs(this.x(k) - x) < GRAB && (near < 0 || Math.abs(this.x(k) - x) < Math.abs(this.x(near) - x))) near = k; });
      return { axis: this.view.axes[near], y };
    }
    press(event) {
      if (!this.view) return;
      const { axis, y } = this.at(event);
      if (!axis) return;
      this.drag = { axis, from: y, to: y };
      this.canvas.setPointerCapture(event.pointerId);
    }
    move(event) {
      if (!this.view) return;
      const { axis, y } = this.at(event);
      this.canvas.style.cursor = axis || this.drag ? "crosshair" : "default";
      if (!this.drag) return;
      this.drag.to = y;
      this.keep();
      this.paint();
    }
    keep() {
      const { axis, from, to } = this.drag;
      const ends = [this.value(axis, from), this.value(axis, to)].sort((a, b) => a - b);
      if (Math.abs(from - to) < 4) delete this.view.ranges[axis.name];
      else this.view.ranges[axis.name] = ends;
    }
    release() {
      if (!this.drag) return;
      this.keep();
      this.drag = null;
      this.said.changed({ ...this.view.ranges });
    }

    /* Left and right choose an axis, up and down move the range's upper end, with shift its lower end, Delete lifts it. */
    key(event) {
      const axes = this.view ? this.view.axes : [], along = { ArrowLeft: -1, ArrowRight: 1 }[event.key], up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      const lift = event.key === "Delete" || event.key === "Backspace";
      if (!axes.length || !(along || up || lift)) return;
      event.preventDefault();
      if (along || this.place < 0) this.place = Math.min(axes.length - 1, Math.max(0, this.place + (along || 1)));
      const axis = axes[this.place];
      if (up) this.shift(axis, up, event.shiftKey);
      else if (lift) delete this.view.ranges[axis.name];
      this.paint();
      this.said.at(axis, this.view.ranges[axis.name]);
      if (up || lift) this.said.changed({ ...this.view.ranges });
    }
    shift(axis, up, lower) {
      const most = axis.high + BEYOND * (axis.high - axis.low || 1), least = axis.low - BEYOND * (axis.high - axis.low || 1);
      let [low, high] = this.view.ranges[axis.name] || [least, most];
      if (lower) low = Math.min(high - axis.step / 2, Math.max(least, low + up * axis.step));
      else high = Math.max(low + axis.step / 2, Math.min(most, high + up * axis.step));
      if (low <= least && high >= most) delete this.view.ranges[axis.name];
      else this.view.ranges[axis.name] = [low, high];
    }
  }
  window.DseParallel = Parallel;
})();
