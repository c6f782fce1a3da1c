"use strict";
// Keys, and what comes live. The pages are whole without it. Nothing here makes markup out of text.

const $ = (id) => document.getElementById(id);
const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.getClientRects().length);

let here = null;

function go(row) {
  if (!row) return;
  if (here) here.classList.remove("here");
  here = row;
  row.classList.add("here");
  row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = rows();
  const at = all.indexOf(here);
  go(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]);
}

function enter() {
  if (!here) return;
  const href = here.dataset.href;
  if (href && href.startsWith("/") && !href.startsWith("//")) location.href = href;
  else if (here.tagName === "DETAILS") here.open = !here.open;
  else here.querySelector("a")?.click();
}

const PLACES = { s: "/", l: "/live", m: "/map", f: "/functions", t: "/streams", d: "/dead-letters" };
let going = false;

function help(open) {
  const dialog = $("help");
  if (open && !dialog.open) dialog.showModal();
  else dialog.close();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest?.("input, textarea, select");
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (going) {
    going = false;
    if (PLACES[event.key]) location.href = PLACES[event.key];
    return;
  }
  const onControl = event.target.closest?.("a, button, summary");
  switch (event.key) {
    case "/": $("q")?.focus(); $("q")?.select(); if (!$("q")) location.href = "/"; break;
    case "j": step(1); break;
    case "k": step(-1); break;
    case "Enter": if (onControl || $("help").open) return; enter(); break;
    case "o": if (here?.tagName === "DETAILS") here.open = !here.open; break;
    case "f": $("follow")?.click(); break;
    case "g": going = true; break;
    case "?": help(!$("help").open); break;
    default: return;
  }
  event.preventDefault();
});

const button = $("help-button");
button.hidden = false;
button.addEventListener("click", () => help(true));

// A link to a hop opens it.
function target() {
  const hop = location.hash.length > 1 && $(decodeURIComponent(location.hash.slice(1)));
  if (hop && hop.tagName === "DETAILS") {
    hop.open = true;
    go(hop);
  }
}
addEventListener("hashchange", target);

// A story that is followed is loaded again when there is more of it, as it was looked at.
const story = $("story");
if (story) {
  const key = `clew ${location.pathname}${location.search}`;
  const before = JSON.parse(sessionStorage.getItem(key) || "null");
  if (before) {
    sessionStorage.removeItem(key);
    for (const hop of document.querySelectorAll("details.hop")) {
      if (before.open.includes(hop.id)) hop.open = true;
      else if (before.shut.includes(hop.id)) hop.open = false;
    }
    scrollTo(0, before.y);
  }
  const follow = $("follow");
  let events = null;
  const again = () => {
    const hops = [...document.querySelectorAll("details.hop")];
    const kept = {
      y: scrollY,
      open: hops.filter((hop) => hop.open).map((hop) => hop.id),
      shut: hops.filter((hop) => !hop.open && hop.classList.contains("bad")).map((hop) => hop.id),
      follow: true,
    };
    sessionStorage.setItem(key, JSON.stringify(kept));
    location.reload();
  };
  const set = (on) => {
    follow.setAttribute("aria-pressed", String(on));
    follow.textContent = on ? "Following" : "Follow";
    events?.close();
    events = null;
    if (!on) return;
    events = new EventSource(story.dataset.follow);
    let late = 0;
    events.addEventListener("news", () => {
      clearTimeout(late);
      late = setTimeout(again, 250);
    });
  };
  follow.hidden = false;
  follow.addEventListener("click", () => set(follow.getAttribute("aria-pressed") !== "true"));
  set(Boolean(before?.follow) || "waiting" in story.dataset);
}

// Live lines.
const live = $("live");
if (live) {
  const MOST = 1000;
  const template = $("live-line");
  const state = $("live-state");
  const follow = $("follow");
  let paused = false;
  let waiting = [];
  let count = live.querySelectorAll(".line").length;

  const made = (one) => {
    const line = template.content.firstElementChild.cloneNode(true);
    const put = (name, text) => { line.querySelector(`.${name}`).textContent = text; };
    line.classList.add(["error", "warning", "debug"].includes(one.tone) ? one.tone : "info");
    put("at", one.clock);
    put("fn", one.function);
    put("level", one.level);
    put("message", one.message);
    put("field", one.fields.join("  "));
    put("thrown", one.thrown);
    if (one.url.startsWith("/story")) {
      line.dataset.href = one.url;
      line.querySelector(".at").href = one.url;
    }
    return line;
  };
  const show = (lines) => {
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 60;
    const all = document.createDocumentFragment();
    for (const one of lines.slice(-MOST)) all.append(made(one));
    live.append(all);
    for (const old of [...live.querySelectorAll(".line")].slice(0, -MOST)) old.remove();
    count += lines.length;
    if (atEnd) scrollTo(0, document.documentElement.scrollHeight);
  };
  const say = () => {
    state.textContent = paused
      ? `paused, ${waiting.length} new`
      : `${count.toLocaleString("en")} line${count === 1 ? "" : "s"}`;
  };
  const events = new EventSource(live.dataset.events);
  events.addEventListener("news", (event) => {
    const { lines } = JSON.parse(event.data);
    if (paused) waiting = [...waiting, ...lines].slice(-MOST);
    else show(lines);
    say();
  });
  events.addEventListener("ended", (event) => {
    state.textContent = JSON.parse(event.data).sentence;
    events.close();
  });
  follow.hidden = false;
  follow.addEventListener("click", () => {
    paused = !paused;
    follow.setAttribute("aria-pressed", String(paused));
    follow.textContent = paused ? "Go on" : "Pause";
    if (!paused) {
      show(waiting);
      waiting = [];
    }
    say();
  });
  say();
  scrollTo(0, document.documentElement.scrollHeight);
}

target();
