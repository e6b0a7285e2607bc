// The page of lambda, live: one slider over the recorded runs. The data are in live_lambda_data.js, null is infinite.
(() => {
  "use strict";
  const root = document.getElementById("live-lambda"), data = window.liveLambda;
  if (!root || !data) return;

  // Of a chart, px; the slider's ends lie on its first and last place.
  const LEFT = 90, RIGHT = 36, HEIGHT = innerWidth < 600 ? 108 : 136;
  const SIGNS = { "fits": "✓", "does not fit": "✗", "undecided": "?", "empty": "○" };
  const MEASURES = {
    kl: { title: "Divergence", unit: 0.02, ticks: [0, 0.1, 1, 10, 100, 1000] },
    rate: { title: "Rate", unit: 0.3, ticks: [0, 1, 10, 100, 1000] },
  };
  Object.assign(MEASURES.kl, { line: data.criterion, below: "fits ↓" });
  Object.assign(MEASURES.rate, { line: data.enough, below: "empty ↓" });
  const named = (model) => model.replace("beta", "β");
  const number = (exact) => { // three significant digits at most
    if (exact === null) return "∞";
    const v = Number(exact.toPrecision(3));
    const digits = Math.abs(v) < 10 ? 2 : Math.abs(v) < 100 ? 1 : 0, text = Math.abs(v).toFixed(digits);
    return (v < 0 && Number(text) ? "−" : "") + Number(text).toLocaleString("en", { minimumFractionDigits: digits });
  };
  const range = (m) => { // over the seeds; of equal ends none
    const [low, high] = m.range.map(number);
    return low === high ? "" : ` (${low}–${high})`;
  };
  const together = (text) => text.replace(/\(.*\)/, '<span class="together">$&</span>');
  const nats = (v) => (v === null ? "infinite, as each code is a point" : `${number(v)} nats`);

  const radios = (name, texts) => texts.map((text, i) =>
    `<label class="live-choice"><input type="radio" name="ll-${name}" value="${i}"><span>${text}</span></label>`).join("");
  const measure = (name) =>
    `<section class="ll-measure" data-measure="${name}"><p class="ll-head"></p><svg role="img"></svg></section>`;
  root.innerHTML = `
    <fieldset><legend>The slider moves</legend>${radios("path", data.paths.map((p) => p.name))}</fieldset>
    <fieldset aria-describedby="ll-reason"><legend>Model</legend>${radios("model", data.models.map(named))}</fieldset>
    <p class="ll-reason" id="ll-reason"></p>
    <div class="ll-panels">
      <div class="ll-plane"><p class="ll-head"></p><canvas role="img"></canvas>
        <div class="ll-digits" role="group" aria-label="Show one digit alone">${data.colours.map((colour, digit) =>
          `<button type="button" aria-pressed="false" style="--digit:${colour}">${digit}</button>`).join("")}</div></div>
      <div class="ll-side">
        <label class="ll-title" for="ll-slider"></label>
        <input type="range" id="ll-slider" min="0" step="1"><div class="ll-stops" aria-hidden="true"></div>
        ${measure("kl")}${measure("rate")}</div>
      <p class="ll-caption"></p>
    </div>
    <p class="ll-status visually-hidden" role="status"></p>
    <details><summary>These numbers as a table: median over seeds (smallest–largest), nats</summary><table><thead><tr>
      ${["Place", "Divergence", "Rate", "Verdict"].map((h) => `<th scope="col">${h}</th>`).join("")}
      </tr></thead><tbody></tbody></table></details>`;

  const find = (query) => root.querySelector(query), all = (query) => [...root.querySelectorAll(query)];
  const canvas = find("canvas"), slider = find("#ll-slider"), pen = canvas.getContext("2d");
  const state = { path: 0, model: "VIMAE-n", place: 0, digit: null, codes: null, limit: 4 };
  const points = () => data.paths[state.path].models[state.model];
  const point = () => points()[state.place];

  function choose(path, model, label) { // the same model and place, where they were recorded
    const models = data.paths[path].models;
    state.path = path;
    state.model = models[model] ? model : Object.keys(models)[0];
    state.place = Math.max(0, points().findIndex((p) => p.label === label));
    all("[name=ll-path]").forEach((input, i) => { input.checked = i === path; });
    const missing = data.models.filter((m) => !models[m]);
    all("[name=ll-model]").forEach((input, i) => {
      input.checked = data.models[i] === state.model;
      input.disabled = missing.includes(data.models[i]);
    });
    find(".ll-reason").textContent = missing.length
      ? `Not to be chosen here: no run of ${missing.map(named).join(", ")} was recorded along “${data.paths[path].name}”.`
      : "";
    slider.max = points().length - 1;
    find(".ll-title").textContent = data.paths[path].name;
    find("tbody").innerHTML = points().map((p) => `<tr><th scope="row">${p.label}</th>` + [
      ...[p.kl, p.rate].map((m) => together(number(m.median) + range(m))), p.word,
    ].map((cell) => `<td>${cell}</td>`).join("") + "</tr>").join("");
    move(state.place);
  }

  function move(place) {
    state.place = place;
    const p = point(), own = p.drawn, who = `${named(state.model)}, ${p.said}`;
    slider.value = place;
    slider.setAttribute("aria-valuetext", p.said);
    find(".ll-plane .ll-head").textContent = who;
    find(".ll-caption").textContent = own
      ? `Codes of ${data.labels.length.toLocaleString("en")} test digits by the run of seed ${own.seed}` +
        `${own.again ? ", trained again for these codes" : ""}: divergence ${nats(own.kl)}, rate ${nats(own.rate)}. ` +
        "Rings: 50, 90 and 99 % of the prior."
      : "No codes were kept of this run, only its numbers. Rings: 50, 90 and 99 % of the prior.";
    find(".ll-status").textContent = `${who}: divergence ${nats(p.kl.median)}${range(p.kl)}, ${p.word}; ` +
      `rate ${nats(p.rate.median)}${range(p.rate)}; medians of ${p.kl.seeds.length} seeds, smallest to largest.`;
    canvas.setAttribute("aria-label", `The plane of codes. ${who}: ${p.word}.`);
    charts();
    animate(own ? own.codes.map((c) => c / data.perUnit) : []);
  }

  // The charts: seeds, their median and range, the run that is drawn; asinh is linear near zero and logarithmic above.
  const everything = data.paths.flatMap((path) => Object.values(path.models).flat());
  for (const [name, m] of Object.entries(MEASURES)) {
    m.top = Math.asinh(Math.max(...everything.flatMap((p) => p[name].seeds)) / m.unit) * 1.12;
    m.bottom = -0.06 * m.top;
    const within = (v) => (v === null ? 0.97 * m.top : Math.max(m.bottom, Math.min(m.top, Math.asinh(v / m.unit))));
    m.y = (v) => 8 + (HEIGHT - 16) * (m.top - within(v)) / (m.top - m.bottom);
  }
  const x = (place, width) => LEFT + (width - LEFT - RIGHT) * (place / Math.max(1, points().length - 1));

  function charts() {
    const width = find(".ll-side").clientWidth;
    if (width <= LEFT + RIGHT) return; // not laid out yet
    const stops = find(".ll-stops"), room = x(1, width) - x(0, width);
    const crowded = points().some((p, i, all) => i && 4 * (all[i - 1].label.length + p.label.length) > room);
    stops.classList.toggle("ll-long", crowded); // every other one lower
    stops.innerHTML = points().map((p, i) =>
      `<span style="left:${x(i, width)}px"${i === state.place ? ' class="ll-here"' : ""}>${p.label}</span>`).join("");
    for (const section of all(".ll-measure")) chart(section, section.dataset.measure, width);
  }

  function chart(section, name, width) {
    const m = MEASURES[name], p = point(), { median, seeds } = p[name];
    section.querySelector(".ll-head").innerHTML = `${m.title}, median of ${seeds.length} seeds: <b>${nats(median)}</b>${together(range(p[name]))}` +
      (name === "kl" ? ` <span class="ll-word" data-word="${p.word}">${SIGNS[p.word]} ${p.word}</span>` : "");
    const end = width - 6, parts = [], at = (i) => x(i, width);
    const text = (class_, px, py, words) => parts.push(`<text class="${class_}" x="${px}" y="${py}">${words}</text>`);
    const line = (class_, x1, y1, x2, y2) =>
      parts.push(`<line class="${class_}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`);
    line("ll-now", at(state.place), 0, at(state.place), HEIGHT);
    if (name === "kl") {
      const [low, high] = p.band.map(m.y);
      parts.push(`<rect class="ll-band" x="${LEFT - 14}" y="${high}" width="${end - LEFT + 14}" height="${low - high}"/>`);
    }
    for (const tick of m.ticks) {
      line("ll-grid", LEFT - 14, m.y(tick), end, m.y(tick));
      text("ll-tick", LEFT - 18, m.y(tick) + 4, tick.toLocaleString("en"));
    }
    line("ll-line", LEFT - 14, m.y(m.line), end, m.y(m.line));
    text("ll-below", LEFT - 38, m.y(m.line) + 4, m.below); // left of the ticks, where no mark can be
    const held = points().map((q, i) => [q, i]).filter(([q]) => /^\d/.test(q.label));
    const corners = held.map(([q, i]) => `${at(i)},${m.y(q[name].median)}`).join(" ");
    parts.push(`<polyline class="ll-path" points="${corners}"/>`);
    points().forEach((q, i) => {
      const here = i === state.place ? " ll-here" : "", [low, high] = q[name].range;
      q[name].seeds.forEach((v, s, seeds) => parts.push(
        `<circle class="ll-seed${here}" cx="${at(i) + 9 + 3 * (s % 2)}" cy="${m.y(v)}" r="2.2"/>`));
      line(`ll-range${here}`, at(i), m.y(low), at(i), m.y(high));
      parts.push(`<circle class="ll-median${here}" cx="${at(i)}" cy="${m.y(q[name].median)}" r="${here ? 5.5 : 4}"/>`);
    });
    if (p.drawn) parts.push(`<circle class="ll-ring" cx="${at(state.place) + 10.5}" cy="${m.y(p.drawn[name])}" r="6"/>`);
    const svg = section.querySelector("svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute("height", HEIGHT);
    svg.setAttribute("aria-label", `${m.title}, medians over seeds along “${data.paths[state.path].name}”: ` +
      points().map((q) => `${q.label}: ${nats(q[name].median)}`).join("; "));
    svg.innerHTML = parts.join("");
  }

  // The plane.
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  function reach(codes) { // as the book's figures: four standard deviations, or nearly all codes
    const sizes = codes.map(Math.abs).sort((a, b) => a - b);
    return Math.max(4, 1.05 * (sizes[Math.floor(0.995 * (sizes.length - 1))] || 0));
  }

  let frame = 0;
  function animate(codes) {
    const from = state.codes, first = state.limit, last = reach(codes), begun = performance.now();
    cancelAnimationFrame(frame);
    const step = (now) => {
      const moves = from && from.length === codes.length && !still.matches;
      const t = moves ? Math.min(1, Math.max(0, (now - begun) / 500)) : 1, e = t * t * (3 - 2 * t);
      state.codes = t < 1 ? codes.map((c, i) => from[i] + e * (c - from[i])) : codes;
      state.limit = first * (last / first) ** e;
      draw();
      if (t < 1) frame = requestAnimationFrame(step);
    };
    step(begun);
  }

  function draw() {
    const side = canvas.clientWidth, ratio = window.devicePixelRatio || 1, { codes, limit } = state;
    if (!side || !codes) return;
    if (canvas.width !== Math.round(side * ratio)) canvas.width = canvas.height = Math.round(side * ratio);
    const style = getComputedStyle(root);
    const [ink, paper] = ["--ll-ink", "--ll-paper"].map((name) => style.getPropertyValue(name));
    const px = (v) => side / 2 * (1 + v / limit), py = (v) => side / 2 * (1 - v / limit);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, side, side);
    pen.font = "12px sans-serif";
    pen.lineWidth = 1;
    const power = 10 ** Math.floor(Math.log10(limit / 2)), tick = power * [5, 2, 1].find((n) => n * power <= limit / 1.6);
    for (let v = -Math.floor(limit / tick) * tick; v <= limit; v += tick) {
      pen.globalAlpha = v ? 0.1 : 0.3;
      pen.fillStyle = ink;
      pen.fillRect(px(v), 0, 1, side);
      pen.fillRect(0, py(v), side, 1);
      pen.globalAlpha = 0.75;
      if (v > -limit * 0.93 && v < limit * 0.93) pen.fillText(String(v).replace("-", "−"), px(v) + 3, side - 4);
    }
    if (codes.length) data.labels.forEach((digit, i) => {
      pen.globalAlpha = state.digit === null ? 0.72 : state.digit === digit ? 0.95 : 0.07;
      pen.fillStyle = data.colours[digit];
      pen.beginPath();
      pen.arc(px(codes[2 * i]), py(codes[2 * i + 1]), side > 420 ? 2.6 : 2.1, 0, 7);
      pen.fill();
    });
    pen.globalAlpha = 1;
    pen.strokeStyle = ink;
    pen.lineWidth = 1.2;
    for (const ring of data.rings[point().prior]) {
      pen.beginPath();
      ring.forEach(([a, b]) => pen.lineTo(px(a), py(b)));
      pen.closePath();
      pen.stroke();
    }
    if (codes.length && (point().word !== "empty" || state.digit !== null)) names(px, py, ink, paper);
  }

  function names(px, py, ink, paper) { // each digit at its median, where no other is
    const median = (values) => values.sort((a, b) => a - b)[values.length >> 1], taken = [];
    pen.font = "bold 16px sans-serif";
    pen.textAlign = "center";
    for (let digit = 0; digit < 10; digit++) {
      if (state.digit !== null && state.digit !== digit) continue;
      const own = data.labels.flatMap((label, i) => (label === digit ? [i] : []));
      const a = px(median(own.map((i) => state.codes[2 * i]))), b = py(median(own.map((i) => state.codes[2 * i + 1])));
      if (taken.some(([u, v]) => Math.hypot(a - u, b - v) < 15)) continue;
      taken.push([a, b]);
      pen.lineWidth = 4;
      pen.strokeStyle = paper;
      pen.strokeText(digit, a, b + 6);
      pen.fillStyle = ink;
      pen.fillText(digit, a, b + 6);
    }
    pen.textAlign = "start";
  }

  const onChange = (name, act) => all(`[name=ll-${name}]`).forEach((input, i) => input.addEventListener("change", () => act(i)));
  onChange("path", (i) => choose(i, state.model, point().label));
  onChange("model", (i) => choose(state.path, data.models[i], point().label));
  slider.addEventListener("input", () => move(Number(slider.value)));
  for (const target of all(".ll-stops, .ll-measure svg")) {
    target.addEventListener("click", (event) => { // on a chart: to the nearest place
      const { left, width } = find(".ll-side").getBoundingClientRect(), last = points().length - 1;
      const nearest = Math.round((event.clientX - left - LEFT) / (width - LEFT - RIGHT) * last);
      move(Math.max(0, Math.min(last, nearest)));
    });
  }
  all(".ll-digits button").forEach((button, digit) => button.addEventListener("click", () => {
    state.digit = state.digit === digit ? null : digit;
    all(".ll-digits button").forEach((b, i) => b.setAttribute("aria-pressed", i === state.digit));
    draw();
  }));
  new ResizeObserver(() => { charts(); draw(); }).observe(find(".ll-panels"));
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  choose(state.path, state.model, points()[0].label);
})();
