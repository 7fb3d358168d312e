// What the console does with a script; every page works without it.
// Texts are in the page, in the language of its reader: data attributes of #palette and #trouble.

const palette = document.getElementById("palette");
const trouble = document.getElementById("trouble");
const asking = document.getElementById("asking");

// ---- search everywhere: "/" or Ctrl-K

function openPalette() {
  if (palette.open) return;
  palette.showModal();
  palette.querySelector("input[type=search]").select();
}

function isTyping(element) {
  return element.closest("input, textarea, select, [contenteditable]") !== null;
}

document.addEventListener("keydown", (event) => {
  const isSearch = (event.key === "k" && (event.ctrlKey || event.metaKey) && !event.altKey) ||
    (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target));
  if (palette && isSearch && !asking?.open) {
    event.preventDefault();
    openPalette();
  }
});

document.querySelector("[data-opens=palette]")?.addEventListener("click", (event) => {
  event.preventDefault();
  openPalette();
});

// Arrow keys go from the field through what was found, and back.
palette?.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const stops = [palette.querySelector("input[type=search]"), ...palette.querySelectorAll("#found a")];
  const at = stops.indexOf(document.activeElement);
  const next = stops[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (at < 0 || !next) return;
  event.preventDefault();
  next.focus();
});

for (const dialog of [palette, asking]) {
  dialog?.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-closes]")) dialog.close();
  });
}

// ---- requests of htmx

// A session that ended, or a page that moved: go there instead of swapping a part of it in.
document.addEventListener("htmx:after:request", (event) => {
  const answer = event.detail.ctx.response.raw;
  if (!answer.redirected) return;
  event.preventDefault();
  location.assign(answer.url);
});

// Nobody looks at a hidden page, so its polls wait.
document.addEventListener("htmx:config:request", (event) => {
  if (document.hidden && event.detail.ctx.sourceEvent?.type === "every") event.preventDefault();
});

document.addEventListener("htmx:after:swap", (event) => {
  if (asking && event.detail.ctx.target?.id === "asked" && !asking.open) asking.showModal();
});

function tellTrouble() {
  if (!trouble) return;
  trouble.textContent = trouble.dataset.text;
  trouble.hidden = false;
}

document.addEventListener("htmx:response:error", tellTrouble);
document.addEventListener("htmx:error", tellTrouble);
document.addEventListener("htmx:before:swap", (event) => {
  if (trouble && event.detail.ctx.response?.status < 400) trouble.hidden = true;
});

// ---- a choice that has fields of its own

document.addEventListener("change", (event) => {
  const unfolded = event.target.checked && document.getElementById(event.target.dataset.unfolds ?? "");
  if (unfolded) unfolded.open = true;
});

// ---- notices

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismisses]")?.closest(".told")?.remove();
});
