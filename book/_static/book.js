// What a page does beyond showing itself: names for the theme's buttons, boxes that scroll, links into what is folded,
// figures in large. Without it every page can still be read.
"use strict";

/** The theme's buttons carry a sign and a title, which a screen reader may not tell. */
function nameButtons() {
  for (const button of document.querySelectorAll("button[title]:not([aria-label])"))
    button.setAttribute("aria-label", button.title);
}

/** A box that is wider than its place says so, and can be scrolled by keyboard under a name of its own. */
function tellWidth(box) {
  const wide = box.scrollWidth > box.clientWidth + 1;
  box.classList.toggle("scrolls", wide);
  if (!wide) return ["role", "aria-label"].forEach((name) => box.removeAttribute(name));
  const caption = box.querySelector("caption .caption-number, .eqno");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", caption ? `${caption.textContent.trim()}, wider than the page` : nameOf(box));
}

function nameOf(box) {
  const kind = box.matches(".math, mjx-container") ? "Equation" : box.matches("pre") ? "Code" : "Table";
  const section = box.closest("section")?.querySelector("h1, h2, h3, h4");
  const peers = [...document.querySelectorAll(SCROLLING)].filter((peer) => peer.closest("section") === box.closest("section"));
  return `${kind} ${peers.indexOf(box) + 1} of “${section?.firstChild.textContent.trim() ?? document.title}”, wider than the page`;
}

const SCROLLING = ".pst-scrollable-table-container, mjx-container[display='true'], article pre";

function watchWidths() {
  const observer = new ResizeObserver((entries) => entries.forEach((entry) => tellWidth(entry.target)));
  for (const box of document.querySelectorAll(SCROLLING)) observer.observe(box);
}

/** Opens every tab and every fold that the element is in. */
function open(element) {
  for (let at = element; at; at = at.parentElement) {
    if (at.matches("details")) at.open = true;
    if (at.matches(".toggle.toggle-hidden")) at.querySelector(".toggle-button")?.click();
    if (at.matches(".sd-tab-content")) document.getElementById(at.previousElementSibling.htmlFor).click();
  }
}

/** A link leads to its target also where that is folded, and once equations have taken their place. */
function showTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  open(target);
  target.scrollIntoView();
}

/** A figure's link shows the figure in large; a click there toggles between the window's and the picture's own size. */
function enlargeFigures() {
  const dialog = document.createElement("dialog");
  dialog.className = "large";
  dialog.setAttribute("aria-label", "Figure in large");
  dialog.innerHTML = '<form method="dialog"><button>Close</button></form><div class="sheet" tabindex="0" role="region" aria-label="Figure"></div>';
  document.body.append(dialog);
  const sheet = dialog.querySelector(".sheet");
  for (const link of document.querySelectorAll("a.enlarge"))
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the file in a tab of its own
      event.preventDefault();
      const image = link.querySelector("img").cloneNode();
      image.loading = "eager";
      sheet.replaceChildren(image);
      dialog.classList.remove("own-size");
      dialog.showModal();
    });
  sheet.addEventListener("click", () => dialog.classList.toggle("own-size"));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

nameButtons();
watchWidths();
enlargeFigures();
addEventListener("hashchange", showTarget);
addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  watchWidths(); // of the equations that are now set
  showTarget();
});
