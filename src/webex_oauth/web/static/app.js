// Pages work without this file. It writes instants in local time and filters spaces while typing.
"use strict";

(() => {
  const parts = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
  const inRows = new Intl.DateTimeFormat(undefined, parts);
  const inText = new Intl.DateTimeFormat(undefined, { ...parts, timeZoneName: "short" });

  // The page is in English, the instant in the language of the browser.
  function writeLocalTime(element, format) {
    const instant = new Date(element.dateTime);
    if (Number.isNaN(instant.getTime())) return;
    element.title = element.textContent;
    element.lang = format.resolvedOptions().locale;
    element.dir = "auto";
    element.textContent = format.format(instant);
  }

  const comparable = (text) => text.normalize("NFKC").toLowerCase();

  // Rows may still be arriving: each is taken up once, in order, when it is complete.
  class RoomTable {
    constructor(body) {
      this.body = body;
      this.input = document.getElementById("filter");
      this.status = document.getElementById("filtered");
      this.served = comparable(body.dataset.filter);
      this.wanted = comparable(this.input.value);
      this.taken = [];
      this.pause = 0;
      this.input.addEventListener("input", () => this.filter());
    }

    // From the last row that was taken up on: to list them all at each arrival takes ever longer.
    takeUp(isWhole) {
      const last = this.taken.at(-1)?.row;
      let row = last ? last.nextElementSibling : this.body.firstElementChild;
      for (; row && (isWhole || row.nextElementSibling); row = row.nextElementSibling) {
        this.taken.push({ row, title: comparable(row.cells[0].textContent) });
        row.querySelectorAll("time").forEach((time) => writeLocalTime(time, inRows));
        row.hidden = !this.matches(this.taken.at(-1));
      }
      if (this.status.textContent) this.announceSoon();
    }

    // What the server chose for this very text is not judged again.
    matches({ title }) {
      return this.wanted === this.served || title.includes(this.wanted);
    }

    filter() {
      this.wanted = comparable(this.input.value);
      for (const room of this.taken) room.row.hidden = !this.matches(room);
      this.announceSoon();
    }

    announceSoon() {
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.announce(), 300);
    }

    announce() {
      const count = this.taken.filter((room) => this.matches(room)).length;
      const hint = this.wanted.includes(this.served) ? "" : " Press Enter to search all of them.";
      const said = count
        ? `${count} of ${this.taken.length} spaces shown.`
        : `No space has “${this.input.value}” in its title.`;
      this.status.textContent = said + hint;
      this.body.parentElement.classList.toggle("empty", count === 0);
    }
  }

  let table = null;
  function refresh(isWhole) {
    const body = document.getElementById("rooms");
    if (!body) return;
    table ??= new RoomTable(body);
    table.takeUp(isWhole);
  }

  function finish() {
    arrivals.disconnect();
    refresh(true);
    const times = document.querySelectorAll("main time:not([title])");
    times.forEach((time) => writeLocalTime(time, inText));
  }

  const arrivals = new MutationObserver(() => refresh(false));
  if (document.readyState !== "loading") return finish();
  arrivals.observe(document, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", finish);
  refresh(false);
})();
