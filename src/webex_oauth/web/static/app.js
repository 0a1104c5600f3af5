// Pages work without this file. It writes instants in local time and filters spaces while typing.
"use strict";

(() => {
  const localTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

  function writeLocalTime(element) {
    const instant = new Date(element.dateTime);
    if (Number.isNaN(instant.getTime())) return;
    element.title = element.textContent;
    element.textContent = localTime.format(instant);
  }

  function comparable(text) {
    return text.normalize("NFKC").toLowerCase();
  }

  // Rows may still be arriving: each is taken up once, in order, when it is complete.
  class RoomTable {
    constructor(body, input, status) {
      this.body = body;
      this.input = input;
      this.status = status;
      this.served = comparable(body.dataset.filter);
      this.titles = [];
      this.pause = 0;
      input.addEventListener("input", () => this.filter());
    }

    takeUp(isWhole) {
      const { rows } = this.body;
      const end = rows.length - (isWhole ? 0 : 1);
      for (let index = this.titles.length; index < end; index += 1) {
        this.titles.push(comparable(rows[index].cells[0].textContent));
        rows[index].querySelectorAll("time").forEach(writeLocalTime);
        this.show(index, comparable(this.input.value));
      }
    }

    // What the server chose for this very text is not judged again.
    matches(title, wanted) {
      return wanted === this.served || title.includes(wanted);
    }

    show(index, wanted) {
      this.body.rows[index].hidden = !this.matches(this.titles[index], wanted);
    }

    filter() {
      const wanted = comparable(this.input.value);
      this.titles.forEach((_, index) => this.show(index, wanted));
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.announce(wanted), 300);
    }

    announce(wanted) {
      const count = this.titles.filter((title) => this.matches(title, wanted)).length;
      const shown = `${count} of ${this.titles.length} spaces shown.`;
      const isNarrower = wanted.includes(this.served);
      this.status.textContent = isNarrower ? shown : `${shown} Press Enter to search all of them.`;
    }
  }

  let table = null;

  function refresh(isWhole) {
    const body = document.getElementById("rooms");
    if (!body) return;
    const byId = (id) => document.getElementById(id);
    table ??= new RoomTable(body, byId("filter"), byId("filtered"));
    table.takeUp(isWhole);
  }

  function finish() {
    arrivals.disconnect();
    refresh(true);
    document.querySelectorAll("main time:not([title])").forEach(writeLocalTime);
  }

  const arrivals = new MutationObserver(() => refresh(false));
  if (document.readyState === "loading") {
    arrivals.observe(document, { childList: true, subtree: true });
    document.addEventListener("DOMContentLoaded", finish);
  } else {
    finish();
  }
})();
