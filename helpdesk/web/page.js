"use strict";
// No address on the screen leads anywhere: whoever chose a display name chose it.
window.open = () => null;
window.confirm = () => false;

// Keys go to the console at once, without a click.
const focus = () => document.querySelector(".xterm-helper-textarea")?.focus();
window.addEventListener("load", () => window.setTimeout(focus));
window.addEventListener("focus", focus);

window.addEventListener("DOMContentLoaded", () => {
  document.querySelector("#again").addEventListener("click", () => window.location.reload());
});
