/* The page: which model is chosen, where the point is, which digit is encoded and how it is corrupted. */
"use strict";
((live) => {
  const FIRST = "vae", STRIP = 40; // the model that is shown first; thumbnails
  const page = document.querySelector(".live-plane");
  const find = (name) => page.querySelector(`[data-live="${name}"]`);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const random = live.generator(Date.now());
  const state = { model: null, point: [0, 0], digit: null, corruption: { kind: "clean", level: 0 }, field: live.noiseField(1) };
  let about, models, digits = [], plane, pad, speaking;

  async function start() {
    about = await live.load("about");
    live.setWords(about);
    models = about.models;
    tellAbout();
    if (!models.length) return say("No reference run is here: nothing can be shown.");
    for (const model of models) model.prior.mass = about.mass;
    plane = new live.Plane(find("plane"), about.palette, { moved: follow, picked: (number) => pick(digits[number]) });
    pad = new live.Pad(find("pad"), drawn);
    state.model = models.find((m) => m.file === FIRST) || models[0];
    makeCards();
    makeKey();
    listen();
    await fetchAll();
  }

  /* The chosen model first, so that it answers at once; the encoder of another when that is chosen. */
  async function fetchAll() {
    const order = [state.model, ...models.filter((m) => m !== state.model)];
    for (const [i, model] of order.entries()) {
      say(`Loading the decoders: ${i + 1} of ${order.length}.`);
      await fetchNetwork(model, "decoder");
      show();
      if (i === 0) {
        digits = live.readDigits(await live.load("digits"));
        makeStrip();
        await choose(model);
        pick(digits[0]);
      }
    }
    say("");
    page.dataset.ready = "yes";
  }

  async function fetchNetwork(model, part) {
    model[part] ||= (await live.load(`${model.file}-${part}`)).map(live.readLayer);
  }

  /* Shows a model's codes; its encoder encodes the test digits here, some at a time. */
  async function choose(model) {
    state.model = model;
    await fetchNetwork(model, "decoder");
    if (!model.posteriors) {
      plane.set({ codes: [], labels: [], prior: model.prior, view: view() });
      page.setAttribute("aria-busy", "true");
      await fetchNetwork(model, "encoder");
      const noise = live.generator(0);
      model.posteriors = [];
      for (const [i, digit] of digits.entries()) {
        const draw = [live.gaussian(noise), live.gaussian(noise)];
        model.posteriors.push({ ...live.encode(model.encoder, digit.pixels), draw });
        if (i % 50 === 49) await new Promise((resolve) => setTimeout(resolve));
      }
      page.removeAttribute("aria-busy");
    }
    if (state.model === model) showModel();
  }

  function showModel() {
    const drawnOnes = find("draws").checked;
    const codes = state.model.posteriors.map(({ mean, deviation, draw }) =>
      mean.map((m, axis) => (drawnOnes ? m + deviation[axis] * draw[axis] : m)));
    find("zoom").disabled = state.model.view === state.model.near;
    plane.set({ codes, labels: digits.map((d) => d.label), prior: state.model.prior, view: view() });
    encodeDigit(false, false);
    show();
  }

  /* Four standard deviations of the prior, or nearly all the codes, as in Figure 1. */
  const view = () => (find("zoom").checked ? state.model.near : state.model.view);

  function follow(point) {
    state.glide = null;
    state.point = point;
    show();
  }

  /* The point walks to where it is to be, and what is decoded changes on the way. */
  function glide(target) {
    const from = state.point, begun = performance.now();
    if (calm.matches) return follow(target);
    const walk = (state.glide = (now) => {
      if (state.glide !== walk) return;
      const share = Math.min(1, Math.max(0, (now - begun) / 350)), eased = share * share * (3 - 2 * share);
      state.point = from.map((v, axis) => v + eased * (target[axis] - v));
      if (share === 1) state.glide = null;
      else requestAnimationFrame(walk);
      show();
    });
    requestAnimationFrame(walk);
  }

  /* Everything that depends on the point. */
  function show() {
    plane.point = state.point;
    plane.draw();
    for (const model of models) {
      if (!model.decoder) continue;
      const image = live.decode(model.decoder, state.point);
      live.paint(model.canvas, image);
      if (model === state.model) live.paint(find("digit"), image);
    }
    const told = words();
    find("readout").textContent = told;
    clearTimeout(speaking);
    speaking = setTimeout(() => (find("spoken").textContent = told), 400); // not at every step of a drag
  }

  /* Two digits, with a minus; what rounds to zero has no sign. */
  function signed(v) {
    const text = Math.abs(v).toFixed(2);
    return (v < 0 && Number(text) ? "−" : "") + text;
  }

  function words() {
    const [a, b] = state.point.map(signed);
    const density = live.logDensity(state.model.prior, state.point);
    const inside = state.model.prior.levels.findIndex((level) => density >= level);
    const where = inside < 0 ? `outside ${100 * about.mass.at(-1)}\u00a0% of the prior` : `within the prior’s ${100 * about.mass[inside]}\u00a0%`;
    const beside = plane.nearest(state.point);
    return `z = (${a}, ${b}), ${where}` + (beside ? `; the nearest code is of a${digits[beside.number].label === 8 ? "n" : ""} ${digits[beside.number].label}` : "");
  }

  function pick(digit) {
    pad.clear();
    setDigit(digit);
  }

  /* An empty pad: what was drawn is encoded no more. */
  function wipe() {
    pad.clear();
    if (!state.digit || state.digit.label !== null) return;
    state.digit = plane.code = null;
    find("coded").textContent = "";
    for (const name of ["seen", "given"]) find(name).width = find(name).height; // empties a canvas
    plane.draw();
  }

  function drawn(pixels) {
    setDigit({ label: null, pixels });
  }

  function setDigit(digit) {
    state.digit = digit;
    for (const button of find("strip").children) button.setAttribute("aria-pressed", digits[button.value] === digit);
    encodeDigit(digit.label !== null);
  }

  /* Encodes the digit as it is corrupted and gives it back; the point goes along with its code. */
  function encodeDigit(slowly, along = true) {
    const { digit, model } = state;
    if (!digit || !model.encoder) return;
    const seen = live.corrupt(digit.pixels, state.corruption, state.field);
    const code = live.encode(model.encoder, seen);
    plane.code = { ...code, clean: live.encode(model.encoder, digit.pixels).mean };
    live.paint(find("seen"), seen);
    live.paint(find("given"), live.decode(model.decoder, code.mean));
    const [a, b] = code.mean.map(signed);
    const what = digit.label === null ? "your digit" : `a test digit, a ${digit.label}`;
    find("coded").textContent = `${model.name} encodes ${what}, ${corruptionInWords()}, at (${a}, ${b}).`;
    if (!along) return plane.draw();
    if (slowly) glide(code.mean);
    else follow(code.mean);
  }

  function corruptionInWords() {
    const { kind, level } = state.corruption;
    return { clean: "clean", gaussian: `with noise of σ = ${level}`, mask: `masked with p = ${level}` }[kind];
  }

  function listen() {
    find("sample").addEventListener("click", () => glide(live.drawPrior(state.model.prior, random)));
    find("centre").addEventListener("click", () => glide([0, 0]));
    find("again").addEventListener("click", () => ((state.field = live.noiseField(random() * 2 ** 32)), encodeDigit(false)));
    find("clear").addEventListener("click", wipe);
    find("zoom").addEventListener("change", () => plane.set({ view: view() }));
    for (const name of ["draws", "means"]) find(name).addEventListener("change", showModel);
    for (const kind of ["gaussian", "mask"]) {
      find(kind).addEventListener("input", () => {
        const level = Number(find(kind).value), other = kind === "mask" ? "gaussian" : "mask"; // one at a time, as in the paper
        find(other).value = 0;
        state.corruption = level ? { kind, level } : { kind: "clean", level: 0 };
        for (const k of ["gaussian", "mask"]) find(`${k}-level`).textContent = Number(find(k).value).toFixed(2);
        encodeDigit(false);
      });
    }
    new MutationObserver(repaint).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    find("drawing").open = matchMedia("(min-width: 700px)").matches;
  }

  function repaint() {
    plane.redraw();
    pad.show();
    show();
    encodeDigit(false, false);
    for (const button of find("strip").children) live.paint(button.firstChild, digits[button.value].pixels);
  }

  function makeCards() {
    for (const model of models) {
      const card = document.createElement("label");
      card.className = "live-choice";
      card.innerHTML = `<input type="radio" name="live-model"><canvas aria-hidden="true"></canvas><b>${model.name}</b><small>${model.weight || "&nbsp;"}</small>`;
      model.canvas = card.querySelector("canvas");
      const choice = card.querySelector("input");
      choice.value = model.file;
      choice.checked = model === state.model;
      choice.addEventListener("change", () => choose(model));
      find("models").append(card);
    }
  }

  function makeKey() {
    const dots = about.palette.map((colour, label) => `<span><i style="background:${colour}"></i>${label}</span>`);
    find("key").innerHTML = dots.join("");
  }

  function makeStrip() {
    digits.slice(0, STRIP).forEach((digit, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.value = i;
      button.setAttribute("aria-label", `Test digit ${i + 1}, a ${digit.label}`);
      button.setAttribute("aria-pressed", "false");
      const canvas = document.createElement("canvas");
      live.paint(canvas, digit.pixels);
      button.append(canvas);
      button.addEventListener("click", () => pick(digit));
      find("strip").append(button);
    });
  }

  /* What the page says of its own numbers: from the records, and from what was measured when they were rounded. */
  function tellAbout() {
    const worst = Math.max(...models.map((m) => m.pixels));
    const bits = (kind) => (Math.log2(about.words[kind][2])).toFixed(1);
    document.getElementById("live-rounding").textContent = models.length
      ? `Each of a model’s ${models[0].weights.toLocaleString("en")} weights is rounded to ${bits("fine")} bits beside the ` +
        `largest of its row, to ${bits("coarse")} bits in the decoders’ larger layers, whose units that are silent all over ` +
        `the plane are left out. By this an image differs from PyTorch’s by at most ${worst.toFixed(4)} in a pixel from 0 ` +
        `to 1: over ${about.digits} test digits, encoded and decoded (${about.conditions.join(", ")}), and grids over the ` +
        `plane; ` + models.map((m) => `${m.name} ${m.pixels.toFixed(4)}`).join(", ") + "."
      : "";
    if (about.missing.length)
      find("missing").textContent = `Not here: ${about.missing.join(", ")}, whose reference run with weights is not in results/reference.`;
  }

  function say(text) {
    find("status").textContent = text;
  }

  Object.assign(live, { state, models: () => models, digits: () => digits, plane: () => plane, glide, words });
  start().catch((error) => say(`This page cannot show its models: ${error.message}.`));
})(window.livePlane);
