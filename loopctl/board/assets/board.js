// Puts parts of the page in the place of those before them, as the server sends them. Without it the page is complete,
// and is loaded again now and then.
"use strict";
const connection = document.getElementById("connection");
const spoken = document.getElementById("spoken");
let last = document.documentElement.dataset.generation;
let stream = null;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", hour12: false });
function localise(root) {
  for (const time of root.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    time.textContent = (time.classList.contains("day") ? calendar : clock).format(at);
    time.title = time.dateTime;
  }
}

// What is open stays open, and what has the focus keeps it.
function replace(id, html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const fresh = holder.content.firstElementChild;
  localise(fresh);
  const old = document.getElementById(id);
  if (!old) return fresh;
  const opened = old.querySelector("details");
  if (opened && opened.open) fresh.querySelector("details").open = true;
  const focused = old.contains(document.activeElement) ? [...old.querySelectorAll("summary, a, [tabindex]")].indexOf(document.activeElement) : -1;
  const scrolled = [...old.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
  old.replaceWith(fresh);
  [...fresh.querySelectorAll(".scroll")].forEach((each, at) => { each.scrollLeft = scrolled[at] || 0; });
  if (focused >= 0) [...fresh.querySelectorAll("summary, a, [tabindex]")][focused]?.focus();
  if (old.dataset.state && old.dataset.state !== fresh.dataset.state) spoken.textContent = fresh.dataset.said;
  return fresh;
}

function take(event) {
  last = event.lastEventId;
  const change = JSON.parse(event.data);
  const made = new Map();
  for (const part of change.parts) made.set(part.id, replace(part.id, part.html));
  for (const table of change.tables) {
    const element = document.getElementById(table.id);
    if (!element) { location.reload(); return; }
    const wanted = new Set(table.rows);
    for (const body of [...element.tBodies]) if (!wanted.has(body.id)) body.remove();
    table.rows.forEach((id, at) => {
      const row = document.getElementById(id) || made.get(id);
      if (row && element.tBodies[at] !== row) element.insertBefore(row, element.tBodies[at] || null);
    });
  }
}

function open() {
  if (stream) return;
  stream = new EventSource("/api/events?after=" + encodeURIComponent(last));
  stream.onopen = () => { connection.textContent = "Up to date; changes appear by themselves."; connection.className = ""; };
  stream.onmessage = take;
  stream.onerror = () => {
    connection.textContent = "✗ The board does not answer: what is below may be old. It is tried again.";
    connection.className = "lost";
    if (stream.readyState === EventSource.CLOSED) { close(); setTimeout(open, 2000); }
  };
}

function close() {
  if (stream) stream.close();
  stream = null;
}

// A browser has six connections for a host: a page that nobody looks at gives its own back.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
localise(document);
if (!document.hidden) open();
