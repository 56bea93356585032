// What the page does by itself: running clocks, the banner when the connection is lost, and a guard against a press
// that lands on another visit because the list moved under the finger.
"use strict";

(() => {
  const ahead = Date.parse(document.body.dataset.now) - Date.now(); // the centre's clock, whatever this machine's says
  const now = () => Date.now() + ahead;
  const two = (n) => String(n).padStart(2, "0");

  const elapsed = (since) => {
    const s = Math.max(0, Math.floor((now() - since) / 1000));
    const h = Math.floor(s / 3600);
    return h ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
  };

  const tick = () => {
    for (const one of document.querySelectorAll(".elapsed")) {
      const since = Date.parse(one.dataset.since);
      one.textContent = elapsed(since);
      one.classList.toggle("long", now() - since > 120000);
    }
    const clock = document.querySelector(".clock[data-zone]");
    if (clock) {
      const zone = { timeZone: clock.dataset.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
      clock.textContent = new Intl.DateTimeFormat("en-GB", zone).format(now());
    }
  };
  tick();
  setInterval(tick, 1000);
  document.body.addEventListener("htmx:afterSettle", tick);

  // Connection: the banner shows after an error, or when no sign of life came for 25 s (a half-open line).
  const lost = document.getElementById("lost");
  let heard = Date.now();
  const alive = () => { heard = Date.now(); lost.hidden = true; };
  const watch = document.querySelector("[sse-connect]");
  document.body.addEventListener("htmx:sseOpen", (e) => {
    alive();
    e.detail.source.addEventListener("pulse", alive);
    e.detail.source.addEventListener("update", alive);
    e.detail.source.addEventListener("gone", () => location.assign("/login"));
  });
  document.body.addEventListener("htmx:sseError", () => { lost.hidden = false; });
  if (watch) setInterval(() => { if (Date.now() - heard > 25000) lost.hidden = false; }, 1000);

  // A list that lost a card closes the gap: for half a second nothing in it can be pressed.
  const moved = new MutationObserver((changes) => {
    for (const { target, removedNodes } of changes) {
      if (![...removedNodes].some((node) => node.nodeType === 1)) continue;
      target.classList.add("settling");
      setTimeout(() => target.classList.remove("settling"), 500);
    }
  });
  for (const list of document.querySelectorAll(".list")) moved.observe(list, { childList: true });

  // Notices go by themselves; only one choice is open at a time.
  const notice = (text) => {
    const line = document.createElement("p");
    line.className = "notice bad";
    line.textContent = text;
    document.getElementById("notice").replaceChildren(line);
  };
  let fading;
  document.body.addEventListener("htmx:oobAfterSwap", (e) => {
    if (e.detail.target.id !== "notice") return;
    clearTimeout(fading);
    fading = setTimeout(() => document.getElementById("notice").replaceChildren(), 6000);
  });
  const notSent = () => notice(document.getElementById("not-sent").content.textContent);
  document.body.addEventListener("htmx:sendError", notSent);
  document.body.addEventListener("htmx:responseError", notSent);
  document.addEventListener("toggle", (e) => {
    if (!e.target.matches("details.choice") || !e.target.open) return;
    for (const other of document.querySelectorAll("details.choice[open]")) if (other !== e.target) other.open = false;
  }, true);
})();
