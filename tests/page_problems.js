// What is wrong with an opened page, as sentences; every tab and every fold is shown first.
(async () => {
  const problems = [];
  const article = document.querySelector("article");
  const tell = (what, element) =>
    problems.push(`${what}: ${(element.id || element.textContent || element.outerHTML).trim().slice(0, 90)}`);

  for (const fold of article.querySelectorAll("details")) fold.open = true;
  for (const hidden of article.querySelectorAll(".toggle-hidden")) hidden.classList.remove("toggle-hidden");
  const style = document.createElement("style");
  style.textContent = ".sd-tab-content { display: block !important; }";
  document.head.append(style);
  const images = [...article.querySelectorAll("img")];
  for (const image of images) image.loading = "eager";
  await Promise.all(images.map((image) => image.decode().catch(() => tell("image not rendered", image))));
  await new Promise((done) => setTimeout(done, 150)); // scripts that watch widths answer

  // Equations, pictures, captions
  for (const math of article.querySelectorAll(".math"))
    if (!math.querySelector("mjx-container")) tell("equation not set", math);
  for (const error of article.querySelectorAll("mjx-merror")) tell("equation with an error", error);
  const alts = new Set();
  for (const { alt, src } of images) {
    if (alt.length < 20) problems.push(`image hardly described: ${src} ${alt}`);
    if (alts.has(alt)) problems.push(`two images described alike: ${alt.slice(0, 120)}`);
    alts.add(alt);
  }
  for (const figure of article.querySelectorAll("figure"))
    if (!figure.querySelector("figcaption")) tell("figure without caption", figure);

  // What is wider than its place
  const named = (box) => box.tabIndex === 0 && (box.tagName === "PRE" || box.getAttribute("aria-label"));
  const scroller = (element) => {
    for (let box = element.parentElement; box && box !== article; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== "visible") return box;
    return null;
  };
  if (document.documentElement.scrollWidth > innerWidth)
    problems.push(`the page scrolls sideways: ${document.documentElement.scrollWidth} > ${innerWidth}`);
  for (const link of document.querySelectorAll(".prev-next-area a"))
    if (link.scrollWidth > link.clientWidth + 1) tell("a neighbour's title cut", link);
  for (const box of article.querySelectorAll(":not(mjx-container *, svg *)")) {
    const { width, right } = box.getBoundingClientRect();
    if (width <= 1) continue; // for screen readers alone
    if (right > innerWidth + 1 && !scroller(box)) tell("cut at the right edge", box);
    if (box.matches(".math")) { // whose hidden text for screen readers may be wider than what is seen
      const edge = Math.max(...[...box.querySelectorAll("mjx-math")].map((m) => m.getBoundingClientRect().right));
      if (edge > right + 1 && !box.querySelector(".scrolls")) tell("equation cut", box);
      continue;
    }
    if (!box.clientWidth || box.scrollWidth <= box.clientWidth + 1) continue; // no width of its own: within a line
    if (getComputedStyle(box).overflowX === "visible") continue;
    if (!named(box)) tell("scrolls without a name for the keyboard", box);
    if (innerWidth >= 1280 && box.querySelector("table")) tell("table wider than a wide page", box.querySelector("table"));
  }

  // Words, each on one line
  const texts = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const lines = () => new Set([...range.getClientRects()].filter((r) => r.width > 0.5).map((r) => Math.round(r.bottom))).size;
  for (let text; (text = texts.nextNode()); ) {
    const parent = text.parentElement;
    if (parent.closest("pre, script, style, .math, mjx-container, svg")) continue;
    if (parent.getBoundingClientRect().width <= 1) continue; // for screen readers alone
    const code = parent.closest("code, dt, .sig");
    if (!code && /\$|```|~~~|\{(table|figure|numref|eq|glue|cite|ref|doc)/.test(text.data)) tell("markup left", parent);
    if (!code && /(^|[\s([])[-−]0(\.0+)?(?![\d.\w])/.test(text.data)) tell("a negative zero", parent);
    range.selectNodeContents(text);
    if (lines() < 2) continue;
    for (const word of text.data.replace(/https?:\S+/g, (address) => " ".repeat(address.length)).matchAll(/[^\s\-–—−/"{\u200b]+/g)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (lines() > 1) problems.push(`word broken: ${word[0]} in ${parent.textContent.trim().slice(0, 60)}`);
    }
  }
  return problems;
})()
