// The interview room. What a candidate writes is kept in the browser at every keystroke and sent soon
// after; it is called saved only once the server has said so of that very text. The server renders
// every page of it; going on puts the next page's #room in the place of this one.

"use strict";

const SOON = 800; // milliseconds after the last keystroke
const AT_LATEST = 5000; // after the first one that is not sent yet
const PATIENCE = 10_000; // for an answer of the server
const PAUSES = [1000, 2000, 4000, 8000, 15_000]; // before asking again
const KEPT_FOR = 14 * 24 * 3600_000;
const MOST_AT_ONCE = 60_000; // bytes that a closing page may still send
const LIVES = 300; // milliseconds that a lock of a page just closed may linger

const here = (selector) => document.querySelector(selector);
const room = () => document.getElementById("room");
const newName = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

let facts = null; // what the server says of this question (interviews/room/views.py)
let csrf = "";
let answer = null;
let recorder = null;

// --- what is kept in this browser ---------------------------------------------------------------------
// Texts under text:<interview>:<stay>:<question>:<writer>, recordings under take:<interview>:<stay>:<question>:
// what is left of one stay is nothing to the questions of the next.

const keep = {
  lasts: true, // false: nothing here outlives the page

  database: new Promise((resolve) => {
    try {
      const request = indexedDB.open("room", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("kept", { keyPath: "key" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  }),

  async with(mode, work) {
    const database = await this.database;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction("kept", mode);
      const request = work(transaction.objectStore("kept"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  },

  /** Texts go to localStorage, which has them before the next key is pressed, even where the page is
      killed at once; recordings, and texts where that is full or forbidden, to the database. */
  async put(record) {
    if (!record.key.startsWith("take:")) {
      try {
        localStorage.setItem(record.key, JSON.stringify(record));
        return;
      } catch {
        // then the database
      }
    }
    try {
      await this.with("readwrite", (store) => store.put(record));
    } catch {
      this.lasts = false;
      showSaved();
    }
  },

  async drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // nothing was put there
    }
    try {
      if (await this.database) await this.with("readwrite", (store) => store.delete(key));
    } catch {
      this.lasts = false;
    }
  },

  /** What is kept under this prefix, the newest first. */
  async all(prefix) {
    let found = [];
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
      found = keys.map((key) => JSON.parse(localStorage.getItem(key)));
    } catch {
      // nothing was put there
    }
    try {
      if (await this.database) {
        const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
        found.push(...(await this.with("readonly", (store) => store.getAll(range))));
      }
    } catch {
      this.lasts = false;
    }
    return found.sort((one, other) => other.at - one.at);
  },

  async works() {
    this.lasts = true;
    await this.put({ key: "probe", at: 0 });
    const found = await this.all("probe");
    await this.drop("probe");
    return (this.lasts &&= found.length === 1);
  },

  async forgetOld() {
    for (const prefix of ["text:", "take:"]) {
      for (const record of await this.all(prefix)) {
        if (record.at < Date.now() - KEPT_FOR) this.drop(record.key);
      }
    }
  },

  async forget(reference) {
    for (const prefix of [`text:${reference}:`, `take:${reference}:`]) {
      for (const record of await this.all(prefix)) this.drop(record.key);
    }
  },
};

// A writer is one page's name for one answer. While the page lives it holds a lock of that name, so that
// what it left behind is taken over only when it is gone.
const owned = new Set();

function own(writer) {
  if (owned.has(writer)) return true;
  if (!navigator.locks) return owned.add(writer) && true;
  return new Promise((resolve) => {
    const patience = new AbortController();
    setTimeout(() => patience.abort(), LIVES);
    navigator.locks
      .request(`room:${writer}`, { signal: patience.signal }, () => {
        owned.add(writer);
        resolve(true);
        return new Promise(() => {});
      })
      .catch(() => resolve(false));
  });
}

// --- the line -----------------------------------------------------------------------------------------

class Lost extends Error {} // no answer, or none that means anything

const line = { down: null, wasLost: false, since: 0, tries: 0, timer: 0 };

/** Nothing came back: "offline" where the line is down, "waiting" where the server is not well. */
function lose(how) {
  if (!line.down) {
    line.since = Date.now();
    clock.stop();
  }
  line.down = how;
  line.wasLost ||= how === "offline";
  clearTimeout(line.timer);
  line.timer = setTimeout(tryAgain, PAUSES[Math.min(line.tries, PAUSES.length - 1)]);
  line.tries += 1;
  showSaved();
  throw new Lost(how);
}

function regain() {
  if (!line.down) return;
  const seconds = Math.round((Date.now() - line.since) / 1000);
  line.down = null;
  line.tries = 0;
  clearTimeout(line.timer);
  notice("waiting", false);
  if (line.wasLost) {
    // Else the server was not well, of which it knows itself, or nobody was signed in.
    tell("offline", { seconds });
    tell("online", { seconds });
  }
  line.wasLost = false;
  showSaved();
  beat().catch(ignoreLoss);
  answer?.settle();
  sendTakes();
}

async function tryAgain() {
  if (!facts) return;
  if (answer?.isDirty && (await answer.settle())) return;
  await beat().catch(ignoreLoss);
}

function ignoreLoss(error) {
  if (!(error instanceof Lost)) throw error;
}

async function ask(url, body, { keepalive = false, isSecondTry = false } = {}) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  let response;
  let reply = {};
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf, "X-Room": facts.token },
      body: JSON.stringify(body),
      redirect: "error",
      keepalive,
      signal: patience.signal,
    });
    if (response.status < 500 && ![204, 403, 429].includes(response.status)) {
      reply = await response.json();
    }
  } catch {
    return lose("offline");
  } finally {
    clearTimeout(timer);
  }
  if (response.status >= 500 || response.status === 429) return lose("waiting");
  if (response.status === 403) {
    // Signed in anew, perhaps in another tab: this page's tokens are not good any more.
    if (isSecondTry || !(await renew())) return lose("waiting");
    return ask(url, body, { keepalive, isSecondTry: true });
  }
  if (response.status === 401) {
    for (const link of document.querySelectorAll("[data-sign-in]")) link.href = reply.sign_in;
    notice("signed_out");
    return lose("waiting");
  }
  if (reply.token) facts.token = reply.token;
  notice("signed_out", false);
  regain();
  if (response.status === 410) end();
  return { status: response.status, reply };
}

/** Nothing more can be sent. What is written here stays in sight. */
function end() {
  facts.ended = true;
  clock.stop();
  const box = document.getElementById("text");
  if (box) box.readOnly = true;
  notice("ended");
  showSaved();
}

/** Codes and numbers only. What cannot be told is not told. */
function tell(kind, detail = {}) {
  if (!facts) return;
  fetch(facts.urls.events, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf, "X-Room": facts.token },
    body: JSON.stringify({ kind, detail }),
    keepalive: true,
  }).catch(() => {});
}

async function beat() {
  if (!facts || facts.ended) return;
  const asked = facts;
  const { status, reply } = await ask(asked.urls.heartbeat, { question: asked.current });
  if (status !== 200 || facts !== asked) return;
  if (reply.current === asked.current) {
    clock.set(reply.left);
    return notice("elsewhere", false);
  }
  if (turning.to === reply.current) return turn(); // the answer to going on was lost
  notice("elsewhere");
}

// --- pages --------------------------------------------------------------------------------------------

const turning = { to: null };

async function fetchPage(url, options = {}) {
  let response;
  let text;
  try {
    response = await fetch(url, options);
    text = await response.text();
  } catch {
    return lose("offline");
  }
  if (response.status >= 500) return lose("waiting");
  return { response, page: new DOMParser().parseFromString(text, "text/html") };
}

const pageHere = () => `${room().dataset.page}?here=1`;

function factsOf(page) {
  const found = page.getElementById("facts");
  return found && JSON.parse(found.textContent);
}

let renewing = null;

/** New tokens for the page that stands here, entering again where the server asks for that. */
function renew() {
  renewing ??= fetchTokens().finally(() => (renewing = null));
  return renewing;
}

async function fetchTokens() {
  let { response, page } = await fetchPage(pageHere());
  const form = page.querySelector('#room[data-state="resume"] form');
  if (form) {
    const body = new FormData(form);
    ({ response, page } = await fetchPage(form.getAttribute("action"), { method: "POST", body }));
  }
  const fresh = factsOf(page);
  if (fresh) {
    csrf = page.getElementById("room").dataset.csrf;
    facts.token = fresh.token;
    return true;
  }
  if (page.getElementById("room")) {
    end();
  } else {
    for (const link of document.querySelectorAll("[data-sign-in]")) link.href = response.url;
    notice("signed_out");
  }
  return false;
}

/** Shows what the server has now. */
async function turn(url = pageHere(), options = {}) {
  await older;
  const { response, page } = await fetchPage(url, options);
  const next = page.getElementById("room");
  if (!next) return location.assign(response.url);
  leaveView();
  document.title = page.title;
  history.replaceState(null, "", response.url);
  room().replaceWith(document.adoptNode(next));
  start();
  scrollTo(0, 0);
  (here("#room h1") || room()).focus({ preventScroll: true });
}

/** To another question, once the server has this one's text; `anyway` goes on without what it refuses. */
async function go(to, { anyway = false } = {}) {
  if (turning.isBusy) return;
  turning.isBusy = true;
  const box = document.getElementById("text");
  const wasReadOnly = box?.readOnly;
  if (box) box.readOnly = true;
  busy(true);
  try {
    recorder?.stop();
    const isSaved = !answer || (await answer.settle());
    if (!isSaved && line.down) return void notice("waiting");
    if (!isSaved && !anyway) return;
    turning.to = to;
    const { status, reply } = await ask(facts.urls.go, { to });
    if (status === 200 || status === 422) await turn();
    if (status === 422) notice("refused", true, reply.message);
  } catch (error) {
    ignoreLoss(error);
    notice("waiting");
  } finally {
    turning.isBusy = false;
    if (box) box.readOnly = wasReadOnly;
    busy(false);
  }
}

function busy(on) {
  for (const button of document.querySelectorAll(".room-going .button")) {
    if (on) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
}

// --- one answer ---------------------------------------------------------------------------------------

class Answer {
  constructor() {
    this.number = facts.current;
    this.url = facts.urls.answer.replace("/0/", `/${this.number}/`);
    this.box = document.getElementById("text");
    this.box.value = facts.answer.text;
    this.held = this.box.value; // what the server has
    this.revision = facts.answer.revision;
    this.savedAt = facts.answer.saved_at;
    this.sequence = this.sent = this.taken = 0;
    this.offers = [];
    this.refusal = "";
    this.isRestored = false; // what stands in the box was left by an earlier page
    this.box.addEventListener("input", () => this.changed());
    this.box.addEventListener("blur", () => this.settle());
    this.ready = this.restore();
  }

  get isDirty() {
    return this.box.value !== this.held;
  }

  get prefix() {
    return `text:${facts.reference}:${facts.stay}:${this.number}:`;
  }

  /** Goes on as the page that was killed: its text, its name, its numbers. The server then knows what
      of it has come, even where its reply has not. */
  async restore() {
    this.writer = newName();
    await own(this.writer);
    let adopted = false;
    for (const draft of await keep.all(this.prefix)) {
      if (!(await own(draft.writer))) continue; // another tab is at it
      if (draft.text === this.held) {
        keep.drop(draft.key);
      } else if (adopted) {
        this.offers.push(draft);
      } else {
        adopted = this.isRestored = true;
        this.writer = draft.writer;
        this.sequence = draft.sequence;
        this.revision = Math.min(this.revision, draft.base);
        this.box.value = draft.text;
      }
    }
    this.box.readOnly = false;
    this.count();
    this.offer();
    showSaved();
    if (adopted) this.settle();
  }

  keep() {
    return keep.put({
      key: this.prefix + this.writer,
      reference: facts.reference,
      number: this.number,
      writer: this.writer,
      text: this.box.value,
      base: this.revision,
      sequence: this.sequence,
      at: Date.now(),
    });
  }

  changed() {
    this.sequence += 1;
    this.refusal = "";
    turning.to = null;
    notice("refused", false);
    this.keep();
    this.count();
    showSaved();
    this.schedule();
  }

  schedule() {
    clearTimeout(this.timer);
    this.due ??= Date.now() + AT_LATEST;
    this.timer = setTimeout(() => this.settle({ once: true }), Math.min(SOON, Math.max(this.due - Date.now(), 0)));
  }

  /** Whether the server has what stands in the box. */
  async settle({ keepalive = false, once = false } = {}) {
    clearTimeout(this.timer);
    this.due = null;
    await this.ready;
    if (keepalive && this.isDirty && this.sending) this.send(true);
    while (this.sending) await this.sending;
    while (this.isDirty) {
      if (facts.ended || this.refusal || this.isTooLong) return false;
      this.sending = this.send(keepalive).finally(() => (this.sending = null));
      if (!(await this.sending)) return false;
      if (once && this.isDirty) {
        this.schedule();
        return false;
      }
    }
    return true;
  }

  async send(keepalive) {
    const sent = { text: this.box.value, base: this.revision, tab: this.writer, sequence: this.sequence };
    this.sent = Math.max(this.sent, sent.sequence);
    try {
      const small = sent.text.length * 3 < MOST_AT_ONCE;
      const { status, reply } = await ask(this.url, sent, { keepalive: keepalive && small });
      if (status === 200) this.took(sent, reply);
      else if (status === 409) return this.conflict(sent, reply);
      else return this.refused(reply);
      return true;
    } catch (error) {
      ignoreLoss(error);
      return false;
    } finally {
      showSaved();
    }
  }

  took(sent, reply) {
    if (sent.tab !== this.writer || sent.sequence < this.taken) return; // overtaken by a later one
    this.taken = sent.sequence;
    this.revision = Math.max(this.revision, reply.revision);
    this.savedAt = reply.saved_at;
    this.held = sent.text;
    this.isRestored = false;
    if (reply.text !== undefined && reply.text !== sent.text) {
      if (this.box.value === sent.text) this.box.value = reply.text;
      this.held = reply.text;
    }
    if (this.isDirty) this.keep();
    else keep.drop(this.prefix + this.writer);
  }

  /** Somebody else was newer: theirs stands in the box, ours is kept under the old name and offered. */
  async conflict(sent, reply) {
    if (sent.tab !== this.writer || sent.sequence < this.sent) return true;
    const ours = { key: this.prefix + this.writer, text: this.box.value, isRestored: this.isRestored };
    this.writer = newName();
    this.sequence = this.sent = this.taken = 0;
    this.isRestored = false;
    this.revision = reply.revision;
    this.savedAt = reply.saved_at;
    this.box.value = this.held = reply.text;
    this.count();
    if (ours.text === reply.text) {
      keep.drop(ours.key);
    } else {
      this.offers.unshift(ours);
      this.offer();
      tell("other_tab", { question: this.number });
    }
    await own(this.writer);
    return ours.text === reply.text;
  }

  refused(reply) {
    if (!reply.message) return false; // ended: ask() has said so
    this.refusal = reply.message;
    notice("refused", true, reply.message);
    if (reply.code !== "time_up") return false;
    keep.drop(this.prefix + this.writer);
    clock.ring();
    return false;
  }

  offer() {
    const [first] = this.offers;
    const section = notice("conflict", Boolean(first));
    if (!first) return;
    section.querySelector("blockquote").textContent = first.text;
    for (const heading of section.querySelectorAll("[data-for]")) {
      heading.hidden = (heading.dataset.for === "changed") === (first.isRestored !== false);
    }
    say(section.querySelector("[data-for]:not([hidden])").textContent);
  }

  decide(use) {
    const { key, text } = this.offers.shift();
    if (use) {
      this.box.value = text;
      this.changed();
    }
    keep.drop(key);
    this.offer();
    this.box.focus();
    this.settle();
  }

  get left() {
    const { length } = this.box.value; // as characters count here; the server counts an emoji as one
    return facts.longest_answer - (length > facts.longest_answer ? [...this.box.value].length : length);
  }

  get isTooLong() {
    return this.left < 0;
  }

  count() {
    const { left } = this;
    const shown = left < 0 ? "over" : left < facts.longest_answer / 10 ? "near" : null;
    for (const each of document.querySelectorAll("[data-count]")) {
      const isNew = each.hidden && each.dataset.count === shown;
      each.hidden = each.dataset.count !== shown;
      each.querySelector("b").textContent = Math.abs(left);
      if (isNew) say(each.textContent);
    }
    this.box.setAttribute("aria-invalid", String(left < 0));
    this.box.setAttribute("aria-describedby", shown ? `count-${shown}` : "");
  }
}

/** What earlier pages left behind of other questions. Who turns to one of them waits for it: else the
    server could show it as it was before. */
let older = Promise.resolve();

async function sendOlder() {
  const asked = facts;
  for (const draft of await keep.all(`text:${asked.reference}:${asked.stay}:`)) {
    if (facts !== asked) return;
    if (draft.number === asked.current || !(await own(draft.writer))) continue;
    const { text, base, writer: tab, sequence } = draft;
    const url = asked.urls.answer.replace("/0/", `/${draft.number}/`);
    const { status, reply } = await ask(url, { text, base, tab, sequence });
    if (status === 200 || reply.code === "time_up") keep.drop(draft.key);
  }
}

// --- what is shown and said ---------------------------------------------------------------------------

let lastSaid = "";

function say(words) {
  document.getElementById("spoken").textContent = words;
}

function savedState() {
  if (!answer.isDirty) return answer.savedAt ? "saved" : "empty";
  if (facts.ended || answer.refusal || answer.isTooLong) return "refused";
  if (!line.down) return "saving";
  return keep.lasts ? line.down : "memory";
}

function showSaved() {
  const place = document.getElementById("saved");
  if (!place || !answer) return;
  const state = savedState();
  for (const each of place.children) each.hidden = each.dataset.saved !== state;
  place.dataset.state = state;
  if (state === "saved") {
    const at = new Date(answer.savedAt);
    const time = place.querySelector("time");
    time.textContent = at.toLocaleTimeString("en-GB", { timeZone: room().dataset.zone });
    time.dateTime = answer.savedAt;
  }
  // Read out when it changes in kind, not at each save.
  if (state === "saving" || state === "empty" || state === lastSaid) return;
  lastSaid = state;
  say(place.querySelector(`[data-saved="${state}"]`).textContent);
}

function notice(name, on = true, words = "") {
  const section = here(`[data-notice="${name}"]`);
  if (!section) return null;
  const isNew = on && section.hidden;
  section.hidden = !on;
  if (words) section.querySelector("[data-message]").textContent = words;
  if (isNew && name !== "conflict") say(section.querySelector("p").textContent);
  return section;
}

// --- time ---------------------------------------------------------------------------------------------
// The server counts. Between its heartbeats the clock runs on here, and stands still with the line.

const clock = {
  set(left) {
    this.left = left;
    this.at = performance.now();
    this.runs = left !== null && left !== undefined;
    this.show();
  },

  get now() {
    return this.runs ? Math.max(this.left - (performance.now() - this.at) / 1000, 0) : this.left;
  },

  stop() {
    if (!this.runs) return;
    this.left = this.now;
    this.runs = false;
  },

  show() {
    const place = document.getElementById("clock");
    if (!place || this.left === null || this.left === undefined) return;
    const seconds = Math.ceil(this.now);
    const text = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
    if (place.textContent === text) return;
    place.textContent = text;
    place.parentElement.classList.toggle("is-short", seconds <= 30);
    if (seconds === 60 || seconds === 10) say(place.parentElement.textContent);
    if (seconds <= 0 && this.runs) this.ring();
  },

  /** Time is up: what is there is saved, then it goes on by itself. */
  async ring() {
    if (this.rang === facts || !facts?.next) return;
    this.rang = facts;
    const asked = facts;
    const box = document.getElementById("text");
    if (box) box.readOnly = true;
    notice("time_up");
    tell("time_up", { question: asked.current });
    while (facts === asked && !asked.ended) {
      if (!line.down) await go(asked.next, { anyway: true });
      if (box) box.readOnly = true;
      await new Promise((resolve) => setTimeout(resolve, SOON));
    }
  },
};

// --- recording ----------------------------------------------------------------------------------------

const FORMATS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];

class Recorder {
  constructor(section) {
    this.section = section;
    this.number = facts.current;
    this.isPractice = "practice" in section.dataset;
    section.hidden = !(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);
    section.addEventListener("click", (event) => {
      const act = event.target.closest("button")?.dataset.do;
      if (act) this[act]();
    });
    this.show(section.dataset.state);
  }

  show(state, message = "") {
    this.section.dataset.state = state;
    for (const each of this.section.querySelectorAll(".recorder-state > [data-for]")) {
      each.hidden = each.dataset.for !== state;
    }
    if (message) this.section.querySelector("[data-message]").textContent = message;
    const [record, stop] = ["record", "stop"].map((name) => this.section.querySelector(`[data-do="${name}"]`));
    const hadFocus = [record, stop].includes(document.activeElement);
    record.hidden = state === "recording" || state === "asking";
    stop.hidden = state !== "recording";
    record.querySelector('[data-for="first"]').hidden = state !== "idle";
    record.querySelector('[data-for="again"]').hidden = state === "idle";
    if (hadFocus) (stop.hidden ? record : stop).focus();
  }

  async record() {
    this.show("asking");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const mimeType = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
      this.recorder = new MediaRecorder(this.stream, { mimeType, audioBitsPerSecond: 32_000 });
    } catch (error) {
      this.close();
      tell("device_error", { device: "microphone", error: error.name });
      return this.show("unable");
    }
    const chunks = [];
    let size = 0;
    this.recorder.ondataavailable = ({ data }) => {
      chunks.push(data);
      size += data.size;
      if (size > facts.largest_recording * 0.98) this.stop();
    };
    this.recorder.onerror = ({ error }) => tell("device_error", { device: "recorder", error: error?.name ?? "unknown" });
    this.recorder.onstop = () => this.take(new Blob(chunks, { type: this.recorder.mimeType }));
    this.recorder.start(1000);
    const began = Date.now();
    const time = this.section.querySelector("[data-clock]");
    this.timer = setInterval(() => {
      const seconds = Math.floor((Date.now() - began) / 1000);
      time.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    }, 500);
    this.show("recording");
  }

  stop() {
    if (this.recorder?.state === "recording") this.recorder.stop();
    this.close();
  }

  close() {
    clearInterval(this.timer);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
  }

  async take(blob) {
    const player = this.section.querySelector("audio");
    URL.revokeObjectURL(player.src);
    player.src = URL.createObjectURL(blob);
    player.hidden = false;
    if (this.isPractice) return this.show("taken");
    const record = { key: `take:${this.reference}:${this.stay}:${this.number}`, number: this.number, blob, at: Date.now() };
    takes.set(record.key, record);
    keep.put(record);
    await sendTakes();
  }

  reference = facts.reference;

  stay = facts.stay;
}

const takes = new Map(); // what is not sent yet, also where nothing can be kept
let sendingTakes = null;

/** Sends what has been recorded, also on earlier pages; whether all of it has arrived. */
function sendTakes() {
  sendingTakes ??= sendAllTakes().finally(() => (sendingTakes = null));
  return sendingTakes;
}

async function sendAllTakes() {
  const asked = facts;
  if (!asked) return true;
  for (const record of await keep.all(`take:${asked.reference}:${asked.stay}:`)) {
    if (!takes.has(record.key)) takes.set(record.key, record);
  }
  for (const record of takes.values()) {
    const show = (...state) => recorder?.number === record.number && recorder.recorder?.state !== "recording" && recorder.show(...state);
    const { status, reply } = await upload(asked, record, (share) => {
      show("sending");
      if (recorder) recorder.section.querySelector(".recorder-state progress").value = share;
    });
    const isRefused = [413, 415, 422].includes(status);
    if (status !== 200 && !isRefused) {
      show("kept");
      return false;
    }
    if (takes.get(record.key) === record) {
      takes.delete(record.key);
      keep.drop(record.key);
    }
    show(isRefused ? "refused" : "sent", reply.message);
  }
  return true;
}

function upload(asked, record, progress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of how far it is
    request.open("POST", asked.urls.recording.replace("/0/", `/${record.number}/`));
    request.setRequestHeader("X-CSRFToken", csrf);
    request.setRequestHeader("X-Room", asked.token);
    request.setRequestHeader("Content-Type", record.blob.type || "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    request.onloadend = () => resolve({ status: request.status, reply: request.response ?? {} });
    progress(0);
    request.send(record.blob);
  });
}

// --- before it begins ---------------------------------------------------------------------------------

const found = {}; // what the check of the device has shown: codes and numbers

function result(name, state) {
  for (const each of document.querySelectorAll(`[data-check="${name}"] [data-result]`)) {
    each.hidden = each.dataset.result !== state;
  }
}

async function checkLine() {
  while (room().dataset.state === "check") {
    const times = [];
    for (let round = 0; round < 3; round += 1) {
      const from = performance.now();
      const response = await fetch(room().dataset.page, { method: "HEAD", cache: "no-store" }).catch(() => null);
      if (response && response.status < 500) times.push(performance.now() - from);
    }
    if (times.length) {
      found.milliseconds = Math.round(Math.min(...times));
      return result("line", found.milliseconds < 1000 ? "good" : "slow");
    }
    result("line", "bad");
    await new Promise((resolve) => setTimeout(resolve, PAUSES[2]));
  }
}

async function checkStorage() {
  found.storage = await keep.works();
  result("storage", found.storage ? "good" : "bad");
}

async function checkMicrophone(wanted) {
  checkMicrophone.stream?.getTracks().forEach((track) => track.stop());
  checkMicrophone.stream = null;
  if (!wanted) return result("microphone", "off");
  result("microphone", "busy");
  try {
    const stream = (checkMicrophone.stream = await navigator.mediaDevices.getUserMedia({ audio: true }));
    result("microphone", "good");
    found.microphone = true;
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const measure = () => {
      const level = document.getElementById("level");
      if (!level || checkMicrophone.stream !== stream) return context.close();
      analyser.getFloatTimeDomainData(samples);
      level.value = Math.min(Math.max(...samples.map(Math.abs)) * 2, 1);
      setTimeout(measure, 100);
    };
    measure();
  } catch (error) {
    found.microphone = error.name || "none";
    result("microphone", "bad");
  }
}

// --- leaving ------------------------------------------------------------------------------------------
// The page that asks whether to leave, shown in a dialog: its #exit. Its forms are sent from here, so that
// nothing of the room is gone before leaving is certain.

const leaving = {
  dialog: document.getElementById("leave"),

  part(name) {
    return this.dialog.querySelector(`[data-leave="${name}"]`);
  },

  show(name) {
    for (const each of ["loading", "failed", "content"]) this.part(each).hidden = each !== name;
    const place = this.part(name);
    (place.querySelector("[data-focus]") || place.querySelector("h1, h2, [tabindex='-1']") || place).focus();
  },

  async open(link) {
    this.opener = link;
    this.url = link.href;
    this.show("loading");
    if (!this.dialog.open) this.dialog.showModal();
    this.part("loading").focus();
    tell("exit_opened", { question: facts?.current ?? null });
    recorder?.stop();
    await answer?.settle();
    await this.load(this.url);
    if (speaks()) speak();
  },

  async load(url, options = {}) {
    this.again = () => this.load(url, options);
    let response;
    let text;
    try {
      response = await fetch(url, { ...options, headers: { "HX-Request": "true" } });
      text = await response.text();
      if (response.status >= 500) throw new Lost();
    } catch {
      return this.show("failed");
    }
    const elsewhere = response.headers.get("HX-Redirect");
    const page = new DOMParser().parseFromString(text, "text/html");
    const content = page.getElementById("exit");
    if (elsewhere || !content) {
      if (isRoom(elsewhere || response.url)) {
        this.dialog.close();
        return turn().catch(ignoreLoss);
      }
      return location.assign(elsewhere || response.url);
    }
    this.part("content").replaceChildren(document.adoptNode(content));
    const heading = content.querySelector("h1, h2");
    if (heading) heading.tabIndex = -1;
    this.show("content");
  },

  stay() {
    this.dialog.close();
  },
};

function isRoom(url) {
  return new URL(url, location.href).pathname === room().dataset.page;
}

leaving.dialog.addEventListener("close", () => {
  window.speechSynthesis?.cancel();
  leaving.part("content").replaceChildren();
  // The browser has given the focus back before, if what had it is still there. Who has gone on since is
  // not taken back.
  if (here(":focus:not(#leave *)")) return;
  (leaving.opener?.isConnected ? leaving.opener : here("[data-exit]"))?.focus();
});
leaving.dialog.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (link?.hash && leaving.dialog.contains(document.getElementById(link.hash.slice(1)))) {
    event.preventDefault(); // from what is wrong to where; the address stays the room's
    return document.getElementById(link.hash.slice(1)).focus();
  }
  const stays = event.target.closest("[data-stay]") || (link && isRoom(link.href));
  if (stays) {
    event.preventDefault();
    leaving.stay();
  } else if (event.target.closest("[data-again]")) {
    leaving.again();
  }
});
leaving.dialog.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (form.getAttribute("method") === "dialog") return;
  event.preventDefault();
  if (submitter?.getAttribute("aria-disabled") === "true") return;
  submitter?.setAttribute("aria-disabled", "true");
  if (submitter?.dataset.busy) submitter.textContent = submitter.dataset.busy;
  const url = new URL(submitter?.getAttribute("formaction") || form.getAttribute("action") || leaving.url, leaving.url);
  const body = new FormData(form, submitter);
  if (form.method === "post") return leaving.load(url, { method: "POST", body });
  url.search = new URLSearchParams(body);
  leaving.load(url);
});

// A voice that asks: off unless switched on, which is remembered.

function speaks() {
  try {
    return localStorage.getItem("voice") === "on";
  } catch {
    return false;
  }
}

function speak() {
  const words = new SpeechSynthesisUtterance(here("[data-voice]").dataset.voice);
  words.lang = document.documentElement.lang;
  speechSynthesis.cancel();
  speechSynthesis.speak(words);
}

// --- everything together ------------------------------------------------------------------------------

function leaveView() {
  recorder?.stop();
  checkMicrophone(false);
  clearTimeout(answer?.timer);
  answer = recorder = null;
}

function start() {
  const { state, csrf: token } = room().dataset;
  csrf = token;
  facts = factsOf(document);
  turning.to = null;
  clock.set(facts?.left);
  if (state === "check") {
    checkLine();
    checkStorage();
  }
  if (state === "finished" || state === "left") keep.forget(here("#room").dataset.reference);
  if (state === "too_early") {
    const { opens, now } = room().dataset;
    setTimeout(() => location.reload(), Math.min(Math.max(opens - now, 5) * 1000, 2 ** 31 - 1));
  }
  for (const each of document.querySelectorAll("[data-voice]")) {
    each.checked = speaks();
    each.closest("label").hidden = !window.speechSynthesis;
  }
  if (!facts) return;
  if (facts.answer) answer = new Answer();
  const section = document.getElementById("recorder");
  if (section) recorder = new Recorder(section);
  sendTakes();
  older = sendOlder().catch(ignoreLoss);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-exit]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    return leaving.open(link);
  }
  const button = event.target.closest("#room button");
  if (!button || button.getAttribute("aria-disabled") === "true") return;
  if (button.dataset.to) go(Number(button.dataset.to));
  if (button.dataset.do === "use") answer.decide(true);
  if (button.dataset.do === "discard") answer.decide(false);
  if (button.dataset.do === "follow") (answer?.settle() ?? Promise.resolve()).then(() => turn()).catch(ignoreLoss);
});

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("#room form");
  if (!form) return;
  event.preventDefault();
  if (!("goOn" in form.dataset) || turning.isBusy) return;
  turning.isBusy = true;
  busy(true);
  try {
    if (form.elements.check) form.elements.check.value = JSON.stringify(found);
    if (form.id === "end" && !(await sendTakes())) return notice("waiting");
    await turn(form.getAttribute("action"), { method: "POST", body: new FormData(form) });
  } catch (error) {
    ignoreLoss(error);
    notice("waiting");
  } finally {
    turning.isBusy = false;
    busy(false);
  }
});

document.addEventListener("change", ({ target }) => {
  if (target.name === "may_record") checkMicrophone(target.checked);
  if (!("voice" in target.dataset)) return;
  try {
    localStorage.setItem("voice", target.checked ? "on" : "off");
  } catch {
    // It is not remembered, then.
  }
  if (target.checked) speak();
  else speechSynthesis.cancel();
});

document.addEventListener("visibilitychange", () => {
  const hidden = document.visibilityState === "hidden";
  if (hidden) answer?.settle({ keepalive: true });
  tell(hidden ? "hidden" : "shown");
  if (!hidden && facts) beat().catch(ignoreLoss);
});

addEventListener("pagehide", () => {
  answer?.settle({ keepalive: true });
  tell("closed");
});
addEventListener("pageshow", (event) => event.persisted && location.reload());
addEventListener("beforeunload", (event) => {
  if (answer?.isDirty && !keep.lasts) event.preventDefault();
});
addEventListener("online", tryAgain);
addEventListener("offline", () => {
  try {
    lose("offline");
  } catch (error) {
    ignoreLoss(error);
  }
});

let errors = 0;
function complain(kind, event) {
  errors += 1;
  if (errors > 5) return;
  tell("script_error", { kind, line: event.lineno ?? 0, column: event.colno ?? 0, name: (event.error ?? event.reason)?.name ?? "unknown" });
}
addEventListener("error", (event) => complain("error", event));
addEventListener("unhandledrejection", (event) => complain("rejection", event));

setInterval(() => clock.show(), 250);
(function keepBeating() {
  setTimeout(() => {
    if (facts && !line.down) beat().catch(ignoreLoss);
    keepBeating();
  }, (facts?.heartbeat_seconds ?? 15) * 1000);
})();

keep.forgetOld();
start();
