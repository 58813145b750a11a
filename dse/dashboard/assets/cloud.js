/* The marks of the scatter on a plain canvas under plotly's axes: ten thousand of them in a few milliseconds, where
   WebGL is done in software and takes seconds to start. Plotly keeps axes, zoom and the drawing of a box or lasso. */
(function () {
  "use strict";
  const NEAR = 9, STILL = 4, DIMMED = 0.07;
  const SHAPES = {
    circle: (pen, r) => pen.arc(0, 0, r, 0, 2 * Math.PI),
    triangle: (pen, r) => { pen.moveTo(0, -r); pen.lineTo(r, 0.8 * r); pen.lineTo(-r, 0.8 * r); pen.closePath(); },
    diamond: (pen, r) => { pen.moveTo(0, -r); pen.lineTo(r, 0); pen.lineTo(0, r); pen.lineTo(-r, 0); pen.closePath(); },
    cross: (pen, r) => { pen.moveTo(-r, -r); pen.lineTo(r, r); pen.moveTo(r, -r); pen.lineTo(-r, r); },
  };

  /* One mark, drawn once and stamped many times. style: {symbol, size, outline}. */
  function stamp(style, colour, scale) {
    const r = style.size / 2, edge = Math.ceil(r + 2), mark = document.createElement("canvas");
    mark.width = mark.height = 2 * edge * scale;
    const pen = mark.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, edge * scale, edge * scale);
    pen.beginPath();
    SHAPES[style.symbol](pen, r);
    if (style.symbol === "cross") { pen.strokeStyle = colour; pen.lineWidth = 2.5; pen.stroke(); }
    else { pen.fillStyle = colour; pen.fill(); }
    if (style.outline) { pen.strokeStyle = style.outline; pen.lineWidth = 1; pen.stroke(); }
    return mark;
  }

  function inside(polygon, x, y) {
    let found = false;
    for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
      const [ax, ay] = polygon[i], [bx, by] = polygon[j];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) found = !found;
    }
    return found;
  }

  class Cloud {
    /* said: {hover: candidate => markup, chosen: candidate => void, brushed: (Set of candidates or null, adding) => void} */
    constructor(canvas, plot, said) {
      Object.assign(this, { canvas, plot, said, view: null, adding: false, pressed: null });
      this.tip = document.createElement("div");
      this.tip.className = "tip";
      this.tip.hidden = true;
      canvas.parentNode.append(this.tip);
      plot.addEventListener("pointermove", (e) => this.point(e));
      plot.addEventListener("pointerleave", () => { this.tip.hidden = true; });
      plot.addEventListener("pointerdown", (e) => this.press(e));
      document.addEventListener("pointerup", (e) => this.release(e));
    }

    /* view: {groups: [{rows, style, opacity, tint: candidate => colour}], x, y: value of a candidate, kept: Uint8Array, filtering} */
    draw(view) {
      this.view = view;
      this.paint();
    }
    listen() {
      this.plot.on("plotly_afterplot", () => this.paint());
      this.plot.on("plotly_relayouting", () => this.paint());
      this.plot.on("plotly_selected", (event) => { if (event) this.brush(event); });
      this.plot.on("plotly_deselect", () => this.said.brushed(null, false));
    }
    axes() {
      const layout = this.plot._fullLayout;
      return layout && layout.xaxis ? [layout.xaxis, layout.yaxis] : [];
    }

    paint() {
      const { canvas, view } = this, [across, up] = this.axes(), scale = window.devicePixelRatio || 1;
      const width = this.plot.clientWidth, height = this.plot.clientHeight;
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      if (!view || !across) return;
      const pen = canvas.getContext("2d");
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.beginPath();
      pen.rect(across._offset, up._offset, across._length, up._length);
      pen.clip();
      this.places = new Map();
      for (const group of view.groups) for (const i of group.rows) this.places.set(i, [across._offset + across.d2p(view.x(i)), up._offset + up.d2p(view.y(i))]);
      for (const group of view.groups) {
        if (view.filtering) this.stampAll(pen, group, DIMMED, (i) => !view.kept[i], scale);
        this.stampAll(pen, group, group.opacity, (i) => view.kept[i], scale);
      }
    }
    stampAll(pen, group, opacity, wanted, scale) {
      const stamps = new Map();
      pen.globalAlpha = opacity;
      for (const i of group.rows) {
        if (!wanted(i)) continue;
        const colour = group.tint(i), [x, y] = this.places.get(i);
        if (!stamps.has(colour)) stamps.set(colour, stamp(group.style, colour, scale));
        const mark = stamps.get(colour), edge = mark.width / scale;
        pen.drawImage(mark, x - edge / 2, y - edge / 2, edge, edge);
      }
    }

    /* The candidate under the pointer; of several, one that is drawn later lies above. */
    at(x, y) {
      let found = -1, best = NEAR * NEAR;
      for (const group of this.view.groups) for (const i of group.rows) {
        if (this.view.filtering && !this.view.kept[i]) continue;
        const [px, py] = this.places.get(i), far = (px - x) * (px - x) + (py - y) * (py - y);
        if (far <= best) { best = far; found = i; }
      }
      return found;
    }
    within(event) {
      const box = this.plot.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    }
    point(event) {
      if (!this.view || !this.places || event.buttons) { this.tip.hidden = true; return; }
      const [x, y] = this.within(event), i = this.at(x, y);
      this.tip.hidden = i < 0;
      if (i < 0) return;
      this.tip.innerHTML = this.said.hover(i);
      const [px, py] = this.places.get(i), wide = this.tip.offsetWidth, room = this.plot.clientWidth - px - 14;
      this.tip.style.left = (room > wide ? px + 12 : Math.max(0, px - wide - 12)) + "px";
      this.tip.style.top = Math.max(0, Math.min(py - 10, this.plot.clientHeight - this.tip.offsetHeight)) + "px";
    }
    press(event) {
      this.adding = event.shiftKey;
      this.pressed = this.within(event);
    }
    release(event) {
      if (!this.pressed || !this.view || !this.places) return;
      const [x, y] = this.within(event), [fromX, fromY] = this.pressed;
      this.pressed = null;
      if (Math.hypot(x - fromX, y - fromY) > STILL) return;
      const i = this.at(x, y);
      if (i >= 0) this.said.chosen(i);
    }

    /* Candidates inside what was drawn: a box or a lasso, in pixels, where its edges are straight on any scale. */
    brush(event) {
      const [across, up] = this.axes(), lasso = event.lassoPoints, box = event.range;
      if (!lasso && !box) return;
      const [xs, ys] = lasso ? [lasso.x, lasso.y] : [[box.x[0], box.x[1], box.x[1], box.x[0]], [box.y[0], box.y[0], box.y[1], box.y[1]]];
      const polygon = xs.map((x, k) => [across._offset + across.d2p(x), up._offset + up.d2p(ys[k])]);
      const found = new Set();
      for (const [i, [x, y]] of this.places) if (inside(polygon, x, y)) found.add(i);
      this.said.brushed(found, this.adding);
    }
  }
  window.DseCloud = Cloud;
  window.DseCloud.stamp = stamp;
})();
