/* Priors, random numbers, and the two corruptions of vimae_core/corruptions.py. */
"use strict";
((live) => {
  /* Of one coordinate of scale 1: log density in nats, and a draw. */
  const PRIORS = {
    normal: {
      logDensity: (u) => -0.5 * u * u - 0.5 * Math.log(2 * Math.PI),
      draw: (random) => gaussian(random),
    },
    logistic: {
      logDensity: (u) => -Math.abs(u) - 2 * Math.log1p(Math.exp(-Math.abs(u))),
      draw: (random) => {
        const u = random();
        return Math.log(u / (1 - u));
      },
    },
  };

  /* Uniform numbers within (0, 1), the same for the same seed: mulberry32. */
  function generator(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
    };
  }

  function gaussian(random) {
    return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  }

  /* log p(z) of a point of the plane, nats. */
  function logDensity({ name, scale }, [a, b]) {
    const one = PRIORS[name].logDensity;
    return one(a / scale) + one(b / scale) - 2 * Math.log(scale);
  }

  function drawPrior({ name, scale }, random) {
    return [0, 1].map(() => scale * PRIORS[name].draw(random));
  }

  /* Points around the prior's centre where its log density is `level`; it falls along every ray. */
  function contour(prior, level, corners = 120) {
    return Array.from({ length: corners }, (_, i) => {
      const angle = (2 * Math.PI * i) / corners;
      const at = (r) => [r * Math.cos(angle), r * Math.sin(angle)];
      let [low, high] = [0, 20];
      for (let step = 0; step < 40; step++) {
        const middle = (low + high) / 2;
        if (logDensity(prior, at(middle)) > level) low = middle;
        else high = middle;
      }
      return at(low);
    });
  }

  /* Noise for an image, fixed before its level: a stronger corruption adds more of the same. */
  function noiseField(seed) {
    const random = generator(seed);
    const gauss = Float32Array.from({ length: 784 }, () => gaussian(random));
    return { gaussian: gauss, mask: Float32Array.from({ length: 784 }, () => random()) };
  }

  /* Gaussian noise of standard deviation `level` on each pixel, not clipped; or pixels set to 0 with that probability. */
  function corrupt(pixels, { kind, level }, field) {
    if (kind === "gaussian") return pixels.map((pixel, i) => pixel + level * field.gaussian[i]);
    if (kind === "mask") return pixels.map((pixel, i) => (field.mask[i] >= level ? pixel : 0));
    return pixels;
  }

  Object.assign(live, { generator, gaussian, logDensity, drawPrior, contour, noiseField, corrupt });
})(window.livePlane);
