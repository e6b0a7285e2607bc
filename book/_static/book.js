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

/** A figure's link shows it as large as the window allows, or, where its text would be small so, at a size to be read
 *  and scrolled from its left. A click on it goes from the one to the other, and stays where it was; one beside it
 *  closes. */
function enlargeFigures() {
  const dialog = document.createElement("dialog");
  dialog.className = "large";
  dialog.setAttribute("aria-label", "Figure in large");
  dialog.innerHTML =
    '<form method="dialog"><button type="button"></button> <button>Close</button></form>' +
    '<div class="sheet" tabindex="0" role="region" aria-label="Figure" autofocus></div>';
  document.body.append(dialog);
  const sheet = dialog.querySelector(".sheet"), sizes = dialog.querySelector("button");
  const show = (whole, at = [0, 0]) => {
    dialog.classList.toggle("whole", whole);
    sizes.textContent = whole ? "Larger" : "Whole";
    sheet.scrollTo(at[0] * sheet.scrollWidth - sheet.clientWidth / 2, at[1] * sheet.scrollHeight - sheet.clientHeight / 2);
  };
  const other = (at) => show(!dialog.classList.contains("whole"), at);
  for (const link of document.querySelectorAll("a.enlarge"))
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the file in a tab of its own
      event.preventDefault();
      const shown = link.querySelector("img"), image = shown.cloneNode(), own = Number(image.getAttribute("width"));
      image.loading = "eager";
      image.style.setProperty("--own", `${own}px`);
      image.style.setProperty("--shape", own / image.getAttribute("height"));
      // Pixels are not blown up, vectors may be.
      image.style.setProperty("--most", /\.svg$/.test(shown.src) ? "100cqw" : `${Math.max(own, shown.naturalWidth)}px`);
      sheet.replaceChildren(image);
      dialog.showModal();
      show(true);
      show(image.clientWidth >= 0.75 * own);
    });
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation()); // the theme stops it
  sizes.addEventListener("click", () => other());
  sheet.addEventListener("click", ({ target, offsetX, offsetY }) => {
    if (target === sheet) dialog.close();
    else other([offsetX / target.clientWidth, offsetY / target.clientHeight]);
  });
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
