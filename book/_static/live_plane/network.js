/* The trained networks in the page: scripts that hold weights as text, and the encoders and decoders made of them. */
"use strict";
window.livePlane = (() => {
  const FOLDER = new URL("data/", document.currentScript.src);
  const CHARACTERS = 93; // printable ASCII but for " and \
  let words, bend, delivered;

  /* Opened from disk, a page may load scripts and nothing else; each calls `arrived` with what it holds. */
  function load(name) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL(`${name}.js`, FOLDER);
      script.onload = () => resolve(delivered);
      script.onerror = () => reject(new Error(`${name}.js is missing`));
      document.head.append(script);
    });
  }

  /* How numbers are written, as about.js says: kind -> [numbers, characters, levels] of a word, and the levels' bend. */
  function setWords(about) {
    words = about.words;
    bend = about.bend;
  }

  /* `count` numbers from text: in a word the first number counts least, and so does the first character. */
  function readText(text, count, [numbers, characters, levels]) {
    const read = new Uint16Array(count);
    for (let i = 0, at = 0; i < count; at += characters) {
      let value = 0;
      for (let c = characters - 1; c >= 0; c--) {
        const code = text.charCodeAt(at + c);
        value = value * CHARACTERS + code - 32 - (code > 34) - (code > 92);
      }
      for (let k = 0; k < numbers && i < count; k++, i++) {
        read[i] = value % levels;
        value = Math.floor(value / levels);
      }
    }
    return read;
  }

  /* The numbers from -1 to 1 that the levels stand for. */
  function levelValues(levels) {
    const half = (levels - 1) / 2;
    return Float32Array.from({ length: levels }, (_, i) => Math.sinh((bend * (i - half)) / half) / Math.sinh(bend));
  }

  function readVector([top, text], count) {
    const values = levelValues(words.fine[2]);
    return Float32Array.from(readText(text, count, words.fine), (level) => top * values[level]);
  }

  /* A layer with its weights input by input, so that inputs that are 0 cost nothing. */
  function readLayer(written) {
    const { inputs, outputs } = written, word = words[written.word];
    const scales = readVector(written.scales, outputs);
    const levels = readText(written.weights, inputs * outputs, word);
    const values = levelValues(word[2]);
    const weights = new Float32Array(inputs * outputs);
    for (let j = 0, k = 0; j < outputs; j++)
      for (let i = 0; i < inputs; i++, k++) weights[i * outputs + j] = scales[j] * values[levels[k]];
    return { inputs, outputs, weights, bias: readVector(written.bias, outputs) };
  }

  /* Linear layers with a ReLU between them. */
  function forward(layers, input) {
    let x = input;
    layers.forEach(({ inputs, outputs, weights, bias }, depth) => {
      const y = Float32Array.from(bias);
      for (let i = 0; i < inputs; i++) {
        const value = depth ? Math.max(0, x[i]) : x[i];
        if (value === 0) continue;
        for (let j = 0, k = i * outputs; j < outputs; j++, k++) y[j] += value * weights[k];
      }
      x = y;
    });
    return x;
  }

  /* q(z|x) of 784 pixels, 0 to 1: mean and standard deviation of the two coordinates. */
  function encode(encoder, pixels) {
    const [a, b, c, d] = forward(encoder, pixels);
    return { mean: [a, b], deviation: [Math.exp(c / 2), Math.exp(d / 2)] };
  }

  /* The means of 784 pixels for a code. */
  function decode(decoder, z) {
    return forward(decoder, z).map((logit) => 1 / (1 + Math.exp(-logit)));
  }

  /* The test digits: a byte that is 0 is followed by how many zeros there are. */
  function readDigits({ labels, bytes, pixels }) {
    const told = readText(pixels, bytes, words.bytes);
    const flat = new Float32Array(labels.length * 784);
    for (let i = 0, at = 0; i < bytes; i++) {
      if (told[i] === 0) at += told[++i];
      else flat[at++] = told[i] / 255;
    }
    return Array.from(labels, (label, n) => ({ label: Number(label), pixels: flat.subarray(784 * n, 784 * (n + 1)) }));
  }

  return { load, arrived: (content) => (delivered = content), setWords, readText, readLayer, readDigits, encode, decode };
})();
