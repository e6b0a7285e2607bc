// What a link leads to, shown beside it: on hovering with a mouse, and on reaching it by keyboard. Escape puts it away.
// The texts are in one file, previews_texts.js, which the build writes and which is asked for at the first link.
(() => {
  const root = new URL(document.documentElement.dataset.content_root || "./", document.baseURI);
  const WAIT = 250; // ms, before it appears, and before it goes when the pointer leaves
  let tip, shown, wanted, timer;

  const script = (name) =>
    new Promise((done, failed) => {
      const element = document.createElement("script");
      Object.assign(element, { src: new URL(`_static/${name}`, root), onload: done, onerror: failed });
      document.head.append(element);
    });

  let texts; // a promise of them
  const textOf = async (link) => {
    await (texts ??= script("previews_texts.js"));
    const { href } = new URL(link.getAttribute("href"), document.baseURI);
    return window.previews[decodeURI(href.slice(root.href.length))];
  };

  let mathjax; // likewise
  const typeset = async () => {
    if (!tip.querySelector(".math")) return;
    if (!window.MathJax) window.MathJax = { options: { processHtmlClass: "math" } };
    await (mathjax ??= window.MathJax.startup ? true : script("mathjax/tex-chtml.js"));
    // One after the other: two at once, of which one has lost its text, would both fail.
    const { startup } = window.MathJax;
    await (startup.promise = startup.promise.then(() => window.MathJax.typesetPromise([tip])).catch(() => {}));
  };

  const place = (link) => {
    const at = link.getClientRects()[0] ?? link.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = tip;
    const below = at.bottom + 6 + height <= innerHeight || at.top < height + 6;
    tip.style.left = `${Math.max(8, Math.min(at.left, document.documentElement.clientWidth - width - 8))}px`;
    tip.style.top = `${below ? at.bottom + 6 : at.top - height - 6}px`;
  };

  const hide = () => {
    clearTimeout(timer);
    wanted = undefined;
    if (!shown) return;
    shown.removeAttribute("aria-describedby");
    shown = undefined;
    tip.hidden = true;
    window.MathJax?.typesetClear?.([tip]);
  };

  const show = async (link) => {
    wanted = link;
    const text = await textOf(link);
    if (wanted !== link || !text || shown === link) return; // the reader may have gone on meanwhile
    hide();
    shown = wanted = link;
    link.removeAttribute("title"); // else the browser shows a second one
    tip.innerHTML = text;
    for (const image of tip.querySelectorAll("img")) image.src = new URL(image.dataset.src, root);
    tip.style.visibility = "hidden";
    tip.hidden = false;
    await typeset();
    if (shown !== link) return;
    place(link);
    for (const image of tip.querySelectorAll("img")) image.onload = () => shown === link && place(link);
    tip.style.visibility = "";
    link.setAttribute("aria-describedby", tip.id);
  };

  const soon = (action) => {
    clearTimeout(timer);
    timer = setTimeout(action, WAIT);
  };
  const linkAt = (event) => event.target.closest?.("article a.reference.internal[href*='#']");

  document.addEventListener("DOMContentLoaded", () => {
    tip = Object.assign(document.createElement("div"), { id: "preview", className: "preview", hidden: true });
    tip.setAttribute("role", "tooltip");
    (document.querySelector("main") ?? document.body).append(tip);
  });
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const link = linkAt(event);
    if (link) soon(() => show(link));
    else if (tip?.contains(event.target)) clearTimeout(timer);
    else soon(hide);
  });
  document.addEventListener("focusin", (event) => {
    const link = linkAt(event);
    if (link?.matches(":focus-visible")) show(link);
    else hide();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("scroll", () => shown && place(shown), { passive: true }); // Tab scrolls, too
  document.addEventListener("pointerdown", (event) => tip?.contains(event.target) || hide());
})();
